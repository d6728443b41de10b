"""What the tests compare with: the definitions, one product at a time."""
import numpy as np

import cases


def check(function, case, ours, expected, rtol=0.0, hint="see the case"):
    """Fail with a line that teaches if ours is not expected."""
    if isinstance(case, cases.Case):
        case, hint = case.name, case.hint
    message = cases.difference(function, case, hint, ours, expected, rtol)
    assert message is None, message


def sides(case):
    """Return a case's padding as ((top, bottom), (left, right))."""
    if case.padding == "valid":
        return (0, 0), (0, 0)
    if case.padding == "same":
        pads = []
        for size, kernel, stride in zip(case.A_prev[1:], case.W, case.stride):
            total = 0
            while (size + total - kernel) // stride + 1 < -(-size // stride):
                total += 1
            pads.append((total // 2, total - total // 2))
        return pads
    return [(pad, pad) if isinstance(pad, int) else pad
            for pad in case.padding]


def conv(A_pad, W, b, sh, sw):
    """Convolve images that are padded already, by the definition."""
    m, h, w, _ = A_pad.shape
    kh, kw, _, c_new = W.shape
    Z = np.zeros((m, (h - kh) // sh + 1, (w - kw) // sw + 1, c_new))
    for n, y, x, k in np.ndindex(Z.shape):
        window = A_pad[n, y*sh:y*sh + kh, x*sw:x*sw + kw]
        Z[n, y, x, k] = b[k] + (window * W[..., k]).sum()
    return Z


def pool(A, kh, kw, sh, sw, function):
    """Pool by the definition; function takes a window to a number."""
    m, h, w, c = A.shape
    Z = np.zeros((m, (h - kh) // sh + 1, (w - kw) // sw + 1, c))
    for n, y, x, k in np.ndindex(Z.shape):
        Z[n, y, x, k] = function(A[n, y*sh:y*sh + kh, x*sw:x*sw + kw, k])
    return Z


def slope(loss, A, step=1e-2):
    """Return the gradient of loss by central finite differences."""
    A, gradient = A.copy(), np.zeros(A.shape)
    for index in np.ndindex(A.shape):
        value = A[index]
        A[index] = value + step
        above = loss(A)
        A[index] = value - step
        gradient[index] = (above - loss(A)) / (2 * step)
        A[index] = value
    return gradient
