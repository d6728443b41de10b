"""Blocks: memory stays bounded, and no result depends on where one ends."""
import tracemalloc

import numpy as np
import pytest

from cases import integers
from collection import load
from reference import check, conv, pool
from test_pool_backward import even, mask, scattered

conv_forward = load("0-conv_forward.py")
pool_forward = load("1-pool_forward.py")
conv_backward = load("2-conv_backward.py")
pool_backward = load("3-pool_backward.py")

CUTS = [    # A_prev, W: where a block ends
    pytest.param((7, 40, 50, 1), (5, 5, 1, 2), id="after some images, few "
                 "channels"),
    pytest.param((1, 200, 90, 1), (5, 5, 1, 2), id="after some rows, few "
                 "channels"),
    pytest.param((9, 14, 15, 24), (5, 4, 24, 2), id="after some images"),
    pytest.param((2, 41, 60, 24), (5, 4, 24, 2), id="after some rows"),
    pytest.param((2, 3, 130, 1300), (2, 3, 1300, 1), id="within a row"),
]


@pytest.mark.parametrize("shape, kernels", CUTS)
def test_convolutions_do_not_depend_on_blocks(shape, kernels, rng):
    A_prev, W, V, b = integers(rng, shape, kernels, shape, kernels[3:])
    ours = conv_forward(A_prev, W, b, lambda Z: Z, "valid")
    check("conv_forward", shape, ours, conv(A_prev, W, b, 1, 1))
    dZ, = integers(rng, ours.shape)
    dA_prev, dW, db = conv_backward(dZ, A_prev, W, b, "valid")
    assert (dA_prev * V).sum() == (dZ * conv(V, W, 0 * b, 1, 1)).sum()
    assert (dW * W).sum() == (dZ * (ours - b)).sum()
    assert (db == dZ.sum(axis=(0, 1, 2))).all()


@pytest.mark.parametrize("shape", [
    pytest.param((40, 30, 31, 3), id="after some images"),
    pytest.param((1, 180, 260, 3), id="after some rows"),
    pytest.param((1, 3, 30, 3000), id="within a row")])
@pytest.mark.parametrize("mode, function, share", [('max', np.max, mask),
                                                   ('avg', np.mean, even)])
def test_poolings_do_not_depend_on_blocks(shape, mode, function, share, rng):
    A_prev, = integers(rng, shape)
    ours = pool_forward(A_prev, (3, 3), (2, 2), mode)
    check("pool_forward", shape, ours, rtol=1e-15,
          expected=pool(A_prev, 3, 3, 2, 2, function))
    dA, = integers(rng, ours.shape)
    check("pool_backward", shape, rtol=1e-15,
          ours=pool_backward(dA, A_prev, (3, 3), (2, 2), mode),
          expected=scattered(dA, A_prev, (3, 3), (2, 2), share))


def peak(function, *arguments):
    """Return the peak memory of a call in MiB, its result included."""
    tracemalloc.start()
    function(*arguments)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 2**20


SIZES = [   # A_prev, W; the column matrix of all would hold 300 MiB and more
    pytest.param((15000, 28, 28, 1), (3, 3, 1, 2), id="many images"),
    pytest.param((1, 1500, 2000, 3), (3, 3, 3, 4), id="a photograph"),
    pytest.param((1, 4, 100000, 16), (3, 9, 16, 2), id="a panorama"),
]


@pytest.mark.parametrize("shape, kernels", SIZES)
def test_convolutions_take_64_MiB_beyond_what_they_return(shape, kernels):
    m, h, w, c_prev = shape
    A_prev, W = (np.ones(s, np.float32) for s in (shape, kernels))
    b = np.zeros(kernels[3], np.float32)
    dZ = np.ones((m, h, w, kernels[3]), np.float32)
    padded = m * (h + 2) * (w + 8) * c_prev * 4 / 2**20
    columns = dZ[..., 0].size * W[..., 0].size * 4 / 2**20
    assert columns > 300
    assert peak(conv_forward, A_prev, W, b, lambda Z: Z) <= (
        dZ.nbytes / 2**20 + padded + 64)
    assert peak(conv_backward, dZ, A_prev, W, b) <= (
        A_prev.nbytes / 2**20 + 2 * padded + 64)


@pytest.mark.parametrize("shape, kernels", SIZES)
@pytest.mark.parametrize("mode", ['max', 'avg'])
def test_poolings_take_64_MiB_beyond_what_they_return(shape, kernels, mode):
    A_prev = np.ones(shape, np.float32)
    A = pool_forward(A_prev, (3, 3))
    returned = A.nbytes / 2**20
    assert peak(pool_forward, A_prev, (3, 3), (1, 1), mode) <= returned + 64
    assert peak(pool_backward, A, A_prev, (3, 3), (1, 1), mode, 'first') <= (
        A_prev.nbytes / 2**20 + 64)
