"""Blocks: memory stays bounded, and no result depends on where one ends."""
import tracemalloc

import numpy as np
import pytest

from cases import integers
from loader import ROOT, load_module
from reference import check, conv, pool
from test_pool_backward import even, mask, scattered

MODULES = {name[2:-3]: load_module(ROOT / name) for name in (
    "0-conv_forward.py", "1-pool_forward.py", "2-conv_backward.py",
    "3-pool_backward.py")}
conv_forward, pool_forward, conv_backward, pool_backward = (
    getattr(module, name) for name, module in MODULES.items())


@pytest.fixture
def cut(monkeypatch):
    """Collect the shapes of all blocks, to see that there was a cut."""
    shapes = []

    def watched(blocks):
        def cutting(*arguments):
            for block in blocks(*arguments):
                shapes.append(tuple(s.stop - s.start for s in block))
                yield block
        return cutting

    for module in MODULES.values():
        monkeypatch.setattr(module, "_blocks", watched(module._blocks))
    return shapes


CUTS = [    # A_prev, W, stride: where a block ends
    pytest.param((70, 40, 50, 1), (5, 5, 1, 2), (1, 2),
                 id="after some images, few channels"),
    pytest.param((1, 1300, 190, 1), (5, 5, 1, 2), (2, 3),
                 id="after some rows, few channels"),
    pytest.param((30, 14, 15, 24), (5, 4, 24, 1), (1, 1),
                 id="after some images"),
    pytest.param((2, 301, 60, 24), (5, 4, 24, 1), (2, 1),
                 id="after some rows"),
    pytest.param((50, 4, 61, 240), (3, 2, 240, 1), (2, 7),
                 id="after some wide images"),
    pytest.param((1, 4, 260, 1800), (2, 3, 1800, 1), (1, 2),
                 id="within a row"),
]


@pytest.mark.parametrize("shape, kernels, stride", CUTS)
def test_convolutions_do_not_depend_on_blocks(shape, kernels, stride, cut,
                                              rng):
    A_prev, W, V, b = integers(rng, shape, kernels, shape, kernels[3:])
    ours = conv_forward(A_prev, W, b, lambda Z: Z, "valid", stride)
    check("conv_forward", shape, ours, conv(A_prev, W, b, *stride))
    dZ, = integers(rng, ours.shape)
    dA_prev, dW, db = conv_backward(dZ, A_prev, W, b, "valid", stride)
    assert (dA_prev * V).sum() == (dZ * conv(V, W, 0 * b, *stride)).sum()
    assert (dW * W).sum() == (dZ * (ours - b)).sum()
    assert (db == dZ.sum(axis=(0, 1, 2))).all()
    assert len(set(cut)) > 1    # the last block is smaller than the others


@pytest.mark.parametrize("shape", [
    pytest.param((90, 30, 31, 3), id="after some images"),
    pytest.param((1, 180, 430, 3), id="after some rows"),
    pytest.param((1, 3, 48, 3000), id="within a row")])
@pytest.mark.parametrize("mode, function, share", [('max', np.max, mask),
                                                   ('avg', np.mean, even)])
def test_poolings_do_not_depend_on_blocks(shape, mode, function, share, cut,
                                          rng):
    A_prev, = integers(rng, shape)
    ours = pool_forward(A_prev, (3, 3), (2, 3), mode)
    check("pool_forward", shape, ours, rtol=1e-15,
          expected=pool(A_prev, 3, 3, 2, 3, function))
    dA, = integers(rng, ours.shape)
    check("pool_backward", shape, rtol=1e-15,
          ours=pool_backward(dA, A_prev, (3, 3), (2, 3), mode),
          expected=scattered(dA, A_prev, (3, 3), (2, 3), share))
    assert len(set(cut)) > 2    # forward and backward were cut


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


def test_large_kernels_are_not_widened_beyond_64_MiB():
    A_prev, W = np.ones((1, 16, 74, 512)), np.ones((11, 11, 512, 1))
    b, dZ = np.zeros(1), np.ones((1, 6, 64, 1))
    beyond = 64 + W.nbytes / 2**20
    assert peak(conv_forward, A_prev, W, b, lambda Z: Z, "valid") <= beyond
    assert peak(conv_backward, dZ, A_prev, W, b, "valid") <= (
        beyond + A_prev.nbytes / 2**20)


@pytest.mark.parametrize("shape, kernels", SIZES)
@pytest.mark.parametrize("mode", ['max', 'avg'])
def test_poolings_take_64_MiB_beyond_what_they_return(shape, kernels, mode):
    A_prev = np.ones(shape, np.float32)
    A = pool_forward(A_prev, (3, 3))
    returned = A.nbytes / 2**20
    assert peak(pool_forward, A_prev, (3, 3), (1, 1), mode) <= returned + 64
    assert peak(pool_backward, A, A_prev, (3, 3), (1, 1), mode, 'first') <= (
        A_prev.nbytes / 2**20 + 64)
