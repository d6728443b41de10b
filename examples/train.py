#!/usr/bin/env python3
"""Train LeNet-5 twice, once with Keras and once with NumPy alone.

Both start from the same weights and see the same batches in the same order,
so their loss curves must lie on each other.
"""
import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from loader import load
from images import Refused, load_data

conv_forward = load("0-conv_forward.py")
pool_forward = load("1-pool_forward.py")
conv_backward = load("2-conv_backward.py")
pool_backward = load("3-pool_backward.py")

KERNELS = [(5, 5, 1, 6), (5, 5, 6, 16), (400, 120), (120, 84), (84, 10)]


# The network in NumPy

def relu(Z):
    return np.maximum(Z, 0)


def softmax(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def dense_backward(dZ, A_prev, W):
    return dZ @ W.T, A_prev.T @ dZ, dZ.sum(axis=0)


def cross_entropy(Y, T):
    """Return the mean loss of predictions Y for one-hot labels T."""
    return -np.log((Y * T).sum(axis=1).clip(1e-7)).mean()


def forward(X, weights):
    """Return all that the layers of LeNet-5 give, the predictions last."""
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


def backward(X, T, layers, weights):
    """Return the mean loss' gradients of the weights, and of the images X."""
    W1, b1, W2, b2, W3, b3, W4, b4, W5, b5 = weights
    A1, P1, A2, P2, F2, A3, A4, Y = layers
    dA4, dW5, db5 = dense_backward((Y - T) / len(X), A4, W5)
    dA3, dW4, db4 = dense_backward(dA4 * (A4 > 0), A3, W4)
    dF2, dW3, db3 = dense_backward(dA3 * (A3 > 0), F2, W3)
    dA2 = pool_backward(dF2.reshape(P2.shape), A2, (2, 2), (2, 2),
                        ties='first')
    dP1, dW2, db2 = conv_backward(dA2 * (A2 > 0), P1, W2, b2, "valid")
    dA1 = pool_backward(dP1, A1, (2, 2), (2, 2), ties='first')
    dX, dW1, db1 = conv_backward(dA1 * (A1 > 0), X, W1, b1, "same")
    return [dW1, db1.ravel(), dW2, db2.ravel(),
            dW3, db3, dW4, db4, dW5, db5], dX


class Adam:
    """Adam as Keras computes it (Kingma and Ba, 2015)."""

    def __init__(self, weights, rate=1e-3, beta1=0.9, beta2=0.999):
        self.rate, self.beta1, self.beta2, self.steps = rate, beta1, beta2, 0
        self.means = [np.zeros_like(w) for w in weights]
        self.squares = [np.zeros_like(w) for w in weights]

    def step(self, weights, gradients):
        """Move the weights, in place, against their gradients."""
        self.steps += 1
        rate = (self.rate * (1 - self.beta2**self.steps)**0.5
                / (1 - self.beta1**self.steps))
        for w, g, mean, square in zip(weights, gradients,
                                      self.means, self.squares):
            mean += (g - mean) * (1 - self.beta1)
            square += (g * g - square) * (1 - self.beta2)
            w -= rate * mean / (np.sqrt(square) + 1e-7)


def he_normal(shape, rng):
    """Draw a kernel as Keras' he_normal does: cut off at two deviations."""
    Z = rng.standard_normal(shape)
    while (far := np.abs(Z) > 2).any():
        Z[far] = rng.standard_normal(far.sum())
    # 0.8796 is the deviation that the cut leaves.
    return np.float32(Z / 0.87962566 * np.sqrt(2 / np.prod(shape[:-1])))


def initial_weights(rng):
    """Return kernels and zero biases, in Keras' order."""
    return [w for shape in KERNELS for w in
            (he_normal(shape, rng), np.zeros(shape[-1], np.float32))]


# The two engines: train an epoch, predict, save

class NumPyEngine:
    name, file = "NumPy", "lenet5_numpy.npz"

    def __init__(self, weights, total):
        self.weights = [w.copy() for w in weights]
        self.adam, self.epoch, self.total = Adam(weights), 0, total

    def train(self, X, T, batch_size):
        """Go once through the images; return the loss of each batch."""
        self.epoch += 1
        losses = []
        with tqdm(range(0, len(X), batch_size), leave=True, unit="batch",
                  desc=f"NumPy epoch {self.epoch}/{self.total}") as batches:
            for i in batches:
                x, t = X[i:i + batch_size], T[i:i + batch_size]
                layers = forward(x, self.weights)
                losses.append(cross_entropy(layers[-1], t))
                gradients, _ = backward(x, t, layers, self.weights)
                self.adam.step(self.weights, gradients)
                batches.set_postfix(loss=f"{np.mean(losses):.4f}",
                                    refresh=False)
        return losses

    def predict(self, X):
        return np.concatenate([forward(X[i:i + 500], self.weights)[-1]
                               for i in range(0, len(X), 500)])

    def save(self, path):
        names = (f"{kind}{i}" for i in range(1, 6) for kind in "Wb")
        np.savez(path, **dict(zip(names, self.weights)))


class KerasEngine:
    name, file = "Keras", "lenet5.keras"

    def __init__(self, weights, total):
        from tensorflow import keras as K
        self.model = load("5-lenet5.py")(K.Input(shape=(28, 28, 1)))
        self.model.set_weights(weights)
        self.epoch, self.total = 0, total
        self.means = []
        self.watch = K.callbacks.LambdaCallback(
            on_train_batch_end=lambda i, logs: self.means.append(
                float(logs["loss"])),
            on_epoch_end=lambda i, logs: setattr(
                self.model, "stop_training", True))

    def train(self, X, T, batch_size):
        """Go once through the images; return the loss of each batch."""
        self.means.clear()
        self.model.fit(X, T, batch_size, epochs=self.total,
                       initial_epoch=self.epoch, shuffle=False,
                       callbacks=[self.watch])
        self.epoch += 1
        # Keras tells the mean of all batches so far: take the sums apart.
        seen = np.minimum(np.arange(len(self.means) + 1) * batch_size, len(X))
        sums = np.concatenate(([0], self.means * seen[1:]))
        return list(np.diff(sums) / np.diff(seen))

    def predict(self, X):
        return self.model.predict(X, batch_size=500, verbose=0)

    def save(self, path):
        self.model.save(path)


# The report: a table and two pictures

def print_table(history):
    """Print epoch, loss, validation accuracy and seconds of each engine."""
    print("\nepoch" + "".join(f"{name + ' loss':>13}  accuracy  seconds"
                              for name in history))
    for epoch, rows in enumerate(zip(*history.values()), 1):
        print(f"{epoch:5}" + "".join(
            f"{loss:13.4f}{accuracy:10.4f}{seconds:9.2f}"
            for _, loss, accuracy, seconds in rows))
    if len(history) == 2:
        apart = [np.abs(np.subtract(ours, theirs)).max()
                 for (ours, *_), (theirs, *_) in zip(*history.values())]
        print("Largest difference between the two loss curves: "
              f"{apart[0]:.1e} in the first epoch, {max(apart):.1e} in all.")


def curves(history):
    """Draw the loss of each batch, one engine's curve on the other's."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    styles = {"NumPy": dict(color="#B2D9FF", linewidth=5),
              "Keras": dict(color="black", linewidth=1)}
    for name, rows in history.items():
        losses = np.concatenate([losses for losses, *_ in rows])
        epochs = np.arange(len(losses)) * len(rows) / len(losses)
        axes.plot(epochs, losses, label=name, **styles[name])
    axes.set(xlabel="epoch", ylabel="loss of each batch", yscale="log")
    axes.legend(frameon=False)
    return figure


def predictions(images, labels, read):
    """Show the first 50 images with what was read; mark what is wrong."""
    figure = Figure(figsize=(7, 4.4), layout="constrained")
    for axes in figure.subplots(5, 10).flat:
        axes.axis("off")
    for axes, image, label, digit in zip(figure.axes, images, labels, read):
        axes.imshow(image[:, :, 0], cmap="gray_r")
        right = digit == label
        axes.set_title(f"{digit}" if right else f"{digit}, not {label}",
                       fontsize=9, color="black" if right else "red")
        if not right:
            axes.axis("on")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(color="red", linewidth=2)
    return figure


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Refused(message)


def at_least(least):
    """Return a reader of integers that refuses what is below least."""
    def read(text):
        try:
            if int(text) >= least:
                return int(text)
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(
            f"expected an integer of at least {least}, got {text}")
    return read


def arguments(argv):
    parser = Parser(description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="digits", metavar="DATA", help=(
        "digits (scikit-learn's, the default), mnist (Keras', downloaded "
        "once) or the path of an .npz"))
    parser.add_argument("--engine", default="both",
                        choices=("both", "numpy", "keras"))
    parser.add_argument("--epochs", type=at_least(1), default=20)
    parser.add_argument("--batch-size", type=at_least(1), default=32)
    parser.add_argument("--limit", type=at_least(1), metavar="N",
                        help="train on the first N images only")
    parser.add_argument("--seed", type=at_least(0), default=1, help=(
        "of the initial weights, the order of the images and, for digits, "
        "which of them are held out"))
    parser.add_argument("--out", type=Path, default=Path("out"),
                        help="folder for pictures and models (default out/)")
    return parser.parse_args(argv)


def train(engines, epochs, batch_size, data, rng, history):
    """Train all engines, epoch by epoch, on the same batches."""
    x, y, x_test, y_test = data
    T = np.eye(10, dtype=np.float32)[y]
    sizes = np.diff(np.append(np.arange(0, len(x), batch_size), len(x)))
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for engine in engines:
            start = time.perf_counter()
            losses = engine.train(x[order], T[order], batch_size)
            seconds = time.perf_counter() - start
            accuracy = (engine.predict(x_test).argmax(axis=1) == y_test).mean()
            history[engine.name].append((
                losses, np.average(losses, weights=sizes), accuracy, seconds))


def run(argv, history):
    args = arguments(argv)
    data = load_data(args.data, args.engine, args.seed, args.limit)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"--out {args.out}: expected a folder that can be "
                      f"written ({error.strerror})")
    rng = np.random.default_rng(args.seed)
    weights = initial_weights(rng)
    engines = [Engine(weights, args.epochs)
               for Engine in (NumPyEngine, KerasEngine)
               if args.engine in ("both", Engine.name.lower())]
    history.update((engine.name, []) for engine in engines)
    train(engines, args.epochs, args.batch_size, data, rng, history)

    print_table(history)
    images, labels = data[2][:50], data[3][:50]
    read = engines[0].predict(images).argmax(axis=1)
    pictures = {"curves.png": curves(history),
                "predictions.png": predictions(images, labels, read)}
    for engine in engines:
        engine.save(args.out / engine.file)
    for name, figure in pictures.items():
        figure.savefig(args.out / name, dpi=120)
    print("Written:", ", ".join(str(args.out / name) for name in (
        *(engine.file for engine in engines), *pictures)))


def main(argv=None):
    """Run; return the exit status."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    history = {}
    try:
        run(argv, history)
    except Refused as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        done = ", ".join(f"{len(rows)} epochs of {name}"
                         for name, rows in history.items()) or "nothing"
        print(f"\nInterrupted. Trained so far: {done}; nothing was saved.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
