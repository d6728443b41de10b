"""Faults of several functions: padding, kernels, strides, images, signs."""
import itertools
from typing import NamedTuple

import numpy as np

from .definition import (Definition, both_sides, keras, rounded_down,
                         rounded_up)

right = Definition()
SIZE = ("h_new = (h_{0} - kh) // sh + 1\n"
        "w_new = (w_{0} - kw) // sw + 1")
UNPACK = "kh, kw, c_prev, c_new = W.shape"
WINDOW = "window = np.s_[n, y*sh:y*sh + kh, x*sw:x*sw + kw]"


class Cause(NamedTuple):
    """A fault: a sentence, the lines that mend it, and the ways to make it.

    A way holds pairs of a step of the definition and what replaces it.
    """

    sentence: str
    lines: str
    ways: tuple


def faults(step, lines, *found, begin=""):
    """Return causes, each from a sentence and what replaces the step.

    faults("finish", "A = activation(Z + b)",
           ("The bias is forgotten", lambda Z, b, f, W: f(Z)))

    gives one cause: this sentence, the line that mends it, and one way,
    (("finish", the function),). There may be several ways; one that touches
    other steps, or several, is a dictionary. begin: the beginning of each
    sentence.
    """
    return [Cause(f"{begin}{sentence}.", lines, tuple(tuple(
        (way if isinstance(way, dict) else {step: way}).items())
        for way in ways)) for sentence, *ways in found]


MIXED = [("{0} and {1} are swapped", lambda a, b: (b, a)),
         ("{0} is used for both axes", lambda a, b: (a, a)),
         ("{1} is used for both axes", lambda a, b: (b, b))]
AXES = (1, 1), (1, 0), (0, 1)     # on both axes, or on one
PAD = ("A_pad = np.pad(A_prev, ((0, 0), (top, bottom), (left, right), (0, "
       "0)))")
