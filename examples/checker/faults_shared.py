"""Faults of several functions: padding, kernels, strides, images, signs."""
import itertools
from typing import NamedTuple

import numpy as np

from .definition import (Definition, both_sides, keras, rounded_down,
                         rounded_up)

by = Definition()
SIZE = ("h_new = (h_{0} - kh) // sh + 1\n"
        "w_new = (w_{0} - kw) // sw + 1")
UNPACK = "kh, kw, c_prev, c_new = W.shape"
WINDOW = "window = np.s_[n, y*sh:y*sh + kh, x*sw:x*sw + kw]"


class Cause(NamedTuple):
    """A fault: a sentence, the lines that mend it, and the ways to make it.

    A way holds pairs of a step of the definition and what replaces it.
    """

    sentence: str
    write: str
    ways: tuple


def rows(step, write, *found, begin=""):
    """Return causes from rows: a sentence, and what replaces the step.

    There may be several ways, and a dictionary of steps for the one step.
    begin: the beginning of each sentence.
    """
    return [Cause(f"{begin}{sentence}.", write, tuple(tuple(
        (way if isinstance(way, dict) else {step: way}).items())
        for way in ways)) for sentence, *ways in found]


MIXED = [("{0} and {1} are swapped", lambda a, b: (b, a)),
         ("{0} is used for both axes", lambda a, b: (a, a)),
         ("{1} is used for both axes", lambda a, b: (b, b))]
ONE = (1, 1), (1, 0), (0, 1)     # on both axes, or on one
PAD = ("A_pad = np.pad(A_prev, ((0, 0), (top, bottom), (left, right), (0, "
       "0)))")
PADDING = [
    *rows(
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
        ("is on the wrong sides: half on each, and an odd row goes to the "
         "bottom, an odd column to the right", *[{"side": side} for side in (
             lambda before, after: (after, before),
             lambda *both: (0, sum(both)), lambda *both: (sum(both), 0))]),
        ("is rounded up on one axis and down on the other: both must follow "
         "one rule",
         (rounded_up, rounded_down), (rounded_down, rounded_up)),
        ("mixes up the axes: rows must be computed from h_prev, kh and sh, "
         "columns from w_prev, kw and sw", *[
             {"axes": lambda *axes, change=change, mixed=mixed: [
                 change(*axis) if i in mixed else axis
                 for i, axis in enumerate(axes)]} for _, change in MIXED
             for n in (1, 2, 3)
             for mixed in itertools.combinations(range(3), n)]),
        begin='The padding of "same" '),
    *rows("rules", PAD, (
        'The padding of "same" is forgotten: A_prev must be padded',
        (lambda *axis: (0, 0),) * 2)),
    *rows("padding", 'if padding == "same":', (
        'padding is not looked at: with "valid" nothing may be padded',
        lambda padding: "same")),
    *rows("pad", PAD, (
        "The padding repeats or mirrors pixels: it must be zeros", *[
            lambda A_prev, rows, cols, mode=mode: np.pad(
                A_prev, ((0, 0), rows, cols, (0, 0)), mode)
            for mode in ("edge", "reflect", "symmetric", "wrap")]))]
FREQUENT = PADDING[:4]
H_AND_W = rows("sizes", "m, h_prev, w_prev, c_prev = A_prev.shape", (
    "h_prev and w_prev are swapped", lambda h, w: (w, h)))


def window(kernel=by.kernel, stride=by.stride):
    """Return a step that takes windows by another kernel or stride."""
    return {"window": lambda y, x, k, s: by.window(
        y, x, kernel(*k), stride(*s))}


def sized(kernel=by.kernel, stride=by.stride):
    """Return a step that computes the output's size from others."""
    return {"size": lambda sizes, padded, k, s, padding: by.size(
        sizes, padded, kernel(*k), stride(*s), padding)}


def geometry(unpack, place, size=None, pads=False):
    """Return the causes in kernels and strides.

    unpack, place, size: the lines that unpack kh and kw, take a window and
    compute the size of the output. Where nothing is padded, or no size is
    computed, the results do not tell where a kernel or a stride is wrong.
    """
    found = []
    for letters, step, line in ((("kh", "kw"), "kernel", unpack),
                                (("sh", "sw"), "stride", "sh, sw = stride")):
        for text, change in MIXED:
            what, whole = text.format(*letters), {step: change}
            taken, counted = window(**whole), sized(**whole)
            if not size:
                found += rows("", f"{line}\n{place}", (what, whole, taken))
                continue
            found += rows("", line, (what, whole)) * pads + rows(
                "", f"{place}\n{size}" + f"\n{line}" * (not pads), (
                    f"{what} where windows are taken and counted",
                    {**taken, **counted})) + rows("", place, (
                        f"{what} where a window is taken", taken)) + rows(
                "", size, (f"{what} in the output's size", counted))
    return found + starts(place) + rows(
        "window", place,
        ("is as large as the stride, not as the kernel",
         lambda y, x, k, s: by.window(y, x, s, s)),
        ("is one row or one column too small", *[
            lambda y, x, k, s, less=less: by.window(
                y, x, np.subtract(k, less), s) for less in ONE]),
        begin="A window ")


