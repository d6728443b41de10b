"""The cases on which convolutions are compared, and how to read a failure."""
import zlib
from typing import NamedTuple

import numpy as np


class Case(NamedTuple):
    """One shape of a convolution, with the mistake that fails it first."""

    name: str
    A_prev: tuple           # (m, h_prev, w_prev, c_prev)
    W: tuple                # (kh, kw, c_prev, c_new)
    padding: object
    stride: tuple
    hint: str


# From simple to strange: the first one to fail names the mistake.
CASES = [
    Case("one window", (1, 2, 2, 1), (2, 2, 1, 1), "valid", (1, 1),
         "sum window times kernel, not flipped, plus b"),
    Case("windows that overlap", (1, 4, 4, 1), (3, 3, 1, 1), "valid", (1, 1),
         "where windows overlap, their gradients add up: += and not ="),
    Case("channels and kernels", (2, 4, 4, 3), (3, 3, 3, 5), "valid", (1, 1),
         "W is (kh, kw, c_prev, c_new): transposed?"),
    Case("wide image", (2, 4, 7, 2), (2, 2, 2, 3), "valid", (1, 1),
         "h and w are swapped"),
    Case("tall kernel", (2, 7, 7, 2), (4, 2, 2, 3), "valid", (1, 1),
         "kh and kw are swapped"),
    Case("kernel of one pixel", (2, 3, 4, 3), (1, 1, 3, 2), "valid", (1, 1),
         "a 1x1 kernel is a product over channels alone"),
    Case("kernel as large as the image", (2, 3, 5, 2), (3, 5, 2, 3), "valid",
         (1, 1), "there is exactly one window"),
    Case("stride", (2, 7, 7, 2), (3, 3, 2, 3), "valid", (2, 2),
         "window (y, x) starts at (y*sh, x*sw): stride missing?"),
    Case("stride of two sizes", (2, 9, 9, 2), (3, 3, 2, 3), "valid", (2, 3),
         "sh and sw are swapped"),
    Case("stride that leaves a remainder", (2, 8, 9, 2), (3, 2, 2, 3), "valid",
         (3, 2), "pixels after the last window get no gradient"),
    Case("stride larger than the kernel", (2, 7, 8, 2), (2, 1, 2, 3), "valid",
         (3, 2), "pixels between windows get no gradient"),
    Case("same", (2, 5, 6, 2), (3, 3, 2, 3), "same", (1, 1),
         "pad A_prev, and crop the gradient with top:top + h_prev"),
    Case("same, kernel of one column", (2, 5, 6, 2), (3, 1, 2, 3), "same",
         (1, 1), "a crop written p:-p is empty where p is 0"),
    Case("same, even height", (2, 5, 6, 2), (4, 3, 2, 3), "same", (1, 1),
         "padding side: the odd row goes to the bottom"),
    Case("same, even width", (2, 5, 6, 2), (3, 4, 2, 3), "same", (1, 1),
         "padding side: the odd column goes to the right"),
    Case("same, stride", (2, 6, 8, 2), (3, 3, 2, 3), "same", (2, 2),
         "padding: under a stride, same keeps ceil(size / stride)"),
    Case("same, stride larger than the kernel", (2, 7, 8, 2), (1, 2, 2, 3),
         "same", (3, 3), "padding is never negative"),
    Case("same, image smaller than the stride", (2, 2, 3, 2), (3, 2, 2, 3),
         "same", (5, 4), "there is still one window"),
    Case("same, image smaller than the kernel", (2, 2, 3, 2), (5, 6, 2, 3),
         "same", (1, 1), "a window may hold the whole image"),
    Case("padding (ph, pw)", (2, 4, 5, 2), (3, 3, 2, 3), (2, 1), (2, 1),
         "(ph, pw): ph at top and bottom, pw left and right"),
    Case("padding of none", (2, 4, 5, 2), (3, 3, 2, 3), (0, 0), (1, 1),
         "a crop written p:-p is empty where p is 0"),
    Case("padding of each side", (2, 4, 5, 2), (3, 3, 2, 3), ((0, 2), (3, 1)),
         (1, 2), "((top, bottom), (left, right))"),
    Case("padded to a square, from a wide image", (1, 4, 6, 20),
         (3, 3, 20, 2), (1, 0), (1, 1), "h and w are swapped"),
    Case("padded to a square, from a tall image", (1, 6, 4, 20),
         (3, 3, 20, 2), (0, 1), (1, 1), "h and w are swapped"),
    Case("long rows", (3, 9, 40, 2), (3, 4, 2, 3), "same", (2, 1),
         "if rows are worked off in parts: where two of them meet"),
    Case("many channels", (2, 6, 5, 20), (3, 2, 20, 4), "same", (1, 2),
         "each kernel sees all channels"),
]


