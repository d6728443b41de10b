"""Poolings against finite differences.

They are compared with their definition and TensorFlow in test_properties.py.
"""
import naive
import numpy as np
import pytest

from common import load
from compare import POOLINGS, check, finite_differences, integers

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
