#!/usr/bin/env python3
"""Draw the pictures of the README with the collection's own functions.

The same versions draw the same bytes. Only curves needs TensorFlow.
"""
import argparse
import io
import os
import sys
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image
from tqdm import tqdm

import lenet5_numpy
import naive
from common import load, problem_with, put
from training import pictures
from training.data import load_data

conv_forward = load("0-conv_forward.py")
pool_forward = load("1-pool_forward.py")
conv_backward = load("2-conv_backward.py")
pool_backward = load("3-pool_backward.py")

BLUE = "#B2D9FF"
CELL = 0.28     # inches; a picture of 7 inches is 25 cells wide
STYLE = {"font.size": 9, "axes.linewidth": 1, "savefig.dpi": 200,
         "figure.dpi": 200, "figure.facecolor": "white", "axes.titlesize": 9}

# The tiny example: IMAGE and W are the arguments, KERNEL is W's only kernel.
IMAGE = np.arange(9.).reshape(1, 3, 3, 1)
KERNEL = np.arange(4.).reshape(2, 2)
W = KERNEL.reshape(2, 2, 1, 1)
DZ = np.arange(1., 5).reshape(1, 2, 2, 1)
PLACES = list(np.ndindex(2, 2))     # of the four numbers of Z


def identity(Z):
    """Return Z: no activation."""
    return Z


def plane(batch):
    """Return the only channel of the only image."""
    return batch[0, :, :, 0]


# Drawing: all places and sizes are in cells, y grows downwards

def canvas(height):
    """Return a figure of 25 cells x height, and its axes."""
    figure = Figure(figsize=(25 * CELL, height * CELL))
    axes = figure.add_axes([0, 0, 1, 1])
    axes.set(xlim=(0, 25), ylim=(height, 0))
    axes.axis("off")
    return figure, axes


def text(axes, x, y, string, **options):
    """Write a string, centred at (x, y) unless the options differ."""
    options = {"ha": "center", "va": "center_baseline", **options}
    axes.text(x, y, string, **options)


def fill(axes, x, y, width, height):
    """Colour a rectangle blue."""
    axes.add_patch(Rectangle((x, y), width, height, color=BLUE, linewidth=0))


def outline(axes, x, y, width, height, **options):
    """Draw the border of a rectangle."""
    options = {"edgecolor": "black", "linewidth": 1, **options}
    axes.add_patch(Rectangle((x, y), width, height, fill=False, **options))


def window(y, x):
    """Tell which cells of a 3x3 image are in the window of output (y, x)."""
    mask = np.zeros((3, 3), bool)
    mask[y:y + 2, x:x + 2] = True
    return mask


def grid(axes, x, y, values, blue=None, size=1, dashed=False, **options):
    """Draw an array (numbers or strings) in cells, those of blue filled."""
    lines = {"linewidth": 0.6, "linestyle": (0, (3, 3))} if dashed else {}
    for (row, col), value in np.ndenumerate(values):
        place = x + col * size, y + row * size, size, size
        if blue is not None and blue[row, col]:
            fill(axes, *place)
        outline(axes, *place, **lines)
        label = value if isinstance(value, str) else f"{value:g}"
        text(axes, x + (col + 0.5) * size, y + (row + 0.5) * size, label,
             **options)


def terms(place):
    """Return the products of a window of the tiny example, as a sum."""
    pixels = plane(IMAGE)[window(*place)]
    return " + ".join(f"{a:g}·{w:g}" for a, w in zip(pixels, KERNEL.flat))


def up_to(count, values):
    """Return values as strings, all but the first count of them empty."""
    strings = [f"{value:g}" for value in values.flat]
    strings[count:] = [""] * (len(strings) - count)
    return np.array(strings, object).reshape(values.shape)


# The pictures

def convolution():
    """The tiny example, window by window."""
    Z = plane(conv_forward(IMAGE, W, [0], identity, "valid"))
    figure, axes = canvas(7.9)
    for step, place in enumerate(PLACES):
        x = 0.3 + 6.24 * step
        grid(axes, x, 0.4, plane(IMAGE), window(*place))
        text(axes, x + 3.34, 2, "*", fontsize=12)
        grid(axes, x + 3.7, 0.9, KERNEL)
        text(axes, x + 2.84, 4.1, terms(place))
        text(axes, x + 2.84, 4.8, f"= {Z[place]:g}")
        grid(axes, x + 1.84, 5.4, up_to(step + 1, Z),
             np.arange(4).reshape(2, 2) == step)
    return figure


