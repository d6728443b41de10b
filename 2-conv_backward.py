#!/usr/bin/env python3
"""Convolution, backward: each window gets back what it gave."""
import numpy as np


def conv_backward(dZ, A_prev, W, b, padding="same", stride=(1, 1)):
    """Carry the gradient dZ of a loss back through a convolution.

    dA_pad[n, y*sh + i, x*sw + j, c] += W[i, j, c, k] * dZ[n, y, x, k]
    dW[i, j, c, k] += A_pad[n, y*sh + i, x*sw + j, c] * dZ[n, y, x, k]
    db[k] += dZ[n, y, x, k]

    for all (n, y, x, i, j, c, k), where Z is what the convolution gave before
    its activation, A_pad is A_prev framed with zeros, and dA_prev is dA_pad
    without that frame. Overlapping windows add up.

    m images of h rows, w columns and c channels; "prev" is what comes in,
    "new" what goes out; kernels of kh x kw move by strides of sh and sw.

    Parameters
    ----------
    dZ : (m, h_new, w_new, c_new) array_like
        Gradient of the loss with respect to Z.
    A_prev : (m, h_prev, w_prev, c_prev) array_like
        Images. m may be 0, all other sizes are at least 1.
    W : (kh, kw, c_prev, c_new) array_like
        Kernels.
    b : (1, 1, 1, c_new) or (c_new,) array_like
        Biases; no gradient depends on their values.
    padding : "same", "valid", (ph, pw) or ((top, bottom), (left, right))
        As in the forward pass: "valid" adds nothing, "same" just enough for
        h_new = ceil(h_prev / sh), the odd row below, the odd column right.
    stride : (sh, sw)
        Integers of at least 1, as in the forward pass.

    Returns
    -------
    dA_prev : (m, h_prev, w_prev, c_prev) ndarray
    dW : (kh, kw, c_prev, c_new) ndarray
    db : (1, 1, 1, c_new) ndarray
        Gradients with respect to A_prev, W and b: float32 if all arrays are;
        in general of their promoted dtype, integers and booleans counting as
        float64.

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
    Inputs are never modified, and results share no memory with them. NaN and
    infinity take part in the arithmetic. A call needs at most 64 MiB beyond
    the results and padded copies of A_prev and dA_prev, whatever the batch.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning
    applied to document recognition", Proc. IEEE 86.
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep
    learning", arXiv:1603.07285.

    Examples
    --------
    How many windows touch each pixel, and what each weight has met:

    >>> A_prev = np.arange(9).reshape(1, 3, 3, 1)
    >>> dZ, W = np.ones((1, 2, 2, 1)), np.ones((2, 2, 1, 1))
    >>> dA_prev, dW, db = conv_backward(dZ, A_prev, W, [0], padding="valid")
    >>> dA_prev[0, :, :, 0]
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    >>> dW[:, :, 0, 0]
    array([[ 8., 12.],
           [20., 24.]])
    >>> db
    array([[[[4.]]]])
    """
    dZ = _array("dZ", dZ)
    A_prev = _array("A_prev", A_prev, ("m", "h_prev", "w_prev", "c_prev"))
    W = _array("W", W, ("kh", "kw", "c_prev", "c_new"))
    b = _array("b", b)
    m, h_prev, w_prev, c_prev = A_prev.shape
    kh, kw, _, c_new = W.shape
    sh, sw = _pair("stride", stride)
    (top, bottom), (left, right) = _pads(
        padding, (h_prev, w_prev), (kh, kw), (sh, sw))
    h_pad, w_pad = top + h_prev + bottom, left + w_prev + right
    h_new, w_new = (h_pad - kh) // sh + 1, (w_pad - kw) // sw + 1

    _expect(W.shape[2] == c_prev, "W",
            f"{c_prev} input channels to match A_prev", f"shape {W.shape}")
    _expect(b.shape in ((1, 1, 1, c_new), (c_new,)), "b",
            f"shape {(1, 1, 1, c_new)} or {(c_new,)}", f"shape {b.shape}")
    _expect(kh <= h_pad and kw <= w_pad, "W",
            f"a kernel within the padded {(h_pad, w_pad)}", f"shape {W.shape}")
    kept = str(padding) == "same" and dZ.shape[1:3] == (h_prev, w_prev)
    _expect(dZ.shape == (m, h_new, w_new, c_new), "dZ",
            f"the forward pass's shape {(m, h_new, w_new, c_new)}",
            f"shape {dZ.shape}" + kept * (
                ' (is "same" to keep the size? see README, "If your grader")'))

    dtype = _dtype(dZ, A_prev, W, b)
    A_pad = A_prev
    if (h_pad, w_pad) != (h_prev, w_prev):
        A_pad = np.zeros((m, h_pad, w_pad, c_prev), dtype)
        A_pad[:, top:top + h_prev, left:left + w_prev] = A_prev
    dA_pad = np.zeros(A_pad.shape, dtype)

    # One product serves `tile` neighbours in a row of dZ.
    tile = _tile(w_new, W.shape, sw)
    wide_W = _side_by_side(W, tile, sw).astype(dtype, copy=False)
    windows, dwindows = (_windows(array, wide_W.shape[:2], (sh, tile * sw))
                         for array in (A_pad, dA_pad))
    # Windows so many rows or tiles apart do not overlap.
    rows_apart = -(-kh // sh)
    tiles_apart = -(-wide_W.shape[1] // (tile * sw))
    kernels = wide_W.reshape(-1, tile * c_new)
    dkernels = np.zeros(kernels.shape, dtype)
    dbiases = np.zeros(tile * c_new, dtype)

    # All blocks share one piece of memory, so that it stays in the cache.
    memory = np.empty((max(2**19 // len(kernels), 1), len(kernels)), dtype)
    for n, y, x in _blocks(*windows.shape[:3], len(memory)):
        seen, dseen = windows[n, y, x], dwindows[n, y, x]
        dZ_block = dZ[n, y, x.start*tile:x.stop*tile].reshape(
            -1, tile * c_new).astype(dtype, copy=False)
        columns = weighed = memory[:len(dZ_block)]
        if seen.flags.c_contiguous:     # such as single pixels
            columns = seen.reshape(columns.shape)
        else:
            columns.reshape(seen.shape)[...] = seen
        dbiases += np.ones(len(dZ_block), dtype) @ dZ_block
        with np.errstate(invalid="ignore"):
            # (weights, tiles) @ (tiles, tile * c_new)
            dkernels += columns.T @ dZ_block
            # (tiles, tile * c_new) @ (tile * c_new, weights)
            np.matmul(dZ_block, kernels.T, out=weighed)
        weighed = weighed.reshape(seen.shape)
        if tile > 1 and not np.isfinite(dbiases).all():
            # 0 * inf is NaN: here each window must meet its own kernel alone.
            weighed[...] = 0
            for t in range(tile):
                window = weighed[:, :, :, :, t*sw:t*sw + kw]
                window += (dZ_block[:, t*c_new:(t + 1)*c_new]
                           @ W.reshape(-1, c_new).T).reshape(window.shape)
        for i in range(rows_apart):
            for j in range(tiles_apart):
                dseen[:, i::rows_apart, j::tiles_apart] += (
                    weighed[:, i::rows_apart, j::tiles_apart])

    dA_prev = np.ascontiguousarray(
        dA_pad[:, top:top + h_prev, left:left + w_prev])
    dwide_W = dkernels.reshape(wide_W.shape)
    dW = sum(dwide_W[:, t*sw:t*sw + kw, :, t] for t in range(tile))
    db = dbiases.reshape(1, 1, tile, c_new).sum(axis=2, keepdims=True)
    return dA_prev, dW, db


def _expect(holds, name, expected, got, error=ValueError):
    """Refuse an argument, in the one form that all messages have."""
    if not holds:
        raise error(f"{name}: expected {expected}, got {got}")


def _array(name, value, axes=()):
    """Return value as an array of these axes; all but m are at least 1."""
    try:
        array = np.asarray(value)
    except Exception as error:
        raise TypeError(f"{name}: expected a real numeric array, got "
                        f"{type(value).__name__} ({error})") from error
    _expect(array.dtype.kind in "biuf", name, "a real numeric array",
            f"{type(value).__name__} of dtype {array.dtype}", TypeError)
    _expect(not axes or array.ndim == len(axes)
            and all(array.shape[axes[0] == "m":]), name,
            f"{len(axes)} axes ({', '.join(axes)}) of at least 1",
            f"shape {array.shape}")
    return array


def _dtype(*arrays):
    """NumPy's promotion, where integers and booleans count as float64."""
    return np.result_type(*(
        array.dtype if array.dtype.kind == "f" else np.float64
        for array in arrays))


def _listed(value):
    """Tell whether value is a sequence, of numbers or of sequences."""
    return isinstance(value, (tuple, list)) or np.ndim(value) > 0


def _pair(name, value, least=1, forms=""):
    """Return value, which must be two integers of at least `least`."""
    expected = f"{forms}a pair of integers of at least {least}"
    _expect(_listed(value) and all(isinstance(number, (int, np.integer))
                                   and not isinstance(number, bool)
                                   for number in value),
            name, expected, repr(value), TypeError)
    _expect(len(value) == 2 and min(value) >= least,
            name, expected, repr(value))
    return int(value[0]), int(value[1])


def _same(size, kernel, stride):
    """Zeros before and after an axis so that ceil(size / stride) fit."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _pads(padding, sizes, kernel, strides):
    """Return padding, in any of its forms, as (top, bottom), (left, right)."""
    forms = "'same', 'valid', a pair of pairs or "
    if isinstance(padding, str):
        _expect(padding in ("same", "valid"), "padding",
                f"{forms}a pair of integers", repr(padding))
        if padding == "same":
            return tuple(map(_same, sizes, kernel, strides))
        return (0, 0), (0, 0)
    if _listed(padding) and len(padding) == 2 and all(map(_listed, padding)):
        return tuple(_pair("padding", pair, 0, forms) for pair in padding)
    ph, pw = _pair("padding", padding, 0, forms)
    return (ph, ph), (pw, pw)


def _tile(w_new, kernel, sw):
    """Choose how many windows of a row one product serves together.

    Windows side by side share pixels: t of them, copied as one, are only
    (t - 1)*sw + kw pixels wide. In return the product multiplies by zeros,
    since a kernel sees its own window alone. To copy a number takes about as
    long as 160 multiplications, to begin a run of numbers as long as 20 more.
    """
    kh, kw, c_prev, c_new = kernel

    def run(t):
        return ((t - 1)*sw + kw) * c_prev

    def cost(t):
        return run(t) * c_new + 160 * (run(t) + 20) / t

    return min((t for t in range(1, min(w_new, 512) + 1) if w_new % t == 0
                and kh * run(t) * t * c_new <= 2**18), key=cost, default=1)


def _side_by_side(W, tile, sw):
    """Return (kh, width, c_prev, tile, c_new): W, each time sw further on."""
    kh, kw, c_prev, c_new = W.shape
    kernels = np.zeros((kh, (tile - 1)*sw + kw, c_prev, tile, c_new), W.dtype)
    for t in range(tile):
        kernels[:, t*sw:t*sw + kw, :, t] = W
    return kernels


def _windows(A_pad, kernel, stride):
    """View (m, h, w, c) as (m, h_new, w_new, kh, kw, c), without a copy."""
    windows = np.lib.stride_tricks.sliding_window_view(
        A_pad, kernel, axis=(1, 2), writeable=True)
    windows = windows[:, ::stride[0], ::stride[1]]
    return windows.transpose(0, 1, 2, 4, 5, 3)


def _blocks(m, h_new, w_new, pixels):
    """Cut m x h_new x w_new into blocks of about so many pixels.

    Whole images while they fit, else whole rows of one image, else a part
    of one row: so each block of an output is one piece of memory.
    """
    images = max(pixels // (h_new * w_new), 1)
    rows = min(max(pixels // w_new, 1), h_new)
    cols = min(max(pixels, 1), w_new)
    for n in range(0, m, images):
        for y in range(0, h_new, rows):
            for x in range(0, w_new, cols):
                yield (slice(n, min(n + images, m)),
                       slice(y, min(y + rows, h_new)),
                       slice(x, min(x + cols, w_new)))
