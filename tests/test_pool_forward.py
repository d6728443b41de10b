"""1-pool_forward.py against its definition, Keras and itself."""
import naive
import numpy as np
import pytest

from cases import integers
from compare import check, rounding

SHAPES = [   # A_prev, kernel_shape, stride, and why
    pytest.param((2, 6, 6, 3), (2, 2), (2, 2), id="windows side by side"),
    pytest.param((2, 7, 9, 3), (2, 2), (2, 2), id="a remainder is dropped"),
    pytest.param((2, 7, 6, 3), (3, 2), (1, 1), id="windows overlap"),
    pytest.param((2, 8, 9, 2), (3, 3), (2, 2), id="overlap under a stride"),
    pytest.param((2, 8, 9, 2), (1, 3), (3, 2), id="two kernels two strides"),
    pytest.param((2, 8, 9, 2), (2, 1), (3, 4),
                 id="stride larger than the kernel"),
    pytest.param((2, 4, 5, 3), (4, 5), (1, 1), id="one window an image"),
    pytest.param((2, 4, 5, 3), (1, 1), (1, 1), id="windows of one pixel"),
    pytest.param((1, 3, 53, 1), (2, 7), (1, 3), id="wide rows"),
    pytest.param((2, 23, 3, 9), (11, 2), (2, 1), id="tall windows"),
]
every_shape = pytest.mark.parametrize("shape, kernel, stride", SHAPES)


def test_the_tiny_example_by_hand(pool_forward):
    A_prev = np.arange(9).reshape(1, 3, 3, 1)
    maximum = pool_forward(A_prev, (2, 2))[0, :, :, 0]
    assert maximum.tolist() == [[4, 5], [7, 8]]
    average = pool_forward(A_prev, (2, 2), mode='avg')[0, :, :, 0]
    assert average[0, 0] == (0 + 1 + 3 + 4) / 4
    assert average.tolist() == [[2, 3], [5, 6]]


@every_shape
@pytest.mark.parametrize("mode", ['max', 'avg'])
def test_integers_equal_the_definition(functions, shape, kernel, stride, mode,
                                       rng):
    A_prev, = integers(rng, shape)
    options = kernel, stride, mode
    check("pool_forward", str(options), functions.pool_forward(
        A_prev, *options), naive.pool_forward(A_prev, *options),
        rtol=rounding(1))       # of the division


@every_shape
@pytest.mark.parametrize("mode, layer", [('max', "MaxPooling2D"),
                                         ('avg', "AveragePooling2D")])
def test_keras_gives_the_same(pool_forward, shape, kernel, stride, mode,
                              layer, rng, tf):
    A_prev = rng.standard_normal(shape)
    layer = getattr(tf.keras.layers, layer)(kernel, stride, dtype="float64")
    check("pool_forward", f"{mode} {kernel} {stride}",
          rtol=rounding(kernel[0] * kernel[1]),
          ours=pool_forward(A_prev, kernel, stride, mode),
          expected=layer(tf.constant(A_prev)))


@pytest.mark.parametrize("dtype, expected", [
    ("float16", "float16"), ("float32", "float32"), ("float64", "float64"),
    (">f4", "float32"), ("uint8", "float64"), ("bool", "float64")])
@pytest.mark.parametrize("mode", ['max', 'avg'])
def test_floats_are_kept_and_integers_become_float64(pool_forward, dtype,
                                                     expected, mode):
    A = pool_forward(np.ones((1, 4, 4, 2), dtype), (2, 2), mode=mode)
    assert A.dtype == expected and A.dtype.isnative
    assert (A == 1).all()


@pytest.mark.parametrize("size", [28, 300])
def test_the_average_of_float16_does_not_overflow(pool_forward, size):
    A_prev = np.full((1, size, size, 1), 255, np.float16)
    A = pool_forward(A_prev, (size, size), mode='avg')
    assert A.dtype == np.float16 and A.item() == 255


def test_the_maximum_of_negative_numbers_is_negative(pool_forward):
    A_prev = -1 - np.arange(4).reshape(1, 2, 2, 1)
    assert pool_forward(A_prev, (2, 2)).tolist() == [[[[-1]]]]


def test_a_window_with_NaN_becomes_NaN_and_no_other(pool_forward):
    A_prev = np.zeros((1, 2, 4, 1))
    A_prev[0, 1, 3] = np.nan
    for mode in ('max', 'avg'):
        A = pool_forward(A_prev, (2, 2), (2, 2), mode)
        assert np.isnan(A).ravel().tolist() == [False, True]


@pytest.mark.filterwarnings("error")
def test_what_overflows_does_not_warn(pool_forward):
    A_prev = np.full((1, 2, 2, 1), 3e38, np.float32)
    assert pool_forward(A_prev, (2, 2), mode='avg').item() == np.inf


def test_inputs_stay_and_results_are_new(pool_forward, rng):
    A_prev, = integers(rng, (2, 4, 4, 1))
    before = A_prev.tobytes()
    A_prev.flags.writeable = False
    for mode in ('max', 'avg'):
        A = pool_forward(A_prev, (1, 1), mode=mode)
        assert A.flags.c_contiguous and A.flags.writeable
        assert not np.shares_memory(A, A_prev)
    assert A_prev.tobytes() == before


def test_whatever_numpy_reads_is_accepted(pool_forward, rng):
    A_prev, = integers(rng, (2, 4, 5, 2))
    expected = pool_forward(A_prev, (2, 3))
    swapped = A_prev.swapaxes(1, 2).copy().swapaxes(1, 2)
    for images in (A_prev.tolist(), swapped, A_prev.astype(">i4")):
        assert (pool_forward(images, [2, np.int64(3)]) == expected).all()


def test_no_images_give_an_empty_result(pool_forward):
    A = pool_forward(np.zeros((0, 5, 4, 2), np.float32), (2, 2), (2, 2))
    assert A.shape == (0, 2, 2, 2) and A.dtype == np.float32
