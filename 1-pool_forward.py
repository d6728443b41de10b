#!/usr/bin/env python3
"""Pooling, forward: each window becomes its maximum or its mean."""
import numpy as np

# The work is done in blocks: some images, or some rows of one. The arrays of a
# block have about so many numbers at most, few enough for the processor's
# cache (but at least one row of outputs, and one image where it is padded).
_BLOCK = 2**18


def pool_forward(A_prev, kernel_shape, stride=(1, 1), mode='max'):
    """Replace each window of the images A_prev by one number per channel.

    A[n, y, x, c] = max (or mean) over (i, j) of
        A_prev[n, y*sh + i, x*sw + j, c]

    There is no padding: only windows entirely inside the image count. The
    maximum of a window is the maximum of the maxima of its columns, and its
    sum the sum of their sums: first down each column of a window, then across.
    Windows that overlap share columns, and each column is computed once.

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
        A_prev is not of real numbers or is masked, kernel_shape or stride are
        not of integers.
    ValueError
        A size or stride is below 1, A_prev does not have four axes, mode is
        unknown, the kernel is larger than the image.

    Notes
    -----
    Inputs are never modified; results share no memory with them. NaN and
    infinity propagate as in any NumPy arithmetic, without a warning: a window
    that holds a NaN becomes NaN. Numbers are added one after the other, in
    the dtype of the result (float16: in float32): for windows of more than
    about 10,000 rows or columns, pass float64. Beyond its input and its
    result, a call needs at most 64 MiB (float16: and the result in float32),
    unless one row of outputs needs more.

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
    A_prev, (kh, kw), (sh, sw), A_shape = _pool_arguments(
        A_prev, kernel_shape, stride, mode)
    dtype, working = _dtypes(A_prev)
    A = np.empty(A_shape, working)
    operation = np.maximum if mode == 'max' else np.add
    image_slices, row_slices = _pool_blocks(A_prev, A_shape, 1)
    with np.errstate(over="ignore", invalid="ignore"):
        # The n and y of the formula, several at a time: they are slices.
        for n in image_slices:
            column_windows = _windows(A_prev[n], (kh, 1), (sh, 1))
            for y in row_slices:
                # Down each column, then across: columns[n, y, x_prev, c].
                tall = column_windows[:, y]
                columns = np.empty(tall[:, :, :, 0, 0].shape, working)
                _reduce(operation, tall, out=columns)
                windows = _windows(columns, (1, kw), (1, sw))
                _reduce(operation, windows, out=A[n, y])
                if mode == 'avg':
                    A[n, y] /= kh * kw
        return A.astype(dtype, copy=False)      # to float16 it may overflow


def _pool_blocks(A_prev, A_shape, arrays):
    """Return slices of the images, and of their rows of outputs: the blocks.

    A row of outputs needs so many arrays of its size, or one as wide as the
    image. A block has as many whole images as keep that within _BLOCK
    numbers; where not even one image does, some rows of outputs of one.
    """
    m, h_new, w_new, c_prev = A_shape
    row = c_prev * max(arrays * w_new, A_prev.shape[2])
    return _slices(m, _BLOCK // (h_new * row)), _slices(h_new, _BLOCK // row)


def _slices(size, most):
    """Cut range(size) into slices, at most max(most, 1) long.

    All are equally long but the last, which may be shorter.

    >>> _slices(10, 4)
    [slice(0, 4, None), slice(4, 8, None), slice(8, 10, None)]
    """
    parts = max(-(-size // max(most, 1)), 1)
    length = max(-(-size // parts), 1)
    return [slice(i, min(i + length, size)) for i in range(0, size, length)]


def _windows(A, kernel, stride):
    """View images as windows[n, y, x, i, j, c] = A[n, y*sh + i, x*sw + j, c].

    Nothing is copied: what is written to a window is written to the image.
    (NumPy's sliding_window_view is like it, and takes four times as long.)
    """
    (m, h, w, c), (kh, kw) = A.shape, kernel
    image, row, column, channel = A.strides
    windows = np.lib.stride_tricks.as_strided(
        A, (m, h - kh + 1, w - kw + 1, kh, kw, c),
        (image, row, column, row, column, channel))
    return windows[:, ::stride[0], ::stride[1]]


def _reduce(operation, windows, out):
    """Combine the elements (i, j) of windows[n, y, x, i, j, c] into out.

    NumPy's inner loop runs over the channels, or over all pixels where these
    lie side by side. Where neither is long, channels are taken one by one.
    """
    kh, kw, c_prev = windows.shape[3:]
    side_by_side = windows.strides[2] == c_prev * windows.strides[5]
    one_by_one = c_prev <= 8 and not side_by_side
    for c in range(c_prev) if one_by_one else [slice(None)]:
        first, *others = (windows[:, :, :, i, j, c]
                          for i, j in np.ndindex(kh, kw))
        result = out[..., c]    # a view
        if others:
            operation(first, others[0], out=result, dtype=out.dtype)
        else:
            result[...] = first
        for element in others[1:]:
            operation(result, element, out=result)


def _pool_arguments(A_prev, kernel_shape, stride, mode):
    """Check arguments, bring them to one form, and add the shape of A."""
    A_prev = _array("A_prev", A_prev, ("m", "h_prev", "w_prev", "c_prev"))
    kh, kw = _pair("kernel_shape", kernel_shape, 1)
    sh, sw = _pair("stride", stride, 1)
    m, h_prev, w_prev, c_prev = A_prev.shape
    _expect(kh <= h_prev and kw <= w_prev, "kernel_shape",
            f"a kernel within A_prev's {(h_prev, w_prev)}", (kh, kw))
    _expect(isinstance(mode, str) and mode in ("max", "avg"), "mode",
            "'max' or 'avg'", mode)
    A_shape = m, (h_prev - kh) // sh + 1, (w_prev - kw) // sw + 1, c_prev
    return A_prev, (kh, kw), (sh, sw), A_shape


def _array(name, value, *shapes, hint=""):
    """Return value as an array of real numbers that has one of the shapes.

    In a shape, a number stands for itself, a word for any size but 0, and
    "m", the number of images, for any size.
    """
    try:
        array = np.asarray(value)
    except Exception as error:
        raise TypeError(f"{name}: expected a real numeric array, got "
                        f"{type(value).__name__} ({error})") from error
    if array.dtype.kind not in "biuf" or np.ma.isMaskedArray(value):
        raise TypeError(f"{name}: expected a real numeric array without mask, "
                        f"got {type(value).__name__} of dtype {array.dtype}")
    expected = " or ".join(str(shape).replace("'", "") for shape in shapes)
    if 0 in array.shape:
        hint += " (sizes are at least 1, only m may be 0)"
    _expect(any(array.ndim == len(shape) and all(
        size == axis or isinstance(axis, str) and (size or axis == "m")
        for size, axis in zip(array.shape, shape)) for shape in shapes),
        name, f"shape {expected}{hint}", array.shape)
    return array


def _pair(name, value, minimum):
    """Return value as (int, int), each of at least the minimum."""
    numbers = value.tolist() if isinstance(value, np.ndarray) else value
    expected = f"a pair of integers of at least {minimum}"
    _expect(isinstance(numbers, (tuple, list)) and all(
        isinstance(number, (int, np.integer)) and not isinstance(number, bool)
        for number in numbers), name, expected, value, TypeError)
    _expect(len(numbers) == 2 and min(numbers) >= minimum,
            name, expected, value)
    return int(numbers[0]), int(numbers[1])


def _dtypes(*arrays):
    """Return the dtype of the result, and the dtype to compute in.

    NumPy's promotion, where integers and booleans count as float64. float16
    is computed in float32 and rounded once, at the end.
    """
    dtype = np.result_type(*(
        array.dtype if array.dtype.kind == "f" else np.float64
        for array in arrays)).newbyteorder("=")
    return dtype, np.promote_types(dtype, np.float32)


def _expect(holds, name, expected, got, error=ValueError):
    """Raise an error that names the argument unless the condition holds."""
    if not holds:
        raise error(f"{name}: expected {expected}, got {got!r}")


# For speed alone, may be deleted: Linux keeps freed memory for the next call,
# up to twice the largest array freed so far. So free one of nearly 32 MiB (it
# is never filled, so it costs nothing).
np.empty(2**25 - 2**13, np.uint8)
