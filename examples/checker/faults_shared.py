"""What goes wrong in padding, kernels and strides, in any of the functions."""
import itertools
from typing import NamedTuple

import numpy as np

from . import definition as by


class Cause(NamedTuple):
    """A fault: a sentence, the lines that mend it, and the ways to make it.

    A way holds pairs of a step of the definition and what replaces it.
    """

    sentence: str
    write: str
    ways: tuple


def cause(sentence, write, *ways):
    """Return a cause whose ways are given as dictionaries of steps."""
    return Cause(sentence, write, tuple(tuple(way.items()) for way in ways))


def padded(change):
    """Return a step that pads what `change` makes of the sides of "same"."""
    return {"sides": lambda do, padding, *pairs: ((0, 0), (0, 0)) if (
        padding == "valid") else change(do, *pairs)}


def mixed(*order):
    """Return padding computed from other axes: (size, kernel, stride) each.

    0 is the axis of the rows, 1 that of the columns.
    """
    return padded(lambda do, *pairs: tuple(do.rule(*(
        pair[axis] for pair, axis in zip(pairs, axes))) for axes in order))


def two_rules(*rules):
    """Return padding by one rule for the rows, another for the columns."""
    return padded(lambda do, *pairs: tuple(
        rule(*axis) for rule, axis in zip(rules, zip(*pairs))))


def kept(array, image):
    """Return one image, with zeros for the others."""
    return array * (np.arange(len(array)) == image % len(array)).reshape(
        -1, *[1] * (array.ndim - 1))


def total(number):
    """Return a rule that pads both sides by a function of the total."""
    return {"rule": lambda size, kernel, stride: (
        number(by.total_to_keep(size, kernel, stride)),) * 2}


PAD = ("A_pad = np.pad(A_prev, ((0, 0), (top, bottom), (left, right), (0, "
       "0)))")
