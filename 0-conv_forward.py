#!/usr/bin/env python3
"""Convolution, forward: a dense layer on every window of the images."""
import numpy as np

# Numbers of a block: half a megabyte of float32 stays in the cache.
_BLOCK = 2**17


def conv_forward(A_prev, W, b, activation, padding="same", stride=(1, 1)):
    """Convolve the images A_prev with the kernels W, add b, activate.

    Z[n, y, x, k] = b[k]
        + sum over (i, j, c) of A_pad[n, y*sh + i, x*sw + j, c] * W[i, j, c, k]

    A = activation(Z), where A_pad is A_prev padded with zeros. The kernel is
    not flipped: what every framework calls convolution is cross-correlation.

    im2col makes it one matrix product. Each window becomes a row, a patch;
    each kernel becomes a column: Z = patches @ kernels + b. For the image
    0 to 8 and the kernel 0 1 / 2 3 of the example below:

        0 1 3 4     0     19
        1 2 4 5  @  1  =  25
        3 4 6 7     2     37
        4 5 7 8     3     43

    m images of h rows, w columns and c channels; `_prev`: of the input,
    `_new`: of the output; kernels of kh x kw; strides sh and sw.

    Parameters
    ----------
    A_prev : (m, h_prev, w_prev, c_prev) array_like
        Images. m may be 0, all other sizes are at least 1.
    W : (kh, kw, c_prev, c_new) array_like
        Kernels.
    b : (1, 1, 1, c_new) or (c_new,) array_like
        Biases.
    activation : callable
        Called once, with the whole array Z: lambda Z: np.maximum(Z, 0).
    padding : "same", "valid", (ph, pw) or ((top, bottom), (left, right))
        "valid" adds no zeros. "same" pads as Keras does, for h_new =
        ceil(h_prev / sh) rows; if the number of zero rows is odd, the extra
        one goes to the bottom. Likewise columns, the extra one to the right.
    stride : (sh, sw)
        Integers of at least 1.

    Returns
    -------
    A : (m, h_new, w_new, c_new) ndarray
        activation(Z), where h_new = (top + h_prev + bottom - kh) // sh + 1
        and w_new likewise. Z is float32 if all arrays are; in general it has
        their promoted dtype, integers and booleans counting as float64.
        float16 is computed in float32 and rounded once.

    Raises
    ------
    TypeError
        An array is not of real numbers, stride or padding not of integers,
        activation not callable.
    ValueError
        Shapes do not match, a size or stride is below 1, padding is negative
        or unknown, the kernel is larger than the padded image.

    Notes
    -----
    Inputs are never modified; results share no memory with them. NaN and
    infinity propagate as in any NumPy arithmetic. Beyond its inputs and its
    result, a call needs a padded copy of a few images (at least one) and at
    most 64 MiB, but always computes one row of outputs at once.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning
    applied to document recognition", Proc. IEEE 86.
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep
    learning", arXiv:1603.07285.

    Examples
    --------
    >>> A_prev = np.arange(9).reshape(1, 3, 3, 1)
    >>> W = np.arange(4).reshape(2, 2, 1, 1)
    >>> A = conv_forward(A_prev, W, [0], lambda Z: Z, padding="valid")
    >>> A[0, :, :, 0]
    array([[19., 25.],
           [37., 43.]])
    """
    A_prev, W, b, sides, stride, (h_new, w_new) = _conv_arguments(
        A_prev, W, b, padding, stride)
    _expect(callable(activation), "activation", "a callable", activation,
            TypeError)
    kh, kw, c_prev, c_new = W.shape
    dtype, working = _dtypes(A_prev, W, b)
    Z = np.empty((len(A_prev), h_new, w_new, c_new), dtype)

    # The bias is one more weight, and its input, in each patch, is 1.
    kernels = np.concatenate((W.reshape(-1, c_new), b.reshape(1, c_new)),
                             dtype=working)
    order = _order(kw, c_prev)
    buffer = _buffer(Z.shape[:3], kernels, order)
    buffer[:, -1] = 1

    for images, A_pad in _padded(A_prev, sides, working, order):
        windows = _windows(A_pad, (kh, kw), stride)
        for block in _blocks(windows, len(buffer)):
            patches = _im2col(windows[block], buffer)
            Z_block = Z[images][block].reshape(-1, c_new)
            _multiply(patches, kernels, out=Z_block)

    return activation(Z)


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


