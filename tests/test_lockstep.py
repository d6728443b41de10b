"""LeNet-5 in NumPy and in Keras, step by step through an epoch."""
import numpy as np
import pytest

import lenet5_numpy as lenet
from common import load
from conftest import assert_close
from training.data import load_data

# Two free runs may part: beside a tie or the zero of ReLU, rounding decides
# which way a gradient goes. So each part of a step is compared from the same
# numbers: what is left is the rounding of float32, 6e-8 for each number. Sums
# of up to 25,088 products (32 images of 28 x 28 pixels) in another order err
# by the square root of that, 158 times as much, if errors are random.
TOLERANCE = 1e-5    # of an array's largest number
# Adam has no sums. The first biases are its step alone: they begin at zero.
ONE_STEP = 1e-6


@pytest.fixture
def keras(tf):
    """Keras' model and a function that takes one step with it."""
    K = tf.keras
    model = load("5-lenet5.py")(K.Input(shape=(28, 28, 1)))

    @tf.function(reduce_retracing=True)
    def step(X, T):
        with tf.GradientTape() as tape:
            tape.watch(X)
            layers = [X]
            for layer in model.layers[1:]:
                layers.append(layer(layers[-1]))
            loss = tf.reduce_mean(K.losses.categorical_crossentropy(
                T, layers[-1]))
        gradients = tape.gradient(loss, [*model.trainable_variables, X])
        model.optimizer.apply_gradients(
            zip(gradients[:-1], model.trainable_variables))
        return layers[1:], loss, gradients

    return model, step


@pytest.mark.parametrize("seed", [0, *(
    pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_each_step_of_an_epoch_is_keras(seed, keras):
    model, step = keras
    X, y, *_ = load_data("digits", seed=seed)
    T, rng = np.eye(10, dtype=np.float32)[y], np.random.default_rng(seed)
    weights = lenet.initial_weights(rng)
    adam, order = lenet.Adam(weights), rng.permutation(len(X))
    model.set_weights(weights)

    for i in range(0, len(X), 32):
        x, t = X[order[i:i + 32]], T[order[i:i + 32]]
        layers, loss, gradients = step(x, t)
        layers = [np.asarray(layer) for layer in layers]
        ours = lenet.forward(x, weights)
        agree(i, "layer", ours, layers)
        agree(i, "loss", [lenet.cross_entropy(ours[-1], t)], [loss])
        found, dX = lenet.backward(x, t, layers, weights)
        agree(i, "gradient", [*found, dX], gradients)
        adam.step(weights, [np.asarray(given) for given in gradients[:-1]])
        theirs = model.get_weights()
        agree(i, "weight", weights, theirs, ONE_STEP)
        weights = theirs


def agree(image, what, ours, theirs, rtol=TOLERANCE):
    """Fail unless each array is Keras', up to rounding."""
    assert len(ours) == len(theirs)
    for i, (array, expected) in enumerate(zip(ours, theirs)):
        assert_close(f"image {image}: {what} {i}", array, expected, rtol)
