"""Convolutions against Keras and finite differences.

They are compared with their definition in test_properties.py.
"""
import naive
import numpy as np
import pytest

from common import load, same_Z
from compare import CONVOLUTIONS, check, finite_differences, integers, rounding
from conftest import loaded

conv_forward = load("0-conv_forward.py")
conv_backward = load("2-conv_backward.py")


@CONVOLUTIONS
def test_keras_gives_the_same(A_prev, W, padding, stride, rng, tf):
    A_prev, W, b = (rng.standard_normal(shape) for shape in (
        A_prev, W, W[-1]))
    ours = conv_forward(A_prev, W, b, same_Z, padding, stride)
    X = tf.constant(A_prev)
    if not isinstance(padding, str):
        X = tf.keras.layers.ZeroPadding2D(
            tuple(naive.sides(padding, 0, 0, 0)), dtype="float64")(X)
        padding = "valid"
    layer = tf.keras.layers.Conv2D(W.shape[-1], W.shape[:2], stride, padding,
                                   dtype="float64")
    layer.build(X.shape)
    layer.set_weights([W, b])
    check("conv_forward", ours, layer(X), rounding(W[..., 0].size + 1))


def test_activation_gets_all_of_Z_once():
    seen = []
    A = conv_forward(*[np.ones(shape).tolist() for shape in (
        (2, 3, 3, 1), (3, 3, 1, 1))], [-5.0],
                     lambda Z: seen.append(Z) or np.maximum(Z, 0))
    assert [Z.shape for Z in seen] == [(2, 3, 3, 1)]
    assert A[0, :, :, 0].tolist() == [[0, 1, 0], [1, 4, 1], [0, 1, 0]]


@pytest.mark.parametrize("size", [3, 300], ids=["small", "neighbours"])
def test_warnings_of_the_activation_reach_the_user(size):
    A_prev, W = np.full((1, size, size, 1), 999.0), np.ones((2, 2, 1, 1))
    with pytest.warns(RuntimeWarning, match="overflow"):
        conv_forward(A_prev, W, [0], np.exp)


def test_padding_in_any_form_is_the_same_padding(rng):
    A_prev, W, b = integers(rng, (2, 5, 6, 2), (3, 3, 2, 3), (3,))
    results = [conv_forward(A_prev, W, b, same_Z, padding) for padding in
               ("same", (1, 1), [1, 1], ((1, 1), (1, 1)), np.array([1, 1]),
                np.ones((2, 2), int), (np.int64(1), np.int8(1)),
                [np.array([1, 1]), (1, 1)])]
    assert all((result == results[0]).all() for result in results)


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


@pytest.mark.parametrize("block", [24, 2000, None])
def test_dW_of_neighbours_in_float16_is_rounded_once(block):
    dZ, A_prev, W = (np.ones(shape, "f2") for shape in (
        (45, 47, 7, 1), (45, 47, 8, 1), (1, 2, 1, 1)))
    _, dW, db = loaded(block).conv_backward(dZ, A_prev, W, W[0, 0, 0], "valid")
    assert (dW == np.float16(dZ.size)).all() and db == np.float16(dZ.size)
