"""2-conv_backward.py against finite differences, and how db is summed.

Its definition, and the dot-product test: test_properties.py.
"""
import naive
import numpy as np
import pytest

from cases import CONVOLUTIONS
from common import load, same_Z
from compare import check, finite_differences

conv_backward = load("2-conv_backward.py")


@CONVOLUTIONS
def test_gradients_are_finite_differences(A_prev, W, padding, stride, rng):
    arrays = [rng.standard_normal(shape) for shape in (A_prev, W, W[-1])]
    options = padding, stride
    dZ = rng.standard_normal(naive.conv_forward(
        *arrays, same_Z, *options).shape)
    for i, gradient in enumerate(conv_backward(dZ, *arrays, *options)):
        def loss(array):
            nudged = [*arrays[:i], array, *arrays[i + 1:]]
            return (naive.conv_forward(*nudged, same_Z, *options) * dZ).sum()

        check(("dA_prev", "dW", "db")[i], gradient.reshape(arrays[i].shape),
              finite_differences(loss, arrays[i]), rtol=1e-9)


@pytest.mark.parametrize("size", [1, 3], ids=["one pixel", "neighbours"])
def test_db_in_float32_does_not_drift(size):
    # Added one after the other, 262,144 equal numbers err by 4e-4.
    dZ = np.full((64, 64, 64, 6), 0.1, np.float32)
    A_prev, W = np.ones((64, 64, 64, 1)), np.ones((size, size, 1, 6))
    _, _, db = conv_backward(dZ, A_prev.astype("f4"), W.astype("f4"),
                             np.zeros(6, np.float32))
    exact = dZ[..., 0].sum(dtype=float)
    assert np.abs(db / exact - 1).max() < 1e-5
