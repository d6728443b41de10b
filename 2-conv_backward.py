#!/usr/bin/env python3
"""Convolution, backward: the gradients of a dense layer on every window."""
import numpy as np

# Numbers of a block: half a megabyte of float32 stays in the cache.
_BLOCK = 2**17


def conv_backward(dZ, A_prev, W, b, padding="same", stride=(1, 1)):
    """Backpropagate dZ, the gradient of a loss, through a convolution.

    Z[n, y, x, k] = b[k]
        + sum over (i, j, c) of A_pad[n, y*sh + i, x*sw + j, c] * W[i, j, c, k]

    is the forward pass. Let L be the loss and dX short for dL/dX. By the
    chain rule, for all (n, y, x, i, j, c, k):

    dA_pad[n, y*sh + i, x*sw + j, c] += W[i, j, c, k] * dZ[n, y, x, k]
    dW[i, j, c, k] += A_pad[n, y*sh + i, x*sw + j, c] * dZ[n, y, x, k]
    db[k] += dZ[n, y, x, k]

    where A_pad is A_prev padded with zeros and dA_prev is dA_pad without the
    padding. As matrices, with a window in each row of patches (im2col):

        Z = patches @ kernels + b       dkernels = patches.T @ dZ
                                        db = ones @ dZ
                                        dpatches = dZ @ kernels.T

    and col2im adds each row of dpatches to the window it was copied from;
    where windows overlap, their gradients add up. For the image 0 to 8 and
    the kernel 0 1 / 2 3, patches @ kernels is

        0 1 3 4     0     19
        1 2 4 5  @  1  =  25
        3 4 6 7     2     37
        4 5 7 8     3     43

    m images of h rows, w columns and c channels; `_prev`: of the input,
    `_new`: of the output; kernels of kh x kw; strides sh and sw.

    Parameters
    ----------
    dZ : (m, h_new, w_new, c_new) array_like
        Gradient of the loss with respect to Z, before the activation: after
        a ReLU, dZ = dA * (A > 0).
    A_prev : (m, h_prev, w_prev, c_prev) array_like
        Images. m may be 0, all other sizes are at least 1.
    W : (kh, kw, c_prev, c_new) array_like
        Kernels.
    b : (1, 1, 1, c_new) or (c_new,) array_like
        Biases; no gradient depends on their values.
    padding : "same", "valid", (ph, pw) or ((top, bottom), (left, right))
        As in the forward pass. "valid" adds no zeros. "same" pads as Keras
        does, for h_new = ceil(h_prev / sh) rows; if the number of zero rows
        is odd, the extra one goes to the bottom. Likewise columns, the extra
        one to the right.
    stride : (sh, sw)
        Integers of at least 1, as in the forward pass.

    Returns
    -------
    dA_prev : (m, h_prev, w_prev, c_prev) ndarray
    dW : (kh, kw, c_prev, c_new) ndarray
    db : (1, 1, 1, c_new) ndarray
        Gradients with respect to A_prev, W and b: float32 if all arrays are;
        in general of their promoted dtype, integers and booleans counting as
        float64. float16 is computed in float32 and rounded once.

    Raises
    ------
    TypeError
        An array is not of real numbers, stride or padding not of integers.
    ValueError
        Shapes do not match (that of dZ is the one the forward pass gives),
        a size or stride is below 1, padding is negative or unknown, the
        kernel is larger than the padded image.

    Notes
    -----
    Inputs are never modified; results share no memory with them. NaN and
    infinity propagate as in any NumPy arithmetic. Beyond its inputs and its
    results, a call needs padded copies of a few images (at least one) and of
    their gradients, a few copies of the kernels and at most 64 MiB, but
    always computes one row of outputs at once.

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
    >>> dZ = np.array([[1, 2], [3, 4]]).reshape(1, 2, 2, 1)
    >>> dA_prev, dW, db = conv_backward(dZ, A_prev, W, [0], padding="valid")
    >>> dA_prev[0, :, :, 0]
    array([[ 0.,  1.,  2.],
           [ 2., 10., 10.],
           [ 6., 17., 12.]])
    >>> dW[:, :, 0, 0]
    array([[27., 37.],
           [57., 67.]])
    >>> db
    array([[[[10.]]]])

    With dZ and W all ones, dA_prev counts the windows that cover each pixel:

    >>> dZ, W = np.ones((1, 2, 2, 1)), np.ones((2, 2, 1, 1))
    >>> conv_backward(dZ, A_prev, W, [0], padding="valid")[0][0, :, :, 0]
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    A_prev, W, b, sides, (sh, sw), (h_new, w_new) = _conv_arguments(
        A_prev, W, b, padding, stride)
    dZ = _dZ_argument(dZ, A_prev, W, padding, (sh, sw), (h_new, w_new))
    (_, h_prev, w_prev, _), (_, kw, _, c_new) = A_prev.shape, W.shape
    (top, bottom), (left, right) = sides
    dtype, working = _dtypes(dZ, A_prev, W, b)
    dA_prev = np.zeros(A_prev.shape, dtype)

    # t neighbouring outputs of a row are computed as one, of t * c_new
    # channels. With t = 1 all is as in the docstring.
    t = _neighbours(dZ, A_prev, W, sw)
    W_wide = _widen(W.astype(working), t, sw)
    sides = (top, bottom), (left, right + -w_new % t * sw)
    kernel, stride = W_wide.shape[:2], (sh, t * sw)
    kernels = W_wide.reshape(-1, t * c_new)
    dkernels, db = np.zeros_like(kernels), np.zeros_like(kernels[0])
    buffer = _buffer((len(dZ), h_new, -(-w_new // t)), kernels)

    for images, A_pad in _padded(A_prev, sides, working):
        dA_pad = _pad(dA_prev[images], sides, working)
        windows = _windows(A_pad, kernel, stride)
        dwindows = _windows(dA_pad, kernel, stride, writeable=True)
        for block in _blocks(windows, len(buffer)):
            dZ_block = _join(dZ[images][block], t, working)
            patches = _im2col(windows[block], buffer)
            dkernels += _multiply(patches.T, dZ_block)
            db += _multiply(np.ones(len(dZ_block), working), dZ_block)
            dpatches = _multiply(dZ_block, kernels.T, buffer[:len(dZ_block)])
            _col2im(dpatches, dwindows[block], stride)
        dA_prev[images] = dA_pad[:, top:top + h_prev, left:left + w_prev]

    dW = _narrow(dkernels.reshape(W_wide.shape), t, kw, sw)
    db = db.reshape(t, 1, 1, 1, c_new).sum(axis=0)
    return dA_prev, dW.astype(dtype), db.astype(dtype)


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


def _dZ_argument(dZ, A_prev, W, padding, stride, new_sizes):
    """Return dZ as an array, which must have the shape of Z."""
    dZ, shape = _array("dZ", dZ), (len(A_prev), *new_sizes, W.shape[3])
    sizes = A_prev.shape[1:3]
    # Some courses pad for as many outputs as pixels, rounding up.
    keep = tuple(-(-((size - 1) * s + k - size) // 2)
                 for size, s, k in zip(sizes, stride, W.shape))
    kept = tuple((size + 2 * pad - k) // s + 1
                 for size, pad, s, k in zip(sizes, keep, stride, W.shape))
    hint = ""
    if isinstance(padding, str) and padding == "same" and (
            dZ.shape[1:3] == kept):
        hint = (' ("same" gives ceil(size / stride) outputs; to keep the size'
                f" pass padding={keep})")
    if dZ.shape != shape:
        raise ValueError(f"dZ: expected the forward pass's shape {shape}, "
                         f"got shape {dZ.shape}{hint}")
    return dZ


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


def _neighbours(dZ, A_prev, W, sw):
    """Choose how many neighbouring outputs of a row are computed as one.

    Windows side by side share pixels: copied as one wide window, t of them
    are only (t - 1)*sw + kw pixels wide. In return the product multiplies
    t times as many numbers, most of them zeros. Measured: t = 64 / sqrt(
    c_prev * c_new * sw) balances the two; a smaller t, down to half of that,
    if it divides w_new. Zero times infinity is NaN, so then t is 1.
    """
    kh, kw, c_prev, c_new = W.shape
    w_new = dZ.shape[2]
    t = min(int(64 / (c_prev * c_new * sw)**0.5), w_new)
    while t > 1 and kh * ((t - 1)*sw + kw) * c_prev * t * c_new > 2**20:
        t -= 1
    with np.errstate(over="ignore", invalid="ignore"):
        if t < 2 or not all(np.isfinite(a.sum()) for a in (dZ, A_prev, W)):
            return 1
    return max((whole for whole in range(t // 2 + 1, t + 1)
                if w_new % whole == 0), default=t)


def _widen(W, t, sw):
    """Put t copies of each kernel side by side, each sw further to the right.

    They are one kernel of t * c_new outputs, zero where a copy does not reach.
    """
    kh, kw, c_prev, c_new = W.shape
    wide = np.zeros((kh, (t - 1)*sw + kw, c_prev, t, c_new), W.dtype)
    for s in range(t):
        wide[:, s*sw:s*sw + kw, :, s] = W
    return wide.reshape(*wide.shape[:3], t * c_new)


def _narrow(dW_wide, t, kw, sw):
    """Sum the gradients of the t copies of each kernel: _widen transposed."""
    dW_wide = dW_wide.reshape(*dW_wide.shape[:3], t, -1)
    return sum(dW_wide[:, s*sw:s*sw + kw, :, s] for s in range(t))


def _join(dZ, t, dtype):
    """Return dZ as a matrix with t neighbouring outputs in a row.

    A row of images that ends before its last t outputs is filled with zeros.
    """
    n, h, w, c = dZ.shape
    if w % t:
        joined = np.zeros((n, h, -(-w // t) * t, c), dtype)
        joined[:, :, :w] = dZ
        dZ = joined
    return dZ.reshape(-1, t * c).astype(dtype, copy=False)


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


def _col2im(dpatches, dwindows, stride):
    """Add each row back to the window it was copied from: im2col transposed.

    Windows that are a kernel apart do not overlap and are added at once.
    """
    dpatches = dpatches.reshape(dwindows.shape)
    _, h, w, kh, kw, _ = dwindows.shape
    rows, cols = -(-kh // stride[0]), -(-kw // stride[1])
    for i, j in np.ndindex(min(rows, h), min(cols, w)):
        dwindows[:, i::rows, j::cols] += dpatches[:, i::rows, j::cols]


def _multiply(A, B, out=None):
    """Return A @ B; NaN and infinity propagate without a warning."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.matmul(A, B, out=out, casting="same_kind")