class Pool(NamedTuple):
    """One shape of a pooling, with the mistake that fails it first."""

    name: str
    A_prev: tuple           # (m, h_prev, w_prev, c_prev)
    kernel: tuple
    stride: tuple
    mode: str
    hint: str
    ties: bool = False


POOLS = [
    Pool("max, one window", (1, 2, 2, 1), (2, 2), (2, 2), 'max',
         "the gradient goes where the window has its maximum"),
    Pool("avg, one window", (1, 2, 2, 1), (2, 2), (2, 2), 'avg',
         "each pixel gets dA / (kh * kw)"),
    Pool("max, channels", (2, 4, 4, 3), (2, 2), (2, 2), 'max',
         "each channel has a maximum of its own"),
    Pool("max, windows that overlap", (1, 4, 4, 2), (3, 3), (1, 1), 'max',
         "where windows overlap, their gradients add up: += and not ="),
    Pool("avg, windows that overlap", (1, 4, 4, 2), (3, 3), (1, 1), 'avg',
         "where windows overlap, their gradients add up: += and not ="),
    Pool("max, wide image", (1, 4, 8, 2), (2, 2), (2, 2), 'max',
         "h and w are swapped"),
    Pool("avg, tall kernel", (1, 8, 8, 2), (4, 2), (2, 2), 'avg',
         "kh and kw are swapped"),
    Pool("max, stride of two sizes", (1, 7, 7, 2), (2, 2), (2, 3), 'max',
         "window (y, x) starts at (y*sh, x*sw): stride missing or swapped"),
    Pool("max, stride that leaves a remainder", (1, 6, 7, 2), (3, 2), (2, 2),
         'max', "pixels after the last window get no gradient"),
    Pool("max, ties", (1, 4, 4, 2), (2, 2), (2, 2), 'max',
         "ties: each maximum gets the whole gradient (courses), or the first "
         "one alone (TensorFlow)", ties=True),
]


def same_Z(Z):
    """The activation that leaves Z as it is."""
    return Z


def integers(rng, *shapes):
    """Draw small whole numbers, on which float64 is exact."""
    return [rng.integers(-9, 10, shape).astype(float) for shape in shapes]


def difference(function, case, hint, ours, expected, rtol=0.0):
    """Return None if ours is expected, else a line that says where not.

    Errors are relative to the largest number expected; rtol 0 asks for
    equality.
    """
    where = f"{function}, {case}"
    ours, expected = np.atleast_1d(ours), np.atleast_1d(expected)
    if ours.shape != expected.shape:
        return (f"{where}: shape {ours.shape}, expected {expected.shape} "
                f"({hint})")
    if not ours.size:
        return None
    scale = np.abs(expected).max() or 1.0
    errors = np.abs(np.subtract(ours, expected, dtype=float)) / scale
    errors[np.isnan(errors)] = np.inf
    worst = tuple(int(i) for i in
                  np.unravel_index(errors.argmax(), errors.shape))
    if errors[worst] <= rtol:
        return None
    return (f"{where}: at {worst} got {ours[worst]:.8g}, expected "
            f"{expected[worst]:.8g}, relative error {errors[worst]:.1e} "
            f"(usual cause: {hint})")


# The cases of check.py. Numbers are whole or real, never zero, and negative
# too; m is 1, 2 and 3; the zeros that "same" adds in all are 0 to 4 an axis.