def _same(size, kernel, stride):
    """Zeros before and after an axis for ceil(size / stride) outputs."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _sides(padding, sizes, kernel, stride):
    """Return padding, in any of its forms, as (top, bottom), (left, right)."""
    if isinstance(padding, str):
        _expect(padding in ("same", "valid"), "padding",
                "'same', 'valid' or a pair", padding)
        if padding == "same":
            return tuple(map(_same, sizes, kernel, stride))
        return (0, 0), (0, 0)
    if isinstance(padding, np.ndarray):
        padding = padding.tolist()
    if isinstance(padding, (tuple, list)) and len(padding) == 2 and all(
            isinstance(side, (tuple, list, np.ndarray)) for side in padding):
        return tuple(_pair("padding", side, 0) for side in padding)
    ph, pw = _pair("padding", padding, 0, "'same', 'valid', "
                   "((top, bottom), (left, right)) or a pair of integers")
    return (ph, ph), (pw, pw)


def _conv_arguments(A_prev, W, b, padding, stride):
    """Return every argument in one form, and the size (h_new, w_new) of Z."""
    A_prev = _array("A_prev", A_prev, ("m", "h_prev", "w_prev", "c_prev"))
    W = _array("W", W, ("kh", "kw", "c_prev", "c_new"))
    b = _array("b", b)
    stride = _pair("stride", stride)
    (kh, kw), sizes = W.shape[:2], A_prev.shape[1:3]
    sides = _sides(padding, sizes, (kh, kw), stride)
    h_pad, w_pad = (size + sum(side) for size, side in zip(sizes, sides))
    c_prev, c_new = A_prev.shape[3], W.shape[3]
    _expect(W.shape[2] == c_prev, "W", f"{c_prev} input channels to match "
            "A_prev", W.shape, what="shape ")
    _expect(b.shape in ((1, 1, 1, c_new), (c_new,)), "b", "shape "
            f"{(1, 1, 1, c_new)} or {(c_new,)}", b.shape, what="shape ")
    _expect(kh <= h_pad and kw <= w_pad, "W", "a kernel within the padded "
            f"{(h_pad, w_pad)}", W.shape, what="shape ")
    h_new, w_new = (h_pad - kh) // stride[0] + 1, (w_pad - kw) // stride[1] + 1
    return A_prev, W, b, sides, stride, (h_new, w_new)


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


def _pad(images, sides, dtype, order='C'):
    """Pad images with zeros; return the images themselves if there are none.

    Memory order 'F' lays each channel out as a plane of its own.
    """
    (top, bottom), (left, right) = sides
    m, h, w, c = images.shape
    if (not any((top, bottom, left, right)) and images.dtype == dtype
            and (order == 'C' or c == 1)):
        return images
    h_pad, w_pad = top + h + bottom, left + w + right
    A_pad = np.zeros((m * h_pad * w_pad, c), dtype, order).reshape(
        m, h_pad, w_pad, c)
    A_pad[:, top:top + h, left:left + w] = images
    return A_pad


def _padded(A_prev, sides, dtype, order='C'):
    """Pad as many images at once as fit into a few blocks, at least one."""
    h_pad, w_pad = (size + sum(side)
                    for size, side in zip(A_prev.shape[1:3], sides))
    numbers = h_pad * w_pad * A_prev.shape[3]
    for images in _slices(len(A_prev), 4 * _BLOCK // numbers):
        yield images, _pad(A_prev[images], sides, dtype, order)


def _order(kw, c_prev):
    """Choose how patches lie in memory: row by row, or column by column.

    Row by row ('C'), what is copied together is a row of a window, kw *
    c_prev numbers. Column by column ('F'), it is one weight's pixels, w_new
    numbers. Below 16 numbers, rows took up to three times as long.
    """
    return 'F' if kw * c_prev < 16 else 'C'


def _buffer(outputs, kernels, order='C'):
    """Return memory for the patches of one block.

    Blocks that are copied column by column are smaller, to stay in the
    cache; others are larger, for BLAS to work on both cores.
    """
    m, h_new, w_new = outputs
    numbers = _BLOCK if order == 'F' else 4 * _BLOCK
    rows = max(numbers // (w_new * max(kernels.shape)), 1)
    return np.empty((min(rows, m * h_new) * w_new, len(kernels)),
                    kernels.dtype, order)


def _im2col(windows, buffer):
    """Return windows (n, h, w, kh, kw, c) as a matrix, one window a row.

    They are copied into the first columns of the buffer's first rows, but
    for windows of single pixels that lie in memory as such a matrix.
    """
    n, h, w, kh, kw, c = windows.shape
    if windows.flags.c_contiguous and buffer.shape[1] == kh * kw * c:
        return windows.reshape(n * h * w, kh * kw * c)
    patches = buffer[:n * h * w]
    patches[:, :kh * kw * c].reshape(windows.shape)[...] = windows
    return patches


def _multiply(A, B, out=None):
    """Return A @ B; NaN and infinity propagate without a warning."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.matmul(A, B, out=out, casting="same_kind")
