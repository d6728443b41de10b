"""The usual causes of wrong results: faults that can be run.

Each is the definition in naive.py with one thing wrong. check.py names a
cause when it gives the same wrong numbers as the student's file.
"""
from pathlib import Path
from typing import NamedTuple

SOURCE = (Path(__file__).resolve().parent / "naive.py").read_text(
    encoding="utf-8")

# Rules of "same": the zeros before and after an axis.
RULES = {
    "keras": None,      # as in naive.py
    "size": "p = -(-((size - 1) * stride + kernel - size) // 2)",
    "floor": "p = ((size - 1) * stride + kernel - size) // 2",
}


class Cause(NamedTuple):
    """A fault: what to tell the student, and what to change in naive.py."""

    functions: tuple
    sentence: str
    write: str          # the line to write instead
    old: str
    new: str


BODY = SOURCE[SOURCE.index("    total = 0\n"):SOURCE.index("\n\n\ndef sides")]
BACKWARD = ("conv_backward",)
CONV = ("conv_forward", "conv_backward")
POOL = ("pool_forward", "pool_backward")
CROP = "dA_pad[:, top:top + h_prev, left:left + w_prev], dW, db"
FIRST = "for n, y, x, {0} in np.ndindex({1}.shape):"


def padded(total):
    """Return the body of a rule that pads both sides of an axis alike."""
    return f"    {total}\n    return p, p"


