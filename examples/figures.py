#!/usr/bin/env python3
"""Draw the pictures of the README with the collection's own functions.

    python examples/figures.py FOLDER

writes twelve .png and two .gif into FOLDER, and nothing anywhere else. (The
README's are in examples/figures.) The same versions draw the same bytes on
the same processor. Only curves.png needs TensorFlow.
"""
import argparse
import io
import os
import sys
from functools import partial
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
CELL = 0.28     # inches, shown as 28 pixels
WIDE, NARROW = 25, 15       # cells: 700 pixels, and 420 as on a telephone
STYLE = {"font.size": 9, "axes.linewidth": 1, "savefig.dpi": 200,
         "figure.dpi": 200, "figure.facecolor": "white", "axes.titlesize": 9}

# The tiny example: IMAGE, W and DZ are arguments, the others one channel.
IMAGE = np.arange(9.).reshape(1, 3, 3, 1)
W = np.arange(4.).reshape(2, 2, 1, 1)
DZ = np.arange(1., 5).reshape(1, 2, 2, 1)
PIXELS, KERNEL = IMAGE[0, :, :, 0], W[:, :, 0, 0]
Z = conv_forward(IMAGE, W, [0], same_Z, "valid")[0, :, :, 0]
PLACES = list(np.ndindex(2, 2))     # of the numbers of Z, step by step
STEPS = np.arange(4).reshape(2, 2)  # which step computes each of them


# Drawing: all places and sizes are in cells, y grows downwards

def canvas(height, width=NARROW):
    """Return a figure of that many cells, and its axes."""
    figure = Figure(figsize=(width * CELL, height * CELL))
    axes = figure.add_axes([0, 0, 1, 1])
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    return figure, axes


