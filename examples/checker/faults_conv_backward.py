"""What goes wrong in conv_backward."""
import itertools

import numpy as np

from .faults_conv_forward import kernels
from .faults_shared import (AXES, H_AND_W, MIXED, PAD, PADDING, PAIRS, STOPPED,
                            UNPACK, UNPADDED, WINDOW, faults, fewer, geometry,
                            gradients, images, kept, over, right, sizes,
                            starts)

LOOP = "for n, y, x, k in np.ndindex(dZ.shape):"
START = "dA_pad = np.zeros(A_pad.shape)"
DA = "dA_pad[window] += W[:, :, :, k] * dZ[n, y, x, k]"
DW = "dW[:, :, :, k] += A_pad[window] * dZ[n, y, x, k]"
DB = "db = np.sum(dZ, axis=(0, 1, 2), keepdims=True)"
CROP = "dA_prev = dA_pad[:, top:top + h_prev, left:left + w_prev]"
RETURN = "return dA_prev, dW, db"


def assign_dA(dA_pad, rows, cols, W, d):
    """Overwrite a window with the sum over the kernels."""
    dA_pad[:, rows, cols] = 0
    right.add_dA(dA_pad, rows, cols, W, d)


def dW_of(change, keep=1):
    """Return a step that changes what a window adds to dW, and dW before."""
    def add_dW(dW, A_pad, rows, cols, d):
        part = np.zeros(dW.shape)
        right.add_dW(part, A_pad, rows, cols, d)
        dW *= keep
        dW += change(part)
    return add_dW


overwrite = dW_of(lambda part: part, keep=0)


def in_turn(parts, *steps):
    """Return a step: the gradients of a window in another order."""
    def accumulate(dA_pad, dW, A_pad, place, W, d):
        window = right.window(*place)
        for part in parts(W.shape[3]):
            for step in steps:
                if step == "dA":
                    right.add_dA(dA_pad, *window, W[..., part], d[:, part])
                else:
                    right.add_dW(dW[..., part], A_pad, *window, d[:, part])
    return {"accumulate": accumulate}


def each_kernel(c_new):
    """Return the parts of the channels of dZ, one by one."""
    return [slice(k, k + 1) for k in range(c_new)]


def minus(dA_pad, rows, cols, sizes, padding):
    """Crop with p:-p."""
    return dA_pad[:, rows[0]:-rows[1], cols[0]:-cols[1]]


def minus_under_same(dA_pad, rows, cols, sizes, padding):
    """Crop with p:-p, under "same" alone."""
    return minus(dA_pad, rows, cols, sizes, padding) if (
        padding == "same") else dA_pad


def emptied(A_pad, A_prev):
    """Fill A_pad itself with zeros."""
    A_pad[:] = 0
    return A_pad


def uncropped(dA_pad, *rest):
    """Remove no padding."""
    return dA_pad


def assigned(crop):
    """Return a crop that is assigned to an array of A_prev's shape."""
    def assign(dA_pad, rows, cols, sizes, padding):
        dA_prev = np.zeros((len(dA_pad), *sizes, dA_pad.shape[3]))
        dA_prev[:] = crop(dA_pad, rows, cols, sizes, padding)
        return dA_prev
    return assign


