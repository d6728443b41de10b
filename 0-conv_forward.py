#!/usr/bin/env python3
"""Convolution, forward: each output pixel weighs the window under it."""
import numpy as np


def conv_forward(A_prev, W, b, activation, padding="same", stride=(1, 1)):
    """Slide the kernels W over the images A_prev, add b, activate.

    Z[n, y, x, k] = b[k]
        + sum over (i, j, c) of A_pad[n, y*sh + i, x*sw + j, c] * W[i, j, c, k]

    where A_pad is A_prev framed with zeros. The kernel is not flipped: what
    every framework calls convolution is cross-correlation.

    m images of h rows, w columns and c channels; "prev" is what comes in,
    "new" what goes out; kernels of kh x kw move by strides of sh and sw.

    Parameters
    ----------
    A_prev : (m, h_prev, w_prev, c_prev) array_like
        Images. m may be 0, all other sizes are at least 1.
    W : (kh, kw, c_prev, c_new) array_like
        Kernels.
    b : (1, 1, 1, c_new) or (c_new,) array_like
        Biases.
    activation : callable
        Applied to the whole of Z, e.g. lambda Z: np.maximum(Z, 0).
    padding : "same", "valid", (ph, pw) or ((top, bottom), (left, right))
        "valid" adds nothing, "same" what Keras adds: just enough for
        h_new = ceil(h_prev / sh), the odd row below, the odd column right.
    stride : (sh, sw)
        Integers of at least 1.

    Returns
    -------
    A : (m, h_new, w_new, c_new) ndarray
        activation(Z), where h_new = (top + h_prev + bottom - kh) // sh + 1
        and w_new likewise. Z is float32 if all arrays are; in general it has
        their promoted dtype, integers and booleans counting as float64.

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
    Inputs are never modified, and results share no memory with them. NaN and
    infinity take part in the arithmetic. A call needs at most 64 MiB beyond
    the result and a padded copy of A_prev, whatever the batch or the image.

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
    A_prev = _array("A_prev", A_prev, ("m", "h_prev", "w_prev", "c_prev"))
    W = _array("W", W, ("kh", "kw", "c_prev", "c_new"))
    b = _array("b", b)
    m, h_prev, w_prev, c_prev = A_prev.shape
    kh, kw, _, c_new = W.shape
    sh, sw = _pair("stride", stride)
    (top, bottom), (left, right) = _pads(
        padding, (h_prev, w_prev), (kh, kw), (sh, sw))
    h_pad, w_pad = top + h_prev + bottom, left + w_prev + right

    _expect(W.shape[2] == c_prev, "W",
            f"{c_prev} input channels to match A_prev", f"shape {W.shape}")
    _expect(b.shape in ((1, 1, 1, c_new), (c_new,)), "b",
            f"shape {(1, 1, 1, c_new)} or {(c_new,)}", f"shape {b.shape}")
    _expect(kh <= h_pad and kw <= w_pad, "W",
            f"a kernel within the padded {(h_pad, w_pad)}", f"shape {W.shape}")
    _expect(callable(activation), "activation", "a callable",
            repr(activation), TypeError)

    # Long runs of memory copy fastest: where a row of a kernel holds few
    # numbers, let pixels lie together ('F'), else channels ('C').
    order, size = ('F', 2**17) if kw * c_prev < 16 else ('C', 2**19)
    dtype = _dtype(A_prev, W, b)
    # (m, h_pad, w_pad, c_prev); A_prev itself where it already lies so.
    A_pad = A_prev
    if (h_pad, w_pad) != (h_prev, w_prev) or order == 'F' and c_prev > 1:
        A_pad = np.zeros((m * h_pad * w_pad, c_prev), dtype, order)
        A_pad = A_pad.reshape(m, h_pad, w_pad, c_prev)
        A_pad[:, top:top + h_prev, left:left + w_prev] = A_prev
    windows = _windows(A_pad, (kh, kw), (sh, sw))
    # The bias is one more weight, whose input is always 1.
    kernels = np.concatenate((W.reshape(-1, c_new), b.reshape(1, c_new)),
                             dtype=dtype)
    Z = np.empty((*windows.shape[:3], c_new), dtype)

    # All blocks share one piece of memory, so that it stays in the cache.
    pixels = max(size // len(kernels), 1)
    memory = np.empty(pixels * len(kernels), dtype)
    for n, y, x in _blocks(*windows.shape[:3], pixels):
        seen = windows[n, y, x]
        Z_block = Z[n, y, x].reshape(-1, c_new)
        columns = memory[:len(Z_block) * len(kernels)].reshape(
            (len(Z_block), len(kernels)), order=order)
        columns[:, :-1].reshape(seen.shape)[...] = seen
        columns[:, -1] = 1
        # (pixels, weights) @ (weights, c_new), straight into its place
        np.matmul(columns, kernels, out=Z_block)

    return activation(Z)


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
