"""What goes wrong in conv_forward."""
import itertools

import numpy as np

from .faults_shared import (PAD, PADDING, PAIRS, SIZE, UNPACK, UNPADDED,
                            faults, geometry, outputs, right, sizes, starts)

PAD_SIZE = SIZE.format("pad")
SUM = "Z[n, y, x, k] = np.sum(window * W[:, :, :, k])"
PLACE = "window = A_pad[n, y*sh:y*sh + kh, x*sw:x*sw + kw]"
ACTIVATE = "A = activation(Z + b)"
KERNELS = [
    ("The kernel meets the window turned by 180 degrees: {turned}",
     lambda W: W[::-1, ::-1]),
    ("Rows and columns are swapped between the window and the kernel",
     lambda W: W.transpose(1, 0, 2, 3)),
    ("The axes of the window and of the kernel are in different orders: both "
     "must be (kh, kw, c_prev), also where they are flattened",
     lambda W: W.reshape(W.shape[2], *W.shape[:2], -1).transpose(1, 2, 0, 3),
     lambda W: W.reshape(W.shape[3], -1).T.reshape(W.shape),
     lambda W: W.reshape(*W.shape[:2], W.shape[3], -1).transpose(0, 1, 3, 2),
     *[lambda W, order=order: W.transpose(order).reshape(W.shape)
       for order in list(itertools.permutations(range(4)))[1:]]),
    ("The first kernel is used for every channel of the output",
     lambda W: W[..., [0] * W.shape[3]])]


def kernels(step, lines, begin="", turned="do not turn it",
            use=lambda change: change):
    """Return what is done to kernels; use: what a step makes of a change."""
    return faults(step, lines, *[
        (what.format(turned=turned), *map(use, changes))
        for what, *changes in KERNELS], begin=begin)


CONV_FORWARD = [
    *faults(
        "finish", ACTIVATE,
        ("The bias is forgotten", lambda Z, b, f, W: f(Z)),
        ("The activation is forgotten", lambda Z, b, f, W: Z + np.ravel(b)),
        ("The bias and the activation are forgotten", lambda Z, b, f, W: Z),
        ("The first number of the bias is added to all channels",
         lambda Z, b, f, W: f(Z + np.ravel(b)[0])),
        ("The bias is added after the activation",
         lambda Z, b, f, W: f(Z) + np.ravel(b)),
        ("The activation is applied twice",
         lambda Z, b, f, W: f(f(Z + np.ravel(b)))),
        ("The bias is subtracted", lambda Z, b, f, W: f(Z - np.ravel(b))),
        ("The sign is wrong: these are the negative numbers",
         lambda Z, b, f, W: f(-Z - np.ravel(b)),
         lambda Z, b, f, W: f(-Z + np.ravel(b)),
         lambda Z, b, f, W: -f(Z + np.ravel(b)))),
    *faults(
        "finish", f"Z = np.zeros((m, h_new, w_new, c_new))\n{ACTIVATE}",
        ("The result is truncated to whole numbers",
         lambda Z, b, f, W: f(np.trunc(Z) + np.ravel(b)),
         lambda Z, b, f, W: f(np.trunc(Z + np.ravel(b))),
         lambda Z, b, f, W: np.trunc(f(Z + np.ravel(b))))),
    *faults(
        "finish", f"{SUM}\n{ACTIVATE}",
        ("The bias is added inside the sum, more than once", *[
            lambda Z, b, f, W, axes=axes: f(Z + np.ravel(b) * np.prod(
                [W.shape[i] for i in axes]))
            for axes in ((0, 1, 2), (0, 1), (2,))])),
    *kernels("W", SUM), *faults(
        "Z", SUM, ("The sum is not set to zero for each output", *[
            lambda Z, axis=axis: np.cumsum(Z, axis).reshape(Z.shape)
            for axis in (3, 2, None)])),
    *faults(
        "product", SUM,
        *[(f"Only the {word} channel of A_prev is used",
           lambda pixels, W, i=i: right.product(pixels[..., [i]], W[:, :, [i]])
           ) for word, i in (("first", 0), ("last", -1))],
        ("The products are averaged: they must be added up",
         lambda pixels, W: right.product(pixels, W) / pixels[0].size,
         lambda pixels, W: right.product(pixels, W) / pixels[0, ..., 0].size),
        ("Only the last product of a window is kept: add them with `+=`",
         lambda pixels, W: right.product(pixels[:, -1:, -1:], W[-1:, -1:]),
         lambda pixels, W: right.product(pixels[:, -1:, -1:, -1:],
                                         W[-1:, -1:, -1:]))),
    *PADDING, *faults(
        "pad", PAD,
        ('The padding of "same" is forgotten: A_prev must be padded',
         UNPADDED)),
    *geometry(PAIRS, UNPACK, PLACE, PAD_SIZE, True), *starts(PLACE),
    *sizes(PLACE), *outputs(PAD_SIZE, PLACE, ("Z",), ("A",)),
    *faults(
        "size", PAD_SIZE,
        ('The output of "same" is given the size of the input',
         lambda sizes, padded, k, s, padding: sizes if padding == "same" else (
             right.size(sizes, padded, k, s, padding))),
        ('The output of "same" is given the size of the input over the '
         "stride, rounded down", lambda sizes, padded, k, s, padding:
         np.floor_divide(sizes, s) if padding == "same" else (
             right.size(sizes, padded, k, s, padding))))]
