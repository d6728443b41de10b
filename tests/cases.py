"""The cases on which convolutions and poolings are compared."""
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


def sizes(text):
    """Read 2x3 as (2, 3), 0+2x3+1 as ((0, 2), (3, 1)), a word as itself."""
    if text.isalpha():
        return text
    return tuple(tuple(map(int, part.split("+"))) if "+" in part
                 else int(part) for part in text.split("x"))


def read(line):
    """Read a line of the table below."""
    *columns, words = line.split(maxsplit=4)
    A_prev, (kh, kw, c_new), padding, stride = map(sizes, columns)
    name, _, hint = words.partition(": ")
    W = kh, kw, A_prev[3], c_new
    return Case(name, A_prev, W, padding, stride, hint)


# From simple to strange: the first one to fail names the mistake. A line is
# A_prev, kernels (kh, kw, c_new), padding, stride, name: usual mistake.
CASES = [read(line) for line in """\
1x2x2x1  2x2x1 valid 1x1 one window: the kernel is not flipped; plus b
1x4x4x1  3x3x1 valid 1x1 windows that overlap: gradients add up, += and not =
2x4x4x3  3x3x5 valid 1x1 channels and kernels: W is (kh, kw, c_prev, c_new)
2x4x7x2  2x2x3 valid 1x1 wide image: h and w are swapped
2x7x7x2  4x2x3 valid 1x1 tall kernel: kh and kw are swapped
2x3x4x3  1x1x2 valid 1x1 kernel of one pixel: a product over channels alone
2x3x5x2  3x5x3 valid 1x1 kernel as large as the image: there is one window
2x7x7x2  3x3x3 valid 2x2 stride: window (y, x) starts at (y*sh, x*sw)
2x9x9x2  3x3x3 valid 2x3 stride of two sizes: sh and sw are swapped
2x8x9x2  3x2x3 valid 3x2 remainder: pixels after the last window get 0
2x7x8x2  2x1x3 valid 3x2 stride over the kernel: pixels between windows get 0
2x5x6x2  3x3x3 same 1x1 same: pad A_prev, crop with top:top + h_prev
2x5x6x2  3x1x3 same 1x1 same, one column: a crop p:-p is empty where p is 0
2x5x6x2  4x3x3 same 1x1 same, even height: the odd row goes to the bottom
2x5x6x2  3x4x3 same 1x1 same, even width: the odd column goes to the right
2x6x8x2  3x3x3 same 2x2 same, stride: there are ceil(size / stride) outputs
2x7x8x2  1x2x3 same 3x3 same, large stride: padding is never negative
2x2x3x2  3x2x3 same 5x4 same, image under the stride: there is one window
2x2x3x2  5x6x3 same 1x1 same, image under the kernel: windows hold all of it
2x4x5x2  3x3x3 2x1 2x1 padding (ph, pw): ph at top and bottom, pw beside
2x4x5x2  3x3x3 0x0 1x1 padding of none: a crop p:-p is empty where p is 0
2x4x5x2  3x3x3 0+2x3+1 1x2 padding of sides: ((top, bottom), (left, right))
1x4x6x20 3x3x2 1x0 1x1 padded to a square, wide image: h and w are swapped
1x6x4x20 3x3x2 0x1 1x1 padded to a square, tall image: h and w are swapped
3x9x41x2 3x4x3 same 2x1 long rows: where two parts of a row meet
2x3x82x2 3x4x3 same 1x2 long rows, stride: where the last part of a row ends
30x3x41x1 2x3x2 same 1x1 many images of long rows: sums over all groups
2x6x5x20 3x2x4 same 1x2 many channels: each kernel sees all channels
""".splitlines()]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)


def integers(rng, *shapes):
    """Draw small whole numbers, on which float64 is exact."""
    return [rng.integers(-9, 10, shape).astype(float) for shape in shapes]


POOLINGS = pytest.mark.parametrize("shape, kernel, stride", [
    pytest.param(*map(sizes, line.split()[:3]), id=line.split(None, 3)[3])
    for line in """\
2x6x6x3 2x2 2x2 windows side by side
2x7x9x3 2x2 2x2 a remainder is dropped
2x7x6x3 3x2 1x1 windows overlap
2x8x9x4 3x3 2x2 overlap under a stride
2x8x9x2 1x3 3x2 two kernels two strides
2x8x9x2 2x1 3x4 stride larger than the kernel
2x4x5x3 4x5 1x1 one window an image
2x4x5x9 1x1 1x1 windows of one pixel
1x3x53x1 2x7 1x3 wide rows
2x23x3x9 11x2 2x1 tall windows
""".splitlines()])