def panels(count, height, narrow, caption=""):
    """Return a canvas for panels, and the middle of each upper edge."""
    width, columns = (NARROW, count // 2) if narrow else (WIDE, count)
    bottom = height * (1 + narrow) + (2 if caption else 0)
    figure, axes = canvas(bottom, width)
    text(axes, width / 2, bottom - 1.1, caption, va="center")
    return figure, axes, [((i % columns + 0.5) * width / columns,
                           i // columns * height) for i in range(count)]


def text(axes, x, y, string, **options):
    """Write a string, centred at (x, y) unless the options differ."""
    options = {"ha": "center", "va": "center_baseline", **options}
    axes.text(x, y, string, **options)


def box(axes, x, y, width, height, **options):
    """Draw a rectangle, empty and thick unless the options differ."""
    axes.add_patch(Rectangle((x, y), width, height, **{
        "fill": False, "linewidth": 2.2, **options}))


def arrow(axes, start, end):
    """Draw an arrow."""
    axes.annotate("", end, start, arrowprops={
        "arrowstyle": "->", "shrinkA": 0, "shrinkB": 0})


def grid(axes, x, y, name, values, blue=False, dashed=False, size=1):
    """Draw an array in cells under its name; edges may be dashed."""
    h, w = values.shape
    text(axes, x + w * size / 2, y - 0.6, name)
    blue, dashed = np.broadcast_arrays(blue, dashed, values)[:2]
    for (row, col), value in np.ndenumerate(values):
        left, top = x + col * size, y + row * size
        if blue[row, col]:
            box(axes, left, top, size, size, fill=True, color=BLUE, lw=0)
        text(axes, left + size / 2, top + size / 2,
             value if isinstance(value, str) else f"{value:g}")
    for down, right in ((0, 1), (1, 0)):    # each edge once
        for row, col in np.ndindex(h + right, w + down):
            left, top = x + col * size, y + row * size
            beside = dashed[max(row - right, 0):row + 1,
                            max(col - down, 0):col + 1]
            axes.plot([left, left + right * size], [top, top + down * size],
                      color="black", linewidth=0.7 if beside.all() else 1,
                      linestyle=(0, (3, 3)) if beside.all() else "-")


def row(axes, x, y, *items, size=1):
    """Draw arrays and signs from x on, side by side, their middles at y."""
    for item in items:
        if isinstance(item, str):
            text(axes, x + 0.6, y, item)
            x += 1.2
        else:
            h, w = item[1].shape
            grid(axes, x, y - h * size / 2, *item, size=size)
            x += w * size


def cells(shape, *places):
    """Return a mask of some places of an array."""
    mask = np.zeros(shape, bool)
    for place in places:
        mask[place] = True
    return mask


def window(step):
    """Return a mask of the pixels in a window of the image, or of none."""
    y, x = [*PLACES, (3, 3)][step]
    return cells((3, 3), np.s_[y:y + 2, x:x + 2])


def terms(ours, theirs):
    """Return the products of two arrays, as a sum."""
    return " + ".join(map("{:g}*{:g}".format, np.ravel(ours),
                          np.ravel(theirs)))


def strings(values, shown=True):
    """Return the values as strings, empty where they are not shown."""
    return np.where(shown, np.vectorize("{:g}".format, [object])(values), "")


# The pictures

def one_step(axes, x, y, step):
    """Draw one window, its sum, and the numbers of Z up to it."""
    row(axes, x - 2.85, y + 2.6, ("A_prev", PIXELS, window(step)), "*",
        ("W", KERNEL), size=0.9)
    text(axes, x, y + 5.2, f"{terms(PIXELS[window(step)], KERNEL)}\n"
         f"= {Z.flat[step]:g}", va="center", linespacing=1.5)
    row(axes, x - 2.2, y + 7.5, "Z", ("", strings(Z, STEPS <= step),
                                      STEPS == step))


def convolution(narrow=False):
    """The tiny example, window by window."""
    figure, axes, places = panels(4, 9, narrow)
    for step, (x, y) in enumerate(places):
        one_step(axes, x, y, step)
    return figure


def im2col():
    """Four windows become four rows, and a convolution a product."""
    patches = np.array([PIXELS[window(step)] for step in range(4)])
    figure, axes = canvas(12)
    for step in range(4):
        y = 1.1 + 2.7 * step
        grid(axes, 0.4, y, "" if step else "A_prev", PIXELS, window(step),
             size=0.8)
        arrow(axes, (2.9, y + 1.2), (4.3, 2.9 + step))
    row(axes, 4.5, 4.4, ("patches", patches, True), "@",
        ("kernels", KERNEL.reshape(4, 1)), "=", ("Z", Z.reshape(4, 1)))
    text(axes, 6.5, 7.2, "one window\nin each row", va="center")
    arrow(axes, (10.2, 8.1), (10.2, 6.6))
    grid(axes, 9.2, 9.1, "W", KERNEL)
    arrow(axes, (12.4, 6.6), (12.4, 8.9))
    text(axes, 13.6, 7.7, "reshape")
    grid(axes, 11.9, 9.1, "", Z)
    return figure


def padding(narrow=False):
    """Where the zeros go."""
    figure, axes, places = panels(4, 9.2, narrow, (
        "thick: A_prev; dashed: zeros, together A_pad;{}blue: the first and "
        "the last window").format("\n" if narrow else " "))
    for (pad, k, s), (x, y) in zip((
            ("valid", 3, 1), ("same", 3, 1), ("same", 4, 2),
            (((0, 2), (1, 0)), 3, 1)), places):
        rows, cols = naive.sides(pad, (5, 5), (k, k), (s, s))
        A_pad = np.pad(np.full((5, 5), ""), (rows, cols), constant_values="0")
        last = [(size - k) // s * s for size in A_pad.shape]
        windows = [np.s_[i:i + k, j:j + k] for i, j in ((0, 0), last)]
        title = f'"{pad}"' if isinstance(pad, str) else pad
        text(axes, x, y + 1.5, f"{title}\n{k}x{k} kernel, stride {s}\nZ is "
             f"{last[0] // s + 1}x{last[1] // s + 1}", va="center")
        left, top = x - A_pad.shape[1] * 0.375, y + 3
        grid(axes, left, top, "", A_pad, cells(A_pad.shape, *windows),
             A_pad == "0", size=0.75)
        box(axes, left + cols[0] * 0.75, top + rows[0] * 0.75, 3.75, 3.75)
    return figure


def turned():
    """The gradient of the image as a convolution with the turned kernel."""
    turn = KERNEL[::-1, ::-1]
    figure, axes = canvas(18.8)
    row(axes, 2.6, 2.3, ("W", KERNEL))
    arrow(axes, (5.1, 2.3), (8.9, 2.3))
    text(axes, 7, 1.8, "turned by 180°")
    row(axes, 9.6, 2.3, ("W[::-1, ::-1]", turn))
    for top, s, (y, x) in ((5, 1, (1, 1)), (11.9, 2, (1, 2))):
        A_prev, size = np.zeros((1, s + 2, s + 2, 1)), s + 3
        real = cells((size, size), np.s_[1:-1:s, 1:-1:s])
        border = np.zeros((size, size))
        border[real] = DZ.ravel()
        dA_prev, *_ = conv_backward(DZ, A_prev, W, [0], "valid", (s, s))
        gradient, met = dA_prev[0, :, :, 0], np.s_[y:y + 2, x:x + 2]
        text(axes, 0.5, top - 0.6, f"stride {s}", ha="left", weight="bold")
        row(axes, 0.8, top + 0.6 + size / 2, (
            "dZ, with zeros", border, cells(border.shape, met), ~real), "*",
            ("", turn, True), "=",
            ("dA_prev", gradient, cells(gradient.shape, (y, x))), size=0.95)
        text(axes, 7.5, top + size + 1.2,
             f"{terms(border[met], turn)} = {gradient[y, x]:g}")
    return figure


def matrix(narrow=False):
    """A convolution is a matrix, and the backward pass its transpose."""
    # Column by column: what the convolution makes of an image with one 1.
    M, used = (conv_forward(np.eye(9).reshape(9, 3, 3, 1), weights, [0],
                            same_Z, "valid").reshape(9, 4).T
               for weights in (W, np.ones_like(W)))
    x, dZ, at = PIXELS.reshape(9, 1), DZ.reshape(4, 1), 4
    dx, first, centre = M.T @ dZ, cells((4, 1), 0), cells((9, 1), at)
    figure, axes, places = panels(
        2, 10.2, narrow, "empty: 0; x: the pixels of A_prev, row by row")
    (left, top), used = places[0], used > 0
    row(axes, left - 5.6, top + 4.9, ("M", strings(M, used), used & first),
        "@", ("x", x, used[:1].T), "=", ("Z", M @ x, first), size=0.8)
    text(axes, left, top + 9.4, f"{terms(M[0, used[0]], x[used[0]])} = "
         f"{(M @ x)[0, 0]:g}")
    left, top = places[1]
    row(axes, left - 5.4, top + 4.9, (
        "M.T", strings(M.T, used.T), used.T & centre), "@",
        ("dZ", dZ, True), "=", ("dx", dx, centre), " ",
        ("dA_prev", dx.reshape(3, 3), centre.reshape(3, 3)), size=0.8)
    arrow(axes, (left + 2.05, top + 4.9), (left + 2.85, top + 4.9))
    text(axes, left, top + 9.4, f"{terms(M[:, at], dZ)} = {dx[at, 0]:g}")
    return figure


def pooling():
    """Both poolings, and which pixels get the gradient."""
    image = np.array([[1, 3, 2, 2], [5, 5, 2, 2], [0, 4, 7, 1], [2, 0, 6, 8.]])
    A_prev, shape = image[None, :, :, None], ((2, 2), (2, 2))
    maximum, mean = (pool_forward(A_prev, *shape, mode)[0, :, :, 0]
                     for mode in ("max", "avg"))
    every, first, share = (
        pool_backward(4 * DZ, A_prev, *shape, *rule)[0, :, :, 0]
        for rule in (("max", "all"), ("max", "first"), ("avg",)))
    figure, axes = canvas(18)
    grid(axes, 7, 2.4, "A, max", maximum)
    grid(axes, 11.2, 2.4, "A, avg", mean)
    grid(axes, 1.8, 8.6, "dA", 4 * DZ[0, :, :, 0])
    for x, y, name, values, blue in (
            (0.8, 1.4, "A_prev", image, every),
            (5.6, 7.6, "dA_prev, 'all'", every, every),
            (10.4, 7.6, "dA_prev, 'first'", first, first),
            (10.4, 13.4, "dA_prev, avg", share, share)):
        grid(axes, x, y, name, values, blue != 0)
        for row, col in PLACES:
            box(axes, x + 2 * col, y + 2 * row, 2, 2)
    text(axes, 5, 15.3, "thick: the 2x2 windows,\nat stride 2\nblue: the "
         "largest of each\nwindow, and the pixels\nthat get its gradient",
         va="center")
    return figure


def lenet():
    """What LeNet-5 makes of a digit, and which pixels matter."""
    x, y, x_test, y_test = load_data("digits", seed=2)
    weights = lenet5_numpy.initial_weights(np.random.default_rng(2))
    adam, one_hot = lenet5_numpy.Adam(weights), np.eye(10, dtype=np.float32)
    for _ in range(3):
        lenet5_numpy.train_epoch(x, one_hot[y], weights, adam, 32)
    X = x_test[y_test == 2][:1]
    layers = lenet5_numpy.forward(X, weights)
    _, dX = lenet5_numpy.backward(X, one_hot[[2]], layers, weights)
    figure = Figure(figsize=(NARROW * CELL, 7), layout="constrained")
    parts = figure.subfigures(6, 1, height_ratios=[1.9, 1, 1, 1, 1.5, 1.5])
    for part, title, maps in zip(parts, (
            f"a digit, read as {layers[-1][0].argmax()}, and the gradient of "
            "the loss at its pixels\n(red: more ink there would raise the "
            "loss; blue: lower it)", "the kernels", *(
                f"after the {which} {layer}" for which in ("first", "second")
                for layer in ("convolution", "pooling"))), (
            np.concatenate((X[0], dX[0]), axis=-1), weights[0][:, :, 0],
            *(layer[0] for layer in layers))):
        h, w, count = maps.shape
        part.suptitle(f"{title}, {h}x{w}x{count}" if count > 2 else title,
                      x=0.01, ha="left", fontsize=9)
        rows = -(-count // 8)
        for i, axes in enumerate(part.subplots(rows, count // rows).flat):
            signed = count == 2 and i       # 0 is white in RdBu
            axes.imshow(maps[..., i], "RdBu_r" if signed else "gray_r",
                        norm=CenteredNorm() if signed else None)
            axes.set(xticks=[], yticks=[])
    return figure


def steps():
    """Show how the error of a finite difference depends on its step."""
    # Over 100 directions: one alone depends on how the processor rounds.
    rng, sizes = np.random.default_rng(0), np.logspace(-12, 1, 53)
    arrays = [rng.standard_normal(shape) for shape in (
        (1, 6, 6, 2), (3, 3, 2, 3), (3,), (100, 6, 6, 2), (1, 6, 6, 3))]
    figure = Figure(figsize=(NARROW * CELL, 3))
    both = figure.subplots(1, 2, sharey=True, gridspec_kw=dict(
        left=0.16, right=0.98, bottom=0.29, top=0.92, wspace=0.06))
    for axes, title, activation, derivative in (
            (both[0], "convolution and tanh", np.tanh,
             lambda Z: 1 - np.tanh(Z)**2),
            (both[1], "convolution alone", same_Z, np.ones_like)):
        A, kernels, b, V, dZ = arrays
        dZ = dZ * derivative(conv_forward(A, kernels, b, same_Z))
        exact = (conv_backward(dZ, A, kernels, b)[0] * V).sum(axis=(1, 2, 3))
        for dtype, style in ((np.float32, dict(color=BLUE, linewidth=4)),
                             (np.float64, dict(color="black", linewidth=1))):
            A, kernels, b, V, dZ = (a.astype(dtype) for a in arrays)
            errors = [sum((dZ * conv_forward(A + V * dtype(h), kernels, b,
                                             activation)).sum(axis=(1, 2, 3))
                          / (2 * h) for h in (step, -step)) - exact
                      for step in sizes]
            axes.loglog(sizes, np.std(errors, axis=1) / np.std(exact),
                        label=dtype.__name__, **style)
        axes.axvline(1e-5, color="black", lw=0.8, ls="--", label="step 1e-5")
        axes.set(title=title, xlabel="step", ylim=(1e-17, 1e3),
                 xticks=10.**np.arange(-12, 1, 4),
                 yticks=10.**np.arange(-15, 4, 3))
        axes.minorticks_off()
    both[0].set_ylabel("relative error")
    figure.legend(*both[0].get_legend_handles_labels(), frameon=False, ncols=3,
                  loc="lower center")
    return figure


def curves():
    """Show the loss curves of both engines on each other."""
    x, y, *_ = load_data("digits", seed=2)
    rng, T = np.random.default_rng(2), np.eye(10, dtype=np.float32)[y]
    weights = lenet5_numpy.initial_weights(rng)
    orders = [rng.permutation(len(x)) for _ in range(3)]
    figure = pictures.curves({engine.name: [
        [[engine.step(x[batch], T[batch])
          for batch in np.split(order, range(32, len(x), 32))]]
        for order in orders]
        for engine in (NumPyEngine(weights), KerasEngine(weights))})
    figure.set_size_inches(NARROW * CELL, 3)
    return figure


# The animations. The first and the last frame show everything, because a
# printed page shows the first.

def forward():
    """The window slides over the image; its products are summed."""
    for step in (3, 0, 1, 2, 3):
        figure, axes = canvas(9)
        one_step(axes, NARROW / 2, 0, step)
        yield figure


def backward():
    """Each number of dZ times the kernel is added where its window was."""
    added = [conv_backward(DZ * (STEPS == step)[None, :, :, None], IMAGE, W,
                           [0], "valid")[0][0, :, :, 0] for step in range(4)]
    sums = np.cumsum([np.zeros((3, 3)), *added], axis=0)
    frames = [(4, "each number of dZ times W, added to its window", sums[4])]
    for step, (y, x) in enumerate(PLACES):
        number = f"dZ[{y}, {x}] = {DZ.flat[step]:g}"
        both = strings(sums[step]) + " + " + strings(added[step])
        frames += [(step, f"{number}, times W", sums[step]),
                   (step, f"added to the window of {number}",
                    np.where(window(step), both, strings(sums[step])))]
    for step, caption, values in [*frames, frames[0]]:
        figure, axes = canvas(13.2)
        row(axes, 1.6, 3.8, ("dZ", DZ[0, :, :, 0], STEPS == step), "*",
            ("W", KERNEL, step < 4))
        grid(axes, 9.4, 1.2, "dA_prev", values, window(step), size=1.75)
        for i in range(4):
            row(axes, 0.3 + 3.85 * i, 9.9, (
                f"{DZ.flat[i]:g} * W",
                strings(added[i], window(i) & (i <= step)),
                window(i) & (step in (i, 4))), "+" if i < 3 else "", size=0.95)
        text(axes, 7.5, 12.3, caption)
        yield figure


# The program

DRAWINGS = {
    **{f"{function.__name__}.png": function for function in (
        convolution, im2col, padding, turned, matrix, pooling, lenet, steps,
        curves)},
    **{f"{function.__name__}-narrow.png": partial(function, narrow=True)
       for function in (convolution, padding, matrix)},
    "forward.gif": forward, "backward.gif": backward}


def animate(frames, path):
    """Write the frames of an animation, in few colours, as a GIF."""
    images = []
    for figure in frames:
        data = io.BytesIO()
        figure.savefig(data, format="png")
        image = Image.open(data).convert("RGB")
        images.append(image.quantize(16, dither=Image.Dither.NONE))
    images[0].save(path, save_all=True, append_images=images[1:],
                   duration=3000, loop=0, optimize=True)


def draw(name, folder):
    """Write a figure or an animation into folder, as a whole."""
    with rc_context(STYLE):
        drawn = DRAWINGS[name]()
        put(Path(folder) / name, partial(
            drawn.savefig, metadata={"Software": None})
            if isinstance(drawn, Figure) else partial(animate, drawn))


def main(argv=None):
    """Run; return the exit status."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = Parser(description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", type=Path,
                        help="to write into; it is made if it is missing")
    parser.add_argument("--only", metavar="NAME", nargs="+", choices=DRAWINGS,
                        help=f"of {', '.join(DRAWINGS)}", default=DRAWINGS)
    parser.add_argument("--force", action="store_true",
                        help="replace pictures that are there already")
    try:
        args = parser.parse_args(argv)
        there = [name for name in args.only if (args.folder / name).exists()]
        if there and not args.force:
            parser.error(f"{args.folder} holds {', '.join(there)} already; "
                         "pass --force to replace them")
        if problem := problem_with(args.folder, args.only):
            parser.error(f"{args.folder}: {problem}")
        for name in tqdm(args.only, unit="picture"):
            draw(name, args.folder)
    except UserError as error:
        print(f"figures.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
