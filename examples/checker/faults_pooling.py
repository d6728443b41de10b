"""What goes wrong in pool_forward and pool_backward."""
import numpy as np

from .definition import define
from .faults_shared import (AXES, PAIRS, SIZE, STOPPED, WINDOW, faults, fewer,
                            geometry, gradients, images, outputs, right, sizes,
                            starts)

UNPACK = "kh, kw = kernel_shape"


def maximum(axis=(1, 2), **options):
    """Return a step that takes the maximum over other axes."""
    return lambda pixels, _: pixels.max(axis, keepdims=True, **options)


def both(of_max, of_mean):
    """Return the causes of both functions, with the lines to write."""
    return faults(
        "maximum", of_max,
        ("starts at 0, so that negative pixels are lost: start with -np.inf",
         maximum(initial=0)),
        ("is a minimum", lambda pixels, _: pixels.min((1, 2), keepdims=True)),
        ("is taken over all images", maximum((0, 1, 2))),
        ("is taken over all channels: take one for each",
         maximum((1, 2, 3))),
        ("is that of the whole image, not of the window",
         lambda _, A_prev: A_prev.max((1, 2), keepdims=True)),
        begin="The maximum ") + faults(
        "divisor", of_mean,
        *[(f"divided by {what}, not by kh * kw", divisor)
          for what, divisor in [
              ("m", lambda kernel, stride, sizes, m, count: m),
              ("kh * kh", lambda kernel, *rest: kernel[0] ** 2),
              ("kw * kw", lambda kernel, *rest: kernel[1] ** 2),
              ("kh + kw", lambda kernel, *rest: sum(kernel)),
              ("sh * sw", lambda kernel, stride, *rest: np.prod(stride)),
              ("h_new * w_new", lambda kernel, stride, sizes, *rest:
               np.prod(sizes))]],
        ("not divided by kh * kw", lambda *all: 1),
        ("divided by m too", lambda kernel, stride, sizes, m, count:
         m * count), begin="The mean is ") + faults(
        "mode", "if mode == 'max':\nelif mode == 'avg':",
        ("Mean and maximum are mixed up",
         lambda mode: 'max' if mode == 'avg' else 'avg'),
        *[(f"The {word} is always taken: mode is not looked at, or compared "
           "with another word", lambda _, mode=mode: mode)
          for word, mode in (("maximum", 'max'), ("mean", 'avg'))],
        ("The mean is never computed: mode is compared with another word "
         "than 'avg'", {"divisor": lambda *args: np.inf}))


def last(pixels, largest):
    """Return the mask of the last maximum in row-major order."""
    first = define("mask", "first")
    return first(pixels[:, ::-1, ::-1], largest)[:, ::-1, ::-1]


def assign(modes, zeros):
    """Return a step that overwrites a window in some modes.

    zeros: also where a share is zero.
    """
    def add(dA_prev, rows, cols, shares, mode):
        window = dA_prev[:, rows, cols]
        window[:] = window + shares if mode not in modes else np.where(
            (shares != 0) | zeros, shares, window)
    return add


PREV_SIZE = SIZE.format("prev")
PIXELS = "window = A_prev[n, y*sh:y*sh + kh, x*sw:x*sw + kw, c]"
MAX = "A[n, y, x, c] = np.max(window)"
MEAN = "A[n, y, x, c] = np.mean(window)"
POOL_FORWARD = [
    *geometry(PAIRS, UNPACK, PIXELS, PREV_SIZE), *starts(PIXELS),
    *sizes(PIXELS), *outputs(PREV_SIZE, PIXELS, ("A",)), *both(MAX, MEAN),
    *faults("pixels", PIXELS, (
        "All channels are pooled together: pool each one",
        lambda pixels: pixels.reshape(*pixels.shape[:2], -1, 1)), (
        "The first channel is pooled for each channel",
        lambda pixels: pixels[..., [0] * pixels.shape[3]])),
    *faults("mean", MEAN, (
        "The mean is truncated to whole numbers",
        lambda *args: np.trunc(right.mean(*args)),
        lambda *args: np.floor(right.mean(*args)))),
    *faults("A", "A = np.zeros((m, h_new, w_new, c_prev))",
            ("The result is truncated to whole numbers", np.trunc))]

PLACE = WINDOW[:-1] + ", c]"
LOOP = "for n, y, x, c in np.ndindex(dA.shape):"
MASK = "mask = A_prev[window] == np.max(A_prev[window])"
ADD_MAX = "dA_prev[window] += mask * dA[n, y, x, c]"
ADD_MEAN = "dA_prev[window] += dA[n, y, x, c] / (kh * kw)"
POOL_BACKWARD = [
    *geometry(PAIRS, UNPACK, PLACE), *starts(PLACE), *sizes(PLACE),
    *both(MASK, ADD_MEAN),
    *faults("add", f"{ADD_MEAN}\n{ADD_MAX}", (
        "Where windows overlap, dA_prev keeps one value: add them with `+=` "
        "(with arrays as indices, x[:, I, J] += v, by np.add.at)",
        *[assign(modes, zeros) for modes, zeros in (
            ("max avg", True), ("max", True), ("avg", True),
            ("max avg", False), ("max", False))])),
    *faults("masked", ADD_MAX,
            ("The gradient of a maximum is divided by kh * kw",
             lambda hit, pixels, d: hit * d / pixels[0, ..., 0].size),
            ("The gradient is multiplied by the maximum",
             lambda hit, pixels, d: hit * pixels * d),
            ("The mask is multiplied by A_prev, not by dA",
             lambda hit, pixels, d: hit * pixels),
            ("Ties share the gradient: each of them must get all of it (as in "
             "courses), or the first alone (as in TensorFlow)",
             lambda hit, _, d: d * hit / hit.sum(axis=(1, 2), keepdims=True))),
    *faults("mask", MASK, ("At a tie the last element gets the gradient: all "
                           "do (courses), or the first (TensorFlow)", last)),
    *faults("start", "dA_prev = np.zeros(A_prev.shape)", (
        "dA_prev starts as A_prev: it starts with zeros",
        lambda A_prev, _: A_prev.copy())),
    *gradients("return dA_prev", dA_prev=f"{ADD_MEAN}\n{ADD_MAX}"),
    *images(f"{LOOP}\n{ADD_MEAN}\n{ADD_MAX}", ("in_loops",)), *faults(
        "in_loops", f"{LOOP}\n{ADD_MEAN}\n{ADD_MAX}", (
            "The first channel of dA is taken for each channel",
            lambda dA: dA[..., [0] * dA.shape[3]]), (
            STOPPED, *map(fewer, AXES)))]
