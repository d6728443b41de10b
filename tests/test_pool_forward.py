"""1-pool_forward.py against its definition, Keras and itself."""
import numpy as np
import pytest

from cases import integers
from loader import load
from reference import check, pool

pool_forward = load("1-pool_forward.py")

POOLS = [   # A_prev, kernel_shape, stride, and why
    pytest.param((2, 6, 6, 3), (2, 2), (2, 2), id="tiles"),
    pytest.param((2, 7, 9, 3), (2, 2), (2, 2), id="a rest is dropped"),
    pytest.param((2, 7, 6, 3), (3, 2), (1, 1), id="windows overlap"),
    pytest.param((2, 8, 9, 2), (3, 3), (2, 2), id="overlap under a stride"),
    pytest.param((2, 8, 9, 2), (1, 3), (3, 2), id="two kernels two strides"),
    pytest.param((2, 8, 9, 2), (2, 1), (3, 4), id="stride over the kernel"),
    pytest.param((2, 4, 5, 3), (4, 5), (1, 1), id="one window an image"),
    pytest.param((2, 4, 5, 3), (1, 1), (1, 1), id="windows of one pixel"),
]
every_pool = pytest.mark.parametrize("shape, kernel, stride", POOLS)


def test_the_tiny_example_by_hand():
    A_prev = np.arange(9).reshape(1, 3, 3, 1)
    highest = pool_forward(A_prev, (2, 2))[0, :, :, 0]
    assert highest.tolist() == [[4, 5], [7, 8]]
    average = pool_forward(A_prev, (2, 2), mode='avg')[0, :, :, 0]
    assert average[0, 0] == (0 + 1 + 3 + 4) / 4
    assert average.tolist() == [[2, 3], [5, 6]]


@every_pool
@pytest.mark.parametrize("mode, function", [('max', np.max), ('avg', np.mean)])
def test_integers_equal_the_definition(shape, kernel, stride, mode, function,
                                       rng):
    A_prev, = integers(rng, shape)
    check("pool_forward", f"{mode} {kernel} {stride}", rtol=1e-15,
          ours=pool_forward(A_prev, kernel, stride, mode),
          expected=pool(A_prev, *kernel, *stride, function))


@every_pool
@pytest.mark.parametrize("mode, layer", [('max', "MaxPooling2D"),
                                         ('avg', "AveragePooling2D")])
def test_keras_gives_the_same(shape, kernel, stride, mode, layer, rng, tf):
    A_prev = rng.standard_normal(shape)
    layer = getattr(tf.keras.layers, layer)(kernel, stride, dtype="float64")
    check("pool_forward", f"{mode} {kernel} {stride}", rtol=1e-15,
          ours=pool_forward(A_prev, kernel, stride, mode),
          expected=layer(tf.constant(A_prev)))


@pytest.mark.parametrize("dtype, expected", [
    ("float16", "float16"), ("float32", "float32"), ("float64", "float64"),
    ("uint8", "float64"), ("bool", "float64")])
@pytest.mark.parametrize("mode", ['max', 'avg'])
def test_floats_are_kept_and_integers_become_float64(dtype, expected, mode):
    A = pool_forward(np.ones((1, 4, 4, 2), dtype), (2, 2), mode=mode)
    assert A.dtype == expected
    assert (A == 1).all()


def test_the_maximum_of_negative_numbers_is_negative():
    A_prev = -1 - np.arange(4).reshape(1, 2, 2, 1)
    assert pool_forward(A_prev, (2, 2)).tolist() == [[[[-1]]]]


def test_a_NaN_shows_in_its_windows_and_no_other():
    A_prev = np.zeros((1, 2, 4, 1))
    A_prev[0, 1, 3] = np.nan
    for mode in ('max', 'avg'):
        A = pool_forward(A_prev, (2, 2), (2, 2), mode)
        assert np.isnan(A).ravel().tolist() == [False, True]


def test_inputs_stay_and_results_are_new(rng):
    A_prev, = integers(rng, (2, 4, 4, 1))
    before = A_prev.tobytes()
    A_prev.flags.writeable = False
    for mode in ('max', 'avg'):
        A = pool_forward(A_prev, (1, 1), mode=mode)
        assert A.flags.c_contiguous and A.flags.writeable
        assert not np.shares_memory(A, A_prev)
    assert A_prev.tobytes() == before


def test_whatever_numpy_reads_is_accepted(rng):
    A_prev, = integers(rng, (2, 4, 5, 2))
    expected = pool_forward(A_prev, (2, 3))
    swapped = A_prev.swapaxes(1, 2).copy().swapaxes(1, 2)
    for images in (A_prev.tolist(), swapped):
        assert (pool_forward(images, [2, np.int64(3)]) == expected).all()


def test_no_images_give_an_empty_result():
    A = pool_forward(np.zeros((0, 5, 4, 2), np.float32), (2, 2), (2, 2))
    assert A.shape == (0, 2, 2, 2) and A.dtype == np.float32


RIGHT = dict(A_prev=np.ones((2, 5, 6, 3)), kernel_shape=(2, 2))


@pytest.mark.parametrize("wrong, error, message", [
    (dict(A_prev=np.ones((5, 6))), ValueError,
     r"A_prev: expected 4 axes .*got shape \(5, 6\)"),
    (dict(A_prev=np.ones((2, 5, 6, 0))), ValueError, "A_prev: .* at least 1"),
    (dict(A_prev=np.ones((2, 5, 6, 3), complex)), TypeError, "A_prev: "),
    (dict(kernel_shape=(6, 2)), ValueError,
     r"kernel_shape: expected a kernel within A_prev's \(5, 6\), "
     r"got \(6, 2\)"),
    (dict(kernel_shape=(0, 2)), ValueError, r"kernel_shape: .* \(0, 2\)"),
    (dict(kernel_shape=2), TypeError, "kernel_shape: .* got 2"),
    (dict(kernel_shape=(2., 2.)), TypeError, "kernel_shape: "),
    (dict(stride=(0, 2)), ValueError, r"stride: .* got \(0, 2\)"),
    (dict(stride=(False, True)), TypeError, "stride: .* got .False, True"),
    (dict(stride=(1, 2, 3)), ValueError, r"stride: .* got \(1, 2, 3\)"),
    (dict(mode='mean'), ValueError,
     "mode: expected 'max' or 'avg', got 'mean'"),
    (dict(mode=None), ValueError, "mode: .* got None"),
])
def test_what_is_wrong_is_refused(wrong, error, message):
    with pytest.raises(error, match=message):
        pool_forward(**{**RIGHT, **wrong})
