#!/usr/bin/env python3
"""Draw the pictures of the README with the collection's own functions.

    python examples/figures.py FOLDER

writes seven .png and two .gif into FOLDER, and nothing anywhere else. (The
README's are in examples/figures.) The same versions draw the same bytes on
the same processor; others move lines by some pixels. Only curves needs
TensorFlow.
"""
import argparse
import io
import os
import sys
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import CenteredNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image
from tqdm import tqdm

import lenet5_numpy
import naive
from common import Parser, UserError, load, problem_with, put, same_Z
from training import pictures
from training.data import load_data
from training.engines import KerasEngine, NumPyEngine

conv_forward = load("0-conv_forward.py")
pool_forward = load("1-pool_forward.py")
conv_backward = load("2-conv_backward.py")
pool_backward = load("3-pool_backward.py")

BLUE = "#B2D9FF"
CELL = 0.28     # inches; a picture of 7 inches is 25 cells wide
STYLE = {"font.size": 9, "axes.linewidth": 1, "savefig.dpi": 200,
         "figure.dpi": 200, "figure.facecolor": "white", "axes.titlesize": 9}

# The tiny example: IMAGE, W and DZ are arguments, the others one channel.
IMAGE = np.arange(9.).reshape(1, 3, 3, 1)
W = np.arange(4.).reshape(2, 2, 1, 1)
DZ = np.arange(1., 5).reshape(1, 2, 2, 1)
PIXELS, KERNEL = IMAGE[0, :, :, 0], W[:, :, 0, 0]
PLACES = list(np.ndindex(2, 2))     # of the numbers of Z, step by step
STEPS = np.arange(4).reshape(2, 2)  # which step computes each of them


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


def box(axes, x, y, width, height, **options):
    """Draw a rectangle, empty and black unless the options differ."""
    options = {"facecolor": "none", "edgecolor": "black", **options}
    axes.add_patch(Rectangle((x, y), width, height, **options))


def grid(axes, x, y, values, blue=None, size=1, dashed=False, **options):
    """Draw an array (numbers or strings) in cells, those of blue filled."""
    lines = {"linewidth": 0.6, "linestyle": (0, (3, 3))} if dashed else {}
    for (row, col), value in np.ndenumerate(values):
        left, top = x + col * size, y + row * size
        if blue is not None and blue[row, col]:
            box(axes, left, top, size, size, facecolor=BLUE, linewidth=0)
        box(axes, left, top, size, size, **lines)
        label = value if isinstance(value, str) else f"{value:g}"
        text(axes, left + size / 2, top + size / 2, label, **options)


def window(step):
    """Tell which pixels of the image are in the window of a step."""
    mask = np.zeros((3, 3), bool)
    if step is not None:
        y, x = PLACES[step]
        mask[y:y + 2, x:x + 2] = True
    return mask


def terms(step):
    """Return the products of a window, as a sum."""
    return " + ".join(f"{a:g}·{w:g}" for a, w in zip(PIXELS[window(step)],
                                                     KERNEL.flat))


def strings(values, shown=True):
    """Return the values as strings, empty where they are not shown."""
    texts = np.array([[f"{value:g}" for value in row] for row in values],
                     object)
    return np.where(shown, texts, "")


# The pictures

def convolution():
    """The tiny example, window by window."""
    Z = plane(conv_forward(IMAGE, W, [0], same_Z, "valid"))
    figure, axes = canvas(7.9)
    for step, place in enumerate(PLACES):
        x = 0.3 + 6.24 * step
        grid(axes, x, 0.4, PIXELS, window(step))
        text(axes, x + 3.34, 2, "*", fontsize=12)
        grid(axes, x + 3.7, 0.9, KERNEL)
        text(axes, x + 2.84, 4.1, terms(step))
        text(axes, x + 2.84, 4.8, f"= {Z[place]:g}")
        grid(axes, x + 1.84, 5.4, strings(Z, STEPS <= step), STEPS == step)
    return figure


