#!/usr/bin/env python3
"""LeNet-5 in NumPy, on the four functions of this collection.

Forward, backward, loss, optimizer and initial weights, in the order in which
they are read. examples/train.py is the program that trains it; this one reads
digits with what was trained:

    python examples/lenet5_numpy.py out/lenet5_numpy.npz IMAGE.png ...
"""
import argparse
import sys
from pathlib import Path

# (common comes first: it says so where NumPy is missing.)
from common import UserError, load, require
import numpy as np
from training.output import complain, finished, say

conv_forward = load("0-conv_forward.py")
pool_forward = load("1-pool_forward.py")
conv_backward = load("2-conv_backward.py")
pool_backward = load("3-pool_backward.py")

KERNELS = [(5, 5, 1, 6), (5, 5, 6, 16), (400, 120), (120, 84), (84, 10)]
SURE = 0.8      # less than this is not sure
NAMES = [f"{kind}{i}" for i in range(1, 6) for kind in "Wb"]


def relu(Z):
    """Replace negative numbers by 0."""
    return np.maximum(Z, 0)


def softmax(Z):
    """Turn the numbers of each row into probabilities."""
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def forward(X, weights):
    """Return what each layer gives; the last are the probabilities."""
    W1, b1, W2, b2, W3, b3, W4, b4, W5, b5 = weights
    A1 = conv_forward(X, W1, b1, relu, padding="same")      # (m, 28, 28, 6)
    P1 = pool_forward(A1, (2, 2), (2, 2))                   # (m, 14, 14, 6)
    A2 = conv_forward(P1, W2, b2, relu, padding="valid")    # (m, 10, 10, 16)
    P2 = pool_forward(A2, (2, 2), (2, 2))                   # (m, 5, 5, 16)
    F2 = P2.reshape(len(X), -1)                             # (m, 400)
    A3 = relu(F2 @ W3 + b3)                                 # (m, 120)
    A4 = relu(A3 @ W4 + b4)                                 # (m, 84)
    Y = softmax(A4 @ W5 + b5)                               # (m, 10)
    return A1, P1, A2, P2, F2, A3, A4, Y


def cross_entropy(Y, T):
    """Return the mean loss of probabilities Y for one-hot labels T."""
    return -np.log((Y * T).sum(axis=1).clip(1e-7)).mean()


def dense_backward(dZ, A_prev, W):
    """Return the gradients of Z = A_prev @ W + b."""
    return dZ @ W.T, A_prev.T @ dZ, dZ.sum(axis=0)


def backward(X, T, layers, weights):
    """Return the gradients of the mean loss: of the weights, and of X."""
    W1, b1, W2, b2, W3, b3, W4, b4, W5, b5 = weights
    A1, P1, A2, P2, F2, A3, A4, Y = layers
    same, valid, pool = "same", "valid", ((2, 2), (2, 2), 'max', 'first')
    # Softmax and cross-entropy together have this simple gradient.
    dA4, dW5, db5 = dense_backward((Y - T) / len(X), A4, W5)
    dA3, dW4, db4 = dense_backward(dA4 * (A4 > 0), A3, W4)
    dF2, dW3, db3 = dense_backward(dA3 * (A3 > 0), F2, W3)
    dA2 = pool_backward(dF2.reshape(P2.shape), A2, *pool)
    dP1, dW2, db2 = conv_backward(dA2 * (A2 > 0), P1, W2, b2, valid)
    dA1 = pool_backward(dP1, A1, *pool)
    dX, dW1, db1 = conv_backward(dA1 * (A1 > 0), X, W1, b1, same)
    return [dW1, db1.ravel(), dW2, db2.ravel(),
            dW3, db3, dW4, db4, dW5, db5], dX


class Adam:
    """Adam as Keras computes it (Kingma and Ba, 2015)."""

    def __init__(self, weights, rate=1e-3, beta1=0.9, beta2=0.999):
        """Begin with moments of zero."""
        self.rate, self.beta1, self.beta2, self.steps = rate, beta1, beta2, 0
        self.means = [np.zeros_like(w) for w in weights]
        self.squares = [np.zeros_like(w) for w in weights]

    def step(self, weights, gradients):
        """Move the weights, in place, against their gradients."""
        self.steps += 1
        # Numbers of the weights' own dtype: in float64 the step size would
        # differ from Keras' in the sixth digit.
        one, rate, beta1, beta2, steps = np.array(
            [1, self.rate, self.beta1, self.beta2, self.steps],
            weights[0].dtype)
        rate *= np.sqrt(one - beta2**steps) / (one - beta1**steps)
        for w, g, mean, square in zip(weights, gradients,
                                      self.means, self.squares):
            mean += (g - mean) * (1 - self.beta1)
            square += (g * g - square) * (1 - self.beta2)
            w -= rate * mean / (np.sqrt(square) + 1e-7)


