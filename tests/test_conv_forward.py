"""0-conv_forward.py against its definition, Keras and itself."""
import numpy as np
import pytest

from cases import CASES, integers, same_Z
from loader import load
from reference import check, conv, sides

conv_forward = load("0-conv_forward.py")
every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)


def test_the_tiny_example_by_hand():
    A_prev = np.arange(9).reshape(1, 3, 3, 1)
    W = np.arange(4).reshape(2, 2, 1, 1)
    Z = conv_forward(A_prev, W, [0], same_Z, "valid")[0, :, :, 0]
    assert Z[0, 0] == 0*0 + 1*1 + 3*2 + 4*3 == 19
    assert Z.tolist() == [[19, 25], [37, 43]]


def test_each_index_reads_the_pixel_that_names_it():
    # A_prev[0, y, x] is 10*y + x; the kernel picks the window's last pixel.
    A_prev = np.add.outer(10 * np.arange(6), np.arange(7))[None, :, :, None]
    W = np.zeros((2, 3, 1, 1))
    W[1, 2] = 1
    Z = conv_forward(A_prev, W, [0], same_Z, "valid", (2, 3))
    assert Z[0, :, :, 0].tolist() == [[12, 15], [32, 35], [52, 55]]


@every_case
def test_integers_equal_the_definition(case, rng):
    A_prev, W, b = integers(rng, case.A_prev, case.W, case.W[-1])
    A_pad = np.pad(A_prev, ((0, 0), *sides(case), (0, 0)))
    expected = conv(A_pad, W, b, *case.stride)
    check("conv_forward", case, expected=expected, ours=conv_forward(
        A_prev, W, b.reshape(1, 1, 1, -1), same_Z, case.padding, case.stride))


@every_case
def test_keras_gives_the_same(case, rng, tf):
    A_prev, W, b = (rng.standard_normal(shape)
                    for shape in (case.A_prev, case.W, case.W[-1]))
    X, padding = tf.constant(A_prev), case.padding
    if not isinstance(padding, str):
        X = tf.keras.layers.ZeroPadding2D(
            tuple(map(tuple, sides(case))), dtype="float64")(X)
        padding = "valid"
    layer = tf.keras.layers.Conv2D(case.W[-1], case.W[:2], case.stride,
                                   padding, dtype="float64")
    layer.build(X.shape)
    layer.set_weights([W, b])
    check("conv_forward", case, rtol=1e-13, expected=layer(X), ours=(
        conv_forward(A_prev, W, b, same_Z, case.padding, case.stride)))


def test_float32_agrees_with_keras(rng, tf):
    A_prev, W = (rng.standard_normal(shape, dtype=np.float32)
                 for shape in ((4, 9, 8, 16), (3, 3, 16, 8)))
    expected = tf.nn.conv2d(A_prev, W, 1, "SAME")
    ours = conv_forward(A_prev, W, np.zeros(8, np.float32), same_Z)
    assert ours.dtype == np.float32
    check("conv_forward", "float32", ours, expected, rtol=1e-6)


def test_activation_sees_all_of_Z_once():
    seen = []
    A = conv_forward(np.ones((2, 3, 3, 1)), np.ones((3, 3, 1, 1)), [-5.0],
                     lambda Z: seen.append(Z) or np.maximum(Z, 0))
    assert [Z.shape for Z in seen] == [(2, 3, 3, 1)]
    assert A[0, :, :, 0].tolist() == [[0, 1, 0], [1, 4, 1], [0, 1, 0]]


def test_same_pads_the_bottom_right_of_an_even_kernel():
    Z = conv_forward(np.ones((1, 3, 3, 1)), np.ones((2, 2, 1, 1)), [0.0],
                     same_Z)
    assert Z[0, :, :, 0].tolist() == [[4, 4, 2], [4, 4, 2], [2, 2, 1]]


