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
def test_keras_gives_the_same(conv_forward, conv_backward, case, rng, tf):
    A_prev, W, b = (rng.standard_normal(shape)
                    for shape in (case.A_prev, case.W, case.W[-1]))
    dZ = rng.standard_normal(conv_forward(
        A_prev, W, b, same_Z, case.padding, case.stride).shape)
    X, w, bias = map(tf.Variable, (A_prev, W, b))
    with tf.GradientTape() as tape:
        A_pad, padding = X, str(case.padding).upper()
        if padding not in ("SAME", "VALID"):
            rows, cols = naive.sides(case.padding, 0, 0, 0)
            A_pad = tf.pad(X, ((0, 0), rows, cols, (0, 0)))
            padding = "VALID"
        Z = tf.nn.conv2d(A_pad, w, case.stride, padding) + bias
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


def test_zeros_of_the_padding_leave_dW_alone(conv_backward):
    # A window at the corner covers the padding in 5 of its 9 places.
    _, dW, _ = conv_backward(np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1)),
                             np.ones((3, 3, 1, 1)), [0], "same")
    assert dW[:, :, 0, 0].tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("dtypes, expected", [
    (("float32",) * 4, "float32"), (("float64",) * 4, "float64"),
    (("float64", "float32", "float32", "float32"), "float64"),
    (("float32", "float32", "float32", "int32"), "float64"),
    (("int8", "uint8", "bool", "int64"), "float64"),
])
def test_dtypes_are_promoted(conv_backward, dtypes, expected):
    dZ, A_prev, W, b = (np.ones(shape, dtype) for shape, dtype in zip(
        ((1, 2, 2, 1), (1, 3, 3, 2), (2, 2, 2, 1), (1,)), dtypes))
    gradients = conv_backward(dZ, A_prev, W, b, "valid")
    assert [gradient.dtype for gradient in gradients] == [expected] * 3
    assert gradients[0][0, :, :, 1].tolist() == [
        [1, 2, 1], [2, 4, 2], [1, 2, 1]]
    assert (gradients[1] == 4).all() and gradients[2] == 4


def test_float32_agrees_with_float64(conv_backward, rng):
    inputs = [rng.standard_normal(shape, dtype=np.float32) for shape in
              ((8, 9, 8, 6), (8, 9, 8, 16), (3, 3, 16, 6), (6,))]
    single = conv_backward(*inputs)
    double = conv_backward(*(array.astype(float) for array in inputs))
    for name, ours, expected in zip(("dA_prev", "dW", "db"), single, double):
        assert ours.dtype == np.float32
        check("conv_backward " + name, "float32", ours, expected,
              rtol=rounding(8 * 9 * 8, np.float32))


def test_inputs_stay_and_results_are_new(conv_backward, rng):
    inputs = integers(rng, (2, 4, 4, 1), (2, 4, 4, 1), (1, 1, 1, 1),
                      (1, 1, 1, 1))
    before = [array.tobytes() for array in inputs]
    for gradient in conv_backward(*inputs):
        assert gradient.flags.c_contiguous and gradient.flags.writeable
        assert not any(np.shares_memory(gradient, a) for a in inputs)
        gradient[...] = 7
    assert [array.tobytes() for array in inputs] == before


def test_lists_and_odd_views_are_accepted(conv_backward, rng):
    dZ, A_prev, W, b = integers(rng, (2, 5, 4, 3), (2, 5, 4, 2),
                                (3, 2, 2, 3), (3,))
    expected = conv_backward(dZ, A_prev, W, b)
    views = [a.T.copy().T for a in (dZ, A_prev, W, b)]
    lists = [a.tolist() for a in (dZ, A_prev, W, b)]
    for inputs in (views, lists):
        for ours, theirs in zip(conv_backward(*inputs), expected):
            assert (ours == theirs).all()