def im2col():
    """Four windows become four rows, and a convolution a product."""
    patches = np.array([PIXELS[window(step)] for step in range(4)])
    Z = plane(conv_forward(IMAGE, W, [0], same_Z, "valid"))
    figure, axes = canvas(10.4)

    def arrow(start, end):
        axes.annotate("", end, start, arrowprops={
            "arrowstyle": "->", "shrinkA": 0, "shrinkB": 0})

    for step in range(4):
        y = 0.4 + 2.5 * step
        grid(axes, 0.5, y, PIXELS, window(step), size=0.7, fontsize=8)
        arrow((2.9, y + 1.05), (6.3, 2.9 + step))
    for x, name, shape in ((8.6, "patches", "one window\nin each row"),
                           (13.6, "kernels", ""), (17.1, "Z", "4x1"),
                           (23.1, "Z", "2x2")):
        text(axes, x, 1.7, name)
        text(axes, x, 7.3, shape, va="center")
    grid(axes, 6.6, 2.4, patches, np.ones((4, 4)))
    text(axes, 11.85, 4.4, "@")
    grid(axes, 13.1, 2.4, KERNEL.reshape(4, 1))
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
                         same_Z, pad, (s, s))
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
        box(axes, x, y, image, image, linewidth=2.2)
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
                box(axes, left + 2 * wx, top + 2 * wy, 2, 2, linewidth=2.2)

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


def trained(Engines):
    """Train LeNet-5 for three epochs, with each engine alike.

    Return the engines, the losses of each (as pictures.curves takes them),
    and the data. Under this seed, runs agree to the rounding of float32 on
    each processor that was tried. Under others, and later, rounding decides a
    tie or a ReLU otherwise in one run, and from there it differs a little.
    """
    x, y, *_ = data = load_data("digits", seed=2)
    rng, T = np.random.default_rng(2), np.eye(10, dtype=np.float32)[y]
    weights = lenet5_numpy.initial_weights(rng)
    engines = [Engine(weights) for Engine in Engines]
    history = {engine.name: [] for engine in engines}
    for _ in range(3):
        order = rng.permutation(len(x))
        batches = np.split(order, range(32, len(x), 32))
        for engine in engines:
            history[engine.name].append([[
                engine.step(x[batch], T[batch]) for batch in batches]])
    return engines, history, data


def lenet():
    """What LeNet-5 makes of a digit, and which pixels matter."""
    (engine,), _, (_, _, x_test, y_test) = trained([NumPyEngine])
    weights = engine.weights
    X, T = x_test[y_test == 2][:1], np.eye(10, dtype=np.float32)[[2]]
    layers = lenet5_numpy.forward(X, weights)
    _, dX = lenet5_numpy.backward(X, T, layers, weights)
    figure = Figure(figsize=(7, 5.4), layout="constrained")
    parts = iter(figure.subfigures(
        6, 1, height_ratios=[1.7, 1, 1.2, 1, 0.9, 0.8]))

    def row(title, maps, *colours):
        part = next(parts)
        part.suptitle(title, x=0.01, ha="left", fontsize=9)
        for axes, image, cmap in zip(part.subplots(1, len(maps)), maps,
                                     colours * len(maps)):
            axes.imshow(image, cmap, norm=(         # 0 is white in RdBu
                CenteredNorm() if cmap == "RdBu_r" else None))
            axes.axis("off")

    row(f"the digit, read as {layers[-1][0].argmax()}, and the gradient of "
        "the loss by its pixels\n(red: more ink there would raise the loss; "
        "blue: lower it)", [plane(X), plane(dX)], "gray_r", "RdBu_r")
    row("6 kernels 5x5", np.moveaxis(weights[0][:, :, 0], -1, 0), "gray")
    for layer, title in zip(layers, (
            "the first convolution, 28x28x6", "the first pooling, 14x14x6",
            "the second convolution, 10x10x16",
            "the second pooling, 5x5x16")):
        row(f"after {title}", np.moveaxis(layer[0], -1, 0), "gray_r")
    return figure


