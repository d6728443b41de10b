"""The shapes on which the tests compare, and how: within rounding, by nudging.
"""
import numpy as np
import pytest


def sizes(text):
    """Read 2x3 as (2, 3), 0+2x3+1 as ((0, 2), (3, 1)), a word as itself."""
    if "x" not in text:
        return text
    return tuple(tuple(map(int, part.split("+"))) if "+" in part
                 else int(part) for part in text.split("x"))


def table(names, text):
    """Return a parametrization by lines of sizes, words and, last, a name.

    Lines that begin with * are for CI alone.
    """
    rows = [(line[0] == "*", *line.lstrip("*").split(
        None, names.count(",") + 1)) for line in text.strip().splitlines()]
    return pytest.mark.parametrize(names, [
        pytest.param(*map(sizes, row), id=name,
                     marks=[pytest.mark.slow] * slow)
        for slow, *row, name in rows])


# Small enough to nudge each number; many more are drawn in test_properties.py.
CONVOLUTIONS = table("A_prev, W, padding, stride", """
1x4x4x1 3x3x1x2 valid 1x1 windows that overlap
2x4x5x3 2x3x3x4 valid 1x1 channels and kernels
2x7x4x2 2x1x2x3 valid 3x2 a remainder, between windows
2x5x4x2 4x3x2x3 same 1x1 same, even height
2x5x6x2 3x1x2x3 same 2x3 same, a stride for each axis
2x2x3x2 3x4x2x3 same 1x1 same, image under the kernel
2x4x5x2 3x3x2x3 2x1 2x1 padding (ph, pw)
2x4x5x2 3x3x2x3 0+2x3+1 1x2 padding of sides
""")
POOLINGS = table("shape, kernel, stride", """
2x4x6x3 2x2 2x2 windows side by side
2x5x6x2 3x2 1x1 windows overlap
2x6x7x2 1x3 3x2 a stride for each axis
2x4x5x3 4x5 1x1 one window an image
""")


def integers(rng, *shapes):
    """Draw small whole numbers, on which float64 is exact."""
    return [rng.integers(-9, 10, shape).astype(float) for shape in shapes]


def check(what, ours, expected, rtol=0.0):
    """Fail unless ours is expected, up to rtol of the largest number."""
    expected = np.asarray(expected)
    assert np.shape(ours) == expected.shape, what
    np.testing.assert_allclose(
        ours, expected, 0, rtol * (np.abs(expected).max(initial=0) or 1.0),
        equal_nan=False, err_msg=what)


def rounding(products, dtype=float):
    """Return how far two sums of so many products may differ, relatively.

    Each product and each addition rounds by at most eps / 2, in any order.
    """
    return products * float(np.finfo(dtype).eps)


def finite_differences(loss, A, step=1e-2):
    """Return the gradient of loss: nudge each number up and down by a step.

    The error of a central difference grows with the third derivative, which
    a linear function does not have: a large step costs no accuracy.
    """
    A, gradient = A.copy(), np.zeros(A.shape)
    for index in np.ndindex(A.shape):
        value = A[index]
        A[index] = value + step
        above = loss(A)
        A[index] = value - step
        gradient[index] = (above - loss(A)) / (2 * step)
        A[index] = value
    return gradient
