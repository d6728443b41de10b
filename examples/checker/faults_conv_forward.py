"""What goes wrong in conv_forward."""
import numpy as np

from .faults_shared import (PAD, PADDING, SIZE, UNPACK, by, geometry, kernels,
                            outputs, rows)

SIZE = SIZE.format("pad")
SUM = "Z[n, y, x, k] = np.sum(window * W[:, :, :, k])"
PLACE = "window = A_pad[n, y*sh:y*sh + kh, x*sw:x*sw + kw]"
ACTIVATE = "A = activation(Z + b)"
CONV_FORWARD = [
    *PADDING, *geometry(UNPACK, PLACE, SIZE, True), *outputs(
        SIZE, PLACE, ("Z",), ("A",)),
    *rows("pad", PAD, (
        "The rows of the padding are added as columns, the columns as rows",
        lambda A_prev, rows, cols: by.pad(A_prev, cols, rows))),
    *rows("size", SIZE, *[(
        f'The output of "same" is given {what}', lambda *args, of=of: of(
            np.array(args[0]), args[3]) if args[4] == "same" else by.size(
                *args)) for what, of in [
        ("the size of the input", lambda sizes, stride: sizes),
        ("the size of the input over the stride, rounded down",
         lambda sizes, stride: sizes // stride)]]),
    *kernels("product", SUM, "The kernels", lambda change: (
        lambda pixels, W: by.product(pixels, change(W)))),
    *rows("product", SUM, *[
        (f"Only the {word} channel of A_prev is used", lambda pixels, W, i=i:
         by.product(pixels[..., [i]], W[:, :, [i]]))
        for word, i in (("first", 0), ("last", -1))],
        ("The products are averaged: they are added",
         lambda pixels, W: by.product(pixels, W) / pixels[0].size,
         lambda pixels, W: by.product(pixels, W) / pixels[0, ..., 0].size),
        ("`=` for `+=`: the products of a window must be added up",
         lambda pixels, W: by.product(pixels[:, -1:, -1:], W[-1:, -1:]),
         lambda pixels, W: by.product(pixels[:, -1:, -1:, -1:],
                                      W[-1:, -1:, -1:]))),
    *rows("finish", f"{SUM}\n{ACTIVATE}",
          ("The bias is added inside the sum, more than once",
           *[lambda Z, b, f, W, axes=axes: f(Z + np.ravel(b) * np.prod(
               [W.shape[i] for i in axes])) for axes in (
                   (0, 1, 2), (0, 1), (2,))])),
    *rows("finish", ACTIVATE,
          ("The first number of the bias is added to all channels",
           lambda Z, b, f, W: f(Z + np.ravel(b)[0])),
          ("The bias is forgotten", lambda Z, b, f, W: f(Z)),
          ("The activation is forgotten", lambda Z, b, f, W: Z + np.ravel(b)),
          ("The bias is added after the activation",
           lambda Z, b, f, W: f(Z) + np.ravel(b)),
          ("The activation is applied twice",
           lambda Z, b, f, W: f(f(Z + np.ravel(b)))),
          ("The bias is subtracted", lambda Z, b, f, W: f(Z - np.ravel(b))),
          ("The bias and the activation are forgotten",
           lambda Z, b, f, W: Z),
          ("The sign is wrong: these are the negative numbers",
           lambda Z, b, f, W: f(-Z - np.ravel(b)),
           lambda Z, b, f, W: f(-Z + np.ravel(b)),
           lambda Z, b, f, W: -f(Z + np.ravel(b)))),
    *rows("finish", f"Z = np.zeros((m, h_new, w_new, c_new))\n{ACTIVATE}",
          ("The result is truncated to whole numbers",
           lambda Z, b, f, W: f(np.trunc(Z) + np.ravel(b)),
           lambda Z, b, f, W: f(np.trunc(Z + np.ravel(b))),
           lambda Z, b, f, W: np.trunc(f(Z + np.ravel(b)))))]
