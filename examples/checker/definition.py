"""The four functions by their definition, in steps that can be replaced.

naive.py is the page to read; here each step is a small function of its own,
because a cause is this definition with one step replaced. All images, channels
and kernels of a window are computed together. A test holds both equal.
"""
from types import SimpleNamespace

import numpy as np

OUTPUTS = {"conv_forward": ("A",), "pool_forward": ("A",),
           "conv_backward": ("dA_prev", "dW", "db"),
           "pool_backward": ("dA_prev",)}


def keras(size, kernel, stride):
    """The fewest zeros for ceil(size / stride) outputs, the odd one last."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def total_to_keep(size, kernel, stride):
    """Return the zeros that keep the size of an axis, even under a stride."""
    return (size - 1) * stride + kernel - size


def rounded_up(*axis):
    """Half of the zeros that keep the size, rounded up, on both sides."""
    return (-(-total_to_keep(*axis) // 2),) * 2


def rounded_down(*axis):
    """Half of the zeros that keep the size, rounded down, on both sides."""
    return (total_to_keep(*axis) // 2,) * 2


RULES = {"keras": keras, "size": rounded_up, "floor": rounded_down}


# The steps. A window is a pair of slices; sizes, kernel, stride are pairs.

def sides(do, padding, sizes, kernel, stride):
    """Return (top, bottom), (left, right)."""
    if padding == "valid":
        return (0, 0), (0, 0)
    return tuple(do.rule(*axis) for axis in zip(sizes, kernel, stride))


def pad(A_prev, rows, cols, mode="constant"):
    """Pad the images with zeros."""
    if not any((*rows, *cols)):     # np.pad takes its time
        return A_prev.copy()
    return np.pad(A_prev, ((0, 0), rows, cols, (0, 0)), mode)


def size(sizes, padded, kernel, stride, padding):
    """Return h_new, w_new."""
    return tuple((p - k) // s + 1 for p, k, s in zip(padded, kernel, stride))


def window(y, x, kernel, stride):
    """Return the rows and the columns of a window."""
    (kh, kw), (sh, sw) = kernel, stride
    return slice(y * sh, y * sh + kh), slice(x * sw, x * sw + kw)


def product(pixels, W):
    """Return the sums of a window times each kernel: (m, c_new)."""
    return np.sum(pixels[..., np.newaxis] * W, axis=(1, 2, 3))


def finish(Z, b, activation, W):
    """Add the bias, then activate."""
    return activation(Z + np.ravel(b))


def add_dA(dA_pad, rows, cols, W, d):
    """Add the kernels times dZ's numbers of a window (m, c_new) to it."""
    dA_pad[:, rows, cols] += np.sum(W * d[:, None, None, None], axis=-1)


def add_dW(dW, A_pad, rows, cols, d):
    """Add the pixels of a window times dZ's numbers to dW."""
    pixels = A_pad[:, rows, cols]
    dW += np.sum(pixels[..., np.newaxis] * d[:, None, None, None], axis=0)


def accumulate(do, dA_pad, dW, A_pad, place, W, d):
    """Add what a window gives to the gradients."""
    do.add_dA(dA_pad, *place, W, d)
    do.add_dW(dW, A_pad, *place, d)


def crop(dA_pad, rows, cols, sizes, padding):
    """Remove the padding."""
    (top, _), (left, _), (h_prev, w_prev) = rows, cols, sizes
    return dA_pad[:, top:top + h_prev, left:left + w_prev]


def total(dZ):
    """Return the gradient of the bias."""
    return np.sum(dZ, axis=(0, 1, 2), keepdims=True)


def maximum(pixels, A_prev):
    """Return the largest of each window, one by one."""
    return pixels.max(axis=(1, 2), keepdims=True)


def reduce(do, pixels, mode, A_prev, stride):
    """Return the maximum or the mean of a window: (m, c_prev)."""
    if mode == 'max':
        return do.maximum(pixels, A_prev)[:, 0, 0]
    return pixels.sum(axis=(1, 2)) / do.divisor(
        len(pixels), pixels.shape[1:3], stride)


def mask(pixels, ties, largest):
    """Return which elements of each window are its maximum."""
    hit = pixels == largest
    if ties == "first":
        flat = hit.reshape(len(hit), -1, hit.shape[-1])
        hit &= (np.cumsum(flat, axis=1) == 1).reshape(hit.shape)
    return hit


def share(do, pixels, mode, A_prev, kernel, stride, d):
    """Return what each element of a window gets of dA's numbers (m, c)."""
    d = d[:, None, None]
    if mode == 'max':
        return d * do.masked(do.mask(
            pixels, do.ties, do.maximum(pixels, A_prev)), pixels)
    return np.broadcast_to(d / do.divisor(len(pixels), kernel, stride),
                           pixels.shape)


