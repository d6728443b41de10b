#!/usr/bin/env python3
"""Convolution, backward: the gradients of a dense layer on every window."""
import numpy as np

# The work is done in blocks: some images, or some rows of one. The arrays of a
# block have about so many numbers at most, few enough for the processor's
# cache (but at least one row of outputs, and one image where it is padded).
_BLOCK = 2**18


def conv_backward(dZ, A_prev, W, b, padding="same", stride=(1, 1)):
    """Backpropagate dZ, the gradient of a loss, through a convolution.

    Z[n, y, x, k] = b[k]
        + sum over (i, j, c) of A_pad[n, y*sh + i, x*sw + j, c] * W[i, j, c, k]

    is the forward pass. Let L be the loss and dX short for dL/dX. A number
    that is used in several places gets a gradient from each, and they add up:
    a pixel is used in every window that covers it, a weight in every window.
    So by the chain rule, from zeros on, for all (n, y, x, i, j, c, k):

    dA_pad[n, y*sh + i, x*sw + j, c] += W[i, j, c, k] * dZ[n, y, x, k]
    dW[i, j, c, k] += A_pad[n, y*sh + i, x*sw + j, c] * dZ[n, y, x, k]
    db[k] += dZ[n, y, x, k]

    where A_pad is A_prev padded with zeros and dA_prev is dA_pad without the
    padding. Now as matrices. im2col copies each window to a row of patches;
    kernels has a kernel in each column; Z and dZ have one row per window:

        forward:   Z = patches @ kernels + b
        backward:  dkernels = patches.T @ dZ
                   db = the sum of the rows of dZ
                   dpatches = dZ @ kernels.T

    The last product also sums over the kernels: a pixel gets a gradient from
    each. col2im adds each row of dpatches to the window that the patch was
    copied from. For the 3x3 image 0 to 8, the kernel 0 1 / 2 3 and the dZ 1 2
    / 3 4, dpatches is

        1                     0 1 2  3
        2  @  0 1 2 3    =    0 2 4  6
        3                     0 3 6  9
        4                     0 4 8 12

    The second row is 0 2 / 4 6 for the window in the upper right corner.

    m images of h rows, w columns and c channels; `_prev`: of the input,
    `_new`: of the output; kernels of kh x kw; strides sh and sw.

    Parameters
    ----------
    dZ : (m, h_new, w_new, c_new) array_like
        Gradient of the loss with respect to Z. With A = relu(Z), multiply dA
        by the derivative of the ReLU: dZ = dA * (A > 0).
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
    64 MiB (float16: and the results in float32), unless one row of outputs
    needs more.

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
    A_prev, W, b, sides, stride, Z_shape = _conv_arguments(
        A_prev, W, b, padding, stride)
    (_, h_prev, w_prev, _), c_new = A_prev.shape, W.shape[3]
    hint = ' ("same" gives ceil(size / stride) outputs, as in Keras)'
    dZ = _array("dZ", dZ, Z_shape, hint=hint * (str(padding) == "same"))
    dtype, working = _dtypes(dZ, A_prev, W, b)

    # For speed alone: to understand the rest, skip this; it may be deleted.
    if (t := _neighbours(W, stride, Z_shape, working, A_prev, dZ)) > 1:
        return _backward_by_neighbours(t, dZ, A_prev, W, b, sides, stride)

    dA_prev, dW = np.zeros(A_prev.shape, working), np.zeros(W.shape, working)
    db = np.zeros((1, 1, 1, c_new))     # float64: many numbers are added
    (top, _), (left, _) = sides
    # A kernel in each column, its weights in the order of a patch.
    kernels = W.reshape(-1, c_new).astype(working, copy=False)
    image_slices, row_slices = _blocks(A_prev, sides, kernels, Z_shape)
    with np.errstate(over="ignore", invalid="ignore"):
        # The n and y of the formula, several at a time: they are slices.
        for n in image_slices:
            windows = _windows(_pad(A_prev[n], sides), W.shape[:2], stride)
            dA_pad = _pad(dA_prev[n], sides)    # zeros so far
            # A view: what is added to a window is added to dA_pad.
            dwindows = _windows(dA_pad, W.shape[:2], stride)
            for y in row_slices:
                patches = _im2col(windows[:, y], working)
                dZ_rows = np.asarray(dZ[n, y], working).reshape(-1, c_new)
                dW += (patches.T @ dZ_rows).reshape(W.shape)
                db += dZ_rows.sum(axis=0, dtype=float)
                dpatches = dZ_rows @ kernels.T
                _col2im(dpatches, dwindows[:, y], stride)
            dA_prev[n] = dA_pad[:, top:top + h_prev, left:left + w_prev]
        # To float16 it may overflow.
        return tuple(X.astype(dtype, copy=False) for X in (dA_prev, dW, db))


def _blocks(A_prev, sides, kernels, Z_shape):
    """Return slices of the images, and of their rows of outputs: the blocks.

    A block has as many whole images as keep the numbers of their padded
    pixels, of their patches and of their outputs each within _BLOCK; where
    not even one image does, some rows of outputs of one. As each block reads
    all kernels, it is larger where these are large.
    """
    (_, h, w, c), (m, h_new, w_new, _) = A_prev.shape, Z_shape
    pixels = (h + sum(sides[0])) * (w + sum(sides[1])) * c
    row = w_new * max(kernels.shape)
    most = max(_BLOCK, min(2 * kernels.size, 8 * _BLOCK))
    return (_slices(m, most // max(pixels, h_new * row)),
            _slices(h_new, most // row))


def _slices(size, most):
    """Cut range(size) into slices, at most max(most, 1) long.

    All are equally long but the last, which may be shorter.

    >>> _slices(10, 4)
    [slice(0, 4, None), slice(4, 8, None), slice(8, 10, None)]
    """
    parts = max(-(-size // max(most, 1)), 1)
    length = max(-(-size // parts), 1)
    return [slice(i, min(i + length, size)) for i in range(0, size, length)]


def _pad(A, sides):
    """Pad images with zeros; where there are none to add, return A itself."""
    (top, bottom), (left, right) = sides
    m, h, w, c = A.shape
    if not (top or bottom or left or right):
        return A
    A_pad = np.zeros((m, top + h + bottom, left + w + right, c), A.dtype)
    A_pad[:, top:top + h, left:left + w] = A
    return A_pad


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


def _im2col(windows, dtype):
    """Lay each window out as a row of a matrix, in the order i, j, c."""
    kh, kw, c = windows.shape[3:]
    return np.ascontiguousarray(windows, dtype).reshape(-1, kh * kw * c)


def _col2im(dpatches, dwindows, stride):
    """Add each row to the window that its patch was copied from.

    Where windows of one += overlap, NumPy keeps but one of the additions. So
    only windows at least a kernel apart are added at once: for 3x3 kernels
    and stride 1, every third one.
    """
    dpatches = dpatches.reshape(dwindows.shape)
    _, h_new, w_new, kh, kw, _ = dwindows.shape
    rows, cols = -(-kh // stride[0]), -(-kw // stride[1])
    for y, x in np.ndindex(min(rows, h_new), min(cols, w_new)):
        dwindows[:, y::rows, x::cols] += dpatches[:, y::rows, x::cols]


def _neighbours(W, stride, Z_shape, dtype, *arrays):
    """Return how many neighbouring outputs of a row to compute as one: t.

    Where windows overlap, that copies t*kw / ((t - 1)*sw + kw) times fewer
    pixels; in return it multiplies ((t - 1)*sw + kw) / kw times as many
    numbers, the extra ones zeros. `best` balances the two, as measured on
    several processors; if there is a t near it that divides w_new, no output
    is computed in vain. Small calls gain nothing. Zero times infinity is NaN,
    so images, kernels and gradients must be finite: their sums tell.
    """
    (_, kw, c_prev, c_new), (_, sw) = W.shape, stride
    m, h_new, w_new, _ = Z_shape
    best = min(48 / (c_prev * c_new * sw)**0.5,
               (_BLOCK * kw / (W.size * sw))**0.5)      # wide kernels fit
    if best < 2 or kw <= sw or (
            m * h_new * w_new * W.size // c_new <= _BLOCK // 8):
        return 1
    with np.errstate(over="ignore", invalid="ignore"):
        sums = [array.sum(dtype=dtype) for array in (W, *arrays)]
    if not np.isfinite(sums).all():
        return 1
    near = [t for t in range(int(best / 2) + 1, int(best * 2) + 1)
            if w_new % t == 0] or [min(round(best), w_new)]
    return min(near, key=lambda t: max(t / best, best / t))


def _backward_by_neighbours(t, dZ, A_prev, W, b, sides, stride):
    """Backpropagate through t neighbouring outputs as one.

    dZ (m, h, w, c) is read as (m, h, w / t, t * c): no number moves, but t
    outputs are now the channels of one. That is a convolution too, with t
    copies of each kernel, each in a wide kernel of its own that is zero
    elsewhere, copy s by s*sw columns further to the right, and with stride
    t*sw. A weight is used in t copies, so its gradient is the sum of theirs.
    (It ends here: the inner `best` is below 2, or there is one output in a
    row.)
    """
    dtype, working = _dtypes(dZ, A_prev, W, b)
    (kh, kw, c_prev, c_new), (sh, sw) = W.shape, stride
    wide_W = np.zeros((kh, (t - 1)*sw + kw, c_prev, t, c_new), working)
    for s in range(t):
        wide_W[:, s*sw:s*sw + kw, :, s] = W
    wide_W, wide_b = wide_W.reshape(kh, -1, c_prev, t * c_new), np.tile(b, t)
    m, h_new, w_new, _ = dZ.shape
    more = -w_new % t
    rows, (left, right) = sides
    options = (rows, (left, right + more * sw)), (sh, t * sw)

    dA_prev, dW, db = np.empty(A_prev.shape, dtype), 0, 0
    with np.errstate(over="ignore", invalid="ignore"):
        for n in _slices(m, 4 * _BLOCK // dZ[0].size):
            wide_dZ = dZ[n]
            if more:    # zeros fill up the last t
                wide_dZ = np.pad(dZ[n], ((0, 0), (0, 0), (0, more), (0, 0)))
            wide_dZ = wide_dZ.reshape(len(wide_dZ), h_new, -1, t * c_new)
            dA_prev[n], dW_n, db_n = conv_backward(
                wide_dZ, A_prev[n], wide_W, wide_b, *options)
            dW, db = dW + dW_n, db + db_n
        dW = dW.reshape(kh, -1, c_prev, t, c_new)
        dW = sum(dW[:, s*sw:s*sw + kw, :, s] for s in range(t))
        db = db.reshape(1, 1, 1, t, c_new).sum(axis=3)
        return dA_prev, dW.astype(dtype), db.astype(dtype)


def _conv_arguments(A_prev, W, b, padding, stride):
    """Check arguments, bring them to one form (b: (c_new,)), add Z's shape."""
    A_prev = _array("A_prev", A_prev, ("m", "h_prev", "w_prev", "c_prev"))
    m, h_prev, w_prev, c_prev = A_prev.shape
    W = _array("W", W, ("kh", "kw", "c_prev", "c_new"))
    kh, kw, channels, c_new = W.shape
    b = _array("b", b, (1, 1, 1, "c_new"), ("c_new",))
    fits = channels == c_prev
    hint = ", as A_prev is (m, h, w, channels)" * (channels == h_prev)
    if kw == c_prev and kh == b.size and not (fits and c_new == b.size):
        fits = False
        hint = " (PyTorch's (c_new, c_prev, kh, kw)? transpose(2, 3, 1, 0))"
    _expect(fits, "W", f"shape (kh, kw, {c_prev}, c_new){hint}", W.shape)
    b = _array("b", b, (1, 1, 1, c_new), (c_new,)).reshape(-1)
    sh, sw = _pair("stride", stride, 1)
    sides = _sides(padding, (h_prev, w_prev), (kh, kw), (sh, sw))
    h_pad, w_pad = h_prev + sum(sides[0]), w_prev + sum(sides[1])
    _expect(h_pad * w_pad * max(m, 1) * max(c_prev, c_new) < 2**58, "padding",
            "zeros that an array can hold", padding)
    _expect(kh <= h_pad and kw <= w_pad, "W",
            f"a kernel within the padded {(h_pad, w_pad)}", (kh, kw))
    Z_shape = m, (h_pad - kh) // sh + 1, (w_pad - kw) // sw + 1, c_new
    return A_prev, W, b, sides, (sh, sw), Z_shape


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


# For speed alone, may be deleted: Linux keeps freed memory for the next call,
# up to twice the largest array freed so far. So free one of nearly 32 MiB (it
# is never filled, so it costs nothing).
np.empty(2**25 - 2**13, np.uint8)
