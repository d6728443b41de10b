"""How the tests compare: with a message that teaches, and by nudging."""
import numpy as np

import cases
from common import difference


def check(function, case, ours, expected, rtol=0.0, hint="see the case"):
    """Fail with a line that teaches if ours is not expected."""
    if isinstance(case, cases.Case):
        case, hint = case.name, case.hint
    message = difference(function, case, hint, ours, expected, rtol)
    assert message is None, message


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