def step_errors(sizes, activation, derivative, dtype):
    """Return the error of a finite difference for each size of its step.

    Relative, and the root of the mean square over 100 random directions: of
    one direction alone, the error would depend on how the processor rounds.
    """
    rng = np.random.default_rng(0)
    A_prev, kernels, V, dZ = (rng.standard_normal(shape) for shape in (
        (1, 6, 6, 2), (3, 3, 2, 3), (100, 6, 6, 2), (1, 6, 6, 3)))
    Z = conv_forward(A_prev, kernels, np.zeros(3), same_Z)
    dA_prev, *_ = conv_backward(dZ * derivative(Z), A_prev, kernels,
                                np.zeros(3))
    exact = (dA_prev * V).sum(axis=(1, 2, 3))
    a, w, b, v, dz = (array.astype(dtype) for array in (
        A_prev, kernels, np.zeros(3), V, dZ))

    def losses(a):
        return (conv_forward(a, w, b, activation) * dz).sum(axis=(1, 2, 3))

    for h in sizes:
        change = losses(a + v * dtype(h)) - losses(a - v * dtype(h))
        errors = change / (2 * h) - exact
        yield np.sqrt((errors**2).mean() / (exact**2).mean())


def steps():
    """Show how the error of a finite difference depends on its step."""
    sizes = np.logspace(-12, 1, 53)
    figure = Figure(figsize=(7, 2.9))
    both = figure.subplots(1, 2, sharey=True, gridspec_kw=dict(
        left=0.1, right=0.99, bottom=0.17, top=0.92, wspace=0.05))
    for axes, title, *functions in (
            (both[0], "convolution and tanh", np.tanh,
             lambda Z: 1 - np.tanh(Z)**2),
            (both[1], "convolution alone: linear", same_Z, np.ones_like)):
        for dtype, style in ((np.float32, dict(color=BLUE, linewidth=4)),
                             (np.float64, dict(color="black", linewidth=1))):
            axes.loglog(sizes, list(step_errors(sizes, *functions, dtype)),
                        label=dtype.__name__, **style)
        axes.axvline(1e-5, color="gray", linewidth=0.8, linestyle="--")
        axes.set(title=title, xlabel="step", ylim=(1e-17, 1e3),
                 xticks=10.**np.arange(-12, 1, 2),
                 yticks=10.**np.arange(-15, 4, 3))
        axes.minorticks_off()
    both[0].set(ylabel="relative error")
    both[0].legend(frameon=False)
    return figure


def curves():
    """Show the loss curves of both engines on each other."""
    _, history, _ = trained([NumPyEngine, KerasEngine])
    return pictures.curves(history)


# The animations: (figure, seconds) frame by frame. The first and the last
# frame show everything, because a printed page shows the first.

def forward():
    """The window slides over the image; its products are summed."""
    Z = plane(conv_forward(IMAGE, W, [0], same_Z, "valid"))

    def frame(step, caption, done, products):
        """Draw window number step, and some sums and lines of products."""
        figure, axes = canvas(6.8)
        for x, name in ((2.3, "image"), (6.6, "kernel"), (22.7, "Z")):
            text(axes, x, 0.9, name)
        grid(axes, 0.8, 1.5, PIXELS, window(step))
        text(axes, 4.7, 3, "*", fontsize=12)
        grid(axes, 5.6, 2, KERNEL, np.full((2, 2), step is not None))
        for (y, x), weight in zip(np.argwhere(window(step)), KERNEL.flat):
            text(axes, 1.58 + x, 2.3 + y, f"·{weight:g}", fontsize=6)
        for line, place in enumerate(PLACES):
            y = 1.5 + line
            if line == step:
                box(axes, 9.6, y - 0.45, 10.2, 0.9, facecolor=BLUE,
                    linewidth=0)
            if line < products:
                text(axes, 9.9, y, terms(line), ha="left")
            if line < done:
                text(axes, 17.6, y, f"= {Z[place]:g}", ha="left")
        grid(axes, 21.7, 2, strings(Z, STEPS < done), STEPS == step)
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


