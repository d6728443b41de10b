"""Memory stays bounded, whatever the batch, the image or the window."""
import tracemalloc

import numpy as np
import pytest

from common import load, same_Z

conv_forward = load("0-conv_forward.py")
pool_forward = load("1-pool_forward.py")
conv_backward = load("2-conv_backward.py")
pool_backward = load("3-pool_backward.py")


def slow(*values, id):
    """Name a case that only CI runs."""
    return pytest.param(*values, id=id, marks=pytest.mark.slow)


def temporary(function, *arguments):
    """Return the peak memory of a call in MiB, without its result."""
    tracemalloc.start()
    result = function(*arguments)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    arrays = result if isinstance(result, tuple) else (result,)
    return (peak - sum(array.nbytes for array in arrays)) / 2**20


def ones(*shape, dtype=np.float32):
    return np.ones(shape, dtype)


CONVOLUTIONS = [     # A_prev, W, dtype of A_prev, padded images in MiB
    slow((20000, 28, 28, 1), (5, 5, 1, 6), "f4", 0, id="many images"),
    slow((60000, 28, 28, 1), (3, 3, 1, 2), "u1", 0, id="integers"),
    slow((20000, 28, 28, 1), (3, 3, 1, 2), "f2", 0, id="float16"),
    pytest.param((1, 1500, 2000, 3), (3, 3, 3, 4), "f4", 35, id="photograph"),
    slow((90, 56, 56, 1), (1, 1, 1, 512), "i1", 0, id="many kernels"),
]


@pytest.mark.parametrize("shape, kernels, dtype, padded", CONVOLUTIONS)
def test_convolutions_take_64_MiB_beyond_padded_images(shape, kernels, dtype,
                                                       padded):
    A_prev, W = ones(*shape, dtype=dtype), ones(*kernels)
    b, more = ones(kernels[3]), 0
    if dtype == "f2":
        W, b = W.astype(dtype), b.astype(dtype)
        # One more copy of the result, in float32.
        more = 4 * len(A_prev) * shape[1] * shape[2] * kernels[3] / 2**20
    assert temporary(conv_forward, A_prev, W, b, same_Z) <= 64 + padded + more
    if len(A_prev) < 60000:
        dZ = ones(*shape[:3], kernels[3], dtype=dtype)
        with np.errstate(over="ignore"):    # dW in float16
            assert temporary(conv_backward, dZ, A_prev, W, b) <= (
                64 + 2 * padded)


def test_large_kernels_are_not_widened_beyond_64_MiB():
    A_prev, W, b = np.ones((1, 16, 74, 512)), np.ones((11, 11, 512, 1)), [0.0]
    dZ = np.ones((1, 6, 64, 1))
    copies = 3 * W.nbytes / 2**20
    assert temporary(conv_forward, A_prev, W, b, same_Z, "valid") <= 64
    assert temporary(conv_backward, dZ, A_prev, W, b, "valid") <= 64 + copies
    W = ones(200, 200, 1, 1)
    dZ, A_prev = ones(1, 101, 101, 1), ones(1, 300, 300, 1)
    assert temporary(conv_backward, dZ, A_prev, W, ones(1), "valid") <= 64


@pytest.mark.slow
def test_what_no_window_needs_is_not_padded_at_once():
    # Each image has 16 outputs and 160,000 pixels.
    A_prev, W = ones(100, 400, 400, 1), ones(1, 1, 1, 1)
    dZ = ones(100, 5, 5, 1)
    options = (1, 1), (100, 100)
    assert temporary(conv_forward, A_prev, W, ones(1), same_Z, *options) <= 64
    assert temporary(conv_backward, dZ, A_prev, W, ones(1), *options) <= 64


def test_tall_kernels_are_not_widened_beyond_64_MiB():
    A_prev, W = np.ones((1, 8100, 100, 1)), np.ones((8000, 2, 1, 1))
    dZ = np.ones((1, 101, 99, 1))
    assert temporary(conv_forward, A_prev, W, [0.0], same_Z, "valid") <= 64
    assert temporary(conv_backward, dZ, A_prev, W, [0.0], "valid") <= 64


POOLINGS = [     # A_prev, window, stride, dtype
    slow((60000, 28, 28, 1), (2, 2), (2, 2), "f4", id="many images"),
    slow((60000, 28, 28, 1), (2, 2), (2, 2), "u1", id="integers"),
    slow((60000, 28, 28, 1), (2, 2), (2, 2), "f2", id="float16"),
    pytest.param((1, 1500, 2000, 3), (3, 3), (1, 1), "f4", id="photograph"),
    pytest.param((1, 3000, 3000, 3), (3, 2), (2, 2), "f2", id="float16 photo"),
    slow((1, 300, 300, 1), (300, 300), (1, 1), "f4", id="all of it"),
    pytest.param((5000, 2, 400, 1), (2, 400), (1, 1), "f4", id="all rows"),
    slow((8000, 1, 3000, 1), (1, 1), (1, 600), "f4", id="large stride"),
]


@pytest.mark.parametrize("shape, kernel, stride, dtype", POOLINGS)
@pytest.mark.parametrize("mode", ['max', 'avg'])
def test_poolings_take_64_MiB(shape, kernel, stride, dtype, mode):
    A_prev = ones(*shape, dtype=dtype)
    options = kernel, stride, mode
    dA = pool_forward(A_prev, *options)
    # float16: one more copy of the result, in float32.
    more, more_backward = (2 * a.nbytes / 2**20 if dtype == "f2" else 0
                           for a in (dA, A_prev))
    assert temporary(pool_forward, A_prev, *options) <= 64 + more
    assert temporary(pool_backward, dA, A_prev, *options, 'first') <= (
        64 + more_backward)


def test_the_output_row_of_a_panorama_may_take_more():
    # One row of outputs is computed together: 100,000 windows of 432 numbers.
    A_prev, W = ones(1, 4, 100000, 16), ones(3, 9, 16, 2)
    row, padded = 100000 * 433 * 4 / 2**20, 6 * 100008 * 16 * 4 / 2**20
    assert row > 64
    assert temporary(conv_forward, A_prev, W, [0.0, 0.0], same_Z) <= (
        64 + 2 * row + 2 * padded)      # computed in float64, as b is
