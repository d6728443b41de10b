#!/usr/bin/env python3
"""Pooling, backward: the gradient of each output goes to its window."""
import numpy as np

# Numbers of a block: half a megabyte of float32 stays in the cache.
_BLOCK = 2**17


def pool_backward(dA, A_prev, kernel_shape, stride=(1, 1), mode='max',
                  ties='all'):
    """Backpropagate dA, the gradient of a loss, through a pooling.

    A[n, y, x, c] = max (or mean) over (i, j) of
        A_prev[n, y*sh + i, x*sw + j, c]

    is the forward pass. For all (n, y, x, i, j, c):

    'max':  dA_prev[n, y*sh + i, x*sw + j, c] += dA[n, y, x, c]
            where A_prev[n, y*sh + i, x*sw + j, c] == A[n, y, x, c]
    'avg':  dA_prev[n, y*sh + i, x*sw + j, c] += dA[n, y, x, c] / (kh * kw)

    Where windows overlap, their gradients add up.

    m images of h rows, w columns and c channels; `_prev`: of the input,
    `_new`: of the output; kernels of kh x kw; strides sh and sw.

    Parameters
    ----------
    dA : (m, h_new, w_new, c_prev) array_like
        Gradient of the loss with respect to A, the result of the pooling.
    A_prev : (m, h_prev, w_prev, c_prev) array_like
        Images. m may be 0, all other sizes are at least 1.
    kernel_shape : (kh, kw)
        Integers of at least 1, as in the forward pass.
    stride : (sh, sw)
        Integers of at least 1, as in the forward pass.
    mode : 'max' or 'avg'
    ties : 'all' or 'first'
        If several elements of a window equal its maximum: 'all' gives each
        of them the whole gradient (the mask of most courses), 'first' only
        the first in row-major order (TensorFlow, PyTorch). To train, use
        'first'; to reproduce a course's numbers, 'all'.

    Returns
    -------
    dA_prev : (m, h_prev, w_prev, c_prev) ndarray
        Gradient with respect to A_prev: float32 if both arrays are; in
        general of their promoted dtype, integers and booleans counting as
        float64. float16 is computed in float32 and rounded once.

    Raises
    ------
    TypeError
        An array is not of real numbers, kernel_shape or stride not of
        integers.
    ValueError
        Shapes do not match (that of dA is the one the forward pass gives), a
        size or stride is below 1, mode or ties is unknown, the kernel is
        larger than the image.

    Notes
    -----
    Inputs are never modified; results share no memory with them. NaN and
    infinity propagate as in any NumPy arithmetic. The maximum of a window
    that holds a NaN is NaN, which equals no element: under both rules of
    ties, the gradient of that window is 0. Beyond its inputs and its result,
    a call needs at most 64 MiB, but always computes one row of outputs at
    once.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning
    applied to document recognition", Proc. IEEE 86.
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep
    learning", arXiv:1603.07285.

    Examples
    --------
    >>> A_prev = np.arange(9).reshape(1, 3, 3, 1)
    >>> dA = np.array([[1, 2], [3, 4]]).reshape(1, 2, 2, 1)
    >>> pool_backward(dA, A_prev, (2, 2))[0, :, :, 0]
    array([[0., 0., 0.],
           [0., 1., 2.],
           [0., 3., 4.]])
    >>> 4 * pool_backward(dA, A_prev, (2, 2), mode='avg')[0, :, :, 0]
    array([[ 1.,  3.,  2.],
           [ 4., 10.,  6.],
           [ 3.,  7.,  4.]])
    """
    A_prev, kernel, stride, (h_new, w_new) = _pool_arguments(
        A_prev, kernel_shape, stride, mode)
    m, h_prev, w_prev, c_prev = A_prev.shape
    dA = _array("dA", dA)
    _expect(isinstance(ties, str) and ties in ("all", "first"), "ties",
            "'all' or 'first'", ties)
    _expect(dA.shape == (m, h_new, w_new, c_prev), "dA", "the forward pass's "
            f"shape {(m, h_new, w_new, c_prev)}", dA.shape, what="shape ")
    dtype, working = _dtypes(dA, A_prev)
    dA_prev = np.zeros(A_prev.shape, dtype)

    # float16 is summed in float32, in a copy of a few images at a time.
    few = m if dtype == working else 32 * _BLOCK // (h_prev * w_prev * c_prev)
    for images in _slices(m, few):
        dA_sum = dA_prev[images].astype(working, copy=False)
        if mode == 'max':
            _max_backward(dA[images], A_prev[images], dA_sum, kernel, stride,
                          ties)
        else:
            _avg_backward(dA[images], dA_sum, kernel, stride)
        dA_prev[images] = dA_sum

    return dA_prev