PADDING = [
    cause('The padding of "same" is `// 2 + 1`: one row and column too many '
          "wherever the total is even.", "{padding}",
          total(lambda zeros: zeros // 2 + 1)),
    *[cause(f'The padding of "same" {what}.', "{padding}", *ways)
      for what, *ways in [
        ("is rounded up and then one more", total(lambda z: -(-z // 2) + 1)),
        ("is rounded with round(), which rounds 0.5 down and 1.5 up",
         total(lambda zeros: round(zeros / 2))),
        ("is not halved: the total is added on both sides",
         total(lambda zeros: zeros)),
        ("is computed without the stride",
         {"rule": lambda size, kernel, stride: (kernel // 2,) * 2},
         {"rule": lambda size, kernel, stride: ((kernel - 1) // 2,) * 2},
         {"rule": lambda size, kernel, stride: by.keras(size, kernel, 1)}),
        ("is kernel - 1 on each side",
         {"rule": lambda size, kernel, stride: (kernel - 1,) * 2}),
        ("has the odd row and column on the wrong side: the extra row goes "
         "to the bottom, the extra column to the right", padded(
             lambda do, *pairs: [do.rule(*axis)[::-1]
                                 for axis in zip(*pairs)])),
        ("is all at the bottom and on the right", padded(
            lambda do, *pairs: [(0, sum(do.rule(*axis)))
                                for axis in zip(*pairs)])),
        ("is rounded down for rows and up for columns: take one rule",
         two_rules(by.rounded_down, by.rounded_up)),
        ("is rounded up for rows and down for columns: take one rule",
         two_rules(by.rounded_up, by.rounded_down)),
        ("is that of the rows for the columns too", mixed([0] * 3, [0] * 3)),
        ("is that of the columns for the rows too", mixed([1] * 3, [1] * 3)),
        ("has rows and columns swapped", mixed([1] * 3, [0] * 3)),
        ("is computed from kh for the columns too", mixed([0] * 3, [1, 0, 1])),
        ("is computed from kw for the rows too", mixed([0, 1, 0], [1] * 3)),
        ("is computed with kh and kw swapped", mixed([0, 1, 0], [1, 0, 1])),
        ("is computed with sh and sw swapped", mixed([0, 0, 1], [1, 1, 0])),
        ("is computed with sh for the columns too", mixed([0] * 3, [1, 1, 0])),
        ("is computed with h_prev for the columns too",
         mixed([0] * 3, [0, 1, 1])),
        ("is computed with h_prev and w_prev swapped",
         mixed([1, 0, 0], [0, 1, 1]))]],
    cause('The padding of "same" is forgotten: A_prev is not padded.', PAD,
          {"rule": lambda size, kernel, stride: (0, 0)}),
    cause('padding is not looked at: "valid" is padded like "same".',
          'if padding == "same":', {"sides": lambda do, padding, *pairs: (
              by.sides(do, "same", *pairs))}),
    cause("The padding repeats or mirrors pixels: it is zeros.", PAD, *[
        {"pad": lambda A_prev, rows, cols, mode=mode: by.pad(
            A_prev, rows, cols, mode)}
        for mode in ("edge", "reflect", "symmetric", "wrap")])]
H_AND_W = cause(
    "h_prev and w_prev are swapped.",
    "m, h_prev, w_prev, c_prev = A_prev.shape", {
        **mixed([1, 0, 0], [0, 1, 1]),
        "crop": lambda dA_pad, rows, cols, sizes, padding: by.crop(
            dA_pad, rows, cols, sizes[::-1], padding),
        "size": lambda sizes, padded, *pairs: by.size(sizes, [
            other + with_zeros - own for own, other, with_zeros in zip(
                sizes, sizes[::-1], padded)], *pairs)})


def window(kernel=lambda *k: k, stride=lambda *s: s):
    """Return a step that takes windows by another kernel or stride."""
    return {"window": lambda y, x, k, s: by.window(y, x, kernel(*k),
                                                   stride(*s))}


def sized(kernel=lambda *k: k, stride=lambda *s: s):
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
    for first, second, step, line in (
            ("kh", "kw", "kernel", unpack),
            ("sh", "sw", "stride", "sh, sw = stride")):
        for what, change in (
                (f"{first} and {second} are swapped", lambda a, b: (b, a)),
                (f"{first} is used for both axes", lambda a, b: (a, a)),
                (f"{second} is used for both axes", lambda a, b: (b, b))):
            whole, windows = {step: change}, window(**{step: change})
            sizes = sized(**whole)
            if not size:
                found.append(cause(f"{what}.", f"{line}\n{place}", whole,
                                   windows))
                continue
            if pads:
                found.append(cause(f"{what}.", line, whole))
            found += [
                cause(f"{what} where windows are taken and counted.",
                      f"{place}\n{size}" + f"\n{line}" * (not pads),
                      {**windows, **sizes}),
                cause(f"{what} where a window is taken.", place, windows),
                cause(f"{what} in the output's size.", size, sizes)]
    return [*found, cause(
        "The stride is forgotten where a window starts.", place, *[
            window(stride=start) for start in (
                lambda sh, sw: (1, 1), lambda sh, sw: (1, sw),
                lambda sh, sw: (sh, 1))]), cause(
        "The row and the column of a window are swapped.", place,
        {"window": lambda y, x, *pairs: by.window(x, y, *pairs)})]


# What both backward passes have.

def post(output, change):
    """Return a step that changes a gradient at the end: (gradient, dZ)."""
    if output == "db":
        return {"db": lambda dZ: change(by.db(dZ), dZ)}
    return {output: lambda gradient, dZ, *rest: change(gradient, dZ)}


def gradients(outputs, line):
    """Return what goes wrong at the end, in each output and in several."""
    several = [[one] for one in outputs] + (
        [["dW", "db"], ["dA_prev", "dW"], outputs] if outputs[1:] else [])
    kinds = [
        ("divided by m", lambda gradient, dZ: gradient / len(dZ)),
        ("divided by the number of windows: sums, not means",
         lambda gradient, dZ: gradient / (dZ.size / dZ.shape[3]),
         lambda gradient, dZ: gradient / (dZ[0].size / dZ.shape[3])),
        ("of the wrong sign", lambda gradient, dZ: -gradient),
        ("truncated to whole numbers",
         lambda gradient, dZ: np.trunc(gradient))]
    found = []
    for some, (what, *changes) in itertools.product(several, kinds):
        names = " and ".join(filter(None, [", ".join(some[:-1]), some[-1]]))
        found.append(cause(
            f"{names} {'are' if some[1:] else 'is'} {what}.", line, *[
                {step: function for output in some for step, function in
                 post(output, change).items()} for change in changes]))
    return found


def images(loop, adds, db):
    """Return what goes wrong where the images are numbered.

    loop, adds, db: the lines to write; db is "" where there is none.
    """
    return [cause(f"{what}.", line + db, {"looped": change}, *[{
        "looped": change, "db": lambda dZ, change=change: by.db(change(dZ))
        }] * bool(db)) for what, line, change in [
            ("Only the first image is computed", loop, lambda dZ: kept(dZ, 0)),
            ("Only the last image is computed", loop, lambda dZ: kept(dZ, -1)),
            ("The gradient of the first image is taken for each image", adds,
             lambda dZ: np.repeat(dZ[:1], len(dZ), axis=0))]]
