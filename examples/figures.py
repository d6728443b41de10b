#!/usr/bin/env python3
"""Draw the figures of the README with the collection's own functions.

The same versions draw the same bytes. Only the last figure needs TensorFlow.
"""
import argparse
import os
import sys
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from tqdm import tqdm

import lenet5_numpy
import naive
from cases import same_Z
from loader import load
from data import load_data

conv_forward = load("0-conv_forward.py")
pool_forward = load("1-pool_forward.py")
conv_backward = load("2-conv_backward.py")
pool_backward = load("3-pool_backward.py")

BLUE = "#B2D9FF"
STYLE = {"font.size": 9, "axes.linewidth": 1, "savefig.dpi": 200,
         "figure.facecolor": "white", "axes.titlesize": 9}


def grid(axes, values, left=0, top=0, window=None, color=BLUE, frame=False):
    """Draw numbers in cells; window (y, x, h, w) is filled."""
    h, w = np.shape(values)
    if window:
        y, x, wh, ww = window
        axes.add_patch(Rectangle((left + x, top + y), ww, wh, color=color,
                                 linewidth=0))
    for y in range(h):
        for x in range(w):
            axes.add_patch(Rectangle(
                (left + x, top + y), 1, 1, fill=False, edgecolor="black",
                linewidth=0.6 if frame else 1,
                linestyle=(0, (3, 3)) if frame else "-"))
            axes.text(left + x + 0.5, top + y + 0.52, values[y][x],
                      ha="center", va="center")


def bare(axes, width, height, title=None, left=0):
    """Leave nothing but what is drawn, in cells of one size."""
    axes.set(xlim=(left - 0.1, left + width + 0.1), ylim=(height + 0.1, -0.1),
             aspect="equal", title=title)
    axes.axis("off")


def text_of(array):
    return [[f"{v:g}" for v in row] for row in array]


def convolution():
    """Show the tiny example, window by window."""
    image = np.arange(9).reshape(1, 3, 3, 1)
    kernel = np.arange(4).reshape(2, 2, 1, 1)
    Z = conv_forward(image, kernel, [0], same_Z, "valid")[0, :, :, 0]
    figure = Figure(figsize=(7, 2.35), layout="constrained")
    for place, axes in zip(np.ndindex(2, 2), figure.subplots(1, 4)):
        y, x = place
        grid(axes, text_of(image[0, :, :, 0]), window=(y, x, 2, 2))
        axes.text(3.33, 1.5, "*", ha="center", va="center", fontsize=12)
        grid(axes, text_of(kernel[:, :, 0, 0]), left=3.7, top=0.5)
        seen = image[0, y:y + 2, x:x + 2, 0].ravel()
        axes.text(2.85, 3.75, " + ".join(
            f"{a}·{w}" for a, w in zip(seen, kernel.ravel())),
            ha="center", va="center")
        axes.text(2.85, 4.4, f"= {Z[place]:g}", ha="center", va="center")
        done = [[f"{Z[p]:g}" if p <= place else "" for p in
                 ((row, 0), (row, 1))] for row in (0, 1)]
        grid(axes, done, left=1.85, top=4.95, window=(y, x, 1, 1))
        bare(axes, 5.7, 7)
    return figure


def padding():
    """Show where the zeros go; the first window dark, the last one light."""
    cases = [("valid", 3, 1, '"valid"\n3x3, stride 1'),
             ("same", 3, 1, '"same"\n3x3, stride 1'),
             ("same", 4, 2, '"same"\n4x4, stride 2'),
             (((0, 2), (1, 0)), 3, 1, "((0, 2), (1, 0))\n3x3, stride 1")]
    figure = Figure(figsize=(7, 2.25), layout="constrained")
    for axes, (pad, k, s, title) in zip(figure.subplots(1, 4), cases):
        (top, bottom), (left, right) = naive.sides(pad, (5, 5), (k, k),
                                                   (s, s))
        Z = conv_forward(np.ones((1, 5, 5, 1)), np.ones((k, k, 1, 1)), [0],
                         same_Z, pad, (s, s))
        last = (Z.shape[1] - 1) * s, (Z.shape[2] - 1) * s
        axes.add_patch(Rectangle(last[::-1], k, k, color="#E4F1FF"))
        image = np.full((5, 5), "")
        grid(axes, np.pad(image, ((top, bottom), (left, right)),
                          constant_values="0"),
             window=(0, 0, k, k), frame=True)
        axes.add_patch(Rectangle((left, top), 5, 5, facecolor="none",
                                 edgecolor="black", linewidth=2.2))
        grid(axes, image, left, top)
        bare(axes, 8, 8, f"{title}\n{Z.shape[1]}x{Z.shape[2]} out",
             left=(left + 5 + right) / 2 - 4)
    return figure


