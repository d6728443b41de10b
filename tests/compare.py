"""How the tests compare: within rounding, and by nudging."""
import numpy as np


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
