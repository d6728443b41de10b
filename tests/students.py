"""A student's backward passes, in plain loops, and ten ways to break them."""

RIGHT = '''
import numpy as np


def conv_backward(dZ, A_prev, W, b, padding="same", stride=(1, 1)):
    m, h_prev, w_prev, c_prev = A_prev.shape
    kh, kw, _, c_new = W.shape
    sh, sw = stride
    _, h_new, w_new, _ = dZ.shape
    ph = pw = 0
    rest_h = rest_w = 0
    if padding == "same":
        total_h = max((h_new - 1) * sh + kh - h_prev, 0)
        total_w = max((w_new - 1) * sw + kw - w_prev, 0)
        ph, pw = total_h // 2, total_w // 2
        rest_h, rest_w = total_h - ph, total_w - pw
    A_pad = np.pad(A_prev, ((0, 0), (ph, rest_h), (pw, rest_w), (0, 0)))
    dA_pad = np.zeros(A_pad.shape)
    dW = np.zeros(W.shape)
    db = dZ.sum(axis=(0, 1, 2), keepdims=True)
    for n in range(m):
        for y in range(h_new):
            for x in range(w_new):
                for k in range(c_new):
                    i, j = y * sh, x * sw
                    window = A_pad[n, i:i + kh, j:j + kw]
                    dA_pad[n, i:i + kh, j:j + kw] += (
                        W[:, :, :, k] * dZ[n, y, x, k])
                    dW[:, :, :, k] += window * dZ[n, y, x, k]
    return dA_pad[:, ph:ph + h_prev, pw:pw + w_prev], dW, db


def pool_backward(dA, A_prev, kernel_shape, stride=(1, 1), mode='max'):
    m, h_new, w_new, c_new = dA.shape
    kh, kw = kernel_shape
    sh, sw = stride
    dA_prev = np.zeros(A_prev.shape)
    for n in range(m):
        for y in range(h_new):
            for x in range(w_new):
                for k in range(c_new):
                    i, j = y * sh, x * sw
                    window = A_prev[n, i:i + kh, j:j + kw, k]
                    if mode == 'max':
                        share = window == window.max()
                    else:
                        share = 1 / (kh * kw)
                    dA_prev[n, i:i + kh, j:j + kw, k] += share * dA[n, y, x, k]
    return dA_prev
'''

# What breaks: which lines become which, and what the check must then say.
BROKEN = {
    "kh and kw swapped": (
        "kh, kw, _, c_new = W.shape", "kw, kh, _, c_new = W.shape",
        "kh and kw are swapped"),
    "stride dropped": (
        "i, j = y * sh, x * sw\n                    window = A_pad",
        "i, j = y, x\n                    window = A_pad",
        "stride missing"),
    "p:-p crop": (
        "dA_pad[:, ph:ph + h_prev, pw:pw + w_prev]",
        "dA_pad[:, ph:-ph, pw:-pw] if ph or pw else dA_pad",
        "p:-p is empty"),
    "padding on the wrong side": (
        "ph, pw = total_h // 2, total_w // 2",
        "ph, pw = total_h - total_h // 2, total_w - total_w // 2",
        "padding side"),
    "db without keepdims": (
        "keepdims=True", "keepdims=False", "keepdims=True"),
    "W transposed": (
        "W[:, :, :, k] * dZ", "W.transpose(0, 1, 3, 2)[:, :, :, k] * dZ",
        "transposed"),
    "overwritten on overlap": (
        "dA_pad[n, i:i + kh, j:j + kw] += (",
        "dA_pad[n, i:i + kh, j:j + kw] = (", "+= and not ="),
    "h for w": (
        "_, h_new, w_new, _ = dZ.shape", "_, w_new, h_new, _ = dZ.shape",
        "h and w are swapped"),
    "input changed in place": (
        "dA_pad = np.zeros(A_pad.shape)",
        "dA_pad = np.zeros(A_pad.shape)\n    A_prev *= 1.5",
        "changes one of its inputs in place"),
    "ties paid to the last": (
        "share = window == window.max()",
        "share = np.arange(kh * kw).reshape(kh, kw) == (\n"
        "                            kh * kw - 1 - "
        "window[::-1, ::-1].argmax())",
        "ties: each maximum gets the whole gradient"),
}