def test_padding_in_any_form_is_the_same_padding(rng):
    A_prev, W, b = integers(rng, (2, 5, 6, 2), (3, 3, 2, 3), (3,))
    results = [conv_forward(A_prev, W, b, same_Z, padding) for padding in
               ("same", (1, 1), [1, 1], ((1, 1), (1, 1)), np.array([1, 1]),
                np.ones((2, 2), int), (np.int64(1), np.int8(1)))]
    assert all((result == results[0]).all() for result in results)


@pytest.mark.parametrize("dtypes, expected", [
    (("float32",) * 3, "float32"), (("float64",) * 3, "float64"),
    (("float32", "float32", "float64"), "float64"),
    (("float32", "int8", "float32"), "float64"),
    (("uint8", "bool", "int64"), "float64"),
    (("float16",) * 3, "float16"), (("float16", "float32", "float16"),
                                    "float32"),
])
def test_dtypes_are_promoted(dtypes, expected):
    A_prev, W, b = (np.ones(shape, dtype) for shape, dtype in zip(
        ((1, 3, 3, 2), (2, 2, 2, 1), (1,)), dtypes))
    Z = conv_forward(A_prev, W, b, same_Z, "valid")
    assert Z.dtype == expected
    assert (Z == 9).all()


def test_whatever_numpy_reads_is_accepted(rng):
    A_prev, W, b = integers(rng, (2, 5, 4, 2), (3, 2, 2, 3), (3,))
    expected = conv_forward(A_prev, W, b, same_Z)
    strange = A_prev.transpose(3, 2, 1, 0).copy().transpose(3, 2, 1, 0)
    strange.flags.writeable = False
    for images in (A_prev.tolist(), strange, A_prev[::-1][::-1]):
        result = conv_forward(images, W.tolist(), b.tolist(), same_Z)
        assert (result == expected).all()


def test_inputs_stay_and_results_are_new(rng):
    inputs = integers(rng, (2, 4, 4, 1), (1, 1, 1, 1), (1,))
    before = [array.tobytes() for array in inputs]
    Z = conv_forward(*inputs, same_Z)
    assert Z.flags.c_contiguous and Z.flags.writeable
    assert not any(np.shares_memory(Z, array) for array in inputs)
    Z[...] = 7
    assert [array.tobytes() for array in inputs] == before


def test_no_images_give_an_empty_result():
    Z = conv_forward(np.zeros((0, 5, 4, 2), np.float32),
                     np.zeros((3, 3, 2, 6), np.float32),
                     np.zeros(6, np.float32), same_Z, "same", (2, 1))
    assert Z.shape == (0, 3, 4, 6) and Z.dtype == np.float32


def test_infinity_reaches_only_the_windows_that_see_it():
    A_prev = np.zeros((1, 3, 4, 1))
    A_prev[0, 0, 3] = np.inf
    Z = conv_forward(A_prev, np.ones((2, 2, 1, 1)), [0.0], same_Z, "valid")
    assert Z[0, :, :, 0].tolist() == [[0, 0, np.inf], [0, 0, 0]]