def pooling():
    """Show both poolings, and who gets the gradient."""
    image = np.array([[1, 3, 2, 2], [5, 5, 2, 2], [0, 4, 7, 1], [1, 0, 6, 8.]])
    A_prev = image[None, :, :, None]
    both = [pool_forward(A_prev, (2, 2), (2, 2), mode)[0, :, :, 0]
            for mode in ('max', 'avg')]
    dA = np.array([[1, 2], [3, 4.]])[None, :, :, None]
    gradients = [pool_backward(dA, A_prev, (2, 2), (2, 2), *rule)[0, :, :, 0]
                 for rule in (('max', 'all'), ('max', 'first'), ('avg',))]
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots(2, 4)
    panels = [(image, "image"), (both[0], "max"), (both[1], "avg"), None,
              (dA[0, :, :, 0], "gradient dA"),
              (gradients[0], "max, ties='all'"),
              (gradients[1], "max, ties='first'"), (gradients[2], "avg")]
    for place, panel in zip(axes.flat, panels):
        if panel is None:
            place.axis("off")
            continue
        values, title = panel
        size = len(values)
        top = (4 - size) / 2
        for y, x in ((0, 0), (size // 2, size // 2)):
            place.add_patch(Rectangle(
                (x + top, y + top), size / 2, size / 2, color="#E4F1FF"))
        if title.startswith("max,"):
            for y, x in zip(*np.nonzero(values)):
                place.add_patch(Rectangle((x, y), 1, 1, color=BLUE))
        grid(place, text_of(values), left=top, top=top)
        bare(place, 4, 4, title)
    return figure


def trained(epochs=3):
    """Return weights of a LeNet-5 after a few epochs in NumPy, and data."""
    x, y, *_ = data = load_data("digits", seed=1)
    rng = np.random.default_rng(1)
    weights = lenet5_numpy.initial_weights(rng)
    adam, T = lenet5_numpy.Adam(weights), np.eye(10, dtype=np.float32)[y]
    for _ in range(epochs):
        order = rng.permutation(len(x))
        lenet5_numpy.train_epoch(x[order], T[order], weights, adam, 32)
    return weights, data


def lenet():
    """Show what LeNet-5 sees of a digit, and which pixels matter."""
    weights, (_, _, x_test, y_test) = trained()
    X, t = x_test[:1], y_test[0]
    layers = lenet5_numpy.forward(X, weights)
    A1, P1, A2, P2 = layers[:4]
    T = np.eye(10, dtype=np.float32)[[t]]
    _, dX = lenet5_numpy.backward(X, T, layers, weights)
    figure = Figure(figsize=(7, 5.4), layout="constrained")
    parts = figure.subfigures(6, 1, height_ratios=[1.5, 1, 1.2, 1, 0.9, 0.8])

    def row(part, maps, title, **options):
        part.suptitle(title, x=0.01, ha="left", fontsize=9)
        for axes, image in zip(np.atleast_1d(part.subplots(1, len(maps))),
                               maps):
            axes.imshow(image, **options)
            axes.axis("off")

    limit = np.abs(dX).max()
    parts[0].suptitle(f"the digit, read as {layers[-1][0].argmax()}, and the "
                      "gradient of its loss: darker there, blue less, red "
                      "more", x=0.01, ha="left", fontsize=9)
    one, two = parts[0].subplots(1, 2)
    one.imshow(X[0, :, :, 0], cmap="gray_r")
    two.imshow(dX[0, :, :, 0], cmap="RdBu_r", vmin=-limit, vmax=limit)
    one.axis("off")
    two.axis("off")
    row(parts[1], np.moveaxis(weights[0][:, :, 0], -1, 0),
        "6 kernels 5x5", cmap="gray")
    row(parts[2], np.moveaxis(A1[0], -1, 0), "after the first convolution, "
        "28x28x6", cmap="gray_r")
    row(parts[3], np.moveaxis(P1[0], -1, 0), "after the first pooling, "
        "14x14x6", cmap="gray_r")
    row(parts[4], np.moveaxis(A2[0], -1, 0), "after the second convolution, "
        "10x10x16", cmap="gray_r")
    row(parts[5], np.moveaxis(P2[0], -1, 0), "after the second pooling, "
        "5x5x16", cmap="gray_r")
    return figure


def steps():
    """Show how the error of a finite difference depends on its step."""
    rng = np.random.default_rng(0)
    A_prev, W, V, dZ = (rng.standard_normal(shape) for shape in (
        (1, 6, 6, 2), (3, 3, 2, 3), (1, 6, 6, 2), (1, 6, 6, 3)))
    sizes = np.logspace(-12, 1, 53)

    def errors(activation, slope, dtype):
        a, w, v, dz = (array.astype(dtype) for array in (A_prev, W, V, dZ))
        b = np.zeros(3, dtype)

        def loss(a):
            return (conv_forward(a, w, b, activation) * dz).sum()

        Z = conv_forward(A_prev, W, np.zeros(3), same_Z)
        exact = (conv_backward(dZ * slope(Z), A_prev, W, np.zeros(3))[0]
                 * V).sum()
        return [abs((loss(a + v * dtype(h)) - loss(a - v * dtype(h)))
                    / (2 * h) / exact - 1) + 1e-17 for h in sizes]

    figure = Figure(figsize=(7, 2.9), layout="constrained")
    for axes, (title, activation, slope) in zip(figure.subplots(
            1, 2, sharey=True), (
                ("convolution and tanh", np.tanh,
                 lambda Z: 1 - np.tanh(Z)**2),
                ("convolution alone: linear", same_Z, np.ones_like))):
        for name, dtype, style in (("float32", np.float32, dict(
                color=BLUE, linewidth=4)), ("float64", np.float64, dict(
                    color="black", linewidth=1))):
            axes.loglog(sizes, errors(activation, slope, dtype), label=name,
                        **style)
        axes.axvline(1e-5, color="gray", linewidth=0.8, linestyle="--")
        axes.set(title=title, xlabel="step", ylim=(1e-17, 1e3))
    figure.axes[0].set(ylabel="relative error")
    figure.axes[0].legend(frameon=False)
    return figure


def curves():
    """Show the loss curves of both engines on each other."""
    import train
    x, y, *_ = load_data("digits", seed=1)
    rng, epochs, T = np.random.default_rng(1), 4, np.eye(10, dtype="f4")[y]
    weights = lenet5_numpy.initial_weights(rng)
    engines = [train.NumPyEngine(weights, epochs),
               train.KerasEngine(weights, epochs)]
    history = {engine.name: [] for engine in engines}
    for epoch in range(1, epochs + 1):
        order = rng.permutation(len(x))
        for engine in engines:
            history[engine.name].append(
                [engine.train(x[order], T[order], 32, epoch)])
    return train.curves(history)


FIGURES = [convolution, padding, pooling, lenet, steps, curves]


def draw(function, folder):
    """Write a figure as function.png into folder."""
    path = Path(folder) / f"{function.__name__}.png"
    temporary = path.with_suffix(".new.png")
    with rc_context(STYLE):
        function().savefig(temporary, metadata={"Software": None})
    os.replace(temporary, path)
    return path


def main(argv=None):
    """Run; return the exit status."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    names = [function.__name__ for function in FIGURES]
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path,
                        default=Path("figures"),
                        help="to write into (default: figures/)")
    parser.add_argument("--only", metavar="NAME,NAME",
                        help=f"of {', '.join(names)}")
    parser.add_argument("--force", action="store_true",
                        help="replace figures that are there already")
    args = parser.parse_args(argv)
    chosen = args.only.split(",") if args.only else names
    if not set(chosen) <= set(names):
        parser.error(f"--only: expected some of {', '.join(names)}, got "
                     f"{args.only}")
    there = [f"{name}.png" for name in chosen
             if (args.folder / f"{name}.png").exists()]
    if there and not args.force:
        parser.error(f"{args.folder} holds {', '.join(there)} already; pass "
                     "--force to replace them")
    try:
        args.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"{args.folder}: expected a folder that can be written "
                     f"({error.strerror})")
    for name in tqdm(chosen, unit="figure"):
        draw(FIGURES[names.index(name)], args.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
