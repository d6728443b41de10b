"""2-conv_backward.py against adjoints, slopes, Keras and itself."""
import numpy as np
import pytest

from cases import CASES, integers
from loader import load
from reference import check, conv, sides, slope

conv_forward = load("0-conv_forward.py")
conv_backward = load("2-conv_backward.py")
every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)


def Z_of(A_prev, W, b, case):
    return conv_forward(A_prev, W, b, lambda Z: Z, case.padding, case.stride)


def test_the_tiny_example_by_hand():
    A_prev = np.arange(9).reshape(1, 3, 3, 1)
    dA_prev, dW, db = conv_backward(
        np.ones((1, 2, 2, 1)), A_prev, np.ones((2, 2, 1, 1)), [0], "valid")
    # How many of the four windows hold each pixel.
    assert dA_prev[0, :, :, 0].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    # What each weight met: the first one the pixels 0, 1, 3 and 4.
    assert dW[:, :, 0, 0].tolist() == [[0 + 1 + 3 + 4, 1 + 2 + 4 + 5],
                                       [3 + 4 + 6 + 7, 4 + 5 + 7 + 8]]
    assert db.tolist() == [[[[4]]]]


@every_case
def test_gradients_are_adjoint_to_the_forward_pass(case, rng):
    # The convolution is linear, so <dA, V> == <dZ, conv(V)>, exactly.
    A_prev, W, b = integers(rng, case.A_prev, case.W, (case.W[-1],))
    V, U, u = integers(rng, case.A_prev, case.W, (case.W[-1],))
    zero = np.zeros_like(b)
    dZ, = integers(rng, Z_of(A_prev, W, b, case).shape)
    dA_prev, dW, db = conv_backward(dZ, A_prev, W, b,
                                    case.padding, case.stride)
    assert [dA_prev.shape, dW.shape, db.shape] == [
        A_prev.shape, W.shape, (1, 1, 1, len(b))], "db: keepdims=True"
    assert (dA_prev * V).sum() == (dZ * Z_of(V, W, zero, case)).sum(), case
    assert (dW * U).sum() == (dZ * Z_of(A_prev, U, zero, case)).sum(), case
    assert (db * u).sum() == (dZ * Z_of(0 * A_prev, W, u, case)).sum(), case


@pytest.mark.parametrize("case", [   # by the thousand, slopes take too long
    case for case in CASES if np.prod(case.A_prev[1:]) < 400],
    ids=lambda case: case.name)
def test_gradients_are_slopes(case, rng):
    # Linear, so a large step costs no accuracy.
    A_prev, W, b = (rng.standard_normal(shape) for shape in
                    ((1, *case.A_prev[1:]), case.W, case.W[-1]))
    dZ = rng.standard_normal(Z_of(A_prev, W, b, case).shape)

    def loss(A_prev, W, b):
        A_pad = np.pad(A_prev, ((0, 0), *sides(case), (0, 0)))
        return (conv(A_pad, W, b, *case.stride) * dZ).sum()

    dA_prev, dW, db = conv_backward(dZ, A_prev, W, b,
                                    case.padding, case.stride)
    check("conv_backward dA_prev", case, dA_prev,
          slope(lambda A: loss(A, W, b), A_prev), rtol=1e-9)
    check("conv_backward dW", case, dW,
          slope(lambda V: loss(A_prev, V, b), W), rtol=1e-9)
    check("conv_backward db", case, db.ravel(),
          slope(lambda v: loss(A_prev, W, v), b), rtol=1e-9)


@every_case
def test_keras_gives_the_same(case, rng, tf):
    A_prev, W, b = (rng.standard_normal(shape)
                    for shape in (case.A_prev, case.W, case.W[-1]))
    dZ = rng.standard_normal(Z_of(A_prev, W, b, case).shape)
    X, w, bias = map(tf.Variable, (A_prev, W, b))
    with tf.GradientTape() as tape:
        A_pad = tf.pad(X, ((0, 0), *sides(case), (0, 0)))
        if case.padding == "same":
            A_pad = X
        Z = tf.nn.conv2d(A_pad, w, case.stride, "SAME" if case.padding ==
                         "same" else "VALID") + bias
    expected = tape.gradient(Z, (X, w, bias), tf.constant(dZ))
    dA_prev, dW, db = conv_backward(dZ, A_prev, W, b,
                                    case.padding, case.stride)
    check("conv_backward dA_prev", case, dA_prev, expected[0], rtol=1e-13)
    check("conv_backward dW", case, dW, expected[1], rtol=1e-13)
    check("conv_backward db", case, db.ravel(), expected[2], rtol=1e-13)


def test_a_pixel_no_window_sees_gets_zero():
    dA_prev, _, _ = conv_backward(
        np.ones((1, 2, 1, 1)), np.ones((1, 5, 3, 1)), np.ones((2, 2, 1, 1)),
        [0], "valid", (2, 3))
    assert dA_prev[0, :, :, 0].tolist() == [[1, 1, 0]] * 4 + [[0, 0, 0]]


def test_zeros_of_the_frame_leave_dW_alone():
    # A window at the corner has met the frame in 5 of its 9 places.
    _, dW, _ = conv_backward(np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1)),
                             np.ones((3, 3, 1, 1)), [0], "same")
    assert dW[:, :, 0, 0].tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("dtypes, expected", [
    (("float32",) * 4, "float32"), (("float64",) * 4, "float64"),
    (("float64", "float32", "float32", "float32"), "float64"),
    (("float32", "float32", "float32", "int32"), "float64"),
    (("int8", "uint8", "bool", "int64"), "float64"),
])
def test_dtypes_are_promoted(dtypes, expected):
    dZ, A_prev, W, b = (np.ones(shape, dtype) for shape, dtype in zip(
        ((1, 2, 2, 1), (1, 3, 3, 2), (2, 2, 2, 1), (1,)), dtypes))
    gradients = conv_backward(dZ, A_prev, W, b, "valid")
    assert [gradient.dtype for gradient in gradients] == [expected] * 3
    assert gradients[0][0, :, :, 1].tolist() == [
        [1, 2, 1], [2, 4, 2], [1, 2, 1]]
    assert (gradients[1] == 4).all() and gradients[2] == 4