def he_normal(shape, rng):
    """Draw a kernel as Keras' he_normal: cut off at two deviations."""
    Z = rng.standard_normal(shape)
    while (far := np.abs(Z) > 2).any():
        Z[far] = rng.standard_normal(far.sum())
    # 0.8796 is the deviation that the cut leaves.
    return np.float32(Z / 0.87962566 * np.sqrt(2 / np.prod(shape[:-1])))


def initial_weights(rng):
    """Return kernels and zero biases, in Keras' order."""
    return [w for shape in KERNELS for w in
            (he_normal(shape, rng), np.zeros(shape[-1], np.float32))]


def train_step(X, T, weights, adam):
    """Learn from one batch, in place; return its loss before that."""
    layers = forward(X, weights)
    gradients, _ = backward(X, T, layers, weights)
    adam.step(weights, gradients)
    return cross_entropy(layers[-1], T)


def train_epoch(X, T, weights, adam, batch_size):
    """Go once through the images; return the loss of each batch."""
    return [train_step(X[i:i + batch_size], T[i:i + batch_size], weights, adam)
            for i in range(0, len(X), batch_size)]


def predict(X, weights):
    """Return the probabilities of the ten digits for each image."""
    return np.concatenate([forward(X[i:i + 500], weights)[-1]
                           for i in range(0, len(X), 500)])


def load_weights(path):
    """Return the weights that train.py has saved."""
    with np.load(path, allow_pickle=False) as file:
        if not set(NAMES) <= set(file):
            raise ValueError(f"expected the arrays {', '.join(NAMES)}, got "
                             f"{', '.join(file) or 'none'}")
        weights = [file[name] for name in NAMES]
    shapes = [shape for kernel in KERNELS for shape in (kernel, kernel[-1:])]
    for name, weight, shape in zip(NAMES, weights, shapes):
        if (weight.shape != shape or weight.dtype.kind != "f"
                or not np.isfinite(weight).all()):
            raise ValueError(f"expected {name} to be finite numbers of shape "
                             f"{shape}, got {weight.dtype} {weight.shape}")
    return weights


def describe(versions, doubts, weights):
    """Return what the versions of a picture are read as, with all doubts."""
    each = predict(versions, weights)
    Y = each.mean(axis=0)
    first, *others = np.argsort(-Y)[:4]
    if (each.argmax(axis=1) != first).any():
        doubts = [*doubts, "read otherwise at another size or slant"]
    others = ", ".join(f"{digit}: {Y[digit]:.1%}" for digit in others)
    answer = f"{first} ({Y[first]:.1%}; {others})"
    if doubts or Y[first] < SURE:
        return "; ".join([f"not sure: {answer}", *doubts])
    return answer


def read(weights, images):
    """Print what each picture shows; return the exit status."""
    require("PIL", "pillow")
    from training.preprocess import read_digit
    status = 0
    try:
        weights = load_weights(weights)
    except Exception as error:      # damaged files raise anything
        raise UserError(f"{weights}: cannot be read as trained weights "
                        f"({error})")
    for path in images:
        try:
            answer = describe(*read_digit(path), weights)
        except (OSError, ValueError) as error:
            status = complain("lenet5_numpy.py", f"{path}: cannot be read as "
                              f"a picture of a digit ({error})")
        else:
            say(f"{path}: {answer}")
    return status


def main(argv=None):
    """Run; return the exit status."""
    parser = argparse.ArgumentParser(
        description="Read digits with a trained LeNet-5, in NumPy.")
    parser.add_argument("weights", type=Path, help="lenet5_numpy.npz")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    args = parser.parse_args(argv)
    return finished("lenet5_numpy.py", lambda: read(args.weights, args.images))


if __name__ == "__main__":
    sys.exit(main())
