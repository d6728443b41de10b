"""2-conv_backward.py: dot-product test and finite differences."""
import naive
import numpy as np
import pytest

from cases import CASES, every_case, integers
from common import load, same_Z
from compare import check, finite_differences

conv_backward = load("2-conv_backward.py")


@every_case
def test_gradients_pass_the_dot_product_test(functions, case, rng):
    # A convolution is linear: sum(dA_prev * V) == sum(dZ * conv(V)) for any
    # V, on whole numbers exactly. Likewise dW and db.
    def Z_of(A_prev, W, b):
        return functions.conv_forward(A_prev, W, b, same_Z, case.padding,
                                      case.stride)

    A_prev, W, b = integers(rng, case.A_prev, case.W, (1, 1, 1, case.W[-1]))
    V, U, u = integers(rng, A_prev.shape, W.shape, b.shape)
    dZ, = integers(rng, Z_of(A_prev, W, b).shape)
    dA_prev, dW, db = functions.conv_backward(dZ, A_prev, W, b, case.padding,
                                              case.stride)
    assert [dA_prev.shape, dW.shape, db.shape] == [
        A_prev.shape, W.shape, b.shape], "db: keepdims=True"
    assert (dA_prev * V).sum() == (dZ * Z_of(V, W, 0 * b)).sum(), case
    assert (dW * U).sum() == (dZ * Z_of(A_prev, U, 0 * b)).sum(), case
    assert (db * u).sum() == (dZ * Z_of(0 * A_prev, W, u)).sum(), case


@pytest.mark.parametrize("case", [   # larger ones take too long to nudge
    case for case in CASES if np.prod(case.A_prev[1:]) < 50
    and np.prod(case.W) < 50], ids=lambda case: case.name)
def test_gradients_are_finite_differences(case, rng):
    arrays = [rng.standard_normal(shape) for shape in
              ((1, *case.A_prev[1:]), case.W, case.W[-1])]
    options = case.padding, case.stride
    dZ = rng.standard_normal(naive.conv_forward(
        *arrays, same_Z, *options).shape)
    for i, gradient in enumerate(conv_backward(dZ, *arrays, *options)):
        def loss(array):
            nudged = [*arrays[:i], array, *arrays[i + 1:]]
            return (naive.conv_forward(*nudged, same_Z, *options) * dZ).sum()

        check(f"conv_backward {('dA_prev', 'dW', 'db')[i]}", case,
              gradient.reshape(arrays[i].shape), rtol=1e-9,
              expected=finite_differences(loss, arrays[i]))


@pytest.mark.parametrize("size", [1, 3], ids=["one pixel", "neighbours"])
def test_db_in_float32_does_not_drift(size):
    # Added one after the other, 262,144 equal numbers err by 4e-4.
    dZ = np.full((64, 64, 64, 6), 0.1, np.float32)
    A_prev, W = np.ones((64, 64, 64, 1)), np.ones((size, size, 1, 6))
    _, _, db = conv_backward(dZ, A_prev.astype("f4"), W.astype("f4"),
                             np.zeros(6, np.float32))
    exact = dZ[..., 0].sum(dtype=float)
    assert np.abs(db / exact - 1).max() < 1e-5
