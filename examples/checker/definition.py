"""The four functions by their definition, in steps that can be replaced.

naive.py is the page to read; a test holds both equal. Here each step is a
method, because a cause is this definition with one step replaced (or several
that one mistake touches), and all images, channels and kernels of a window are
computed together. A bias that is forgotten is

    define("conv_forward", "keras",
           [("finish", lambda Z, b, activation, W: activation(Z))])

The function is stored on the object and hides the method: it gets no self.
"""
import numpy as np

OUTPUTS = {"conv_forward": ("A",), "pool_forward": ("A",),
           "conv_backward": ("dA_prev", "dW", "db"),
           "pool_backward": ("dA_prev",)}


def total_to_keep(size, kernel, stride):
    """Return the zeros that keep the size of an axis, even under a stride."""
    return (size - 1) * stride + kernel - size


def both_sides(number):
    """Return a rule: number(total_to_keep) zeros on each side."""
    return lambda *axis: (number(total_to_keep(*axis)),) * 2


def keras(size, kernel, stride):
    """The fewest zeros for ceil(size / stride) outputs, the odd one last."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


rounded_up = both_sides(lambda zeros: -(-zeros // 2))
rounded_down = both_sides(lambda zeros: zeros // 2)
RULES = {"keras": keras, "size": rounded_up, "floor": rounded_down}


class Definition:
    """The functions and their steps.

    A window is a pair of slices; sizes, kernel and stride are pairs.
    """

    rules, ties = (keras, keras), "all"     # of rows and columns; of maxima

    # Steps that change nothing are places for a fault. Where they are read:
    kernel = stride = sizes = staticmethod(lambda h, w: (h, w))
    padding = mode = staticmethod(lambda word: word)
    # In the padding: sizes, kernel and stride; the zeros before and after.
    axes = side = staticmethod(lambda *several: several)
    # The kernels, in conv_forward and where dA_pad is added to.
    W = W_of_dA = staticmethod(lambda W: W)
    # Results before the bias, and at the end.
    Z = A = staticmethod(lambda result: result)
    # dZ, or dA, as the loops see it, and as the sum of db does.
    in_loops = in_db = staticmethod(lambda gradient: gradient)
    # Each gradient with (dZ, A_prev), and their order.
    dA_prev = dW = db = staticmethod(lambda gradient, *rest: gradient)
    order = staticmethod(lambda *gradients: gradients)
    # The pixels of a window, or A_pad and A_prev for dW.
    pixels = staticmethod(lambda pixels, *rest: pixels)

    def sides(self, padding, *axes):
        """Return (top, bottom), (left, right)."""
        if self.padding(padding) == "valid":
            return (0, 0), (0, 0)
        return [self.side(*rule(*axis)) for rule, axis in zip(
            self.rules, zip(*self.axes(*axes)))]

    def pad(self, A_prev, rows, cols):
        """Pad the images with zeros, as np.pad, which is slower here."""
        (m, h_prev, w_prev, c_prev), (top, _), (left, _) = (
            A_prev.shape, rows, cols)
        A_pad = np.zeros((m, h_prev + sum(rows), w_prev + sum(cols), c_prev))
        A_pad[:, top:top + h_prev, left:left + w_prev] = A_prev
        return A_pad

    def size(self, sizes, padded, kernel, stride, padding):
        """Return h_new, w_new."""
        return [(p - k) // s + 1 for p, k, s in zip(padded, kernel, stride)]

    def window(self, y, x, kernel, stride):
        """Return the rows and the columns of a window."""
        (kh, kw), (sh, sw) = kernel, stride
        return slice(y * sh, y * sh + kh), slice(x * sw, x * sw + kw)

    def forward(self, A_prev, kernel, stride, padding, c_new, compute):
        """Return what is computed from each window."""
        kernel, stride = self.kernel(*kernel), self.stride(*stride)
        sizes = self.sizes(*A_prev.shape[1:3])
        sides = self.sides(padding, sizes, kernel, stride)
        A_pad = self.pad(A_prev, *sides)
        h_new, w_new = self.size(
            sizes, [n + sum(side) for n, side in zip(sizes, sides)],
            kernel, stride, padding)
        result = np.zeros((len(A_prev), h_new, w_new, c_new))
        for y, x in np.ndindex(h_new, w_new):
            rows, cols = self.window(y, x, kernel, stride)
            result[:, y, x] = compute(A_pad[:, rows, cols], (h_new, w_new))
        return result

    def conv_forward(self, A_prev, W, b, activation, padding, stride):
        """Multiply each window by each kernel and sum, add b, activate."""
        Z = self.forward(A_prev, W.shape[:2], stride, padding, W.shape[3],
                         lambda pixels, _: self.product(pixels, self.W(W)))
        return self.A(self.finish(self.Z(Z), b, activation, W))

    def product(self, pixels, W):
        """Return the sums of a window times each kernel: (m, c_new)."""
        return np.einsum("nijc,ijck->nk", pixels, W)

    def finish(self, Z, b, activation, W):
        """Add the bias, then activate."""
        return activation(Z + np.ravel(b))

    def pool_forward(self, A_prev, kernel_shape, stride, mode):
        """Replace each window, channel by channel, by its maximum or mean."""
        mode = self.mode(mode)
        return self.A(self.forward(
            A_prev, kernel_shape, stride, "valid", A_prev.shape[3],
            lambda pixels, sizes: self.maximum(self.pixels(pixels), A_prev)[
                :, 0, 0] if mode == 'max' else self.mean(
                    self.pixels(pixels), kernel_shape, stride, sizes)))

    def maximum(self, pixels, A_prev):
        """Return the largest of each window: (m, 1, 1, c)."""
        return pixels.max(axis=(1, 2), keepdims=True)

    def mean(self, pixels, kernel, stride, sizes):
        """Return the mean of each window: (m, c)."""
        return pixels.sum(axis=(1, 2)) / self.divisor(
            self.kernel(*kernel), stride, sizes, len(pixels),
            np.prod(pixels.shape[1:3]))

    def divisor(self, kernel, stride, sizes, m, count):
        """Return what a sum of count pixels is divided by."""
        return count

    def conv_backward(self, dZ, A_prev, W, b, padding, stride):
        """Return the gradients of a loss with respect to A_prev, W and b."""
        kernel, stride = self.kernel(*W.shape[:2]), self.stride(*stride)
        sizes = self.sizes(*A_prev.shape[1:3])
        rows, cols = self.sides(padding, sizes, kernel, stride)
        A_pad, in_loops = self.pad(A_prev, rows, cols), self.in_loops(dZ)
        dA_pad, dW = self.start(A_pad, A_prev), np.zeros(W.shape)
        for y, x in np.ndindex(in_loops.shape[1:3]):
            self.accumulate(dA_pad, dW, self.pixels(A_pad, A_prev),
                            (y, x, kernel, stride), W, in_loops[:, y, x])
        dA_prev = self.crop(dA_pad, rows, cols, sizes, padding)
        return self.order(
            self.dA_prev(dA_prev, dZ, A_prev), self.dW(dW, dZ, A_prev),
            self.db(self.total(self.in_db(dZ)), dZ, A_prev))

    def start(self, A_pad, A_prev):
        """Return the array to which the gradients of the pixels are added."""
        return np.zeros(A_pad.shape)

    def accumulate(self, dA_pad, dW, A_pad, place, W, d):
        """Add what a window gives to the gradients. d: its dZ, (m, c_new)."""
        self.add_dA(dA_pad, *self.window_of_dA(*place), self.W_of_dA(W), d)
        self.add_dW(dW, A_pad, *self.window_of_dW(*place), d)

    def window_of_dA(self, *place):
        """Return the window of dA_pad that is added to."""
        return self.window(*place)

    def window_of_dW(self, *place):
        """Return the window of A_pad that dW is computed from."""
        return self.window(*place)

    def add_dA(self, dA_pad, rows, cols, W, d):
        """Add the kernels times d to a window."""
        dA_pad[:, rows, cols] += np.einsum("nk,ijck->nijc", d, W)

    def add_dW(self, dW, A_pad, rows, cols, d):
        """Add the pixels of a window times d to dW."""
        dW += np.einsum("nijc,nk->ijck", A_pad[:, rows, cols], d)

    def crop(self, dA_pad, rows, cols, sizes, padding):
        """Remove the padding."""
        (top, _), (left, _), (h_prev, w_prev) = rows, cols, sizes
        return dA_pad[:, top:top + h_prev, left:left + w_prev]

    def total(self, dZ):
        """Return the gradient of the bias."""
        return np.sum(dZ, axis=(0, 1, 2), keepdims=True)

    def pool_backward(self, dA, A_prev, kernel_shape, stride, mode):
        """Return the gradient of a loss with respect to A_prev."""
        kernel, stride = self.kernel(*kernel_shape), self.stride(*stride)
        dA_prev, in_loops = self.start(A_prev, A_prev), self.in_loops(dA)
        for y, x in np.ndindex(in_loops.shape[1:3]):
            rows, cols = self.window(y, x, kernel, stride)
            pixels, d = A_prev[:, rows, cols], in_loops[:, y:y + 1, x:x + 1]
            if self.mode(mode) == 'max':
                shares = self.masked(self.mask(pixels, self.maximum(
                    pixels, A_prev)), pixels, d)
            else:
                shares = d / self.divisor(kernel, stride, in_loops.shape[1:3],
                                          len(pixels), np.prod(kernel))
            self.add(dA_prev, rows, cols, shares, mode)
        return self.dA_prev(dA_prev, dA, A_prev)

    def mask(self, pixels, largest):
        """Return which elements of each window are its maximum."""
        hit = pixels == largest
        if self.ties == "first":
            flat = hit.reshape(len(hit), -1, hit.shape[-1])
            hit &= (np.cumsum(flat, axis=1) == 1).reshape(hit.shape)
        return hit

    def masked(self, hit, pixels, d):
        """Return what each element of a window gets; d: (m, 1, 1, c)."""
        return hit * d

    def add(self, dA_prev, rows, cols, shares, mode):
        """Add the shares to a window."""
        dA_prev[:, rows, cols] += shares


def define(name, rule, steps=()):
    """Return a function, or a step, under a rule.

    steps: pairs of a step and the function that replaces it.
    """
    definition = Definition()
    if rule in RULES:
        definition.rules = (RULES[rule],) * 2
    else:
        definition.ties = rule
    for step, function in steps:
        setattr(definition, step, function)
    return getattr(definition, name)


def listed(result):
    """Return the arrays of a result, one or several."""
    return tuple(map(np.asarray, result if isinstance(result, tuple) else (
        result,)))
