"""0-conv_forward.py against its definition, Keras and itself."""
import naive
import numpy as np
import pytest

from cases import CASES, integers
from common import same_Z
from compare import check, rounding

every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)


def test_the_tiny_example_by_hand(conv_forward):
    A_prev = np.arange(9).reshape(1, 3, 3, 1)
    W = np.arange(4).reshape(2, 2, 1, 1)
    Z = conv_forward(A_prev, W, [0], same_Z, "valid")[0, :, :, 0]
    assert Z[0, 0] == 0*0 + 1*1 + 3*2 + 4*3 == 19
    assert Z.tolist() == [[19, 25], [37, 43]]


def test_each_index_reads_the_pixel_that_names_it(conv_forward):
    # A_prev[0, y, x] is 10*y + x; the kernel picks the window's last pixel.
    A_prev = np.add.outer(10 * np.arange(6), np.arange(7))[None, :, :, None]
    W = np.zeros((2, 3, 1, 1))
    W[1, 2] = 1
    Z = conv_forward(A_prev, W, [0], same_Z, "valid", (2, 3))
    assert Z[0, :, :, 0].tolist() == [[12, 15], [32, 35], [52, 55]]


@every_case
def test_integers_equal_the_definition(functions, case, rng):
    A_prev, W, b = integers(rng, case.A_prev, case.W, (1, 1, 1, case.W[-1]))
    options = same_Z, case.padding, case.stride
    check("conv_forward", case, functions.conv_forward(
        A_prev, W, b, *options), naive.conv_forward(A_prev, W, b, *options))


@every_case
def test_keras_gives_the_same(conv_forward, case, rng, tf):
    A_prev, W, b = (rng.standard_normal(shape)
                    for shape in (case.A_prev, case.W, case.W[-1]))
    X, padding = tf.constant(A_prev), case.padding
    if not isinstance(padding, str):
        X = tf.keras.layers.ZeroPadding2D(
            tuple(naive.sides(padding, 0, 0, 0)), dtype="float64")(X)
        padding = "valid"
    layer = tf.keras.layers.Conv2D(case.W[-1], case.W[:2], case.stride,
                                   padding, dtype="float64")
    layer.build(X.shape)
    layer.set_weights([W, b])
    check("conv_forward", case, rtol=rounding(W[..., 0].size + 1),
          expected=layer(X), ours=conv_forward(
              A_prev, W, b, same_Z, case.padding, case.stride))


def test_float32_agrees_with_keras(conv_forward, rng, tf):
    A_prev, W = (rng.standard_normal(shape, dtype=np.float32)
                 for shape in ((4, 9, 8, 16), (3, 3, 16, 8)))
    expected = tf.nn.conv2d(A_prev, W, 1, "SAME")
    ours = conv_forward(A_prev, W, np.zeros(8, np.float32), same_Z)
    assert ours.dtype == np.float32
    check("conv_forward", "float32", ours, expected,
          rtol=rounding(3 * 3 * 16, np.float32))


def test_activation_gets_all_of_Z_once(conv_forward):
    seen = []
    A = conv_forward(np.ones((2, 3, 3, 1)), np.ones((3, 3, 1, 1)), [-5.0],
                     lambda Z: seen.append(Z) or np.maximum(Z, 0))
    assert [Z.shape for Z in seen] == [(2, 3, 3, 1)]
    assert A[0, :, :, 0].tolist() == [[0, 1, 0], [1, 4, 1], [0, 1, 0]]


def test_an_activation_is_not_printed_unless_it_is_wrong(conv_forward):
    class Silent:
        def __call__(self, Z):
            return Z + 1

        def __repr__(self):
            raise AssertionError("printed")

    Z = conv_forward(np.ones((1, 1, 1, 1)), [[[[2]]]], [3], Silent())
    assert Z.item() == 1 * 2 + 3 + 1


def test_same_pads_the_bottom_right_of_an_even_kernel(conv_forward):
    Z = conv_forward(np.ones((1, 3, 3, 1)), np.ones((2, 2, 1, 1)), [0.0],
                     same_Z)
    assert Z[0, :, :, 0].tolist() == [[4, 4, 2], [4, 4, 2], [2, 2, 1]]


def test_padding_in_any_form_is_the_same_padding(conv_forward, rng):
    A_prev, W, b = integers(rng, (2, 5, 6, 2), (3, 3, 2, 3), (3,))
    results = [conv_forward(A_prev, W, b, same_Z, padding) for padding in
               ("same", (1, 1), [1, 1], ((1, 1), (1, 1)), np.array([1, 1]),
                np.ones((2, 2), int), (np.int64(1), np.int8(1)),
                [np.array([1, 1]), (1, 1)])]
    assert all((result == results[0]).all() for result in results)


@pytest.mark.parametrize("dtypes, expected", [
    (("float32",) * 3, "float32"), (("float64",) * 3, "float64"),
    (("float32", "float32", "float64"), "float64"),
    (("float32", "int8", "float32"), "float64"),
    (("uint8", "bool", "int64"), "float64"),
    (("float16",) * 3, "float16"), (("float16", "float32", "float16"),
                                    "float32"),
])
def test_dtypes_are_promoted(conv_forward, dtypes, expected):
    A_prev, W, b = (np.ones(shape, dtype) for shape, dtype in zip(
        ((1, 3, 3, 2), (2, 2, 2, 1), (1,)), dtypes))
    Z = conv_forward(A_prev, W, b, same_Z, "valid")
    assert Z.dtype == expected
    assert (Z == 9).all()