def add(dA_prev, rows, cols, shares, mode):
    """Add the shares to a window."""
    dA_prev[:, rows, cols] += shares


def same(array, *rest):
    """Return an array unchanged."""
    return array


def pair(first, second):
    """Return a pair unchanged."""
    return first, second


STEPS = {
    "rule": keras, "ties": "all", "sides": sides, "pad": pad, "size": size,
    "window": window, "product": product, "finish": finish, "total": total,
    "add_dA": add_dA, "add_dW": add_dW, "crop": crop, "add": add,
    "reduce": reduce, "mask": mask, "share": share, "maximum": maximum,
    "accumulate": accumulate,
    "divisor": lambda m, kernel, stride: np.prod(kernel),
    "pixels": same, "start": lambda padded, A_prev: np.zeros(padded.shape),
    "order": lambda *gradients: gradients,
    **dict.fromkeys(("sizes", "kernel", "stride"), pair), **dict.fromkeys((
        "mode", "masked", "looped", "dZ", "Z", "A", "dA_prev", "dW", "db"),
        same)}


def conv_forward(do, A_prev, W, b, activation, padding, stride):
    """Multiply each window by each kernel and sum, add b, then activate."""
    kernel, stride = do.kernel(*W.shape[:2]), do.stride(*stride)
    sizes = do.sizes(*A_prev.shape[1:3])
    sides = do.sides(do, padding, sizes, kernel, stride)
    A_pad = do.pad(A_prev, *sides)
    padded = [size + sum(side) for size, side in zip(sizes, sides)]
    h_new, w_new = do.size(sizes, padded, kernel, stride, padding)
    Z = np.zeros((len(A_prev), h_new, w_new, W.shape[3]))
    for y, x in np.ndindex(h_new, w_new):
        rows, cols = do.window(y, x, kernel, stride)
        Z[:, y, x] = do.product(A_pad[:, rows, cols], W)
    return do.A(do.finish(do.Z(Z), b, activation, W))


def pool_forward(do, A_prev, kernel_shape, stride, mode):
    """Replace each window, channel by channel, by its maximum or its mean."""
    kernel, stride = do.kernel(*kernel_shape), do.stride(*stride)
    sizes = do.sizes(*A_prev.shape[1:3])
    h_new, w_new = do.size(sizes, sizes, kernel, stride, None)
    A = np.zeros((len(A_prev), h_new, w_new, A_prev.shape[3]))
    for y, x in np.ndindex(h_new, w_new):
        rows, cols = do.window(y, x, kernel, stride)
        A[:, y, x] = do.reduce(do, A_prev[:, rows, cols], do.mode(mode),
                               A_prev, stride)
    return do.A(A)


def conv_backward(do, dZ, A_prev, W, b, padding, stride):
    """Return the gradients of a loss with respect to A_prev, W and b."""
    kernel, stride = do.kernel(*W.shape[:2]), do.stride(*stride)
    sizes = do.sizes(*A_prev.shape[1:3])
    rows, cols = do.sides(do, padding, sizes, kernel, stride)
    A_pad, looped = do.pad(A_prev, rows, cols), do.looped(dZ)
    dA_pad, dW = do.start(A_pad, A_prev), np.zeros(W.shape)
    for y, x in np.ndindex(looped.shape[1:3]):
        do.accumulate(do, dA_pad, dW, do.pixels(A_pad, A_prev), do.window(
            y, x, kernel, stride), W, looped[:, y, x])
    gradients = {"dA_prev": do.crop(dA_pad, rows, cols, sizes, padding),
                 "dW": dW, "db": do.total(do.dZ(dZ))}
    return do.order(*[getattr(do, output)(gradient, dZ, A_prev)
                      for output, gradient in gradients.items()])


def pool_backward(do, dA, A_prev, kernel_shape, stride, mode):
    """Return the gradient of a loss with respect to A_prev."""
    kernel, stride = do.kernel(*kernel_shape), do.stride(*stride)
    dA_prev, looped = do.start(A_prev, A_prev), do.looped(dA)
    for y, x in np.ndindex(looped.shape[1:3]):
        rows, cols = do.window(y, x, kernel, stride)
        shares = do.share(do, A_prev[:, rows, cols], do.mode(mode), A_prev,
                          kernel, stride, looped[:, y, x])
        do.add(dA_prev, rows, cols, shares, mode)
    return do.dA_prev(dA_prev, dA, A_prev)


def define(name, rule, steps=()):
    """Return a function under a rule, with these (step, function) pairs."""
    function, own = globals()[name], {
        "ties" if rule in ("all", "first") else "rule": RULES.get(rule, rule)}
    do = SimpleNamespace(**{**STEPS, **own, **dict(steps)})
    return lambda *args, **options: function(do, *args, **options)


def listed(result):
    """Return the arrays of a result, one or several."""
    return tuple(map(np.asarray, result if isinstance(result, tuple) else (
        result,)))
