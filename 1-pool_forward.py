#!/usr/bin/env python3
"""Pooling, forward: each window becomes its maximum or its mean."""
import numpy as np

# Numbers of a block: half a megabyte of float32 stays in the cache.
_BLOCK = 2**17


def pool_forward(A_prev, kernel_shape, stride=(1, 1), mode='max'):
    """Replace each window of the images A_prev by one number per channel.

    A[n, y, x, c] = max (or mean) over (i, j) of
        A_prev[n, y*sh + i, x*sw + j, c]

    There is no padding: only windows entirely inside the image count. The
    maximum of a window is the maximum of the maxima of its columns, and so
    is the mean: first over i, then over j takes kh + kw steps, not kh * kw.

    m images of h rows, w columns and c channels; `_prev`: of the input,
    `_new`: of the output; kernels of kh x kw; strides sh and sw.

    Parameters
    ----------
    A_prev : (m, h_prev, w_prev, c_prev) array_like
        Images. m may be 0, all other sizes are at least 1.
    kernel_shape : (kh, kw)
        Integers of at least 1.
    stride : (sh, sw)
        Integers of at least 1.
    mode : 'max' or 'avg'

    Returns
    -------
    A : (m, h_new, w_new, c_prev) ndarray
        Where h_new = (h_prev - kh) // sh + 1 and w_new likewise. It has the
        dtype of A_prev; integers and booleans count as float64, and float16
        is computed in float32 and rounded once.

    Raises
    ------
    TypeError
        A_prev is not of real numbers, kernel_shape or stride not of integers.
    ValueError
        A size or stride is below 1, A_prev does not have four axes, mode is
        unknown, the kernel is larger than the image.

    Notes
    -----
    Inputs are never modified; results share no memory with them. NaN and
    infinity propagate as in any NumPy arithmetic: a window that holds a NaN
    becomes NaN. Beyond its input and its result, a call needs at most 64 MiB,
    but always computes one row of outputs at once.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning
    applied to document recognition", Proc. IEEE 86.
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep
    learning", arXiv:1603.07285.

    Examples
    --------
    >>> A_prev = np.arange(9).reshape(1, 3, 3, 1)
    >>> pool_forward(A_prev, (2, 2))[0, :, :, 0]
    array([[4., 5.],
           [7., 8.]])
    >>> pool_forward(A_prev, (2, 2), mode='avg')[0, :, :, 0]
    array([[2., 3.],
           [5., 6.]])
    """
    A_prev, (kh, kw), (sh, sw), (h_new, w_new) = _pool_arguments(
        A_prev, kernel_shape, stride, mode)
    m, _, w_prev, c_prev = A_prev.shape
    dtype, working = _dtypes(A_prev)
    A = np.empty((m, h_new, w_new, c_prev), dtype)
    operation = np.maximum if mode == 'max' else np.add

    # The maxima (or sums) over i of a block, for all columns of its images.
    over_rows = _windows(A_prev, (kh, 1), (sh, 1))[:, :, :, :, 0]
    blocks = _blocks(over_rows, _BLOCK // c_prev)
    n, h = max((A[block].shape[:2] for block in blocks), default=(0, 0))
    buffer = np.empty((n, h, w_prev, c_prev), working)
    over_cols = _windows(buffer, (1, kw), (1, sw))[:, :, :, 0]

    for block in blocks:
        A_block = A[block]
        if dtype != working:
            A_block = np.empty(A_block.shape, working)
        n, h = A_block.shape[:2]
        _reduce(operation, over_rows[block], out=buffer[:n, :h])    # over i
        _reduce(operation, over_cols[:n, :h], out=A_block)          # over j
        if mode == 'avg':
            A_block /= kh * kw
        A[block] = A_block

    return A


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


def _reduce(operation, windows, out):
    """Combine the elements of windows (n, y, x, element, c) into out.

    Few channels are taken one by one where pixels do not lie side by side:
    NumPy's inner loop then runs over pixels, not over the few channels.
    """
    *_, pixel, _, channel = windows.strides
    c_prev, elements = out.shape[-1], range(windows.shape[3])
    one_by_one = c_prev <= 8 and pixel != c_prev * channel
    for c in range(c_prev) if one_by_one else [slice(None)]:
        first, *others = (windows[:, :, :, i][..., c] for i in elements)
        result = out[..., c]
        if others:
            operation(first, others[0], out=result, dtype=out.dtype)
        else:
            result[...] = first
        for element in others[1:]:
            operation(result, element, out=result)