def im2col():
    """Four windows become four rows, and a convolution a product."""
    patches = np.array([plane(IMAGE)[window(*place)] for place in PLACES])
    kernels = KERNEL.reshape(4, 1)
    Z = plane(conv_forward(IMAGE, W, [0], identity, "valid"))
    figure, axes = canvas(10.4)

    def arrow(start, end):
        axes.annotate("", end, start, arrowprops={
            "arrowstyle": "->", "shrinkA": 0, "shrinkB": 0})

    for step, place in enumerate(PLACES):
        y = 0.4 + 2.5 * step
        grid(axes, 0.5, y, plane(IMAGE), window(*place), size=0.7, fontsize=8)
        arrow((2.9, y + 1.05), (6.3, 2.9 + step))
    for x, name in ((8.6, "patches"), (13.6, "kernels"), (17.1, "Z"),
                    (23.1, "Z")):
        text(axes, x, 1.7, name)
    for x, shape in ((8.6, "one window\nin each row"), (17.1, "4x1"),
                     (23.1, "2x2")):
        text(axes, x, 7.3, shape, va="center")
    grid(axes, 6.6, 2.4, patches, np.ones((4, 4)))
    text(axes, 11.85, 4.4, "@")
    grid(axes, 13.1, 2.4, kernels)
    arrow((13.6, 7.7), (13.6, 6.6))
    grid(axes, 12.6, 7.9, KERNEL)
    text(axes, 15.35, 4.4, "=")
    grid(axes, 16.6, 2.4, Z.reshape(4, 1))
    arrow((17.9, 4.4), (21.8, 4.4))
    text(axes, 19.85, 3.9, "reshape")
    grid(axes, 22.1, 3.4, Z)
    return figure


def padding():
    """Where the zeros go."""
    cases = [("valid", 3, 1, '"valid"\n3x3 kernel, stride 1'),
             ("same", 3, 1, '"same"\n3x3 kernel, stride 1'),
             ("same", 4, 2, '"same"\n4x4 kernel, stride 2'),
             (((0, 2), (1, 0)), 3, 1, "((0, 2), (1, 0))\n"
              "3x3 kernel, stride 1")]
    figure, axes = canvas(10)
    for column, (pad, k, s, title) in enumerate(cases):
        rows, cols = naive.sides(pad, (5, 5), (k, k), (s, s))
        Z = conv_forward(np.ones((1, 5, 5, 1)), np.ones((k, k, 1, 1)), [0],
                         identity, pad, (s, s))
        h_new, w_new = Z.shape[1:3]
        zeros = np.pad(np.full((5, 5), ""), (rows, cols), constant_values="0")
        blue = np.zeros(zeros.shape, bool)
        for y, x in ((0, 0), ((h_new - 1) * s, (w_new - 1) * s)):
            blue[y:y + k, x:x + k] = True
        size, centre = 0.72, 3.1 + 6.27 * column
        left = centre - zeros.shape[1] / 2 * size
        top, image = 2.8, 5 * size
        text(axes, centre, 1.4, f"{title}\n{h_new}x{w_new} out", va="center")
        grid(axes, left, top, zeros, blue, size, dashed=True, fontsize=8)
        y, x = top + rows[0] * size, left + cols[0] * size
        grid(axes, x, y, np.full((5, 5), ""), size=size)
        outline(axes, x, y, image, image, linewidth=2.2)
    text(axes, 12.5, 9.35, "thick: the image; dashed: the zeros around it; "
         "blue: the first and the last window")
    return figure


