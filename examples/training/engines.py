"""The two engines that train.py compares: LeNet-5 in NumPy and in Keras.

Both take a step, predict, and give and take the state that the next step
depends on.
"""
import numpy as np

import lenet5_numpy as lenet
from common import load


class NumPyEngine:
    """LeNet-5 of lenet5_numpy.py with its optimizer."""

    name, title, file = "numpy", "NumPy", "lenet5_numpy.npz"

    def __init__(self, weights):
        """Begin with a copy of the weights, and with moments of zero."""
        self.weights = [w.copy() for w in weights]
        self.adam = lenet.Adam(weights)

    def step(self, X, T):
        """Learn from one batch; return its loss before that."""
        return float(lenet.train_step(X, T, self.weights, self.adam))

    def predict(self, X):
        """Return the probabilities of the ten digits."""
        return lenet.predict(X, self.weights)

    def state(self):
        """Return all arrays that the next step depends on."""
        return [*self.weights, *self.adam.means, *self.adam.squares,
                np.array(self.adam.steps)]

    def restore(self, arrays):
        """Go back to a state."""
        *arrays, steps = (array.copy() for array in arrays)
        self.weights, self.adam.means, self.adam.squares = (
            arrays[:10], arrays[10:20], arrays[20:])
        self.adam.steps = int(steps)

    def save(self, path):
        """Write the weights, named W1, b1, W2, ..."""
        np.savez(path, **dict(zip(lenet.NAMES, self.weights)))


class KerasEngine:
    """LeNet-5 of 5-lenet5.py with its optimizer."""

    name, title, file = "keras", "Keras", "lenet5.keras"

    def __init__(self, weights):
        """Begin with the weights, and with moments of zero."""
        from tensorflow import keras as K
        self.model = load("5-lenet5.py")(K.Input(shape=(28, 28, 1)))
        self.model.set_weights(weights)
        self.model.optimizer.build(self.model.trainable_variables)

    def step(self, X, T):
        """Learn from one batch; return its loss before that."""
        self.model.reset_metrics()      # else the mean of all batches so far
        return float(self.model.train_on_batch(X, T, return_dict=True)["loss"])

    def predict(self, X):
        """Return the probabilities of the ten digits."""
        return self.model.predict(X, batch_size=500, verbose=0)

    def variables(self):
        """Return the optimizer's variables."""
        found = self.model.optimizer.variables
        return list(found() if callable(found) else found)

    def state(self):
        """Return all arrays that the next step depends on."""
        return [*self.model.get_weights(),
                *(np.asarray(variable) for variable in self.variables())]

    def restore(self, arrays):
        """Go back to a state."""
        self.model.set_weights(arrays[:10])
        for variable, array in zip(self.variables(), arrays[10:]):
            variable.assign(array)

    def save(self, path):
        """Write the model as Keras does."""
        self.model.save(path)