class Check(NamedTuple):
    """One call of a student's function, drawn from a seed of its own."""

    name: str
    A_prev: tuple
    kernel: tuple           # W's shape, or the window of a pooling
    padding: str = "valid"
    stride: tuple = (1, 1)
    mode: str = "max"
    real: bool = False
    ties: bool = False
    activation: str = "same_Z"
    lists: bool = False     # remarks, not faults
    dtype: str = "float64"

    def draw(self, *shapes, what=""):
        """Return an array for each shape, always the same."""
        rng = np.random.default_rng(zlib.crc32((self.name + what).encode()))
        if self.real:
            return [rng.standard_normal(shape) for shape in shapes]
        return [(rng.integers(1, 10, shape) * rng.choice([-1, 1], shape)
                 ).astype(self.dtype) for shape in shapes]

    def pixels(self):
        """Return A_prev of a pooling: all different, or with many ties."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        count = int(np.prod(self.A_prev))
        numbers = rng.integers(-2, 0, count) if self.ties else np.delete(
            np.arange(-count, count + 1), count)[rng.permutation(count)]
        scale = 0.37 if self.real else 1
        return (numbers * scale).reshape(self.A_prev).astype(self.dtype)


CONV_CHECKS = [
    Check("one window", (1, 2, 2, 1), (2, 2, 1, 1)),
    Check("one image", (1, 4, 5, 1), (3, 2, 1, 1)),
    Check("two images", (2, 4, 5, 1), (2, 3, 1, 1)),
    Check("real numbers", (1, 4, 4, 1), (2, 2, 1, 1), real=True),
    Check("activation", (2, 4, 4, 1), (2, 2, 1, 2), activation="relu"),
    Check("channels", (2, 4, 4, 3), (2, 2, 3, 3)),
    Check("three images", (3, 5, 4, 2), (3, 2, 2, 3)),
    Check("wide image", (1, 4, 9, 2), (2, 3, 2, 2)),
    Check("tall image", (1, 9, 4, 2), (3, 2, 2, 2), stride=(2, 1)),
    Check("stride", (2, 8, 7, 1), (2, 3, 1, 2), stride=(2, 3)),
    Check("stride that leaves a remainder", (1, 8, 6, 1), (3, 2, 1, 1),
          stride=(2, 3)),
    Check("stride larger than the kernel", (1, 9, 8, 1), (2, 1, 1, 1),
          stride=(3, 2)),
    Check("same, kernel of one pixel", (1, 3, 4, 1), (1, 1, 1, 1), "same"),
    Check("same, 3x3", (1, 4, 5, 1), (3, 3, 1, 1), "same"),
    Check("same, 3x1", (2, 5, 4, 1), (3, 1, 1, 1), "same"),
    Check("same, 1x3", (1, 4, 5, 1), (1, 3, 1, 1), "same"),
    Check("same, 2x2", (1, 4, 5, 1), (2, 2, 1, 1), "same"),
    Check("same, 2x3", (1, 5, 4, 2), (2, 3, 2, 2), "same"),
    Check("same, 3x2", (2, 4, 6, 2), (3, 2, 2, 2), "same"),
    Check("same, 4x5", (1, 5, 6, 1), (4, 5, 1, 2), "same"),
    Check("same, 5x4, activation", (1, 6, 5, 1), (5, 4, 1, 1), "same",
          activation="relu"),
    Check("same, stride 2", (1, 5, 6, 1), (3, 3, 1, 1), "same", (2, 2)),
    Check("same, stride 2x1", (2, 4, 5, 1), (2, 4, 1, 2), "same", (2, 1)),
    Check("same, stride 3x2", (1, 7, 5, 1), (3, 2, 1, 1), "same", (3, 2)),
    Check("same, stride larger than the kernel", (1, 6, 7, 1), (1, 2, 1, 1),
          "same", (2, 3)),
    Check("integer arrays", (1, 4, 4, 1), (2, 2, 1, 1), dtype="int64"),
    Check("lists", (1, 4, 4, 1), (2, 2, 1, 1), lists=True),
]
POOL_CHECKS = [
    Check(f"{mode}, {name}", shape, kernel, "", stride, mode, **options)
    for mode in ("max", "avg") for name, shape, kernel, stride, options in [
        ("one window", (1, 2, 2, 1), (2, 2), (2, 2), {}),
        ("one image", (1, 4, 4, 1), (2, 2), (2, 2), {}),
        ("two images", (2, 4, 6, 1), (2, 3), (2, 3), {}),
        ("real numbers", (1, 4, 4, 1), (2, 2), (2, 2), {"real": True}),
        ("channels", (3, 4, 4, 2), (2, 2), (2, 2), {}),
        ("windows that overlap", (1, 5, 4, 2), (3, 2), (1, 1), {}),
        ("wide image", (2, 4, 9, 2), (2, 3), (2, 2), {}),
        ("tall image", (2, 9, 4, 2), (3, 2), (3, 1), {}),
        ("stride of two sizes", (1, 7, 8, 1), (2, 2), (3, 2), {}),
        ("stride that leaves a remainder", (1, 6, 7, 2), (3, 2), (2, 2), {}),
        ("ties", (2, 4, 5, 1), (2, 2), (1, 1), {"ties": True}),
        ("integer arrays", (1, 4, 4, 1), (2, 2), (2, 2), {"dtype": "int64"}),
        ("lists", (1, 4, 4, 1), (2, 2), (2, 2), {"lists": True})]]
