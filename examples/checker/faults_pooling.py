"""What goes wrong in pool_forward and pool_backward."""
import numpy as np

from . import definition as by
from .faults_backward import WINDOW
from .faults_forward import SIZE, outputs
from .faults_shared import H_AND_W, cause, geometry, gradients, images


def modes(maximum=lambda pixels: pixels.max(axis=(1, 2)),
          mean=lambda pixels: pixels.mean(axis=(1, 2))):
    """Return a step that replaces the maximum or the mean of a window."""
    return {"reduce": lambda pixels, mode: (
        maximum if mode == 'max' else mean)(pixels)}


IF = "if mode == 'max':"
MAX = "A[n, y, x, c] = np.max(window)"
MEAN = "A[n, y, x, c] = np.mean(window)"
SIZE = SIZE.replace("_pad", "_prev")
PLACE = "window = A_prev[n, y*sh:y*sh + kh, x*sw:x*sw + kw, c]"
POOL_FORWARD = [
    *geometry("kh, kw = kernel_shape", PLACE, SIZE),
    *outputs(SIZE, PLACE), H_AND_W,
    *[cause(f"{what}.", line, *ways) for what, line, *ways in [
        ("Mean and maximum are mixed up", IF, {
            "reduce": lambda pixels, mode: by.reduce(
                pixels, 'avg' if mode == 'max' else 'max')}),
        ("mode is not looked at, or compared with another word: always the "
         "maximum", IF, {"reduce": lambda pixels, mode: by.reduce(
             pixels, 'max')}),
        ("mode is not looked at, or compared with another word: always the "
         "mean", IF, {"reduce": lambda pixels, mode: by.reduce(
             pixels, 'avg')}),
        ("The mean is never computed: mode is compared with another word "
         "than 'avg'", "elif mode == 'avg':",
         modes(mean=lambda pixels: 0)),
        ("The maximum starts at 0: negative pixels are lost", MAX, modes(
            lambda pixels: pixels.max(axis=(1, 2), initial=0))),
        ("The largest absolute value is taken", MAX, modes(
            lambda pixels: abs(pixels).max(axis=(1, 2)))),
        ("The minimum is taken", MAX, modes(
            lambda pixels: pixels.min(axis=(1, 2)))),
        ("The mean is not divided by kh * kw", MEAN, modes(
            mean=lambda pixels: pixels.sum(axis=(1, 2)))),
        ("The mean is divided by m too", MEAN, modes(
            mean=lambda pixels: pixels.mean(axis=(1, 2)) / len(pixels))),
        ("The mean is divided by m, not by kh * kw", MEAN, modes(
            mean=lambda pixels: pixels.sum(axis=(1, 2)) / len(pixels))),
        ("The mean is truncated to whole numbers", MEAN, modes(
            mean=lambda pixels: np.trunc(pixels.mean(axis=(1, 2)))), modes(
            mean=lambda pixels: np.floor(pixels.mean(axis=(1, 2))))),
        ("The mean is taken over all images", MEAN, modes(
            mean=lambda pixels: pixels.mean(axis=(0, 1, 2)))),
        ("The maximum is taken over all images", MAX, modes(
            lambda pixels: pixels.max(axis=(0, 1, 2)))),
        ("All channels are pooled together", PLACE, {
            "reduce": lambda pixels, mode: (
                np.max if mode == 'max' else np.mean)(
                    pixels, axis=(1, 2, 3), keepdims=True)[:, 0, 0]}),
        ("The whole image is pooled, not a window", PLACE, {
            "read": lambda images, rows, cols: images})]],
    cause("The result is truncated to whole numbers.",
          "A = np.zeros((m, h_new, w_new, c_prev))", {"A": np.trunc})]


def shares(maximum=lambda pixels, hit, number: hit,
           divisor=lambda m, number: number):
    """Return a step that gives elements of a window other shares."""
    return {"share": lambda do, pixels, mode, A_prev, kernel, d: (
        np.broadcast_to(d[:, None, None] / divisor(
            len(pixels), kernel[0] * kernel[1]), pixels.shape)
        if mode == 'avg' else d[:, None, None] * maximum(
            pixels, do.mask(pixels, do.ties, A_prev), kernel[0] * kernel[1]))}


