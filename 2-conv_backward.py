#!/usr/bin/env python3
"""Convolution, backward: the gradients of a dense layer on every window."""
import numpy as np

# How many numbers a block of patches may hold, though at least one row of
# outputs: many, for BLAS, NumPy's library for products of matrices, shares
# only large products between the cores.
_BLOCK = 2**20


def conv_backward(dZ, A_prev, W, b, padding="same", stride=(1, 1)):
    """Backpropagate dZ, the gradient of a loss, through a convolution.

    Z[n, y, x, k] = b[k]
        + sum over (i, j, c) of A_pad[n, y*sh + i, x*sw + j, c] * W[i, j, c, k]

    is the forward pass. Let L be the loss and dX short for dL/dX. A number
    that is used in several places gets a gradient from each, and they add up:
    a pixel is used in every window that covers it, a weight in every window.
    So by the chain rule, for all (n, y, x, i, j, c, k):

    dA_pad[n, y*sh + i, x*sw + j, c] += W[i, j, c, k] * dZ[n, y, x, k]
    dW[i, j, c, k] += A_pad[n, y*sh + i, x*sw + j, c] * dZ[n, y, x, k]
    db[k] += dZ[n, y, x, k]

    where A_pad is A_prev padded with zeros and dA_prev is dA_pad without the
    padding. Now as matrices. im2col copies each window to a row of patches,
    with a 1 at its end; kernels has a kernel in each column, and b, which the
    1 is multiplied with, as its last row; Z and dZ have one row per window:

        forward:   Z = patches @ kernels
        backward:  dkernels = patches.T @ dZ        its last row is db
                   dpatches = dZ @ kernels.T

    col2im adds each row of dpatches to the window that the patch was copied
    from. (Its last number, the gradient of the 1, is not needed.) For the
    image 0 to 8, the kernel 0 1 / 2 3, the bias 0 and dZ 1 2 / 3 4,
    dZ @ kernels.T is

        1                       0 1 2  3 0
        2  @  0 1 2 3 0    =    0 2 4  6 0
        3                       0 3 6  9 0
        4                       0 4 8 12 0

    The second row is 0 2 / 4 6 for the window in the upper right corner.

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
        does: with the fewest rows of zeros that give h_new = ceil(h_prev /
        sh); if their number is odd, the extra one goes to the bottom.
        Likewise columns, the extra one to the right.
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
        An array is not of real numbers or is masked, stride or padding are
        not of integers.
    ValueError
        Shapes do not match (that of dZ is the one the forward pass gives), a
        size or stride is below 1, padding is negative, unknown or too large,
        the kernel is larger than the padded image.

    Notes
    -----
    Inputs are never modified; results share no memory with them. NaN and
    infinity propagate as in any NumPy arithmetic, without a warning. Beyond
    its inputs and its results, a call needs padded copies of a few images (at
    least one) and of their gradients, a few copies of the kernels and at most
    64 MiB, unless one row of outputs needs more.

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
    A_prev, W, b, sides, stride, (h_new, w_new) = _conv_arguments(
        A_prev, W, b, padding, stride)
    hint = ' ("same" gives ceil(size / stride) outputs, as in Keras)'
    dZ = _array("dZ", dZ, (len(A_prev), h_new, w_new, W.shape[3]),
                hint=hint if str(padding) == "same" else "")
    dtype, working = _dtypes(dZ, A_prev, W, b)
    (_, h_prev, w_prev, _), W_shape = A_prev.shape, W.shape
    dA_prev = np.empty(A_prev.shape, dtype)

    with np.errstate(over="ignore", invalid="ignore"):
        # For speed alone: without this and _narrow, the rest computes the
        # same.
        W, b, sides, stride = _neighbours(
            W, b, sides, stride, dZ.shape[:3], working, (A_prev, W, dZ))

        kernels = np.concatenate((W.reshape(-1, W.shape[3]), b.reshape(1, -1)),
                                 dtype=working)
        dkernels = np.zeros_like(kernels)
        (top, _), (left, _) = sides
        for images, A_pad in _padded(A_prev, sides):
            dA_pad = np.zeros(A_pad.shape, working)
            windows = _windows(A_pad, W.shape[:2], stride)
            dwindows = _windows(dA_pad, W.shape[:2], stride)
            for block in _blocks(windows, max(kernels.shape)):
                patches = _im2col(windows[block], working)
                dZ_rows = _rows(dZ[images][block], kernels)
                dkernels += patches.T @ dZ_rows
                # In the memory of patches, which are no longer needed.
                dpatches = np.matmul(dZ_rows, kernels.T, out=patches)
                _col2im(dpatches, dwindows[block], stride)  # adds to dA_pad
            dA_prev[images] = dA_pad[:, top:top + h_prev, left:left + w_prev]

        dW = dkernels[:-1].reshape(W.shape)
        db = dkernels[-1].reshape(1, 1, 1, -1)
        dW, db = _narrow(dW, db, W_shape, stride)
        return dA_prev, dW.astype(dtype, order="C"), db.astype(dtype)


def _padded(A_prev, sides):
    """Pad a few images at a time: as many as have _BLOCK numbers, or one."""
    (top, bottom), (left, right) = sides
    m, h, w, c = A_prev.shape
    h_pad, w_pad = top + h + bottom, left + w + right
    for images in _slices(m, _BLOCK // (h_pad * w_pad * c)):
        A_pad = A_prev[images]      # a view; nobody writes to it
        if (h_pad, w_pad) != (h, w):
            A_pad = np.zeros((len(A_pad), h_pad, w_pad, c), A_prev.dtype)
            A_pad[:, top:top + h, left:left + w] = A_prev[images]
        yield images, A_pad


def _blocks(windows, numbers):
    """Cut windows[n, y, ...] into blocks; return their slices of n and y.

    If each window needs so many numbers, a block is as many whole images as
    _BLOCK numbers allow or, where not even one fits, rows of outputs of one.
    """
    m, h_new, w_new = windows.shape[:3]
    most = _BLOCK // (w_new * numbers)      # rows of outputs
    return [(n, y) for n in _slices(m, most // h_new)
            for y in _slices(h_new, most)]


def _slices(size, most):
    """Cut range(size) into equal slices, at most max(most, 1) long.

    The last one may be shorter.

    >>> _slices(10, 4)
    [slice(0, 4, None), slice(4, 8, None), slice(8, 10, None)]
    """
    parts = max(-(-size // max(most, 1)), 1)
    length = max(-(-size // parts), 1)
    return [slice(i, min(i + length, size)) for i in range(0, size, length)]


def _windows(A, kernel, stride):
    """View images as windows[n, y, x, i, j, c] = A[n, y*sh + i, x*sw + j, c].

    Nothing is copied: what is written to a window is written to the image.
    (NumPy's sliding_window_view does the same, but takes longer than a small
    call.)
    """
    (m, h, w, c), (kh, kw) = A.shape, kernel
    image, row, column, channel = A.strides
    windows = np.lib.stride_tricks.as_strided(
        A, (m, h - kh + 1, w - kw + 1, kh, kw, c),
        (image, row, column, row, column, channel))
    return windows[:, ::stride[0], ::stride[1]]


def _im2col(windows, dtype):
    """Copy each window into a row of a matrix, with a 1 at its end."""
    n, h, w, kh, kw, c = windows.shape
    patches = np.empty((n * h * w, kh * kw * c + 1), dtype)
    pixels = patches[:, :-1].reshape(windows.shape)     # a view
    pixels[...] = windows
    patches[:, -1] = 1
    return patches


def _rows(dZ_block, kernels):
    """Return a block of dZ as a matrix, with one row per window.

    Where t neighbours are one and t does not divide w_new, zeros fill up the
    last.
    """
    w_new, c_new = dZ_block.shape[2:]
    more = -w_new % (kernels.shape[1] // c_new)
    if more:
        dZ_block = np.pad(dZ_block, ((0, 0), (0, 0), (0, more), (0, 0)))
    return dZ_block.reshape(-1, kernels.shape[1]).astype(kernels.dtype,
                                                         copy=False)


def _col2im(dpatches, dwindows, stride):
    """Add each row to the window that its patch was copied from.

    Only windows at least a kernel apart are added at once: where windows of
    one += overlap, NumPy keeps but one of the additions.
    """
    dpatches = dpatches[:, :-1].reshape(dwindows.shape)     # without the 1's
    _, h_new, w_new, kh, kw, _ = dwindows.shape
    rows, cols = -(-kh // stride[0]), -(-kw // stride[1])
    for y, x in np.ndindex(min(rows, h_new), min(cols, w_new)):
        dwindows[:, y::rows, x::cols] += dpatches[:, y::rows, x::cols]


def _neighbours(W, b, sides, stride, outputs, dtype, arrays):
    """Compute t neighbouring outputs of a row as one, of t * c_new channels.

    That is a convolution too, with wider kernels (see _widen) at stride t*sw.
    Where windows overlap, it copies t*kw / ((t - 1)*sw + kw) times fewer
    pixels; in return it multiplies ((t - 1)*sw + kw) / kw times as many
    numbers, the extra ones zeros. `best` balances the two, as measured on
    several processors; if there is a t near it that divides w_new, no output
    is computed in vain. Small calls gain nothing. Zero times infinity is NaN,
    so the arrays must be finite: their sums tell.
    """
    (_, kw, c_prev, c_new), (sh, sw) = W.shape, stride
    (top, bottom), (left, right) = sides
    m, h_new, w_new = outputs
    best = min(48 / (c_prev * c_new * sw)**0.5, _BLOCK / W.size)
    near = [t for t in range(int(best / 2) + 1, int(best * 2) + 1)
            if w_new % t == 0] or [max(min(round(best), w_new), 1)]
    t = min(near, key=lambda t: max(t / best, best / t))
    if t == 1 or kw <= sw or (
            m * h_new * w_new * W.size // c_new <= _BLOCK // 32) or not all(
            np.isfinite(array.sum(dtype=dtype)) for array in arrays):
        return W, b, sides, stride
    sides = (top, bottom), (left, right + (-w_new % t) * sw)
    return _widen(W, t, sw), np.tile(b.ravel(), t), sides, (sh, t * sw)


def _widen(W, t, sw):
    """Put t copies of each kernel side by side, each sw further to the right.

    A wide kernel covers t windows of a row, and copy s is zero outside of
    window s. For the kernel 0 1 / 2 3 and t = 2, one copy in each column:

    >>> _widen(np.arange(4).reshape(2, 2, 1, 1), 2, 1).reshape(6, 2)
    array([[0, 0],
           [1, 0],
           [0, 1],
           [2, 0],
           [3, 2],
           [0, 3]])
    """
    kh, kw, c_prev, c_new = W.shape
    wide = np.zeros((kh, (t - 1)*sw + kw, c_prev, t, c_new), W.dtype)
    for s in range(t):
        wide[:, s*sw:s*sw + kw, :, s] = W
    return wide.reshape(*wide.shape[:3], t * c_new)


def _narrow(dW, db, shape, stride):
    """Sum the gradients of the copies that _widen has made of each kernel.

    >>> W, b = np.arange(4).reshape(2, 2, 1, 1), np.array([5])
    >>> dW, db = _narrow(_widen(W, 2, 1), np.tile(b, 2), W.shape, (1, 2))
    >>> dW[:, :, 0, 0]
    array([[0, 2],
           [4, 6]])
    >>> db
    array([[[[10]]]])
    """
    _, kw, _, c_new = shape
    copies = dW.reshape(*dW.shape[:3], -1, c_new)
    t = copies.shape[3]
    sw = stride[1] // t
    dW = sum(copies[:, s*sw:s*sw + kw, :, s] for s in range(t))
    return dW, db.reshape(t, 1, 1, 1, c_new).sum(axis=0)


def _conv_arguments(A_prev, W, b, padding, stride):
    """Return every argument in one form, and the size (h_new, w_new) of Z."""
    A_prev = _array("A_prev", A_prev, ("m", "h_prev", "w_prev", "c_prev"))
    m, h_prev, w_prev, c_prev = A_prev.shape
    W = _array("W", W, ("kh", "kw", "c_prev", "c_new"))
    hint = ", as A_prev is (m, h, w, channels)" * (W.shape[2] == h_prev)
    W = _array("W", W, ("kh", "kw", c_prev, "c_new"), hint=hint)
    kh, kw, _, c_new = W.shape
    b = _array("b", b, (1, 1, 1, c_new), (c_new,))
    sh, sw = _pair("stride", stride, 1)
    sides = _sides(padding, (h_prev, w_prev), (kh, kw), (sh, sw))
    h_pad, w_pad = h_prev + sum(sides[0]), w_prev + sum(sides[1])
    _expect(h_pad * w_pad * max(m, 1) * max(c_prev, c_new) < 2**58, "padding",
            "zeros that an array can hold", padding)
    _expect(kh <= h_pad and kw <= w_pad, "W",
            f"a kernel within the padded {(h_pad, w_pad)}", (kh, kw))
    h_new, w_new = (h_pad - kh) // sh + 1, (w_pad - kw) // sw + 1
    return A_prev, W, b, sides, (sh, sw), (h_new, w_new)


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


def _sides(padding, sizes, kernel, stride):
    """Return padding, in any of its forms, as (top, bottom), (left, right)."""
    if isinstance(padding, str):
        _expect(padding in ("same", "valid"), "padding",
                "'same', 'valid' or a pair", padding)
        same = tuple(map(_same, sizes, kernel, stride))
        return same if padding == "same" else ((0, 0), (0, 0))
    pair = padding.tolist() if isinstance(padding, np.ndarray) else padding
    if isinstance(pair, (tuple, list)) and len(pair) == 2 and all(
            isinstance(side, (tuple, list, np.ndarray)) for side in pair):
        return tuple(_pair("padding", side, 0) for side in pair)
    ph, pw = _pair("padding", padding, 0)
    return (ph, ph), (pw, pw)


def _same(size, kernel, stride):
    """Zeros before and after an axis for ceil(size / stride) outputs."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


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
