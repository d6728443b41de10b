"""2-conv_backward.py: dot-product test, finite differences, Keras."""
import naive
import numpy as np
import pytest

from cases import CASES, integers
from common import same_Z
from compare import check, finite_differences, rounding

every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)


def test_the_tiny_example_by_hand(conv_backward):
    A_prev = np.arange(9).reshape(1, 3, 3, 1)
    dA_prev, dW, db = conv_backward(
        np.ones((1, 2, 2, 1)), A_prev, np.ones((2, 2, 1, 1)), [0], "valid")
    # How many of the four windows hold each pixel.
    assert dA_prev[0, :, :, 0].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    # Each weight sums its pixels: the first one the pixels 0, 1, 3 and 4.
    assert dW[:, :, 0, 0].tolist() == [[0 + 1 + 3 + 4, 1 + 2 + 4 + 5],
                                       [3 + 4 + 6 + 7, 4 + 5 + 7 + 8]]
    assert db.tolist() == [[[[4]]]]


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
def test_gradients_are_finite_differences(conv_backward, case, rng):
    A_prev, W, b = (rng.standard_normal(shape) for shape in
                    ((1, *case.A_prev[1:]), case.W, case.W[-1]))
    options = case.padding, case.stride
    dZ = rng.standard_normal(naive.conv_forward(
        A_prev, W, b, same_Z, *options).shape)

    def loss(A_prev, W, b):
        Z = naive.conv_forward(A_prev, W, b, same_Z, *options)
        return (Z * dZ).sum()

    dA_prev, dW, db = conv_backward(dZ, A_prev, W, b, *options)
    check("conv_backward dA_prev", case, dA_prev, rtol=1e-9, expected=(
        finite_differences(lambda A: loss(A, W, b), A_prev)))
    check("conv_backward dW", case, dW, rtol=1e-9, expected=(
        finite_differences(lambda V: loss(A_prev, V, b), W)))
    check("conv_backward db", case, db.ravel(), rtol=1e-9, expected=(
        finite_differences(lambda v: loss(A_prev, W, v), b)))


@every_case
def test_tensorflow_gives_the_same(conv_backward, case, rng, tf):
    A_prev, W, b = (rng.standard_normal(shape)
                    for shape in (case.A_prev, case.W, case.W[-1]))
    X, w, bias = map(tf.Variable, (A_prev, W, b))
    with tf.GradientTape() as tape:
        A_pad, padding = X, str(case.padding).upper()
        if padding not in ("SAME", "VALID"):
            rows, cols = naive.sides(case.padding, 0, 0, 0)
            A_pad = tf.pad(X, ((0, 0), rows, cols, (0, 0)))
            padding = "VALID"
        Z = tf.nn.conv2d(A_pad, w, case.stride, padding) + bias
    dZ = rng.standard_normal(Z.shape)
    expected = tape.gradient(Z, (X, w, bias), tf.constant(dZ))
    dA_prev, dW, db = conv_backward(dZ, A_prev, W, b,
                                    case.padding, case.stride)
    for name, ours, theirs, products in (
            ("dA_prev", dA_prev, expected[0], W[:, :, 0].size),
            ("dW", dW, expected[1], dZ[..., 0].size),
            ("db", db.ravel(), expected[2], dZ[..., 0].size)):
        check(f"conv_backward {name}", case, ours, theirs, rounding(products))


def test_a_pixel_in_no_window_gets_zero(conv_backward):
    dA_prev, _, _ = conv_backward(
        np.ones((1, 2, 1, 1)), np.ones((1, 5, 3, 1)), np.ones((2, 2, 1, 1)),
        [0], "valid", (2, 3))
    assert dA_prev[0, :, :, 0].tolist() == [[1, 1, 0]] * 4 + [[0, 0, 0]]


@pytest.mark.parametrize("size", [1, 3])
def test_db_in_float32_does_not_drift(conv_backward, size):
    # Added one after the other, 262,144 equal numbers err by 4e-4.
    dZ = np.full((64, 64, 64, 6), 0.1, np.float32)
    A_prev, W = np.ones((64, 64, 64, 1)), np.ones((size, size, 1, 6))
    _, _, db = conv_backward(dZ, A_prev.astype("f4"), W.astype("f4"),
                             np.zeros(6, np.float32))
    exact = dZ[..., 0].sum(dtype=float)
    assert np.abs(db / exact - 1).max() < 1e-5


def test_a_dZ_that_keeps_the_size_is_told_what_same_means(conv_backward):
    A_prev, W = np.ones((1, 5, 8, 2)), np.ones((3, 3, 2, 3))
    with pytest.raises(ValueError, match=(
            r"dZ: expected shape \(1, 3, 4, 3\) \(\"same\" gives ceil\(size / "
            r"stride\) outputs, as in Keras\), got \(1, 5, 8, 3\)")):
        conv_backward(np.ones((1, 5, 8, 3)), A_prev, W, np.zeros(3), "same",
                      (2, 2))