def by_mode(word):
    """Return a step that computes a share as for another mode."""
    return {"share": lambda do, pixels, mode, *rest: by.share(
        do, pixels, word(mode), *rest)}


def masked(maximum):
    """Return a step whose mask compares with another maximum."""
    return {"mask": lambda pixels, ties, A_prev: pixels == maximum(pixels)}


def last_of(pixels, ties, A_prev):
    """Return the mask of the last maximum in row-major order."""
    return by.mask(pixels[:, ::-1, ::-1], "first")[:, ::-1, ::-1]


IF, WINDOW = "if mode == 'avg':", WINDOW[:-1] + ", c]"
LOOP = "for n, y, x, c in np.ndindex(dA.shape):"
MASK = "mask = A_prev[window] == np.max(A_prev[window])"
MAX = "dA_prev[window] += mask * dA[n, y, x, c]"
MEAN = "dA_prev[window] += dA[n, y, x, c] / (kh * kw)"
POOL_BACKWARD = [
    *geometry("kh, kw = kernel_shape", WINDOW),
    cause("`=` for `+=`: where windows overlap, gradients add up.",
          f"{MEAN}\n{MAX}", {"add": lambda dA_prev, rows, cols, shares: (
              dA_prev.__setitem__(np.s_[:, rows, cols], shares))}),
    *[cause(f"{what}.", line, *ways) for what, line, *ways in [
        ("The average is not divided by kh * kw", MEAN,
         shares(divisor=lambda m, number: 1)),
        ("The average is divided by m too", MEAN,
         shares(divisor=lambda m, number: m * number)),
        ("The average is divided by m, not by kh * kw", MEAN,
         shares(divisor=lambda m, number: m)),
        ("The gradient of a maximum is divided by kh * kw", MAX,
         shares(lambda pixels, hit, number: hit / number)),
        ("The gradient is multiplied by the maximum", MAX,
         shares(lambda pixels, hit, number: hit * pixels)),
        ("Ties share the gradient: a subgradient, but neither the mask of "
         "courses nor the first element of TensorFlow", MAX, shares(
             lambda pixels, hit, _: hit / hit.sum(axis=(1, 2),
                                                  keepdims=True))),
        ("At a tie the last element gets the gradient: all do (courses), or "
         "the first (TensorFlow)", MASK, {"mask": last_of}),
        ("The maximum starts at 0: negative pixels get no gradient", MASK,
         masked(lambda pixels: pixels.max(axis=(1, 2), keepdims=True,
                                          initial=0))),
        ("The mask is that of the minimum", MASK, masked(
            lambda pixels: pixels.min(axis=(1, 2), keepdims=True))),
        ("The maximum is taken over all channels", MASK, masked(
            lambda pixels: pixels.max(axis=(1, 2, 3), keepdims=True))),
        ("The maximum is taken over all images", MASK, masked(
            lambda pixels: pixels.max(axis=(0, 1, 2), keepdims=True))),
        ("The maximum is that of the whole image, not of the window", MASK, {
            "mask": lambda pixels, ties, A_prev: pixels == A_prev.max(
                axis=(1, 2), keepdims=True)}),
        ("Mean and maximum are mixed up", IF, by_mode(
            lambda mode: 'max' if mode == 'avg' else 'avg')),
        ("mode is not looked at, or compared with another word: always the "
         "maximum", IF, by_mode(lambda mode: 'max')),
        ("mode is not looked at, or compared with another word: always the "
         "mean", IF, by_mode(lambda mode: 'avg')),
        ("The mean has no gradient: mode is compared with another word than "
         "'avg'", IF, shares(divisor=lambda m, number: np.inf)),
        ("dA_prev starts as A_prev: it starts with zeros",
         "dA_prev = np.zeros(A_prev.shape)",
         {"start": lambda A_prev, A_pad: A_prev.copy()}),
        ("dA_prev is multiplied by A_prev > 0: there is no ReLU here",
         "return dA_prev", {"dA_prev": lambda dA_prev, dA, A_prev: (
             dA_prev * (A_prev > 0))})]],
    *gradients(["dA_prev"], "return dA_prev"),
    *images(LOOP, f"{MEAN}\n{MAX}", "")]
