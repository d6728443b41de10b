"""1-pool_forward.py against its definition (Keras: test_properties.py)."""
import naive
import numpy as np
import pytest

from cases import POOLINGS, integers
from common import load
from compare import check, rounding

pool_forward = load("1-pool_forward.py")


@POOLINGS
@pytest.mark.parametrize("mode", ['max', 'avg'])
def test_integers_equal_the_definition(functions, shape, kernel, stride, mode,
                                       rng):
    A_prev, = integers(rng, shape)
    options = kernel, stride, mode
    check("pool_forward", str(options), functions.pool_forward(
        A_prev, *options), naive.pool_forward(A_prev, *options),
        rtol=rounding(1))       # of the division


@pytest.mark.parametrize("mode", ['max', 'avg'])
def test_a_window_with_NaN_becomes_NaN_and_no_other(mode):
    A_prev = np.zeros((1, 2, 4, 1))
    A_prev[0, 1, 3] = np.nan
    A = pool_forward(A_prev, (2, 2), (2, 2), mode)
    assert np.isnan(A).ravel().tolist() == [False, True]
