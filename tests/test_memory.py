"""Memory stays bounded, whatever the batch, the image or the window."""
import tracemalloc

import numpy as np
import pytest

from common import same_Z
from conftest import loaded, table

functions = loaded()


def temporary(function, *arguments):
    """Return the result of a call and, in MiB, its peak memory beyond it."""
    tracemalloc.start()
    result = function(*arguments)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    arrays = result if isinstance(result, tuple) else (result,)
    return result, (peak - sum(array.nbytes for array in arrays)) / 2**20


# 64 MiB, and for each padded copy 34 (photograph) or 37 (panorama), for the
# result in float32 120 (float16), for three copies of the kernels 1.5 (many
# channels) and for the patches of one row of outputs 165 (panorama).
@table("A_prev, W, dtype, padding, stride, forward, backward", """
*20000x28x28x1 5x5x1x6 f4 same 1x1 64 64 many images
*60000x28x28x1 3x3x1x2 u1 same 1x1 64 0 integers
*20000x28x28x1 3x3x1x2 f2 same 1x1 184 64 float16
 100x120x120x16 1x1x16x9 u1 valid 1x1 64 64 integers, both ways
 1x1500x2000x3 2x2x3x4 f4 same 1x1 98 132 photograph
*90x56x56x1 1x1x1x512 i1 same 1x1 64 64 many kernels
 1x16x74x512 11x11x512x1 f8 valid 1x1 64 65.5 many channels
 1x300x300x1 200x200x1x1 f4 valid 1x1 64 64 kernel and image are large
 1x8005x100x1 8000x2x1x1 f8 valid 1x1 64 64 tall kernel
*2000x40x61x1 3x3x1x4 f4 valid 1x1 64 64 neighbours and a remainder
*100x400x400x1 1x1x1x1 f4 1x1 100x100 64 64 pixels that no window covers
 1x4x100000x16 3x9x16x2 f4 same 1x1 266 0 panorama
""")
def test_convolutions_take_64_MiB_and_a_padded_copy(
        A_prev, W, dtype, padding, stride, forward, backward):
    A_prev = np.ones(A_prev, dtype)
    W = np.ones(W, dtype if dtype[0] == "f" else "f4")
    options = W, np.ones(W.shape[3], W.dtype)
    Z, most = temporary(functions.conv_forward, A_prev, *options, same_Z,
                        padding, stride)
    assert most <= float(forward)
    if backward != "0":
        dZ = np.ones(Z.shape, dtype)
        _, most = temporary(functions.conv_backward, dZ, A_prev, *options,
                            padding, stride)
        assert most <= float(backward)


@table("A_prev, kernel, stride, dtype", """
*60000x28x28x1 2x2 2x2 f4 many images
*60000x28x28x1 2x2 2x2 u1 integers
*60000x28x28x1 2x2 2x2 f2 float16
 1x1500x2000x3 3x3 1x1 f4 photograph
 1x3000x3000x3 3x2 2x2 f2 photograph in float16
*1x300x300x1 300x300 1x1 f4 all of the image
 5000x2x400x1 2x400 1x1 f4 all rows
*8000x1x3000x1 1x1 1x600 f4 large stride
""")
@pytest.mark.parametrize("mode", ['max', 'avg'])
def test_poolings_take_64_MiB(A_prev, kernel, stride, dtype, mode):
    A_prev = np.ones(A_prev, dtype)
    options = kernel, stride, mode
    # float16: one more copy of the result, in float32.
    copies = 2 * (dtype == "f2")
    A, most = temporary(functions.pool_forward, A_prev, *options)
    assert most <= 64 + copies * A.nbytes / 2**20
    dA_prev, most = temporary(functions.pool_backward, A, A_prev, *options,
                              'first')
    assert most <= 64 + copies * dA_prev.nbytes / 2**20