def starts(place, step="window", begin=""):
    """Return the causes in where a window starts."""
    return rows(
        step, place,
        ("The stride is forgotten where a window starts", *[
            lambda y, x, k, s, one=one: by.window(
                y, x, k, np.where(one, 1, s)) for one in ONE]),
        ("Windows start at multiples of the kernel's size, not of the stride",
         *[lambda y, x, k, s, one=one: by.window(
             y, x, k, np.where(one, k, s)) for one in ONE]),
        ("The row and the column of a window are swapped",
         lambda y, x, *pairs: by.window(x, y, *pairs)), begin=begin)


TURNED = "are turned by 180 degrees: they must not be"
KERNELS = [
    (TURNED, lambda W: W[::-1, ::-1]),
    ("have rows and columns swapped", lambda W: W.transpose(1, 0, 2, 3)),
    ("have their axes in another order: it must be (kh, kw, c_prev, c_new)",
     lambda W: W.reshape(W.shape[2], *W.shape[:2], -1).transpose(1, 2, 0, 3),
     lambda W: W.transpose(2, 0, 1, 3).reshape(W.shape),
     lambda W: W.reshape(W.shape[3], -1).T.reshape(W.shape),
     lambda W: W.transpose(0, 1, 3, 2).reshape(W.shape),
     lambda W: W.reshape(*W.shape[:2], W.shape[3], -1).transpose(0, 1, 3, 2)),
    ("are all the first one: each channel of the output has its own",
     lambda W: W[..., [0] * W.shape[3]])]


def kernels(step, write, begin, use, note=""):
    """Return what is done to kernels; use: how a step takes changed ones."""
    return rows(step, write, *[
        (f"{begin} {what}{note if what == TURNED else ''}", *map(use, changes))
        for what, *changes in KERNELS])


def kept(array, image):
    """Return one image, with zeros for the others."""
    return array * (np.arange(len(array)) == image % len(array)).reshape(
        -1, *[1] * (array.ndim - 1))


def images(write, *several):
    """Return what goes wrong where the images are numbered.

    several: the steps that it changes, one or more together.
    """
    return rows("", write, *[(what, *[dict.fromkeys(steps, change)
                                      for steps in several])
                             for what, change in [
        ("Only the first image is computed", lambda A: kept(A, 0)),
        ("Only the last image is computed", lambda A: kept(A, -1)),
        ("The first image is taken for each image",
         lambda A: np.repeat(A[:1], len(A), axis=0))]])


def over(change):
    """Return a step: zeros where there are more, an error where fewer."""
    def looped(dZ):
        rows, cols = change(*dZ.shape[1:3])
        kept = dZ * 0
        kept[:, :rows, :cols] = dZ[:, :rows, :cols]
        return kept if dZ[0, rows - 1, cols - 1].size else None
    return looped


def fewer(less):
    """Return a step that leaves out a last row or column."""
    return over(lambda h, w: np.subtract((h, w), less))


def outputs(size, place, *steps):
    """Return the causes of both forward passes, with the lines to write."""
    return H_AND_W + images(f"for n in range(m):\n{place}", *steps) + rows(
        "size", size,
        ("is one row or one column too small: + 1 is missing", *[
            lambda *args, less=less: np.subtract(by.size(*args), less)
            for less in ONE]),
        ("has h and w swapped", lambda *args: by.size(*args)[::-1]),
        ("is computed without the stride", sized(stride=lambda *s: (1, 1))),
        ("is rounded up: a window must be entirely inside the image",
         lambda sizes, padded, kernel, stride, _: [-(-(p - k) // s) + 1 for (
             p, k, s) in zip(padded, kernel, stride)]),
        begin="The output's size ")


def gradients(back, **outputs):
    """Return what goes wrong at the end, in each gradient.

    outputs: the lines where they are computed.
    """
    return [one for output, line in outputs.items() for one in rows(
        output, f"{line}\n{back}",
        ("divided by m", lambda gradient, dZ, A: gradient / len(dZ)),
        ("divided by the number of windows: it must be a sum, not a mean",
         lambda gradient, dZ, A: gradient / dZ[..., 0].size,
         lambda gradient, dZ, A: gradient / dZ[0, ..., 0].size),
        ("of the wrong sign", lambda gradient, dZ, A: -gradient),
        ("truncated to whole numbers",
         lambda gradient, dZ, A: np.trunc(gradient)), begin=f"{output} is ")
        ] + rows("dA_prev", back, (
            "dA_prev is multiplied by A_prev > 0: there is no ReLU here",
            lambda gradient, dZ, A_prev: gradient * (A_prev > 0)))