def pooling():
    """Both poolings, and which pixels get the gradient."""
    image = np.array([[1, 3, 2, 2], [5, 5, 2, 2], [0, 4, 7, 1], [2, 0, 6, 8.]])
    A_prev, dA = image[None, :, :, None], 4 * DZ
    maximum, mean = (plane(pool_forward(A_prev, (2, 2), (2, 2), mode))
                     for mode in ("max", "avg"))
    gradients = [plane(pool_backward(dA, A_prev, (2, 2), (2, 2), *rule))
                 for rule in (("max", "all"), ("max", "first"), ("avg",))]
    figure, axes = canvas(15)

    def panel(x, y, title, values, blue=None):
        size = len(values)
        text(axes, x, y, title)
        left, top = x - size / 2, y + 0.7 + (4 - size) / 2
        grid(axes, left, top, values, blue)
        if size == 4:       # the windows
            for wy, wx in np.ndindex(2, 2):
                outline(axes, left + 2 * wx, top + 2 * wy, 2, 2, linewidth=2.2)

    panel(3.2, 0.9, "A_prev", image, gradients[0] != 0)
    panel(12.5, 0.9, "A, max", maximum)
    panel(21.8, 0.9, "A, avg", mean)
    panel(3.2, 7.3, "dA", plane(dA))
    titles = "max, ties='all'", "max, ties='first'", "avg"
    for x, title, gradient in zip((9.4, 15.6, 21.8), titles, gradients):
        panel(x, 7.3, f"dA_prev, {title}", gradient, gradient != 0)
    text(axes, 12.5, 13.3, "thick: the 2x2 windows, at stride 2")
    text(axes, 12.5, 14.1, "blue: above, the largest of each window; below, "
         "the pixels that get its gradient")
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
    """What LeNet-5 makes of a digit, and which pixels matter."""
    weights, (_, _, x_test, y_test) = trained()
    X, t = x_test[:1], y_test[0]
    layers = lenet5_numpy.forward(X, weights)
    A1, P1, A2, P2 = layers[:4]
    T = np.eye(10, dtype=np.float32)[[t]]
    _, dX = lenet5_numpy.backward(X, T, layers, weights)
    figure = Figure(figsize=(7, 5.4), layout="constrained")
    parts = figure.subfigures(6, 1, height_ratios=[1.7, 1, 1.2, 1, 0.9, 0.8])

    def row(part, maps, title, **options):
        part.suptitle(title, x=0.01, ha="left", fontsize=9)
        for axes, image in zip(np.atleast_1d(part.subplots(1, len(maps))),
                               maps):
            axes.imshow(image, **options)
            axes.axis("off")

    limit = np.abs(dX).max()
    parts[0].suptitle(
        f"the digit, read as {layers[-1][0].argmax()}, and the gradient of "
        "the loss by its pixels\n(red: more ink there would raise the loss; "
        "blue: lower it)", x=0.01, ha="left", fontsize=9)
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
    A_prev, kernels, V, dZ = (rng.standard_normal(shape) for shape in (
        (1, 6, 6, 2), (3, 3, 2, 3), (1, 6, 6, 2), (1, 6, 6, 3)))
    sizes = np.logspace(-12, 1, 53)

    def errors(activation, derivative, dtype):
        a, w, v, dz = (array.astype(dtype)
                       for array in (A_prev, kernels, V, dZ))
        b = np.zeros(3, dtype)

        def loss(a):
            return (conv_forward(a, w, b, activation) * dz).sum()

        Z = conv_forward(A_prev, kernels, np.zeros(3), identity)
        dA_prev, _, _ = conv_backward(dZ * derivative(Z), A_prev, kernels,
                                      np.zeros(3))
        exact = (dA_prev * V).sum()
        return [abs((loss(a + v * dtype(h)) - loss(a - v * dtype(h)))
                    / (2 * h) / exact - 1) + 1e-17 for h in sizes]

    figure = Figure(figsize=(7, 2.9), layout="constrained")
    for axes, (title, activation, derivative) in zip(figure.subplots(
            1, 2, sharey=True), (
                ("convolution and tanh", np.tanh,
                 lambda Z: 1 - np.tanh(Z)**2),
                ("convolution alone: linear", identity, np.ones_like))):
        for name, dtype, style in (("float32", np.float32, dict(
                color=BLUE, linewidth=4)), ("float64", np.float64, dict(
                    color="black", linewidth=1))):
            axes.loglog(sizes, errors(activation, derivative, dtype),
                        label=name, **style)
        axes.axvline(1e-5, color="gray", linewidth=0.8, linestyle="--")
        axes.set(title=title, xlabel="step", ylim=(1e-17, 1e3))
    figure.axes[0].set(ylabel="relative error")
    figure.axes[0].legend(frameon=False)
    return figure