def backward():
    """Each number of dZ times the kernel is added where its window was."""
    dZ = plane(DZ)
    added = [plane(conv_backward(DZ * (STEPS == step)[None, :, :, None],
                                 IMAGE, W, [0], "valid")[0])
             for step in range(4)]
    sums = np.cumsum([np.zeros((3, 3)), *added], axis=0)

    def frame(step, caption, products, values):
        """Draw step number step; values stand in dA_prev."""
        figure, axes = canvas(10.6)
        for x, y, name in ((1.8, 0.9, "dZ"), (6, 0.9, "kernel"),
                           (21.6, 4, "dA_prev")):
            text(axes, x, y, name)
        grid(axes, 0.8, 1.5, dZ, STEPS == step)
        text(axes, 3.9, 2.5, "·")
        grid(axes, 5, 1.5, KERNEL, np.full((2, 2), step is not None))
        if step is not None:
            text(axes, 8.1, 2.5, "=")
            grid(axes, 9.2, 1.5, dZ.flat[step] * KERNEL, np.ones((2, 2)))
        for line in range(4):
            x, mask = 0.8 + 4.2 * line, window(line)
            text(axes, x + 1.5, 5, f"{dZ.flat[line]:g} · kernel")
            grid(axes, x, 5.5, strings(added[line], mask & (line < products)),
                 mask & (step in (line, None)))
            text(axes, x + 3.6, 7, "+" if line < 3 else "=")
        grid(axes, 19.2, 4.6, values, window(step), size=1.6)
        text(axes, 12.5, 9.8, caption)
        return figure

    whole = "each number of dZ times the kernel, added where its window was"
    yield frame(None, whole, 4, sums[4]), 3
    for step, (y, x) in enumerate(PLACES):
        number = f"dZ[{y}, {x}] = {dZ[y, x]:g}"
        both = strings(sums[step]) + " + " + strings(added[step])
        yield frame(step, f"{number}, times the kernel", step, sums[step]), 2
        yield frame(step, f"added where the window of {number} was", step + 1,
                    np.where(window(step), both, strings(sums[step]))), 2.4
        yield frame(step, "the sum so far", step + 1, sums[step + 1]), 1.4
    yield frame(None, whole, 4, sums[4]), 5


# The program

FIGURES = [convolution, im2col, padding, pooling, lenet, steps, curves]
ANIMATIONS = [forward, backward]


def animate(frames, path):
    """Write the frames of an animation, in few colours, as a GIF."""
    images, durations = [], []
    for figure, seconds in frames:
        data = io.BytesIO()
        figure.savefig(data, format="png", dpi=100)
        image = Image.open(data).convert("RGB")
        images.append(image.quantize(16, dither=Image.Dither.NONE))
        durations.append(round(1000 * seconds))
    images[0].save(path, save_all=True, append_images=images[1:],
                   duration=durations, loop=0, optimize=True)


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


def parsed(argv):
    """Return the folder, and the functions that are to draw into it."""
    drawings = {function.__name__: function
                for function in FIGURES + ANIMATIONS}
    parser = Parser(description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", type=Path,
                        help="to write into; it is made if it is missing")
    parser.add_argument("--only", metavar="NAME,NAME",
                        help=f"of {', '.join(drawings)}")
    parser.add_argument("--force", action="store_true",
                        help="replace pictures that are there already")
    args = parser.parse_args(argv)
    names = drawings if args.only is None else args.only.split(",")
    if not set(names) <= set(drawings):
        parser.error(f"--only: expected some of {', '.join(drawings)}, got "
                     f"{args.only!r}")
    functions = [drawings[name] for name in dict.fromkeys(names)]
    there = [name for name in map(filename, functions)
             if (args.folder / name).exists()]
    if there and not args.force:
        parser.error(f"{args.folder} holds {', '.join(there)} already; pass "
                     "--force to replace them")
    problem = problem_with(args.folder, map(filename, functions))
    if problem:
        parser.error(f"{args.folder}: {problem}")
    return args.folder, functions


def main(argv=None):
    """Run; return the exit status."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        folder, functions = parsed(argv)
        for function in tqdm(functions, unit="picture"):
            draw(function, folder)
    except UserError as error:
        print(f"figures.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
