"""What goes wrong in conv_backward."""
import numpy as np

from . import definition as by
from .faults_shared import (H_AND_W, PAD, PADDING, cause, geometry,
                            gradients, images, kept)


# Steps that take the place of the definition's.

def dA_by(change):
    """Return a step that adds to dA_pad with other kernels."""
    return {"add_dA": lambda dA_pad, rows, cols, W, d: by.add_dA(
        dA_pad, rows, cols, change(W), d)}


def dW_by(change):
    """Return a step that changes what a window adds to dW."""
    def add_dW(dW, A_pad, rows, cols, d):
        part = np.zeros(dW.shape)
        by.add_dW(part, A_pad, rows, cols, d)
        dW += change(part)
    return {"add_dW": add_dW}


def dW_from(pixels=lambda A_pad: A_pad, numbers=lambda d: d):
    """Return a step that computes dW from other images or other numbers."""
    return {"add_dW": lambda dW, A_pad, rows, cols, d: by.add_dW(
        dW, pixels(A_pad), rows, cols, numbers(d))}


def assign_dA(dA_pad, rows, cols, W, d):
    """Overwrite a window with the sum over the kernels."""
    dA_pad[:, rows, cols] = np.sum(W * d[:, None, None, None], axis=-1)


def assign_dA_of_last(dA_pad, rows, cols, W, d):
    """Overwrite a window, one kernel after the other: the last one stays."""
    assign_dA(dA_pad, rows, cols, W[..., -1:], d[:, -1:])


def assign_dW(dW, A_pad, rows, cols, d):
    """Overwrite dW with the sum over the images."""
    dW[:] = 0
    by.add_dW(dW, A_pad, rows, cols, d)


def assign_dW_of_last(dW, A_pad, rows, cols, d):
    """Overwrite dW, one image after the other: the last one stays."""
    assign_dW(dW, A_pad[-1:], rows, cols, d[-1:])


def transposed_kernels(dA_pad, rows, cols, W, d):
    """Take W's axis c_prev for c_new."""
    for k in range(d.shape[1]):
        dA_pad[:, rows, cols] += W[:, :, k] * d[:, None, None, None, k]


def kernel_by_kernel(do, dA_pad, dW, A_pad, place, W, d):
    """Add to dA_pad, then to dW, one kernel after the other."""
    for k in range(W.shape[3]):
        do.add_dA(dA_pad, *place, W[..., k:k + 1], d[:, k:k + 1])
        do.add_dW(dW[..., k:k + 1], A_pad, *place, d[:, k:k + 1])


def dW_first(do, dA_pad, dW, A_pad, place, W, d):
    """Add to dW, then to dA_pad, one kernel after the other."""
    for k in range(W.shape[3]):
        do.add_dW(dW[..., k:k + 1], A_pad, *place, d[:, k:k + 1])
        do.add_dA(dA_pad, *place, W[..., k:k + 1], d[:, k:k + 1])


def minus(dA_pad, rows, cols, *rest):
    """Crop with p:-p."""
    return dA_pad[:, rows[0]:-rows[1], cols[0]:-cols[1]]


def minus_under_same(dA_pad, rows, cols, sizes, padding):
    """Crop with p:-p, under "same" alone."""
    return minus(dA_pad, rows, cols) if padding == "same" else dA_pad


def assigned(crop):
    """Return a crop that is assigned to an array of A_prev's shape."""
    def assign(dA_pad, rows, cols, sizes, padding):
        dA_prev = np.zeros((len(dA_pad), *sizes, dA_pad.shape[3]))
        dA_prev[:] = crop(dA_pad, rows, cols, sizes, padding)
        return dA_prev
    return assign


def uncropped(dA_pad, *rest):
    """Return dA_pad unchanged."""
    return dA_pad


def not_square(dZ):
    """Loop over rows as over columns: an IndexError where there are fewer."""
    _, h_new, w_new, _ = dZ.shape
    return dZ if dZ[0, w_new - 1, h_new - 1].size else None