def curves():
    """Show the loss curves of both engines on each other."""
    from tensorflow import keras as K
    x, y, *_ = load_data("digits", seed=1)
    rng, T = np.random.default_rng(1), np.eye(10, dtype=np.float32)[y]
    weights = lenet5_numpy.initial_weights(rng)
    model = load("5-lenet5.py")(K.Input(shape=(28, 28, 1)))
    model.set_weights(weights)
    adam, history = lenet5_numpy.Adam(weights), {"numpy": [], "keras": []}

    def keras_loss(batch):
        model.reset_metrics()
        return model.train_on_batch(x[batch], T[batch], return_dict=True)[
            "loss"]

    for _ in range(4):
        order = rng.permutation(len(x))
        history["numpy"].append([lenet5_numpy.train_epoch(
            x[order], T[order], weights, adam, 32)])
        history["keras"].append([[
            keras_loss(order[i:i + 32]) for i in range(0, len(x), 32)]])
    return pictures.curves(history)


# The animations: (figure, seconds) frame by frame. The first and the last
# frame show everything, because a printed page shows the first.

def forward():
    """The window slides over the image; its products are summed."""
    Z = plane(conv_forward(IMAGE, W, [0], identity, "valid"))

    def frame(step, caption, done, products):
        """Draw window number step, and some sums and lines of products."""
        figure, axes = canvas(6.8)
        current = np.arange(4).reshape(2, 2) == step
        for x, name in ((2.3, "image"), (6.6, "kernel"), (22.7, "Z")):
            text(axes, x, 0.9, name)
        grid(axes, 0.8, 1.5, plane(IMAGE), window(*PLACES[step])
             if current.any() else None)
        text(axes, 4.7, 3, "*", fontsize=12)
        grid(axes, 5.6, 2, KERNEL, np.full((2, 2), current.any()))
        if current.any():
            for (i, j), weight in np.ndenumerate(KERNEL):
                y, x = PLACES[step]
                text(axes, 1.58 + x + j, 2.3 + y + i, f"·{weight:g}",
                     fontsize=6)
        for line, place in enumerate(PLACES):
            y = 1.5 + line
            if line == step:
                fill(axes, 9.6, y - 0.45, 10.2, 0.9)
            if line < products:
                text(axes, 9.9, y, terms(place), ha="left")
            if line < done:
                text(axes, 17.6, y, f"= {Z[place]:g}", ha="left")
        grid(axes, 21.7, 2, up_to(done, Z), current)
        text(axes, 12.5, 6, caption)
        return figure

    whole = "each window times the kernel, number by number, and summed"
    yield frame(None, whole, 4, 4), 3
    for step in range(4):
        yield frame(step, "the window moves", step, step), 1.2
        yield frame(step, "each pixel of the window times the weight that it "
                    "meets", step, step + 1), 1.8
        yield frame(step, "the sum is one number of Z", step + 1,
                    step + 1), 1.8
    yield frame(None, whole, 4, 4), 5


def shares():
    """Return what each number of dZ, the others 0, gives to dA_prev."""
    return [plane(conv_backward(DZ * (np.arange(4) == step).reshape(DZ.shape),
                                IMAGE, W, [0], "valid")[0])
            for step in range(4)]


