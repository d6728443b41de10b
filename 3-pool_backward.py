#!/usr/bin/env python3
"""Pooling, backward: the gradient of each output goes to its window."""
import numpy as np

# The work is done in blocks: some images, or some rows of one. The arrays of a
# block have about so many numbers at most, few enough for the processor's
# cache (but at least one row of outputs, and one image where it is padded).
_BLOCK = 2**18


def pool_backward(dA, A_prev, kernel_shape, stride=(1, 1), mode='max',
                  ties='all'):
    """Backpropagate dA, the gradient of a loss, through a pooling.

    A[n, y, x, c] = max (or mean) over (i, j) of
        A_prev[n, y*sh + i, x*sw + j, c]

    is the forward pass. From zeros on, for all (n, y, x, i, j, c):

    'max':  dA_prev[n, y*sh + i, x*sw + j, c] += dA[n, y, x, c]
            where A_prev[n, y*sh + i, x*sw + j, c] == A[n, y, x, c]
    'avg':  dA_prev[n, y*sh + i, x*sw + j, c] += dA[n, y, x, c] / (kh * kw)

    Where windows overlap, their gradients add up. 'max' as it stands here is
    ties='all': a window whose four pixels are equal gives each of them its
    whole gradient. With ties='first', only its first such pixel gets it.

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
        An array is not of real numbers or is masked, kernel_shape or stride
        are not of integers.
    ValueError
        Shapes do not match (that of dA is the one the forward pass gives), a
        size or stride is below 1, mode or ties is unknown, the kernel is
        larger than the image.

    Notes
    -----
    Inputs are never modified; results share no memory with them. NaN and
    infinity in dA propagate as in any NumPy arithmetic, without a warning. A
    NaN in A_prev makes the maximum of its window NaN, which equals no
    element: the gradient of that window is 0 under both rules of ties. Beyond
    its inputs and its result, a call needs at most 64 MiB (float16: and the
    result in float32), unless one row of outputs needs more.

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
    A_prev, kernel, stride, A_shape = _pool_arguments(
        A_prev, kernel_shape, stride, mode)
    dA = _array("dA", dA, A_shape)
    _expect(isinstance(ties, str) and ties in ("all", "first"), "ties",
            "'all' or 'first'", ties)
    dtype, working = _dtypes(dA, A_prev)
    dA_prev = np.zeros(A_prev.shape, working)
    image_slices, row_slices = _pool_blocks(A_prev, A_shape, 4)
    with np.errstate(over="ignore", invalid="ignore"):
        # The n and y of the formula, several at a time: they are slices.
        for n in image_slices:
            windows = _windows(A_prev[n], kernel, stride)
            # A view: what is added to a window is added to dA_prev.
            dwindows = _windows(dA_prev[n], kernel, stride)
            for y in row_slices:
                dA_rows = dA[n, y].astype(working, copy=False)
                if mode == 'max':
                    _max_backward(dA_rows, windows[:, y], dwindows[:, y], ties)
                else:
                    _avg_backward(dA_rows, dA_prev[n], y, kernel, stride)
        return dA_prev.astype(dtype, copy=False)    # may overflow: float16


def _max_backward(dA, windows, dwindows, ties):
    """Add dA to the elements of each window that equal its maximum."""
    elements = list(np.ndindex(windows.shape[3:5]))
    for c in _channels(dA.shape[3], few=3):
        share = dA[..., c]
        finite = np.isfinite(share).all()
        maximum = windows[:, :, :, 0, 0, c]
        for i, j in elements[1:]:
            maximum = np.maximum(maximum, windows[:, :, :, i, j, c])
        free = np.ones(maximum.shape, bool)     # dA is not yet given away
        for i, j in elements:
            mask = windows[:, :, :, i, j, c] == maximum
            if ties == 'first':
                mask &= free
                free &= ~mask
            # The product is faster, but 0 times infinity is NaN.
            dwindows[:, :, :, i, j, c] += (
                mask * share if finite else np.where(mask, share, 0))


def _avg_backward(dA, dA_prev, y, kernel, stride):
    """Add dA / (kh * kw) to all elements of the windows of the rows y.

    In two passes, across and then down: kh + kw additions instead of kh * kw.
    """
    (kh, kw), (sh, sw) = kernel, stride
    share = dA / (kh * kw) + 0      # as the formula adds to 0: no -0.0
    n, h_new, _, c_prev = share.shape
    columns = np.zeros((n, h_new, *dA_prev.shape[2:]), share.dtype)
    over_j = _windows(columns, (1, kw), (1, sw))
    over_i = _windows(dA_prev, (kh, 1), (sh, 1))[:, y]
    for c in _channels(c_prev, few=8):
        for j in range(kw):
            _accumulate(share[..., c], over_j[:, :, :, 0, j, c], j >= sw)
    for i in range(kh):
        _accumulate(columns, over_i[:, :, :, i, 0], kh > sh)


def _accumulate(values, to, overlap):
    """Add values to what other windows gave, or write where none did."""
    if overlap:
        to += values
    else:
        to[...] = values


def _channels(c_prev, few):
    """Index all channels at once or, where they are few, one by one.

    NumPy's inner loop runs over them, and is slow when it is short.
    """
    return range(c_prev) if c_prev <= few else [slice(None)]


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