def test_no_images_give_zero_gradients(conv_backward):
    f = np.float32
    dA_prev, dW, db = conv_backward(
        np.zeros((0, 3, 4, 6), f), np.zeros((0, 5, 4, 2), f),
        np.ones((3, 3, 2, 6), f), np.zeros(6, f), "same", (2, 1))
    assert dA_prev.shape == (0, 5, 4, 2)
    assert dW.shape == (3, 3, 2, 6) and not dW.any()
    assert db.shape == (1, 1, 1, 6) and not db.any()


@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("bad", ["dZ", "A_prev", "W"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.filterwarnings("ignore:invalid value")     # inf - inf
def test_what_is_not_finite_stays_in_windows_that_hold_it(
        conv_backward, dtype, bad, stride, rng):
    # Of finite numbers, several outputs in rows so long are computed as one.
    A_prev, W, b = integers(rng, (3, 5, 41, 2), (2, 3, 2, 3), (3,))
    dZ, = integers(rng, naive.conv_forward(
        A_prev, W, b, same_Z, "valid", stride).shape)
    array = dict(dZ=dZ, A_prev=A_prev, W=W)[bad]
    array[-1, 1, 1, 0] = np.nan
    array[0, 0, 1, 0] = np.inf
    expected = naive.conv_backward(dZ, A_prev, W, b, "valid", stride)
    ours = conv_backward(dZ.astype(dtype), A_prev.astype(dtype),
                         W.astype(dtype), b.astype(dtype), "valid", stride)
    for gradient, exact in zip(ours, expected):
        np.testing.assert_array_equal(gradient, exact)


@pytest.mark.parametrize("where", ["a column no window sees", "a weight"])
def test_infinity_does_not_meet_zeros_that_no_user_sees(conv_backward,
                                                        where):
    # 13 outputs of a row are no multiple of the number computed as one; the
    # zeros that fill up the last must not be multiplied with infinity.
    A_prev, W = np.ones((1, 3, 40, 2)), np.ones((2, 2, 2, 3))
    if where == "a weight":
        W[0, 0, 0, 0] = np.inf
    else:
        A_prev[0, :, 39] = np.inf
    dZ = np.ones((1, 2, 13, 3))
    expected = naive.conv_backward(dZ, A_prev, W, [0], "valid", (1, 3))
    for ours, exact in zip(conv_backward(dZ, A_prev, W, np.zeros(3), "valid",
                                         (1, 3)), expected):
        np.testing.assert_array_equal(ours, exact)


def test_float16_sums_are_rounded_once(conv_backward):
    ones = np.ones((30, 20, 20, 1), "f2")
    dA_prev, dW, db = conv_backward(ones, ones, np.ones((1, 1, 1, 1), "f2"),
                                    np.zeros(1, "f2"))
    assert dA_prev.dtype == dW.dtype == db.dtype == np.float16
    assert dW.item() == db.item() == 30 * 20 * 20
    assert (dA_prev == 1).all()


def test_a_dZ_that_keeps_the_size_is_told_what_same_means(conv_backward):
    A_prev, W = np.ones((1, 5, 8, 2)), np.ones((3, 3, 2, 3))
    with pytest.raises(ValueError, match=(
            r"dZ: expected shape \(1, 3, 4, 3\) \(\"same\" gives ceil\(size / "
            r"stride\) outputs, as in Keras\), got \(1, 5, 8, 3\)")):
        conv_backward(np.ones((1, 5, 8, 3)), A_prev, W, np.zeros(3), "same",
                      (2, 2))


@pytest.mark.filterwarnings("error")
def test_what_overflows_does_not_warn(conv_backward):
    for dtype, large in (("f4", 3e38), ("f2", 6e4)):
        A_prev = np.full((1, 3, 3, 1), large, dtype)
        gradients = conv_backward(A_prev, A_prev, A_prev[0, :, :, None],
                                  np.zeros(1, dtype))
        assert np.isinf(gradients[0]).any() and np.isinf(gradients[1]).any()
