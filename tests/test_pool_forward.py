"""1-pool_forward.py against its definition (Keras: test_properties.py)."""
import naive
import numpy as np
import pytest

from cases import POOLINGS, integers
from common import load
from compare import check, rounding

pool_forward = load("1-pool_forward.py")


def test_the_tiny_example_by_hand():
    A_prev = np.arange(9).reshape(1, 3, 3, 1)
    maximum = pool_forward(A_prev, (2, 2))[0, :, :, 0]
    assert maximum.tolist() == [[4, 5], [7, 8]]
    average = pool_forward(A_prev, (2, 2), mode='avg')[0, :, :, 0]
    assert average[0, 0] == (0 + 1 + 3 + 4) / 4
    assert average.tolist() == [[2, 3], [5, 6]]


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