def backward():
    """Each number of dZ times the kernel is added where its window was."""
    dZ, added = plane(DZ), shares()
    sums = np.cumsum([np.zeros((3, 3)), *added], axis=0)
    assert (sums[4] == plane(conv_backward(DZ, IMAGE, W, [0],
                                           "valid")[0])).all()

    def frame(step, caption, products, values):
        """Draw step number step; values stand in dA_prev."""
        figure, axes = canvas(10.6)
        current = np.arange(4).reshape(2, 2) == step
        now = window(*PLACES[step]) if current.any() else np.zeros((3, 3))
        for x, y, name in ((1.8, 0.9, "dZ"), (6, 0.9, "kernel"),
                           (21.6, 4, "dA_prev")):
            text(axes, x, y, name)
        grid(axes, 0.8, 1.5, dZ, current)
        text(axes, 3.9, 2.5, "·")
        grid(axes, 5, 1.5, KERNEL, np.full((2, 2), current.any()))
        if current.any():
            text(axes, 8.1, 2.5, "=")
            grid(axes, 9.2, 1.5, dZ.flat[step] * KERNEL, np.ones((2, 2)))
        for line, place in enumerate(PLACES):
            x = 0.8 + 4.2 * line
            strings = np.full((3, 3), "", object)
            if line < products:
                strings[window(*place)] = [
                    f"{value:g}" for value in added[line][window(*place)]]
            text(axes, x + 1.5, 5, f"{dZ[place]:g} · kernel")
            grid(axes, x, 5.5, strings,
                 window(*place) * (line == step or not current.any()))
            text(axes, x + 3.6, 7, "+" if line < 3 else "=")
        grid(axes, 19.2, 4.6, values, now, size=1.6)
        text(axes, 12.5, 9.8, caption)
        return figure

    def written(values):
        return np.array([[f"{v:g}" for v in row] for row in values], object)

    whole = ("each number of dZ times the kernel, added where its window was")
    yield frame(None, whole, 4, written(sums[4])), 3
    for step, place in enumerate(PLACES):
        before, after = written(sums[step]), written(sums[step + 1])
        mask, adding = window(*place), before.copy()
        adding[mask] = [f"{a:g} + {b:g}" for a, b in zip(
            sums[step][mask], added[step][mask])]
        number = f"dZ[{place[0]}, {place[1]}] = {dZ[place]:g}"
        yield frame(step, f"{number}, times the kernel", step, before), 2
        yield frame(step, f"added where the window of {number} was",
                    step + 1, adding), 2.4
        yield frame(step, "the sum so far", step + 1, after), 1.4
    yield frame(None, whole, 4, written(sums[4])), 5


FIGURES = [convolution, im2col, padding, pooling, lenet, steps, curves]
ANIMATIONS = [forward, backward]


def animate(frames, path):
    """Write the frames of an animation, in few colors, as a GIF."""
    pictures, seconds = [], []
    for figure, duration in frames:
        data = io.BytesIO()
        figure.savefig(data, format="png", dpi=100)
        picture = Image.open(data).convert("RGB")
        pictures.append(picture.quantize(16, dither=Image.Dither.NONE))
        seconds.append(round(1000 * duration))
    pictures[0].save(path, save_all=True, append_images=pictures[1:],
                     duration=seconds, loop=0, optimize=True)


def filename(function):
    """Return the name of the file that a function draws."""
    return function.__name__ + (".gif" if function in ANIMATIONS else ".png")


def draw(function, folder):
    """Write a figure or an animation into folder, as a whole."""
    path = Path(folder) / filename(function)
    with rc_context(STYLE):
        drawn = function()
        put(path, lambda new: animate(drawn, new) if function in ANIMATIONS
            else drawn.savefig(new, metadata={"Software": None}))
    return path


def main(argv=None):
    """Run; return the exit status."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    drawings = {function.__name__: function
                for function in FIGURES + ANIMATIONS}
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path,
                        default=Path("figures"),
                        help="to write into (default: figures/)")
    parser.add_argument("--only", metavar="NAME,NAME",
                        help=f"of {', '.join(drawings)}")
    parser.add_argument("--force", action="store_true",
                        help="replace figures that are there already")
    args = parser.parse_args(argv)
    chosen = args.only.split(",") if args.only else list(drawings)
    if not set(chosen) <= set(drawings):
        parser.error(f"--only: expected some of {', '.join(drawings)}, got "
                     f"{args.only}")
    there = [filename(drawings[name]) for name in chosen
             if (args.folder / filename(drawings[name])).exists()]
    if there and not args.force:
        parser.error(f"{args.folder} holds {', '.join(there)} already; pass "
                     "--force to replace them")
    problem = problem_with(args.folder, map(filename, drawings.values()))
    if problem:
        parser.error(f"{args.folder}: {problem}")
    for name in tqdm(chosen, unit="figure"):
        draw(drawings[name], args.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