def test_float32_agrees_with_float64(rng):
    inputs = [rng.standard_normal(shape, dtype=np.float32) for shape in
              ((8, 9, 8, 6), (8, 9, 8, 16), (3, 3, 16, 6), (6,))]
    single = conv_backward(*inputs)
    double = conv_backward(*(array.astype(float) for array in inputs))
    for name, ours, expected in zip(("dA_prev", "dW", "db"), single, double):
        assert ours.dtype == np.float32
        check("conv_backward " + name, "float32", ours, expected, rtol=1e-6)


def test_inputs_stay_and_results_are_new(rng):
    inputs = integers(rng, (2, 4, 4, 1), (2, 4, 4, 1), (1, 1, 1, 1),
                      (1, 1, 1, 1))
    before = [array.tobytes() for array in inputs]
    for gradient in conv_backward(*inputs):
        assert gradient.flags.c_contiguous and gradient.flags.writeable
        assert not any(np.shares_memory(gradient, a) for a in inputs)
        gradient[...] = 7
    assert [array.tobytes() for array in inputs] == before


def test_lists_and_odd_views_are_accepted(rng):
    dZ, A_prev, W, b = integers(rng, (2, 5, 4, 3), (2, 5, 4, 2),
                                (3, 2, 2, 3), (3,))
    expected = conv_backward(dZ, A_prev, W, b)
    views = [a.T.copy().T for a in (dZ, A_prev, W, b)]
    lists = [a.tolist() for a in (dZ, A_prev, W, b)]
    for inputs in (views, lists):
        for ours, theirs in zip(conv_backward(*inputs), expected):
            assert (ours == theirs).all()


def test_no_images_give_zero_gradients():
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
        dtype, bad, stride, rng):
    # In rows so long, one product serves several outputs of a row.
    A_prev, W, b = integers(rng, (3, 5, 38, 2), (2, 3, 2, 3), (3,))
    dZ, = integers(rng, conv(A_prev, W, b, *stride).shape)
    array = dict(dZ=dZ, A_prev=A_prev, W=W)[bad]
    array[-1, 1, 1, 0] = np.nan
    array[0, 0, 1, 0] = np.inf
    dA_prev, dW = np.zeros_like(A_prev), np.zeros_like(W)
    for n, y, x, k in np.ndindex(dZ.shape):
        window = np.s_[n, y*stride[0]:y*stride[0] + 2,
                       x*stride[1]:x*stride[1] + 3]
        dA_prev[window] += W[..., k] * dZ[n, y, x, k]
        dW[..., k] += A_prev[window] * dZ[n, y, x, k]
    ours = conv_backward(dZ.astype(dtype), A_prev.astype(dtype),
                         W.astype(dtype), b.astype(dtype), "valid", stride)
    for gradient, expected in zip(ours, (dA_prev, dW, dZ.sum((0, 1, 2)))):
        np.testing.assert_array_equal(np.squeeze(gradient), expected)


RIGHT = dict(dZ=np.ones((2, 5, 6, 4)), A_prev=np.ones((2, 5, 6, 3)),
             W=np.ones((3, 3, 3, 4)), b=np.zeros((1, 1, 1, 4)))


@pytest.mark.parametrize("wrong, error, message", [
    (dict(dZ=np.ones((2, 3, 6, 4))), ValueError,
     r"dZ: expected the forward pass's shape \(2, 5, 6, 4\), "
     r"got shape \(2, 3, 6, 4\)$"),
    (dict(dZ=np.ones((2, 5, 6, 4)), padding="valid"), ValueError,
     r"dZ: .* got shape \(2, 5, 6, 4\)$"),
    (dict(dZ=np.ones((2, 5, 6))), ValueError, "dZ: "),
    (dict(dZ=None), TypeError, "dZ: "),
    (dict(stride=(2, 2)), ValueError,
     r"dZ: expected the forward pass's shape \(2, 3, 3, 4\), got shape "
     r"\(2, 5, 6, 4\) .*README, \"If your grader\""),
    (dict(A_prev=np.ones((2, 5, 6))), ValueError, "A_prev: expected 4 axes"),
    (dict(A_prev=np.ones((2, 5, 6, 3), "M8[s]")), TypeError, "A_prev: "),
    (dict(W=np.ones((3, 3, 1, 4))), ValueError,
     r"W: expected 3 input channels to match A_prev, got shape "),
    (dict(W=np.ones((9, 3, 3, 4)), padding="valid"), ValueError,
     r"W: expected a kernel within the padded \(5, 6\)"),
    (dict(b=np.zeros((1, 4))), ValueError, r"b: expected shape \(1, 1, 1, 4"),
    (dict(b="0"), TypeError, "b: expected a real numeric array"),
    (dict(padding="Same"), ValueError, "padding: .* got 'Same'"),
    (dict(padding=(-1, 0)), ValueError, r"padding: .* got \(-1, 0\)"),
    (dict(stride=(1, 0)), ValueError, r"stride: .* got \(1, 0\)"),
    (dict(stride=1), TypeError, "stride: .* got 1"),
])
def test_what_is_wrong_is_refused(wrong, error, message):
    with pytest.raises(error, match=message):
        conv_backward(**{**RIGHT, **wrong})
