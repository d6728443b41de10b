"""What goes wrong in conv_forward, and in the outputs of both passes."""
import numpy as np

from . import definition as by
from .faults_shared import H_AND_W, PADDING, cause, geometry, kept, sized


def outputs(size, place):
    """Return the causes of both forward passes, with the lines to write."""
    return [
        *[cause(f"The output's size {what}.", size, way) for what, way in [
            ("is one row and one column short", {
                "size": lambda *args: [n - 1 for n in by.size(*args)]}),
            ("has h and w swapped", {
                "size": lambda *args: by.size(*args)[::-1]}),
            ("is computed without the stride",
             sized(stride=lambda sh, sw: (1, 1))),
            ("is rounded up: only windows entirely inside the image count", {
                "size": lambda sizes, padded, k, s, padding: [
                    -(-(p - k) // s) + 1
                    for p, k, s in zip(padded, k, s)]})]],
        *[cause(f"{what}.", f"for n in range(m):\n{place}", {"A": change}, {
            "finish": lambda Z, b, f, change=change: f(change(Z) + np.ravel(
                b))}) for what, change in [
            ("Only the first image is computed", lambda A: kept(A, 0)),
            ("Only the last image is computed", lambda A: kept(A, -1)),
            ("The first image is computed for each image",
             lambda A: np.repeat(A[:1], len(A), axis=0)),
            ("The last image is computed for each image",
             lambda A: np.repeat(A[-1:], len(A), axis=0))]]]


def reordered(pixels, W):
    """Multiply rows (c, i, j) of pixels by rows (i, j, c) of weights."""
    return pixels.transpose(0, 3, 1, 2).reshape(len(pixels), -1) @ W.reshape(
        -1, W.shape[3])


SIZE = ("h_new = (h_pad - kh) // sh + 1\n"
        "w_new = (w_pad - kw) // sw + 1")
SUM = "Z[n, y, x, k] = np.sum(window * W[:, :, :, k])"
PLACE = "window = A_pad[n, y*sh:y*sh + kh, x*sw:x*sw + kw]"
CONV_FORWARD = [
    *PADDING, *geometry("kh, kw, c_prev, c_new = W.shape", PLACE, SIZE, True),
    *outputs(SIZE, PLACE), H_AND_W,
    cause('The output of "same" is given the size of the input.', SIZE, {
        "size": lambda sizes, padded, k, s, padding: sizes if (
            padding == "same") else by.size(sizes, padded, k, s, padding)}),
    *[cause(f"{what}.", SUM, *[{"product": way} for way in ways])
      for what, *ways in [
        ("Only the first channel of A_prev is used", lambda pixels, W:
         by.product(pixels[..., :1], W[:, :, :1])),
        ("Only the last channel of A_prev is used", lambda pixels, W:
         by.product(pixels[..., -1:], W[:, :, -1:])),
        ("Every output channel is computed with the first kernel",
         lambda pixels, W: by.product(pixels, W[..., :1])),
        ("The kernels are flipped: this is cross-correlation, as in every "
         "framework", lambda pixels, W: by.product(pixels, W[::-1, ::-1])),
        ("Rows and columns of the kernels are swapped", lambda pixels, W:
         by.product(pixels, W.transpose(1, 0, 2, 3))),
        ("The channels of windows and kernels are in different orders: both "
         "are (kh, kw, c_prev)", reordered),
        ("The images are added up", lambda pixels, W: np.sum(
            by.product(pixels, W), axis=0)),
        ("The products are averaged: they are added",
         lambda pixels, W: by.product(pixels, W) / pixels[0].size,
         lambda pixels, W: by.product(pixels, W) / pixels[0, ..., 0].size)]],
    *[cause(f"{what}.", "A = activation(Z + b)",
            *[{"finish": way} for way in ways]) for what, *ways in [
        ("The bias is forgotten", lambda Z, b, f: f(Z)),
        ("The activation is forgotten", lambda Z, b, f: Z + np.ravel(b)),
        ("The bias is added after the activation",
         lambda Z, b, f: f(Z) + np.ravel(b)),
        ("The bias is subtracted", lambda Z, b, f: f(Z - np.ravel(b))),
        ("The bias and the activation are forgotten", lambda Z, b, f: Z),
        ("The first bias is used for every channel",
         lambda Z, b, f: f(Z + np.ravel(b)[0])),
        ("All biases are added to every channel",
         lambda Z, b, f: f(Z + np.sum(b))),
        ("The sign is wrong: these are the negative numbers",
         lambda Z, b, f: f(-Z - np.ravel(b)),
         lambda Z, b, f: f(-Z + np.ravel(b)),
         lambda Z, b, f: -f(Z + np.ravel(b))),
        ("The result is truncated to whole numbers",
         lambda Z, b, f: f(np.trunc(Z) + np.ravel(b)),
         lambda Z, b, f: f(np.trunc(Z + np.ravel(b))),
         lambda Z, b, f: np.trunc(f(Z + np.ravel(b))))]]]