PADDING = [
    *faults(
        "rules", "{padding}",
        ("is `// 2 + 1`: one row and column too many wherever the total is "
         "even", (both_sides(lambda zeros: zeros // 2 + 1),) * 2),
        ("is rounded with round(), which rounds 0.5 down and 1.5 up",
         (both_sides(lambda zeros: round(zeros / 2)),) * 2),
        ("is not halved: the total is added on both sides",
         (both_sides(lambda zeros: zeros),) * 2,
         (lambda size, kernel, stride: (kernel - 1,) * 2,) * 2),
        ("is computed without the stride",
         (lambda size, kernel, stride: (kernel // 2,) * 2,) * 2,
         (lambda size, kernel, stride: ((kernel - 1) // 2,) * 2,) * 2,
         (lambda size, kernel, stride: keras(size, kernel, 1),) * 2),
        ("is computed from h_prev * sh, not (h_prev - 1) * sh",
         (lambda n, k, s: ((n * s + k - n) // 2,) * 2,) * 2,
         (lambda n, k, s: (-(-(n * s + k - n) // 2),) * 2,) * 2),
        ("is on the wrong sides: put half on each, an odd row at the bottom, "
         "an odd column at the right", *[{"side": side} for side in (
             lambda before, after: (after, before),
             lambda *both: (0, sum(both)), lambda *both: (sum(both), 0))]),
        ("is rounded up on one axis and down on the other: both must follow "
         "one rule",
         (rounded_up, rounded_down), (rounded_down, rounded_up)),
        ("mixes up the axes: rows must be computed from h_prev, kh and sh, "
         "columns from w_prev, kw and sw", {
             "pad": lambda A_prev, rows, cols: right.pad(A_prev, cols, rows)},
         *[
             {"axes": lambda *axes, change=change, mixed=mixed: [
                 change(*axis) if i in mixed else axis
                 for i, axis in enumerate(axes)]} for _, change in MIXED
             for n in (1, 2, 3)
             for mixed in itertools.combinations(range(3), n)]),
        begin='The padding of "same" '),
    *faults("padding", 'if padding == "same":', (
        'padding is not looked at: with "valid" nothing may be padded',
        lambda padding: "same")),
    *faults("pad", PAD, (
        "The padding repeats or mirrors pixels: it must be zeros", *[
            lambda A_prev, rows, cols, mode=mode: np.pad(
                A_prev, ((0, 0), rows, cols, (0, 0)), mode)
            for mode in ("edge", "reflect", "symmetric", "wrap")]))]
FREQUENT = PADDING[:4]      # with other faults too, in real files
UNPADDED = {"rules": (lambda *axis: (0, 0),) * 2}
PAIRS = [("kh", "kw"), ("sh", "sw")]
H_AND_W = faults("sizes", "m, h_prev, w_prev, c_prev = A_prev.shape", (
    "h_prev and w_prev are swapped", lambda h, w: (w, h)))


def elsewhere(kernel=right.kernel, stride=right.stride):
    """Return two steps with another kernel or stride: window and size."""
    return {"window": lambda y, x, k, s: right.window(
        y, x, kernel(*k), stride(*s))}, {
            "size": lambda sizes, padded, k, s, padding: right.size(
                sizes, padded, kernel(*k), stride(*s), padding)}


def geometry(letters, unpack, place, size=None, pads=False):
    """Return the causes in kernels and strides, by their letters.

    unpack, place, size: the lines that unpack kh and kw, take a window and
    compute the size of the output. Where nothing is padded, or no size is
    computed, the results do not tell where a kernel or a stride is wrong.
    """
    found = []
    for (h, w), (text, change) in itertools.product(letters, MIXED):
        step, line = ("kernel", unpack) if h == "kh" else (
            "stride", "sh, sw = stride")
        what, whole = text.format(h, w), {step: change}
        taken, counted = elsewhere(**whole)
        if not size:
            found += faults("", f"{line}\n{place}", (what, whole, taken))
            continue
        both = f"{place}\n{size}"
        if pads:
            found += faults("", line, (what, whole))
        else:
            both += f"\n{line}"
        found += faults("", both, (
            f"{what} where windows are taken and counted",
            {**taken, **counted}))
        found += faults("", place, (f"{what} where a window is taken", taken))
        found += faults("", size, (f"{what} in the output's size", counted))
    return found


def sizes(place):
    """Return the causes in how large a window is."""
    return faults(
        "window", place,
        ("is as large as the stride, not as the kernel",
         lambda y, x, k, s: right.window(y, x, s, s)),
        ("is one row or one column too small", *[
            lambda y, x, k, s, less=less: right.window(
                y, x, np.subtract(k, less), s) for less in AXES]),
        begin="A window ")


def starts(place, step="window", begin=""):
    """Return the causes in where a window starts."""
    return faults(
        step, place,
        ("The stride is forgotten where a window starts", *[
            lambda y, x, k, s, one=one: right.window(
                y, x, k, np.where(one, 1, s)) for one in AXES]),
        ("Windows start at multiples of the kernel's size, not of the stride",
         *[lambda y, x, k, s, one=one: right.window(
             y, x, k, np.where(one, k, s)) for one in AXES]),
        ("The row and the column of a window are swapped",
         lambda y, x, *pairs: right.window(x, y, *pairs)), begin=begin)


def kept(array, image):
    """Return one image, with zeros for the others."""
    return array * (np.arange(len(array)) == image % len(array)).reshape(
        -1, *[1] * (array.ndim - 1))


def images(lines, *several):
    """Return what goes wrong where the images are numbered.

    several: the steps that it changes, one or more together.
    """
    return faults("", lines, *[(what, *[dict.fromkeys(steps, change)
                                        for steps in several])
                               for what, change in [
        ("Only the first image is computed", lambda A: kept(A, 0)),
        ("Only the last image is computed", lambda A: kept(A, -1)),
        ("The first image is taken for each image",
         lambda A: np.repeat(A[:1], len(A), axis=0))]])


def over(change):
    """Return a step: the gradient as loops over other numbers see it.

    What they do not visit is 0; what is not there raises an IndexError.
    """
    def in_loops(dZ):
        rows, cols = change(*dZ.shape[1:3])
        dZ[0, rows - 1, cols - 1]
        seen = dZ * 0
        seen[:, :rows, :cols] = dZ[:, :rows, :cols]
        return seen
    return in_loops


def fewer(less):
    """Return a step that leaves out a last row or column."""
    return over(lambda h, w: np.subtract((h, w), less))


STOPPED = ("The loops stop too early: a last row or column, or both, is left "
           "out")


def outputs(size, place, *several):
    """Return the causes of both forward passes, with the lines to write."""
    return H_AND_W + images(f"for n in range(m):\n{place}", *several) + faults(
        "size", size,
        ("is one row or one column too small: + 1 is missing", *[
            lambda *args, less=less: np.subtract(right.size(*args), less)
            for less in AXES]),
        ("has h and w swapped", lambda *args: right.size(*args)[::-1]),
        ("is computed without the stride", elsewhere(
            stride=lambda *s: (1, 1))[1]),
        ("is computed without the kernel",
         lambda sizes, padded, kernel, stride, _: np.floor_divide(
             padded, stride)),
        ("is rounded up: a window must be entirely inside the image",
         lambda sizes, padded, kernel, stride, _: [-(-(p - k) // s) + 1 for (
             p, k, s) in zip(padded, kernel, stride)]),
        begin="The output's size ") + faults(
        "", f"{place}\n{size}",
        ("The kernel's size is used as the stride", {
            "window": lambda y, x, k, s: right.window(y, x, k, k),
            "size": lambda sizes, padded, k, s, padding: right.size(
                sizes, padded, k, k, padding)})) + faults(
        "", "for y in range(h_new):\nfor x in range(w_new):",
        (STOPPED, *[dict.fromkeys(steps, fewer(less))
                    for less in AXES for steps in several]))


def gradients(back, **outputs):
    """Return what goes wrong at the end, in each gradient.

    outputs: the lines where they are computed.
    """
    return [one for output, line in outputs.items() for one in faults(
        output, f"{line}\n{back}",
        ("divided by m", lambda gradient, dZ, A: gradient / len(dZ)),
        ("divided by the number of windows: it must be a sum, not a mean",
         lambda gradient, dZ, A: gradient / dZ[..., 0].size,
         lambda gradient, dZ, A: gradient / dZ[0, ..., 0].size),
        ("of the wrong sign", lambda gradient, dZ, A: -gradient),
        ("truncated to whole numbers",
         lambda gradient, dZ, A: np.trunc(gradient)), begin=f"{output} is ")
        ] + faults("dA_prev", back, (
            "dA_prev is multiplied by A_prev > 0: there is no ReLU here",
            lambda gradient, dZ, A_prev: gradient * (A_prev > 0)))