STEPS = ("in_loops",), ("in_loops", "in_db")       # without db, and with it
CONV_BACKWARD = [
    *PADDING, *faults("kernel", f"{UNPACK}\n{WINDOW}", (
        "kh and kw are mixed up: swapped, or one for both axes",
        lambda kh, kw: (kw, kh))),      # the results are the same: it raises
    *geometry(PAIRS[1:], UNPACK, WINDOW), *starts(WINDOW), sizes(WINDOW)[0],
    *H_AND_W, *faults(
        "crop", CROP,
        ("The crop p:-p is empty where p is 0", minus, minus_under_same,
         assigned(minus), assigned(minus_under_same)),
        ("dA_prev still has its padding", uncropped, assigned(uncropped)),
        ("The crop removes the wrong rows and columns",
         lambda dA_pad, rows, cols, *rest: dA_pad[
             :, rows[0]:dA_pad.shape[1] - rows[0],
             cols[0]:dA_pad.shape[2] - cols[0]],
         lambda dA_pad, rows, cols, sizes, _: dA_pad[
             :, -sizes[0]:, -sizes[1]:],
         lambda dA_pad, rows, cols, sizes, _: dA_pad[
             :, :sizes[0], :sizes[1]],
         lambda dA_pad, rows, cols, sizes, _: dA_pad[
             :, rows[0]:sizes[0], cols[0]:sizes[1]],
         *[lambda dA_pad, *args, places=places: right.crop(
             dA_pad, *[args[i] for i in places], *args[2:])
           for places in ((0, 0), (1, 1), (1, 0))])),
    *faults("pixels", f"{PAD}\n{START}\n{DW}\n{CROP}", (
        "Windows of A_pad are taken from an array without padding: dW must "
        "read A_pad, and dA_prev must have its shape until it is cropped",
        UNPADDED, lambda A_pad, A_prev: A_prev, *[
            {"start": lambda A_pad, A_prev: np.zeros(A_prev.shape),
             "crop": crop} for crop in (
                 uncropped, right.crop, minus, minus_under_same)])),
    *faults("start", START, (
        "dA_pad starts as A_pad, or is A_pad itself: it starts with zeros",
        lambda A_pad, A_prev: A_pad.copy(), *[
            {"start": start, **in_turn(parts, *steps)}
            for start in (lambda A_pad, A_prev: A_pad, emptied)
            for parts in (each_kernel, lambda c_new: [slice(None)])
            for steps in (("dA", "dW"), ("dW", "dA"))])),
    *faults("add_dA", DA, (
        "Where windows overlap, dA_prev keeps one value: add them with `+=` "
        "(with arrays as indices, x[:, I, J] += v, by np.add.at)",
        lambda dA_pad, rows, cols, W, d: assign_dA(
            dA_pad, rows, cols, W[..., -1:], d[:, -1:]), assign_dA)),
    *kernels("W_of_dA", DA, "In dA_prev: ", "use W as it is where W * dZ is "
             "added to windows, but W[::-1, ::-1] where it slides over a dZ "
             "with zeros between its numbers"),
    *kernels("add_dW", DW, "In dW: ", use=dW_of),
    *[one for output, line in (("dA_prev", DA), ("dW", DW))
      for one in starts(f"{WINDOW}\n{line}", f"window_of_{output[:2]}",
                        f"In {output} alone: ")],
    *faults(
        "add_dW", f"dW = np.zeros(W.shape)\n{DW}",
        ("dW keeps the values of the last window: add them with `+=`",
         lambda dW, A_pad, rows, cols, d: overwrite(
             dW, A_pad[-1:], rows, cols, d[-1:]), overwrite),
        ("dW is that of the first image: it must be a sum over all images",
         lambda dW, A_pad, rows, cols, d: right.add_dW(
             dW, A_pad, rows, cols, kept(d, 0))),
        ("dW is that of the last image: set it to zeros once, before all "
         "loops, and add for each image",
         lambda dW, A_pad, rows, cols, d: right.add_dW(
             dW, A_pad, rows, cols, kept(d, -1))),
        ("dW is computed from the first image's pixels for each image",
         lambda dW, A_pad, *rest: right.add_dW(dW, A_pad[:1], *rest))),
    *faults("dW", RETURN, ("dW's shape has kh and kw swapped",
                           lambda dW, *rest: dW.transpose(1, 0, 2, 3))),
    *faults(
        "total", DB,
        ("has lost its axes", *[
            lambda dZ, shape=shape: right.total(dZ).reshape(shape)
            for shape in (-1, (1, -1), (-1, 1), (1, 1, -1))]),
        ("is summed over the channels too", np.sum,
         lambda dZ: np.sum(dZ, keepdims=True),
         lambda dZ: np.full_like(right.total(dZ), dZ.sum())),
        ("is summed over the wrong axes: images, rows and columns are right",
         *[lambda dZ, axes=axes, keep=keep: dZ.sum(axes, keepdims=keep)
           for n in (1, 2, 3) for axes in itertools.combinations(range(4), n)
           for keep in (False, True) if axes != (0, 1, 2)]),
        ("is not the sum over all images", *[
            {"in_db": lambda dZ, some=some: dZ[some]} for some in (
                slice(1), slice(-1, None), slice(1, None))]),
        ("is the last number of dZ alone: add them with `+=`",
         lambda dZ: dZ[-1:, -1:, -1:]), begin="db "),
    *faults("order", RETURN, ("The gradients are returned in another order", *[
        lambda *all, places=places: tuple(all[i] for i in places)
        for places in list(itertools.permutations(range(3)))[1:]])),
    *gradients(RETURN, dA_prev=f"{DA}\n{CROP}", dW=DW, db=DB),
    *images(f"{LOOP}\n{DA}\n{DW}\n{DB}", *STEPS),
    *faults("", f"{LOOP}\n{DB}", (
        "The numbers of rows and columns are mixed up in the loops: swapped, "
        "or one for both", *[dict.fromkeys(steps, over(change))
                             for _, change in MIXED for steps in STEPS]), (
        STOPPED, *[
            dict.fromkeys(steps, fewer(less))
            for less in AXES for steps in STEPS])),
    *faults("", f"{DA}\n{DW}\n{DB}", (
        "dZ goes through a ReLU: there is none here", dict.fromkeys(
            ("in_loops", "in_db"), lambda dZ: np.maximum(dZ, 0))))]