CAUSES = [
    Cause(CONV, 'The padding of "same" is `// 2 + 1`: one row and column too '
          "many wherever the total is even.",
          "ph = -(-((h_prev - 1) * sh + kh - h_prev) // 2)     # rounds up",
          BODY, padded("p = ((size - 1) * stride + kernel - size) // 2 + 1")),
    Cause(CONV, 'The padding of "same" is rounded with round(), which rounds '
          "0.5 down and 1.5 up.",
          "ph = -(-((h_prev - 1) * sh + kh - h_prev) // 2)     # rounds up",
          BODY, padded(
              "p = round(((size - 1) * stride + kernel - size) / 2)")),
    Cause(CONV, 'The two sides of an odd padding are swapped: for "same", the '
          "extra row goes to the bottom, the extra column to the right.",
          "np.pad(..., (top, bottom), (left, right), ...)     # top = "
          "total // 2",
          "return total // 2, total - total // 2",
          "return total - total // 2, total // 2"),
    Cause(CONV, 'The padding of "same" is rounded down for rows and up for '
          "columns.", "one rule for both axes",
          "[same(*axis) for axis in zip(sizes, kernel, stride)]",
          "[(p, p) for p in (((sizes[0] - 1) * stride[0] + kernel[0]"
          " - sizes[0]) // 2, -(-((sizes[1] - 1) * stride[1] + kernel[1]"
          " - sizes[1]) // 2))]"),
    Cause(CONV, 'The padding of "same" is rounded up for rows and down for '
          "columns.", "one rule for both axes",
          "[same(*axis) for axis in zip(sizes, kernel, stride)]",
          "[(p, p) for p in (-(-((sizes[0] - 1) * stride[0] + kernel[0]"
          " - sizes[0]) // 2), ((sizes[1] - 1) * stride[1] + kernel[1]"
          " - sizes[1]) // 2)]"),
    Cause(CONV, 'The padding of "same" is forgotten: A_prev is used as it is.',
          "A_pad = np.pad(A_prev, ((0, 0), (ph, ph), (pw, pw), (0, 0)))",
          BODY, "    return 0, 0"),
    *[Cause((name,), "kh and kw are swapped.",
            "kh, kw, c_prev, c_new = W.shape", f"kh, kw, _, {c} = W.shape",
            f"kw, kh, _, {c} = W.shape")
      for name, c in (("conv_forward", "c_new"), ("conv_backward", "_"))],
    *[Cause((name,), "The kernels are flipped: this is cross-correlation, as "
            "in every framework.", "W[:, :, :, k], not W[::-1, ::-1, :, k]",
            old, old.replace("...", "::-1, ::-1, :"))
      for name, old in (("conv_forward", "window * W[..., k]"),
                        ("conv_backward", "W[..., k] * dZ"))],
    Cause(POOL, "kh and kw are swapped.", "kh, kw = kernel_shape",
          "kh, kw = kernel_shape", "kw, kh = kernel_shape"),
    Cause((*CONV, *POOL), "sh and sw are swapped.", "sh, sw = stride",
          "sh, sw = stride", "sw, sh = stride"),
    Cause(CONV, "sh and sw are swapped.", "sh, sw = stride",
          "sh, sw = stride", "sw, sh = stride\n    stride = sh, sw"),
    Cause((*CONV, *POOL), "The stride is forgotten where a window starts.",
          "window (y, x) is [y*sh:y*sh + kh, x*sw:x*sw + kw]",
          "y*sh:y*sh + kh, x*sw:x*sw + kw", "y:y + kh, x:x + kw"),
    # Forward.
    Cause(("conv_forward",), "The bias is forgotten.",
          "Z[n, y, x, k] = np.sum(window * W[..., k]) + b[0, 0, 0, k]",
          " + np.ravel(b)[k]", ""),
    Cause(("conv_forward",), "The activation is forgotten.",
          "return activation(Z)", "return activation(Z)", "return Z"),
    Cause(("conv_forward",), "The bias is added after the activation.",
          "return activation(Z)     # Z holds the bias already",
          "return activation(Z)",
          "return activation(Z - np.ravel(b)) + np.ravel(b)"),
    Cause(("conv_forward",), "Only the first channel of A_prev is used.",
          "np.sum(window * W[..., k])     # over kh, kw and c_prev",
          "np.sum(window * W[..., k])",
          "np.sum(window[..., 0] * W[..., 0, k])"),
    Cause(("conv_forward",), "h and w are swapped.",
          "m, h_prev, w_prev, c_prev = A_prev.shape",
          "m, h_pad, w_pad, _ = A_pad.shape",
          "m, w_pad, h_pad, _ = A_pad.shape"),
    Cause(("conv_forward",), "The output is one row and one column short.",
          "h_new = (h_pad - kh) // sh + 1",
          "(h_pad - kh) // sh + 1, (w_pad - kw) // sw + 1",
          "(h_pad - kh) // sh, (w_pad - kw) // sw"),
    Cause(("pool_forward",), "The output is one row and one column short.",
          "h_new = (h_prev - kh) // sh + 1",
          "(h_prev - kh) // sh + 1, (w_prev - kw) // sw + 1",
          "(h_prev - kh) // sh, (w_prev - kw) // sw"),
    Cause(("pool_forward",), "h and w are swapped.",
          "m, h_prev, w_prev, c_prev = A_prev.shape",
          "m, h_prev, w_prev, c_prev = A_prev.shape",
          "m, w_prev, h_prev, c_prev = A_prev.shape"),
    Cause(("pool_forward",), "Mean and maximum are mixed up.",
          "np.max(...) if mode == 'max' else np.mean(...)",
          "if mode == 'max'", "if mode != 'max'"),
    Cause(("pool_forward",), "mode is not looked at: always the maximum.",
          "np.max(...) if mode == 'max' else np.mean(...)",
          "if mode == 'max'", "if True"),
    Cause(("pool_forward",), "mode is not looked at: always the mean.",
          "np.max(...) if mode == 'max' else np.mean(...)",
          "if mode == 'max'", "if False"),
    Cause(("pool_forward",), "The maximum starts at 0: negative pixels are "
          "lost.", "maximum = -np.inf     # at the start", "np.max(window) if",
          "max(0, np.max(window)) if"),
    Cause(("pool_forward",), "All channels are pooled together.",
          "np.max(A_prev[n, rows, cols, c])     # one channel",
          "x*sw:x*sw + kw, c]\n        A[", "x*sw:x*sw + kw]\n        A["),
    # Backward.
    Cause(BACKWARD, "The crop p:-p is empty where p is 0.",
          "dA_prev = dA_pad[:, top:top + h_prev, left:left + w_prev]",
          CROP, "dA_pad[:, top:-top, left:-left], dW, db"),
    Cause(BACKWARD, "dA_prev still has its padding.",
          "dA_prev = dA_pad[:, top:top + h_prev, left:left + w_prev]",
          CROP, "dA_pad, dW, db"),
    Cause(BACKWARD, "dA_prev is not padded: its windows are those of A_pad.",
          "dA_pad = np.zeros(A_pad.shape)     # cropped at the end",
          f"np.zeros(A_pad.shape), np.zeros(W.shape)|{CROP}",
          "np.zeros(A_prev.shape), np.zeros(W.shape)|dA_pad, dW, db"),
    Cause(BACKWARD, "db has lost its axes.",
          "db = np.sum(dZ, axis=(0, 1, 2), keepdims=True)",
          "keepdims=True, dtype=float", "dtype=float"),
    Cause(BACKWARD, "h and w are swapped.",
          "m, h_new, w_new, c_new = dZ.shape",
          "for n, y, x, k in np.ndindex(dZ.shape):",
          "for n, x, y, k in np.ndindex(dZ.shape):"),
    Cause(("conv_backward", "pool_backward"), "h and w are swapped.",
          "m, h_new, w_new, c = dZ.shape     # or dA.shape",
          "y*sh:y*sh + kh, x*sw:x*sw + kw", "x*sh:x*sh + kh, y*sw:y*sw + kw"),
    Cause(BACKWARD, "The gradients are divided by m.",
          "dW and db are sums over all images",
          CROP, f"{CROP[:-8]}, dW / len(dZ), db / len(dZ)"),
    Cause(BACKWARD, "All gradients are divided by m.",
          "dA_prev, dW and db are not divided",
          CROP, f"{CROP[:-8]} / len(dZ), dW / len(dZ), db / len(dZ)"),
    Cause(BACKWARD, "dA_prev and dW are returned in the wrong order.",
          "return dA_prev, dW, db", CROP,
          f"dW, {CROP[:-8]}, db"),
    Cause(BACKWARD, "`=` for `+=` in dA_prev: where windows overlap, "
          "gradients add up.", "dA_pad[window] += W[..., k] * dZ[n, y, x, k]",
          "dA_pad[window] +=", "dA_pad[window] ="),
    Cause(BACKWARD, "`=` for `+=` in dW: it is a sum over all windows.",
          "dW[..., k] += A_pad[window] * dZ[n, y, x, k]",
          "dW[..., k] +=", "dW[..., k] ="),
    Cause(BACKWARD, "The kernels are transposed: W is (kh, kw, c_prev, "
          "c_new).", "W[:, :, :, k]", "W[..., k] * dZ",
          "W[:, :, k] * dZ"),
    Cause(("pool_backward",), "`=` for `+=`: where windows overlap, gradients "
          "add up.", "dA_prev[window] += ...",
          "dA_prev[window] += dA|dA_prev[window] += np",
          "dA_prev[window] = dA|dA_prev[window] = np"),
    Cause(("pool_backward",), "h and w are swapped.",
          "m, h_new, w_new, c_prev = dA.shape",
          "for n, y, x, c in np.ndindex(dA.shape):",
          "for n, x, y, c in np.ndindex(dA.shape):"),
    Cause(("pool_backward",), "The average is not divided by kh * kw.",
          "dA[n, y, x, c] / (kh * kw)", " / (kh * kw)", ""),
    Cause(("pool_backward",), "Ties share the gradient equally: a valid "
          "subgradient, but neither the mask of the courses nor the first "
          "element of TensorFlow.", "mask = window == np.max(window)",
          "np.where(mask, dA[n, y, x, c], 0)",
          "mask * dA[n, y, x, c] / mask.sum()"),
    Cause(("pool_backward",), "At a tie, the last element gets the gradient: "
          "all do (courses), or the first (TensorFlow).",
          "mask = window == np.max(window)",
          "            if ties == 'first':     # keep the first True, row by "
          "row\n", "            mask &= (np.cumsum(mask).reshape(mask.shape)"
          " == mask.sum())\n            if False:\n"),
    Cause(("pool_backward",), "The maximum starts at 0: negative pixels get "
          "no gradient.", "maximum = -np.inf     # at the start",
          "== np.max(A_prev[window])", "== max(0, np.max(A_prev[window]))"),
    Cause(("pool_backward",), "The maximum is taken over all channels.",
          "np.max(A_prev[n, rows, cols, c])     # one channel",
          "== np.max(A_prev[window])", "== np.max(A_prev[window[:-1]])"),
    Cause(("pool_backward",), "Mean and maximum are mixed up.",
          "if mode == 'max'", "if mode == 'avg'", "if mode == 'max'"),
    Cause(("pool_backward",), "mode is not looked at: always the maximum.",
          "if mode == 'avg': ...", "if mode == 'avg'", "if False"),
    # Any.
    *[Cause((name,), "Only the first image is computed.",
            f"for n in range(m): ...     # m = len({of})",
            FIRST.format(c, of),
            f"for n, y, x, {c} in np.ndindex(1, *{of}.shape[1:]):")
      for name, c, of in (("conv_forward", "k", "Z"),
                          ("pool_forward", "c", "A"),
                          ("conv_backward", "k", "dZ"),
                          ("pool_backward", "c", "dA"))],
    Cause(BACKWARD, "Only the first image is computed.",
          "for n in range(m): ...     # m = len(dZ)",
          "for n, y, x, k in np.ndindex(dZ.shape):|np.sum(dZ,",
          "for n, y, x, k in np.ndindex(1, *dZ.shape[1:]):|np.sum(dZ[:1],"),
    *[Cause((name,), "The result is truncated to whole numbers: the array "
            "that collects it is of an integer dtype.",
            "np.zeros(shape)     # float64, not zeros_like of integers",
            old, new) for name, old, new in (
        ("conv_forward", "(m, h_new, w_new, c_new))",
         "(m, h_new, w_new, c_new), int)"),
        ("conv_forward", "np.sum(window * W[..., k])",
         "np.trunc(np.sum(window * W[..., k]))"),
        ("pool_forward", "(m, h_new, w_new, c_prev))",
         "(m, h_new, w_new, c_prev), int)"),
        ("conv_backward", CROP,
         "tuple(a.astype(int) for a in (dA_pad[:, top:top + h_prev, "
         "left:left + w_prev], dW, db))"),
        ("pool_backward", "return dA_prev", "return dA_prev.astype(int)"))],
]


def source(name, rule="keras", cause=None):
    """Return the definition of a function under a rule, with one fault."""
    start = SOURCE.index(f"def {name}(")
    end = SOURCE.find("\n\n\n", start)
    text = SOURCE[:SOURCE.index("def conv_forward(")] + SOURCE[
        start:end if end > 0 else len(SOURCE)]
    changes = [(BODY, padded(RULES[rule]))] if RULES.get(rule) else []
    if cause:
        changes = [*changes, *zip(cause.old.split("|"), cause.new.split("|"))]
        if cause.old == BODY:
            changes = changes[-1:]
    for old, new in changes:
        if text.count(old) != 1:
            return None     # this fault cannot be made under this rule
        text = text.replace(old, new)
    return text


def variant(name, rule="keras", cause=None):
    """Return the function that `source` describes, or None."""
    text = source(name, rule, cause)
    if text is None:
        return None
    namespace = {}
    exec(compile(text, f"<{name}>", "exec"), namespace)
    return namespace[name]