def _expect(holds, name, expected, got, error=ValueError, what=""):
    """Raise an error that names the argument unless the condition holds."""
    if not holds:
        raise error(f"{name}: expected {expected}, got {what}{got!r}")


def _array(name, value, axes=()):
    """Return value as an array of these axes; all but m are at least 1."""
    try:
        array = np.asarray(value)
    except Exception as error:
        raise TypeError(f"{name}: expected a real numeric array, got "
                        f"{type(value).__name__} ({error})") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected a real numeric array, got "
                        f"{type(value).__name__} of dtype {array.dtype}")
    _expect(not axes or array.ndim == len(axes)
            and all(array.shape[axes[0] == "m":]), name,
            f"{len(axes)} axes ({', '.join(axes)}) of at least 1",
            array.shape, what="shape ")
    return array


def _pair(name, value, minimum=1, expected="a pair of integers"):
    """Return value as (int, int), each of at least the minimum."""
    expected += f" of at least {minimum}"
    numbers = value.tolist() if isinstance(value, np.ndarray) else value
    _expect(isinstance(numbers, (tuple, list)) and all(
        isinstance(number, (int, np.integer)) and not isinstance(number, bool)
        for number in numbers), name, expected, value, TypeError)
    _expect(len(numbers) == 2 and min(numbers) >= minimum,
            name, expected, value)
    return int(numbers[0]), int(numbers[1])


def _pool_arguments(A_prev, kernel_shape, stride, mode):
    """Return every argument in one form, and the size (h_new, w_new) of A."""
    A_prev = _array("A_prev", A_prev, ("m", "h_prev", "w_prev", "c_prev"))
    kh, kw = _pair("kernel_shape", kernel_shape)
    sh, sw = _pair("stride", stride)
    _, h_prev, w_prev, _ = A_prev.shape
    _expect(kh <= h_prev and kw <= w_prev, "kernel_shape",
            f"a kernel within A_prev's {(h_prev, w_prev)}", (kh, kw))
    _expect(isinstance(mode, str) and mode in ("max", "avg"), "mode",
            "'max' or 'avg'", mode)
    h_new, w_new = (h_prev - kh) // sh + 1, (w_prev - kw) // sw + 1
    return A_prev, (kh, kw), (sh, sw), (h_new, w_new)


def _dtypes(*arrays):
    """Return the dtype of the result, and the dtype to compute in.

    NumPy's promotion, where integers and booleans count as float64. float16
    is computed in float32 and rounded once, at the end.
    """
    dtype = np.result_type(*(
        array.dtype if array.dtype.kind == "f" else np.float64
        for array in arrays)).newbyteorder("=")
    return dtype, np.promote_types(dtype, np.float32)


