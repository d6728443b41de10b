#!/usr/bin/env python3
"""Convolution, forward: a dense layer on every window of the images."""
import numpy as np

# How many numbers a block of patches may hold, though at least one row of
# outputs: many, for BLAS, NumPy's library for products of matrices, shares
# only large products between the cores.
_BLOCK = 2**20


def conv_forward(A_prev, W, b, activation, padding="same", stride=(1, 1)):
    """Convolve the images A_prev with the kernels W, add b, activate.

    Z[n, y, x, k] = b[k]
        + sum over (i, j, c) of A_pad[n, y*sh + i, x*sw + j, c] * W[i, j, c, k]

    A = activation(Z), where A_pad is A_prev padded with zeros. The kernel is
    not flipped: what every framework calls convolution is cross-correlation.

    im2col makes it a matrix product, Z = patches @ kernels. It copies each
    window of A_pad to a row of patches; kernels is W as a matrix, with a
    kernel in each column. The bias is one more weight: b is the last row of
    kernels, and a 1 at the end of each patch is what it is multiplied with.
    For the image 0 to 8, the kernel 0 1 / 2 3 and the bias 0:

        0 1 3 4 1     0     19
        1 2 4 5 1     1     25
        3 4 6 7 1  @  2  =  37
        4 5 7 8 1     3     43
                      0

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
        "valid" adds no zeros. "same" pads as Keras does: with the fewest
        rows of zeros that give h_new = ceil(h_prev / sh); if their number is
        odd, the extra one goes to the bottom. Likewise columns, the extra one
        to the right.
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
        An array is not of real numbers or is masked, stride or padding are
        not of integers, activation is not callable.
    ValueError
        Shapes do not match, a size or stride is below 1, padding is negative,
        unknown or too large, the kernel is larger than the padded image.

    Notes
    -----
    Inputs are never modified; results share no memory with them. NaN and
    infinity propagate as in any NumPy arithmetic, without a warning; warnings
    of the activation itself are shown. Beyond its inputs and its result, a
    call needs a padded copy of a few images (at least one) and at most 64
    MiB, unless one row of outputs needs more.

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
    dtype, working = _dtypes(A_prev, W, b)
    Z = np.empty((len(A_prev), h_new, w_new, W.shape[3]), dtype)

    with np.errstate(over="ignore", invalid="ignore"):
        # For speed alone: without this, the rest computes the same.
        W, b, sides, stride = _neighbours(
            W, b, sides, stride, Z.shape[:3], working, (A_prev, W))

        kernels = np.concatenate((W.reshape(-1, W.shape[3]), b.reshape(1, -1)),
                                 dtype=working)
        for images, A_pad in _padded(A_prev, sides):
            windows = _windows(A_pad, W.shape[:2], stride)
            for block in _blocks(windows, max(kernels.shape)):
                patches = _im2col(windows[block], working)
                _multiply(patches, kernels, out=Z[images][block])

    return activation(Z)


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


def _multiply(patches, kernels, out):
    """Write patches @ kernels to out, a block of Z.

    Where t neighbours are one and t does not divide w_new, the product has a
    few columns more than Z.
    """
    n, h_new, w_new, c_new = out.shape
    if len(patches) * kernels.shape[1] == out.size and (
            out.dtype == kernels.dtype):
        np.matmul(patches, kernels, out=out.reshape(len(patches), -1))
    else:
        product = (patches @ kernels).reshape(n, h_new, -1, c_new)
        out[...] = product[:, :, :w_new]


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