def test_float16_is_rounded_once(conv_forward):
    # In float16, 2048 + 1 is 2048: a sum of ones would stop there.
    A_prev, W = np.ones((1, 64, 64, 1), "f2"), np.ones((64, 64, 1, 1), "f2")
    Z = conv_forward(A_prev, W, np.array([3], "f2"), same_Z, "valid")
    assert Z.dtype == np.float16
    assert Z.item() == np.float16(64 * 64 + 3) != np.float16(64 * 64)


def test_whatever_numpy_reads_is_accepted(conv_forward, rng):
    A_prev, W, b = integers(rng, (2, 5, 4, 2), (3, 2, 2, 3), (3,))
    expected = conv_forward(A_prev, W, b, same_Z)
    strange = A_prev.transpose(3, 2, 1, 0).copy().transpose(3, 2, 1, 0)
    strange.flags.writeable = False
    for images in (A_prev.tolist(), strange, A_prev[::-1][::-1],
                   A_prev.astype(">f8"), A_prev.astype(">i2")):
        result = conv_forward(images, W.tolist(), b.tolist(), same_Z)
        assert result.dtype.isnative and (result == expected).all()


def test_inputs_stay_and_results_are_new(conv_forward, rng):
    inputs = integers(rng, (2, 4, 4, 1), (1, 1, 1, 1), (1,))
    before = [array.tobytes() for array in inputs]
    Z = conv_forward(*inputs, same_Z)
    assert Z.flags.c_contiguous and Z.flags.writeable
    assert not any(np.shares_memory(Z, array) for array in inputs)
    Z[...] = 7
    assert [array.tobytes() for array in inputs] == before


def test_no_images_give_an_empty_result(conv_forward):
    Z = conv_forward(np.zeros((0, 5, 4, 2), np.float32),
                     np.zeros((3, 3, 2, 6), np.float32),
                     np.zeros(6, np.float32), same_Z, "same", (2, 1))
    assert Z.shape == (0, 3, 4, 6) and Z.dtype == np.float32


@pytest.mark.parametrize("c_prev, c_new", [(1, 6), (6, 16), (32, 64)])
def test_equal_windows_give_equal_numbers_up_to_rounding(conv_forward, c_prev,
                                                         c_new, rng):
    W = rng.standard_normal((5, 3, c_prev, c_new), dtype=np.float32)
    flat = np.ones((9, 27, 32, c_prev), np.float32)
    Z = conv_forward(flat, W, W[0, 0, 0], same_Z, "valid")
    check("conv_forward", "flat images", Z, np.broadcast_to(
        W.sum(axis=(0, 1, 2), dtype=float) + W[0, 0, 0], Z.shape),
        rtol=rounding(W[..., 0].size + 1, np.float32))


@pytest.mark.filterwarnings("error")
def test_what_overflows_does_not_warn_but_the_activation_may(conv_forward):
    large = np.full((1, 3, 3, 1), 3e38, np.float32)
    for dtype in (np.float32, np.float16):
        A_prev = large if dtype == np.float32 else np.full_like(
            large, 6e4, dtype)
        Z = conv_forward(A_prev, np.full((2, 2, 1, 1), 9, dtype),
                         np.zeros(1, dtype), same_Z)
        assert np.isinf(Z).all() and Z.dtype == dtype
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        conv_forward(0 * large, large[:, :1, :1], [0], lambda Z: 1 / Z)


@pytest.mark.parametrize("shape", [(3, 3, 2, 2), (5, 5, 1, 6), (3, 3, 9, 4)])
def test_one_infinite_pixel_causes_no_warning(conv_forward, shape):
    A_prev = np.zeros((2, 20, 20, shape[2]))
    A_prev[0, 3, 4, 0] = np.inf
    Z = conv_forward(A_prev, np.ones(shape), np.zeros(shape[3]), same_Z)
    assert np.isinf(Z).sum() == shape[0] * shape[1] * shape[3]
    assert not np.isnan(Z).any()


@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("c_new", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.filterwarnings("ignore:invalid value")     # inf - inf in naive
def test_what_is_not_finite_stays_in_windows_that_cover_it(
        conv_forward, dtype, c_new, stride, rng):
    A_prev, W, b = integers(rng, (3, 5, 38, 2), (2, 3, 2, c_new), (c_new,))
    A_prev[0, 1, 7, 1] = np.nan
    A_prev[0, 3, 20, 0] = np.inf
    A_prev[2, 3, 22, 0] = -np.inf
    W[0, 1, 0, 1:] = np.inf
    Z = conv_forward(A_prev.astype(dtype), W.astype(dtype), b.astype(dtype),
                     same_Z, "valid", stride)
    np.testing.assert_array_equal(Z, naive.conv_forward(
        A_prev, W, b, same_Z, "valid", stride))
    assert 0 < np.isnan(Z[..., 0]).mean() < 0.1