def _slices(size, most):
    """Cut range(size) into slices of one length, at most `most` or 1.

    >>> _slices(10, 4)
    [slice(0, 4, None), slice(4, 8, None), slice(8, 12, None)]
    """
    parts = -(-size // max(most, 1))
    length = -(-size // max(parts, 1))
    return [slice(i, i + length) for i in range(0, size, max(length, 1))]


def _blocks(windows, most):
    """Cut windows (m, h_new, w_new, ...) into blocks of at most so many.

    A block is whole images while they fit, else rows of one image, at least
    one. So each block of an output is one piece of memory.
    """
    m, h_new, w_new = windows.shape[:3]
    rows = most // w_new
    return [(n, y) for n in _slices(m, rows // h_new)
            for y in _slices(h_new, rows)]


def _windows(A, kernel, stride, writeable=False):
    """View images as windows[n, y, x, i, j, c] = A[n, y*sh + i, x*sw + j, c].

    Nothing is copied: in memory, a step along y is sh rows, along i one row.
    """
    (m, h, w, c), (kh, kw), (sh, sw) = A.shape, kernel, stride
    image, row, column, channel = A.strides
    return np.lib.stride_tricks.as_strided(
        A, (m, (h - kh) // sh + 1, (w - kw) // sw + 1, kh, kw, c),
        (image, sh * row, sw * column, row, column, channel),
        writeable=writeable)


def _max_backward(dA, A_prev, dA_prev, kernel, stride, ties):
    """Add dA to the elements of each window that equal its maximum."""
    windows = _windows(A_prev, kernel, stride)
    dwindows = _windows(dA_prev, kernel, stride, writeable=True)
    c_prev = dA.shape[3]
    for block in _blocks(windows, _BLOCK // (4 * c_prev)):
        for c in _channels(c_prev, few=3):
            window, dwindow = windows[block][..., c], dwindows[block][..., c]
            share = dA[block][..., c].astype(dA_prev.dtype)
            times = np.multiply if np.isfinite(share).all() else _where
            elements = np.ndindex(kernel)
            i, j = next(elements)
            maximum = window[:, :, :, i, j]
            for i, j in elements:
                maximum = np.maximum(maximum, window[:, :, :, i, j])
            free = np.ones(maximum.shape, bool)
            for i, j in np.ndindex(kernel):
                mask = window[:, :, :, i, j] == maximum
                if ties == 'first':
                    mask &= free
                    free &= ~mask
                dwindow[:, :, :, i, j] += times(mask, share)


def _where(mask, dA):
    """Return mask * dA, but 0 where False meets NaN or infinity; slower."""
    return np.where(mask, dA, 0)


def _avg_backward(dA, dA_prev, kernel, stride):
    """Add dA / (kh * kw) to all elements of each window.

    First to the columns of the windows, in a buffer, and then the columns to
    the rows of dA_prev: kh + kw additions instead of kh * kw.
    """
    (kh, kw), (sh, sw), (_, _, w_new, c_prev) = kernel, stride, dA.shape
    over_rows = _windows(dA_prev, (kh, 1), (sh, 1), True)[:, :, :, :, 0]
    blocks = _blocks(over_rows, _BLOCK // c_prev)
    n, h = max(dA[block].shape[:2] for block in blocks)
    buffer = np.zeros((n, h, *dA_prev.shape[2:]), dA_prev.dtype)
    over_cols = _windows(buffer, (1, kw), (1, sw), True)[:, :, :, 0]
    for block in blocks:
        n, h = dA[block].shape[:2]
        share = dA[block].astype(dA_prev.dtype) / (kh * kw) + 0     # no -0.0
        buffer[:, :, w_new * sw:] = 0
        for c in _channels(c_prev, few=8):
            for j in range(kw):
                _accumulate(share[..., c], over_cols[:n, :h, :, j][..., c],
                            overlap=j >= sw)
        for i in range(kh):
            _accumulate(buffer[:n, :h], over_rows[block][:, :, :, i],
                        overlap=kh > sh)


def _accumulate(values, to, overlap):
    """Add values to what overlapping windows gave, or write the first."""
    if overlap:
        to += values
    else:
        to[...] = values


def _channels(c_prev, few):
    """Index all channels at once or, where they are few, one by one.

    NumPy's inner loop runs over them, and is slow when it is short.
    """
    return range(c_prev) if c_prev <= few else [slice(None)]
