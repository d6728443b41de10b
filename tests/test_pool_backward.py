"""3-pool_backward.py: finite differences, ties, zeros, infinity and NaN.

Its definition: test_properties.py.
"""
import naive
import numpy as np
import pytest

from cases import POOLINGS, integers
from common import load
from compare import check, finite_differences

pool_backward = load("3-pool_backward.py")


@POOLINGS
@pytest.mark.parametrize("mode, ties", [('max', 'first'), ('avg', 'all')])
def test_gradients_are_finite_differences(shape, kernel, stride, mode, ties,
                                          rng):
    # All pixels differ by far more than the step: no maximum changes.
    A_prev = rng.permutation(np.arange(float(np.prod(shape)))).reshape(shape)
    dA, = integers(rng, naive.pool_forward(A_prev, kernel, stride).shape)

    def loss(A_prev):
        return (naive.pool_forward(A_prev, kernel, stride, mode) * dA).sum()

    check(mode, pool_backward(dA, A_prev, kernel, stride, mode, ties),
          finite_differences(loss, A_prev), rtol=1e-9)


@pytest.mark.parametrize("mode", ['max', 'avg'])
@pytest.mark.parametrize("stride", [(2, 2), (1, 1)])
def test_no_zero_is_printed_with_a_minus(stride, mode):
    # As in the definition, which adds to 0.0: so it prints the same.
    A_prev = np.arange(25.0).reshape(1, 5, 5, 1)
    dA = np.full(naive.pool_forward(A_prev, (2, 2), stride).shape, -1.0)
    dA[0, 0, 0, 0] = -0.0
    dA_prev = pool_backward(dA, A_prev, (2, 2), stride, mode)
    assert not np.signbit(dA_prev[dA_prev == 0]).any()


def test_an_infinite_gradient_reaches_the_maximum_alone():
    A_prev = np.array([-np.inf, 2, 4, 3]).reshape(1, 1, 4, 1)
    dA = np.array([np.inf, 5]).reshape(1, 1, 2, 1)
    dA_prev = pool_backward(dA, A_prev, (1, 2), (1, 2))
    assert dA_prev.ravel().tolist() == [0, np.inf, 5, 0]


@pytest.mark.parametrize("mode, ties", [
    ('max', 'all'), ('max', 'first'), ('avg', 'all'), ('avg', 'first')])
def test_a_window_with_NaN_passes_no_gradient_to_a_maximum(mode, ties):
    A_prev = np.array([np.nan, 1, 2, 3]).reshape(1, 1, 4, 1)
    dA = np.array([8, 4]).reshape(1, 1, 2, 1)
    dA_prev = pool_backward(dA, A_prev, (1, 2), (1, 2), mode, ties).ravel()
    assert dA_prev.tolist() == ([0, 0, 0, 4] if mode == 'max'
                                else [4, 4, 2, 2])