@pytest.mark.parametrize("c_prev, c_new", [(1, 6), (6, 16), (32, 64)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_windows_give_equal_numbers(dtype, c_prev, c_new, rng):
    # To the last bit, so that pooling finds the ties that Keras finds; but
    # older BLAS libraries compute the last pixels of a block another way.
    W = rng.standard_normal((5, 3, c_prev, c_new)).astype(dtype)
    flat = np.broadcast_to(rng.standard_normal(c_prev), (9, 27, 32, c_prev))
    Z = conv_forward(flat.astype(dtype), W, W[0, 0, 0], same_Z, "valid")
    assert (Z == Z[0, 0, 0]).mean() > 0.97


@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("c_new", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.filterwarnings("ignore:invalid value")     # inf - inf
def test_what_is_not_finite_stays_in_windows_that_see_it(
        dtype, c_new, stride, rng):
    A_prev, W, b = integers(rng, (3, 5, 38, 2), (2, 3, 2, c_new), (c_new,))
    A_prev[0, 1, 7, 1] = np.nan
    A_prev[0, 3, 20, 0] = np.inf
    A_prev[2, 3, 22, 0] = -np.inf
    W[0, 1, 0, 1:] = np.inf
    Z = conv_forward(A_prev.astype(dtype), W.astype(dtype), b.astype(dtype),
                     same_Z, "valid", stride)
    np.testing.assert_array_equal(Z, conv(A_prev, W, b, *stride))
    assert 0 < np.isnan(Z[..., 0]).mean() < 0.1


ONES = dict(A_prev=np.ones((2, 5, 6, 3)), W=np.ones((3, 3, 3, 4)),
            b=np.zeros((1, 1, 1, 4)), activation=same_Z)


@pytest.mark.parametrize("wrong, error, message", [
    (dict(A_prev=np.ones((5, 6, 3))), ValueError,
     r"A_prev: expected 4 axes .*got shape \(5, 6, 3\)"),
    (dict(A_prev=np.ones((2, 0, 6, 3))), ValueError,
     r"A_prev: .* of at least 1, got shape \(2, 0, 6, 3\)"),
    (dict(A_prev="pixels"), TypeError, "A_prev: expected a real numeric"),
    (dict(A_prev=[[1], [2, 3]]), TypeError, "A_prev: expected a real numeric"),
    (dict(A_prev=np.ones((2, 5, 6, 3), complex)), TypeError,
     "A_prev: .*complex128"),
    (dict(W=np.ones((3, 3, 1, 8))), ValueError,
     r"W: expected 3 input channels to match A_prev, got shape "
     r"\(3, 3, 1, 8\)"),
    (dict(W=np.ones((3, 0, 3, 4))), ValueError, "W: .* of at least 1"),
    (dict(W=np.ones((3, 3, 3))), ValueError, "W: expected 4 axes"),
    (dict(W=None), TypeError, "W: expected a real numeric array"),
    (dict(W=np.ones((6, 3, 3, 4)), padding="valid"), ValueError,
     r"W: expected a kernel within the padded \(5, 6\)"),
    (dict(b=np.zeros(3)), ValueError,
     r"b: expected shape \(1, 1, 1, 4\) or \(4,\), got shape \(3,\)"),
    (dict(b=np.zeros((4, 1))), ValueError, "b: expected shape"),
    (dict(activation="relu"), TypeError,
     "activation: expected a callable, got 'relu'"),
    (dict(activation=None), TypeError, "activation: .* got None"),
    (dict(padding="full"), ValueError,
     "padding: expected 'same', 'valid', .*got 'full'"),
    (dict(padding=(1, -1)), ValueError, r"padding: .* got \(1, -1\)"),
    (dict(padding=((1, 1), (1, 0.5))), TypeError, "padding: .* 0.5"),
    (dict(padding=1), TypeError, "padding: .*'same'.* got 1"),
    (dict(padding=(1, 1, 1)), ValueError, "padding: "),
    (dict(padding=None), TypeError, "padding: .* got None"),
    (dict(stride=(0, 1)), ValueError,
     r"stride: expected a pair of integers of at least 1, got \(0, 1\)"),
    (dict(stride=(1, -2)), ValueError, r"stride: .* got \(1, -2\)"),
    (dict(stride=(1.0, 1)), TypeError, r"stride: .* got \(1.0, 1\)"),
    (dict(stride=(True, 1)), TypeError, r"stride: .* got \(True, 1\)"),
    (dict(stride=2), TypeError, "stride: .* got 2"),
    (dict(stride=(2,)), ValueError, r"stride: .* got \(2,\)"),
    (dict(stride="11"), TypeError, "stride: .* got '11'"),
])
def test_what_is_wrong_is_refused(wrong, error, message):
    with pytest.raises(error, match=message):
        conv_forward(**{**ONES, **wrong})