CROP = "dA_prev = dA_pad[:, top:top + h_prev, left:left + w_prev]"
START = "dA_pad = np.zeros(A_pad.shape)"
UNPACK = "kh, kw, c_prev, c_new = W.shape"
WINDOW = "window = np.s_[n, y*sh:y*sh + kh, x*sw:x*sw + kw]"
LOOP = "for n, y, x, k in np.ndindex(dZ.shape):"
DA = "dA_pad[window] += W[:, :, :, k] * dZ[n, y, x, k]"
DW = "dW[:, :, :, k] += A_pad[window] * dZ[n, y, x, k]"
DB = "db = np.sum(dZ, axis=(0, 1, 2), keepdims=True)"
RETURN = "return dA_prev, dW, db"
CONV_BACKWARD = [
    *[one for one in PADDING if "is not padded" not in one.sentence],
    cause("kh and kw are mixed up: swapped, or one is used for both axes.",
          f"{UNPACK}\n{WINDOW}", *[
              dict(way) for one in geometry(UNPACK, WINDOW)[:3]
              for way in one.ways]),
    *geometry(UNPACK, WINDOW)[3:], H_AND_W,
    *[cause(f"{what}.", CROP, *[{"crop": way} for way in ways])
      for what, *ways in [
        ("The crop p:-p is empty where p is 0", minus, minus_under_same,
         assigned(minus), assigned(minus_under_same)),
        ("dA_prev still has its padding", uncropped, assigned(uncropped)),
        ("dA_prev is not cropped where one of the paddings is 0",
         lambda dA_pad, rows, cols, *rest: minus(dA_pad, rows, cols) if (
             rows[0] and cols[0]) else dA_pad),
        ("The crop removes as much below as above, on the right as on the "
         "left", lambda dA_pad, rows, cols, *rest: dA_pad[
             :, rows[0]:dA_pad.shape[1] - rows[0],
             cols[0]:dA_pad.shape[2] - cols[0]]),
        ("The crop takes the last rows and columns",
         lambda dA_pad, rows, cols, sizes, _: dA_pad[
             :, -sizes[0]:, -sizes[1]:]),
        ("The crop takes the first rows and columns",
         lambda dA_pad, rows, cols, sizes, _: dA_pad[
             :, :sizes[0], :sizes[1]]),
        ("The crop has the paddings of rows and columns swapped",
         lambda dA_pad, rows, cols, *rest: by.crop(
             dA_pad, cols, rows, *rest)),
        ("The crop has h_prev and w_prev swapped",
         lambda dA_pad, rows, cols, sizes, _: by.crop(
             dA_pad, rows, cols, sizes[::-1], _))]],
    cause("An array without padding meets the windows of A_pad: dA_prev, or "
          "the A_prev that dW is computed from.",
          f"{PAD}\n{START}\n{DW}\n{CROP}",
          {"rule": lambda size, kernel, stride: (0, 0)},
          {"pixels": lambda A_prev, A_pad: A_prev}, *[
              {"start": lambda A_prev, A_pad: np.zeros(A_prev.shape),
               "crop": crop} for crop in (
                   uncropped, by.crop, minus, minus_under_same)]),
    cause("dA_pad starts as A_pad: it starts with zeros.", START,
          {"start": lambda A_prev, A_pad: A_pad.copy()},
          *[{"start": lambda A_prev, A_pad: A_pad, "accumulate": way}
            for way in (by.accumulate, kernel_by_kernel, dW_first)]),
    *[cause(f"{what}.", DA, *ways) for what, *ways in [
        ("`=` for `+=` in dA_prev: where windows overlap, gradients add up",
         {"add_dA": assign_dA_of_last}, {"add_dA": assign_dA}),
        ("The kernels are transposed: W is (kh, kw, c_prev, c_new)",
         {"add_dA": transposed_kernels}),
        ("In dA_prev the kernels are flipped: W[i, j] goes to pixel (i, j) "
         "of the window", dA_by(lambda W: W[::-1, ::-1])),
        ("In dA_prev rows and columns of the kernels are swapped",
         dA_by(lambda W: W.transpose(1, 0, 2, 3))),
        ("dA_prev is computed with the first kernel alone",
         dA_by(lambda W: W[..., :1]), dA_by(
             lambda W: W * (np.arange(W.shape[3]) == 0))),
        ("dA_prev adds up the images", {
            "add_dA": lambda dA_pad, rows, cols, W, d: by.add_dA(
                dA_pad, rows, cols, W, d.sum(axis=0, keepdims=True))}),
        ("In dA_prev the channels are in another order: (kh, kw, c_prev)",
         dA_by(lambda W: W.reshape(W.shape[2], *W.shape[:2], -1).transpose(
             1, 2, 0, 3)))]],
    *[cause(f"{what}.", DW, *ways) for what, *ways in [
        ("`=` for `+=` in dW: it is a sum over all windows",
         {"add_dW": assign_dW_of_last}, {"add_dW": assign_dW}),
        ("dW is that of the last image: it is a sum over all images",
         dW_from(numbers=lambda d: kept(d, -1))),
        ("dW is that of the first image: it is a sum over all images",
         dW_from(numbers=lambda d: kept(d, 0))),
        ("dW is computed from the first image's pixels for each image",
         dW_from(lambda A_pad: A_pad[:1])),
        ("dW is flipped", dW_by(lambda dW: dW[::-1, ::-1])),
        ("kh and kw are swapped in dW",
         dW_by(lambda dW: dW.transpose(1, 0, 2, 3))),
        ("dW is computed from the first channel alone",
         dW_from(lambda A_pad: A_pad[..., :1])),
        ("In dW the channels are in another order: (kh, kw, c_prev)",
         dW_by(lambda dW: dW.transpose(2, 0, 1, 3).reshape(dW.shape)))]],
    cause("kh and kw are swapped in dW's shape.", RETURN,
          {"dW": lambda dW, dZ: dW.transpose(1, 0, 2, 3)}),
    *[cause(f"db {what}.", DB, *[{"db": way} for way in ways])
      for what, *ways in [
        ("has lost its axes", *[lambda dZ, shape=shape: by.db(dZ).reshape(
            shape) for shape in (-1, (1, -1), (-1, 1), (1, 1, -1))]),
        ("is summed over the channels too", np.sum, lambda dZ: np.sum(
            dZ, keepdims=True)),
        ("is summed over the images alone", lambda dZ: dZ.sum(axis=0),
         lambda dZ: dZ.sum(axis=0, keepdims=True)),
        ("is not summed over the images",
         lambda dZ: dZ.sum(axis=(1, 2)),
         lambda dZ: dZ.sum(axis=(1, 2), keepdims=True)),
        ("is that of the first image", lambda dZ: by.db(dZ[:1])),
        ("is that of the last image", lambda dZ: by.db(dZ[-1:])),
        ("is the last number of dZ: `=` for `+=`",
         lambda dZ: dZ[-1:, -1:, -1:])]],
    *[cause(f"The gradients are returned in the order {', '.join(names)}.",
            RETURN, {"order": lambda *all, places=places: tuple(
                all[i] for i in places)})
      for names, places in [
          (("dW", "dA_prev", "db"), (1, 0, 2)),
          (("dA_prev", "db", "dW"), (0, 2, 1)),
          (("dW", "db", "dA_prev"), (1, 2, 0)),
          (("db", "dW", "dA_prev"), (2, 1, 0))]],
    cause("h_new and w_new are swapped.", LOOP, {"looped": not_square}),
    cause("dA_prev is multiplied by A_prev > 0: there is no ReLU here.",
          RETURN, {"dA_prev": lambda dA_prev, dZ, A_prev: dA_prev * (
              A_prev > 0)}),
    *gradients(["dA_prev", "dW", "db"], RETURN),
    *images(LOOP, f"{DA}\n{DW}", f"\n{DB}")]
