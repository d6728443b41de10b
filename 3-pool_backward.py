#!/usr/bin/env python3
"""Pooling, backward: the maximum, or all of a window, gets the gradient."""
import numpy as np


def pool_backward(dA, A_prev, kernel_shape, stride=(1, 1), mode='max',
                  ties='all'):
    """Carry the gradient dA of a loss back through a pooling.

    'max':  dA_prev[n, y*sh + i, x*sw + j, c] += dA[n, y, x, c]
            where A_prev has there the maximum of window (n, y, x, c)
    'avg':  dA_prev[n, y*sh + i, x*sw + j, c] += dA[n, y, x, c] / (kh * kw)

    for all (n, y, x, i, j, c). Overlapping windows add up.

    m images of h rows, w columns and c channels; "prev" is what comes in,
    "new" what goes out; kernels of kh x kw move by strides of sh and sw.

    Parameters
    ----------
    dA : (m, h_new, w_new, c_prev) array_like
        Gradient of the loss with respect to what the pooling gave.
    A_prev : (m, h_prev, w_prev, c_prev) array_like
        Images. m may be 0, all other sizes are at least 1.
    kernel_shape : (kh, kw)
        Integers of at least 1, as in the forward pass.
    stride : (sh, sw)
        Integers of at least 1, as in the forward pass.
    mode : 'max' or 'avg'
    ties : 'all' or 'first'
        Who gets the gradient where elements share the maximum: each of them,
        as the mask A_prev == max of most courses has it; or only the first in
        row-major order, as TensorFlow and PyTorch have it. To train, use
        'first'; to reproduce a course's numbers, 'all'.

    Returns
    -------
    dA_prev : (m, h_prev, w_prev, c_prev) ndarray
        Gradient with respect to A_prev: float32 if both arrays are; in
        general of their promoted dtype, integers and booleans counting as
        float64.

    Raises
    ------
    TypeError
        An array is not of real numbers, kernel_shape or stride not of
        integers.
    ValueError
        Shapes do not match (that of dA is the one the forward pass gives), a
        size or stride is below 1, mode or ties is unknown, the kernel is
        larger than the image.

    Notes
    -----
    Inputs are never modified, and results share no memory with them. NaN and
    infinity take part in the arithmetic. A call needs at most 64 MiB beyond
    the result, whatever the batch or the image.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning
    applied to document recognition", Proc. IEEE 86.
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep
    learning", arXiv:1603.07285.

    Examples
    --------
    >>> A_prev = np.arange(9).reshape(1, 3, 3, 1)
    >>> dA = np.ones((1, 2, 2, 1))
    >>> pool_backward(dA, A_prev, (2, 2))[0, :, :, 0]
    array([[0., 0., 0.],
           [0., 1., 1.],
           [0., 1., 1.]])
    >>> 4 * pool_backward(dA, A_prev, (2, 2), mode='avg')[0, :, :, 0]
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    dA = _array("dA", dA)
    A_prev = _array("A_prev", A_prev, ("m", "h_prev", "w_prev", "c_prev"))
    m, h_prev, w_prev, c_prev = A_prev.shape
    kh, kw = _pair("kernel_shape", kernel_shape)
    sh, sw = _pair("stride", stride)
    h_new, w_new = (h_prev - kh) // sh + 1, (w_prev - kw) // sw + 1

    _expect(kh <= h_prev and kw <= w_prev, "kernel_shape",
            f"a kernel within A_prev's {(h_prev, w_prev)}", (kh, kw))
    _expect(isinstance(mode, str) and mode in ("max", "avg"), "mode",
            "'max' or 'avg'", repr(mode))
    _expect(isinstance(ties, str) and ties in ("all", "first"), "ties",
            "'all' or 'first'", repr(ties))
    _expect(dA.shape == (m, h_new, w_new, c_prev), "dA",
            f"the forward pass's shape {(m, h_new, w_new, c_prev)}",
            f"shape {dA.shape}")

    dtype = _dtype(dA, A_prev)
    dA_prev = np.zeros((m, h_prev, w_prev, c_prev), dtype)

    for n, y, x in _blocks(m, h_new, w_new, 2**15 // c_prev):
        h, w = y.stop - y.start, x.stop - x.start
        under = np.s_[n, y.start*sh:(y.stop - 1)*sh + kh,
                      x.start*sw:(x.stop - 1)*sw + kw]
        seen, dseen = A_prev[under], dA_prev[under]
        dA_block = dA[n, y, x].astype(dtype, copy=False)

        if mode == 'avg':
            # First to the columns of a window, then to its rows.
            dA_block = dA_block / (kh * kw) + 0     # -0.0 + 0 is 0.0
            columns = np.zeros((len(dseen), h, *dseen.shape[2:]), dtype)
            for c in _channels(c_prev, few=8):
                for j in range(kw):
                    _give(dA_block[..., c], columns[:, :, j:j + w*sw:sw, c],
                          overlap=j >= sw)
            for i in range(kh):
                _give(columns, dseen[:, i:i + h*sh:sh], overlap=kh > sh)
            continue

        finite = np.isfinite(dA_block).all()
        for c in _channels(c_prev, few=3):
            # Element (i, j) of every window, row by row.
            elements = [np.s_[:, i:i + h*sh:sh, j:j + w*sw:sw, c]
                        for i in range(kh) for j in range(kw)]
            dA_c = np.ascontiguousarray(dA_block[..., c])
            highest = np.empty(dA_c.shape, A_prev.dtype)
            _fold(np.maximum, [seen[e] for e in elements], highest)
            free = True
            for e in elements:
                hit = seen[e] == highest
                if ties == 'first':
                    hit &= free
                    free = free ^ hit
                # 0 * inf would be NaN.
                dseen[e] += hit * dA_c if finite else np.where(hit, dA_c, 0)

    return dA_prev


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


def _give(dA, to, overlap):
    """Write dA or, where windows overlap, add it to what others gave."""
    if overlap:
        to += dA
    else:
        to[...] = dA


def _channels(c_prev, few):
    """Index all channels at once or, where they are few, one by one.

    NumPy's inner loop runs over them, and is slow when it is short.
    """
    return range(c_prev) if c_prev <= few else [slice(None)]


def _fold(pool, parts, out):
    """Pool arrays of one shape, element by element, into out."""
    if len(parts) == 1:
        out[...] = parts[0]
    else:
        pool(parts[0], parts[1], out=out, dtype=out.dtype)
    for part in parts[2:]:
        pool(out, part, out=out)
