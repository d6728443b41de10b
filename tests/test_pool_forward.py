"""1-pool_forward.py against its definition and Keras."""
import naive
import numpy as np
import pytest

from cases import POOLINGS, integers
from compare import check, rounding


def test_the_tiny_example_by_hand(pool_forward):
    A_prev = np.arange(9).reshape(1, 3, 3, 1)
    maximum = pool_forward(A_prev, (2, 2))[0, :, :, 0]
    assert maximum.tolist() == [[4, 5], [7, 8]]
    average = pool_forward(A_prev, (2, 2), mode='avg')[0, :, :, 0]
    assert average[0, 0] == (0 + 1 + 3 + 4) / 4
    assert average.tolist() == [[2, 3], [5, 6]]


@POOLINGS
@pytest.mark.parametrize("mode", ['max', 'avg'])
def test_integers_equal_the_definition(functions, shape, kernel, stride, mode,
                                       rng):
    A_prev, = integers(rng, shape)
    options = kernel, stride, mode
    check("pool_forward", str(options), functions.pool_forward(
        A_prev, *options), naive.pool_forward(A_prev, *options),
        rtol=rounding(1))       # of the division


@POOLINGS
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


@pytest.mark.parametrize("size", [28, 300])
def test_the_average_of_float16_does_not_overflow(pool_forward, size):
    A_prev = np.full((1, size, size, 1), 255, np.float16)
    A = pool_forward(A_prev, (size, size), mode='avg')
    assert A.dtype == np.float16 and A.item() == 255


def test_a_window_with_NaN_becomes_NaN_and_no_other(pool_forward):
    A_prev = np.zeros((1, 2, 4, 1))
    A_prev[0, 1, 3] = np.nan
    for mode in ('max', 'avg'):
        A = pool_forward(A_prev, (2, 2), (2, 2), mode)
        assert np.isnan(A).ravel().tolist() == [False, True]
