#!/usr/bin/env python3
"""What is computed: the four functions by their definition, and no faster.

One output at a time, in the letters of the modules: np.ndindex runs over all
indices n, y, x, k, and np.s_ names the window of one output, to read it or to
add to it. Read this file for what the numbered modules compute, and the
modules for how. Arguments are NumPy arrays and are not checked; results are
float64.
"""
import numpy as np


def same(size, kernel, stride):
    """Return how many zeros "same" puts before and after an axis.

    As few as give ceil(size / stride) outputs: windows start at the multiples
    of the stride, and end inside the padded size.
    """
    total = 0
    while (size + total - kernel) // stride + 1 < np.ceil(size / stride):
        total += 1
    return total // 2, total - total // 2


def sides(padding, sizes, kernel, stride):
    """Return padding, in any of its forms, as (top, bottom), (left, right)."""
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding == "same":
        return [same(*axis) for axis in zip(sizes, kernel, stride)]
    return [(p, p) if np.ndim(p) == 0 else tuple(p) for p in padding]


def conv_forward(A_prev, W, b, activation, padding="same", stride=(1, 1)):
    """Multiply each window by each kernel and sum, add b, then activate."""
    kh, kw, _, c_new = W.shape
    sh, sw = stride
    rows, cols = sides(padding, A_prev.shape[1:3], (kh, kw), stride)
    A_pad = np.pad(A_prev, ((0, 0), rows, cols, (0, 0)))
    m, h_pad, w_pad, _ = A_pad.shape
    h_new, w_new = (h_pad - kh) // sh + 1, (w_pad - kw) // sw + 1
    Z = np.zeros((m, h_new, w_new, c_new))
    for n, y, x, k in np.ndindex(Z.shape):
        window = A_pad[n, y*sh:y*sh + kh, x*sw:x*sw + kw]
        Z[n, y, x, k] = np.sum(window * W[..., k]) + np.ravel(b)[k]
    return activation(Z)


def pool_forward(A_prev, kernel_shape, stride=(1, 1), mode='max'):
    """Replace each window, channel by channel, by its maximum or its mean."""
    kh, kw = kernel_shape
    sh, sw = stride
    m, h_prev, w_prev, c_prev = A_prev.shape
    h_new, w_new = (h_prev - kh) // sh + 1, (w_prev - kw) // sw + 1
    A = np.zeros((m, h_new, w_new, c_prev))
    for n, y, x, c in np.ndindex(A.shape):
        window = A_prev[n, y*sh:y*sh + kh, x*sw:x*sw + kw, c]
        A[n, y, x, c] = np.max(window) if mode == 'max' else np.mean(window)
    return A


def conv_backward(dZ, A_prev, W, b, padding="same", stride=(1, 1)):
    """Return the gradients of a loss with respect to A_prev, W and b."""
    kh, kw, _, _ = W.shape
    sh, sw = stride
    _, h_prev, w_prev, _ = A_prev.shape
    rows, cols = sides(padding, (h_prev, w_prev), (kh, kw), stride)
    A_pad = np.pad(A_prev, ((0, 0), rows, cols, (0, 0)))
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    db = np.sum(dZ, axis=(0, 1, 2), keepdims=True, dtype=float)
    for n, y, x, k in np.ndindex(dZ.shape):
        window = np.s_[n, y*sh:y*sh + kh, x*sw:x*sw + kw]
        dA_pad[window] += W[..., k] * dZ[n, y, x, k]
        dW[..., k] += A_pad[window] * dZ[n, y, x, k]
    (top, _), (left, _) = rows, cols
    return dA_pad[:, top:top + h_prev, left:left + w_prev], dW, db


def pool_backward(dA, A_prev, kernel_shape, stride=(1, 1), mode='max',
                  ties='all'):
    """Return the gradient of a loss with respect to A_prev."""
    kh, kw = kernel_shape
    sh, sw = stride
    dA_prev = np.zeros(A_prev.shape)
    for n, y, x, c in np.ndindex(dA.shape):
        window = np.s_[n, y*sh:y*sh + kh, x*sw:x*sw + kw, c]
        if mode == 'avg':
            dA_prev[window] += dA[n, y, x, c] / (kh * kw)
        else:
            mask = A_prev[window] == np.max(A_prev[window])
            if ties == 'first':
                # Keep the first True, row by row: where the count reaches 1.
                mask &= np.cumsum(mask).reshape(mask.shape) == 1
            dA_prev[window] += np.where(mask, dA[n, y, x, c], 0)
    return dA_prev
