"""1-pool_forward.py and NaN; definition and Keras: test_properties.py."""
import numpy as np
import pytest

from common import load

pool_forward = load("1-pool_forward.py")


@pytest.mark.parametrize("mode", ['max', 'avg'])
def test_a_window_with_NaN_becomes_NaN_and_no_other(mode):
    A_prev = np.zeros((1, 2, 4, 1))
    A_prev[0, 1, 3] = np.nan
    A = pool_forward(A_prev.tolist(), (2, 2), (2, 2), mode)
    assert np.isnan(A).ravel().tolist() == [False, True]
