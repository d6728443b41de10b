"""The cases on which convolutions are compared, and drawn numbers."""
from typing import NamedTuple

import pytest


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
    Case("long rows", (3, 9, 41, 2), (3, 4, 2, 3), "same", (2, 1),
         "if rows are worked off in parts: where two of them meet"),
    Case("long rows, stride", (2, 3, 82, 2), (3, 4, 2, 3), "same", (1, 2),
         "if rows are worked off in parts: where the last one ends"),
    Case("many images of long rows", (30, 3, 41, 1), (2, 3, 1, 2), "same",
         (1, 1), "if images are worked off in groups: sums over all of them"),
    Case("many channels", (2, 6, 5, 20), (3, 2, 20, 4), "same", (1, 2),
         "each kernel sees all channels"),
]


def integers(rng, *shapes):
    """Draw small whole numbers, on which float64 is exact."""
    return [rng.integers(-9, 10, shape).astype(float) for shape in shapes]


POOLINGS = pytest.mark.parametrize("shape, kernel, stride", [
    pytest.param((2, 6, 6, 3), (2, 2), (2, 2), id="windows side by side"),
    pytest.param((2, 7, 9, 3), (2, 2), (2, 2), id="a remainder is dropped"),
    pytest.param((2, 7, 6, 3), (3, 2), (1, 1), id="windows overlap"),
    pytest.param((2, 8, 9, 4), (3, 3), (2, 2), id="overlap under a stride"),
    pytest.param((2, 8, 9, 2), (1, 3), (3, 2), id="two kernels two strides"),
    pytest.param((2, 8, 9, 2), (2, 1), (3, 4),
                 id="stride larger than the kernel"),
    pytest.param((2, 4, 5, 3), (4, 5), (1, 1), id="one window an image"),
    pytest.param((2, 4, 5, 9), (1, 1), (1, 1), id="windows of one pixel"),
    pytest.param((1, 3, 53, 1), (2, 7), (1, 3), id="wide rows"),
    pytest.param((2, 23, 3, 9), (11, 2), (2, 1), id="tall windows"),
])
