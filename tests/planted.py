"""A student's solutions in plain loops, and faults planted in them.

Written without a look at examples/causes.py: what check.py must see through.
"""

SOLUTIONS = {
    "conv_forward": '''
import numpy as np


def conv_forward(A_prev, W, b, activation, padding="same", stride=(1, 1)):
    m, h_prev, w_prev, c_prev = A_prev.shape
    kh, kw, c_prev, c_new = W.shape
    sh, sw = stride
    ph, pw = 0, 0
    if padding == "same":
        ph = int(np.ceil(((h_prev - 1) * sh + kh - h_prev) / 2))
        pw = int(np.ceil(((w_prev - 1) * sw + kw - w_prev) / 2))
    padded = np.pad(A_prev, ((0, 0), (ph, ph), (pw, pw), (0, 0)))
    h_new = (h_prev + 2 * ph - kh) // sh + 1
    w_new = (w_prev + 2 * pw - kw) // sw + 1
    output = np.zeros((m, h_new, w_new, c_new))
    for i in range(h_new):
        for j in range(w_new):
            for k in range(c_new):
                part = padded[:, i*sh:i*sh + kh, j*sw:j*sw + kw]
                output[:, i, j, k] = np.sum(part * W[..., k], axis=(1, 2, 3))
    return activation(output + b)
''',
    "pool_forward": '''
import numpy as np


def pool_forward(A_prev, kernel_shape, stride=(1, 1), mode='max'):
    m, h_prev, w_prev, c_prev = A_prev.shape
    kh, kw = kernel_shape
    sh, sw = stride
    h_new = (h_prev - kh) // sh + 1
    w_new = (w_prev - kw) // sw + 1
    output = np.zeros((m, h_new, w_new, c_prev))
    for i in range(h_new):
        for j in range(w_new):
            part = A_prev[:, i*sh:i*sh + kh, j*sw:j*sw + kw]
            if mode == 'max':
                output[:, i, j] = part.max(axis=(1, 2))
            else:
                output[:, i, j] = part.mean(axis=(1, 2))
    return output
''',
    "conv_backward": '''
import numpy as np


def conv_backward(dZ, A_prev, W, b, padding="same", stride=(1, 1)):
    m, h_new, w_new, c_new = dZ.shape
    _, h_prev, w_prev, c_prev = A_prev.shape
    kh, kw, _, _ = W.shape
    sh, sw = stride
    ph, pw = 0, 0
    if padding == "same":
        ph = int(np.ceil(((h_prev - 1) * sh + kh - h_prev) / 2))
        pw = int(np.ceil(((w_prev - 1) * sw + kw - w_prev) / 2))
    A_pad = np.pad(A_prev, ((0, 0), (ph, ph), (pw, pw), (0, 0)))
    dA_pad = np.zeros(A_pad.shape)
    dW = np.zeros(W.shape)
    db = np.sum(dZ, axis=(0, 1, 2), keepdims=True)
    for n in range(m):
        for y in range(h_new):
            for x in range(w_new):
                for k in range(c_new):
                    top, left = y * sh, x * sw
                    part = A_pad[n, top:top + kh, left:left + kw]
                    dA_pad[n, top:top + kh, left:left + kw] += (
                        W[:, :, :, k] * dZ[n, y, x, k])
                    dW[:, :, :, k] += part * dZ[n, y, x, k]
    dA_prev = dA_pad[:, ph:ph + h_prev, pw:pw + w_prev]
    return dA_prev, dW, db
''',
    "pool_backward": '''
import numpy as np


def pool_backward(dA, A_prev, kernel_shape, stride=(1, 1), mode='max'):
    m, h_new, w_new, c_new = dA.shape
    kh, kw = kernel_shape
    sh, sw = stride
    dA_prev = np.zeros(A_prev.shape)
    for n in range(m):
        for y in range(h_new):
            for x in range(w_new):
                for c in range(c_new):
                    i, j = y * sh, x * sw
                    part = A_prev[n, i:i + kh, j:j + kw, c]
                    if mode == 'max':
                        share = part == part.max()
                    else:
                        share = 1 / (kh * kw)
                    dA_prev[n, i:i + kh, j:j + kw, c] += share * dA[n, y, x, c]
    return dA_prev
''',
}
CF, PF, CB, PB = SOLUTIONS
CEIL_H = "int(np.ceil(((h_prev - 1) * sh + kh - h_prev) / 2))"
CEIL_W = "int(np.ceil(((w_prev - 1) * sw + kw - w_prev) / 2))"
RETURN = {CF: "return activation(output + b)", PF: "return output",
          CB: "return dA_prev, dW, db", PB: "return dA_prev"}


def both(pattern):
    """Return the two lines of padding, changed by a pattern."""
    return [(CEIL_H, pattern.format("((h_prev - 1) * sh + kh - h_prev)")),
            (CEIL_W, pattern.format("((w_prev - 1) * sw + kw - w_prev)"))]


def before_return(name, code):
    """Put code before the last return."""
    return [(RETURN[name], f"{code}\n    {RETURN[name]}")]


PLANTED = {     # name: (function, changes, a part of the cause or None)
    "plus one, forward": (CF, both("{} // 2 + 1"), "// 2 + 1"),
    "plus one, backward": (CB, both("{} // 2 + 1"), "// 2 + 1"),
    "round, forward": (CF, both("round({} / 2)"), "round()"),
    "round, backward": (CB, both("round({} / 2)"), "round()"),
    "rows rounded down": (CF, [both("{} // 2")[0]], "down for rows"),
    "columns rounded down": (CB, [both("{} // 2")[1]], "down for columns"),
    "same forgotten": (CF, [('"same":', '"SAME":')], "is forgotten"),
    "sides swapped": (CF, [
        (CEIL_H, "max((-(-h_prev // sh) - 1) * sh + kh - h_prev, 0)"),
        (CEIL_W, "max((-(-w_prev // sw) - 1) * sw + kw - w_prev, 0)"),
        ("(ph, ph), (pw, pw)",
         "(ph - ph // 2, ph // 2), (pw - pw // 2, pw // 2)"),
        ("h_prev + 2 * ph", "h_prev + ph"),
        ("w_prev + 2 * pw", "w_prev + pw")], "two sides"),
    "crop p:-p": (CB, [("ph:ph + h_prev, pw:pw + w_prev", "ph:-ph, pw:-pw")],
                  "empty where p is 0"),
    "not cropped": (CB, [("[:, ph:ph + h_prev, pw:pw + w_prev]", "")],
                    "still has its padding"),
    "dA not padded": (CB, [
        ("dA_pad = np.zeros(A_pad.shape)", "dA_pad = np.zeros(A_prev.shape)"),
        ("[:, ph:ph + h_prev, pw:pw + w_prev]", "")], "is not padded"),
    "db flat": (CB, [(", keepdims=True", "")], "db has lost its axes"),
    "db (c_new, 1)": (CB, before_return(CB, "db = db.reshape(-1, 1)"), None),
    "divided by m": (CB, before_return(CB, "dW, db = dW / m, db / m"),
                     "divided by m"),
    "all divided by m": (CB, before_return(
        CB, "dA_prev, dW, db = dA_prev / m, dW / m, db / m"),
        "All gradients are divided by m"),
    "first image": (CB, [("for n in range(m)", "for n in range(1)"), (
        "np.sum(dZ,", "np.sum(dZ[:1],")], "Only the first image"),
    "first image, loops only": (CB, [("for n in range(m)",
                                      "for n in range(1)")],
                                "Only the first image"),
    "first image, pooling": (PB, [("for n in range(m)", "for n in range(1)")],
                             "Only the first image"),
    "order": (CB, [("return dA_prev, dW, db", "return dW, dA_prev, db")],
              "wrong order"),
    "integers, backward": (CB, before_return(
        CB, "dA_prev, dW, db = (a.astype(int) for a in (dA_prev, dW, db))"),
        "truncated"),
    "integers, forward": (CF, [("c_new))\n", "c_new), dtype=int)\n")],
                          "truncated"),
    "integers, pooling": (PF, [("c_prev))\n", "c_prev), dtype=int)\n")],
                          "truncated"),
    "integers, pooling backward": (PB, [
        ("np.zeros(A_prev.shape)", "np.zeros(A_prev.shape, dtype=int)"),
        ("+= share * dA[n, y, x, c]",
         "+= (share * dA[n, y, x, c]).astype(int) if mode == 'max' else "
         "int(share * dA[n, y, x, c])")], None),
    "h and w swapped, backward": (CB, [
        ("for y in range(h_new)", "for y in range(w_new)"),
        ("for x in range(w_new)", "for x in range(h_new)"),
        ("dZ[n, y, x, k])\n", "dZ[n, x, y, k])\n"),
        ("part * dZ[n, y, x, k]", "part * dZ[n, x, y, k]")], "h and w"),
    "h and w swapped, pooling": (PB, [
        ("for y in range(h_new)", "for y in range(w_new)"),
        ("for x in range(w_new)", "for x in range(h_new)"),
        ("dA[n, y, x, c]", "dA[n, x, y, c]")], "h and w"),
    "kh and kw swapped, forward": (CF, [("kh, kw, c_prev, c_new =",
                                         "kw, kh, c_prev, c_new =")],
                                   "kh and kw"),
    "kh and kw swapped, backward": (CB, [("kh, kw, _, _ =", "kw, kh, _, _ =")],
                                    "kh and kw"),
    "kh and kw swapped, pooling": (PF, [("kh, kw = kernel_shape",
                                         "kw, kh = kernel_shape")],
                                   "kh and kw"),
    "kh and kw swapped, pooling backward": (PB, [
        ("kh, kw = kernel_shape", "kw, kh = kernel_shape")], "kh and kw"),
    "sh and sw swapped, forward": (CF, [("sh, sw = stride",
                                         "sw, sh = stride")], "sh and sw"),
    "sh and sw swapped, backward": (CB, [("sh, sw = stride",
                                          "sw, sh = stride")], "sh and sw"),
    "sh and sw swapped, pooling": (PF, [("sh, sw = stride",
                                         "sw, sh = stride")], "sh and sw"),
    "stride forgotten, forward": (CF, [
        ("i*sh:i*sh + kh, j*sw:j*sw + kw", "i:i + kh, j:j + kw")], "stride"),
    "stride forgotten, backward": (CB, [("y * sh, x * sw", "y, x")],
                                   "stride"),
    "stride forgotten, pooling": (PF, [
        ("i*sh:i*sh + kh, j*sw:j*sw + kw", "i:i + kh, j:j + kw")], "stride"),
    "stride forgotten, pooling backward": (PB, [("y * sh, x * sw", "y, x")],
                                           "stride"),
    "= for += in dA": (CB, [("left:left + kw] += (", "left:left + kw] = (")],
                       "`=` for `+=` in dA_prev"),
    "= for += in dW": (CB, [("dW[:, :, :, k] +=", "dW[:, :, :, k] =")],
                       "`=` for `+=` in dW"),
    "= for +=, pooling": (PB, [("j:j + kw, c] +=", "j:j + kw, c] =")],
                          "`=` for `+=`"),
    "kernels transposed": (CB, [("W[:, :, :, k] * dZ", "W[:, :, k] * dZ")],
                           "transposed"),
    "kernels flipped, forward": (CF, [("W[..., k]", "W[::-1, ::-1, :, k]")],
                                 "flipped"),
    "kernels flipped, backward": (CB, [
        ("W[:, :, :, k] * dZ", "W[::-1, ::-1, :, k] * dZ")], "flipped"),
    "bias forgotten": (CF, [("output + b", "output")], "bias"),
    "activation forgotten": (CF, [("activation(output + b)", "output + b")],
                             "activation is forgotten"),
    "bias after the activation": (CF, [
        ("activation(output + b)", "activation(output) + b")],
        "after the activation"),
    "first channel": (CF, [
        ("np.sum(part * W[..., k], axis=(1, 2, 3))",
         "np.sum(part[..., 0] * W[..., 0, k], axis=(1, 2))")],
        "first channel"),
    "one short": (CF, [("// sh + 1", "// sh"), ("// sw + 1", "// sw")],
                  "one row and one column short"),
    "one short, pooling": (PF, [("// sh + 1", "// sh"),
                                ("// sw + 1", "// sw")],
                           "one row and one column short"),
    "mean and maximum": (PF, [("mode == 'max'", "mode == 'avg'")], "mixed up"),
    "always the maximum": (PF, [("mode == 'max'", "True")],
                           "always the maximum"),
    "mean and maximum, backward": (PB, [("mode == 'max'", "mode == 'avg'")],
                                   "mixed up"),
    "maximum starts at 0": (PF, [("part.max(axis=(1, 2))",
                                  "part.max(axis=(1, 2), initial=0)")],
                            "starts at 0"),
    "maximum starts at 0, backward": (PB, [("part.max()",
                                            "part.max(initial=0)")],
                                      "starts at 0"),
    "ties shared": (PB, [("part == part.max()",
                          "(part == part.max()) / np.sum(part == part.max())"
                          )], "Ties share"),
    "ties to the last": (PB, [("part == part.max()", "np.arange(kh * kw)."
                               "reshape(kh, kw) == kh * kw - 1 - "
                               "np.argmax(part[::-1, ::-1])")],
                         "the last element"),
    "average not divided": (PB, [("1 / (kh * kw)", "1")], "not divided"),
    "average over the batch": (PF, [("part.mean(axis=(1, 2))",
                                     "part.mean(axis=(0, 1, 2))")], None),
    "parameters renamed": (CF, [("activation, padding",
                                 "activ, padding"),
                                ("return activation", "return activ")],
                           "The parameters are"),
    "no default": (PF, [("stride=(1, 1), mode", "stride, mode"),
                        ("mode='max')", "mode)")], None),
    "nothing returned": (PB, [("return dA_prev", "dA_prev")],
                         "Nothing is returned"),
    "inputs changed": (CB, before_return(CB, "A_prev *= 2"),
                       "changed in place"),
    "NaN": (PF, before_return(PF, "output[0, 0, 0, 0] = np.nan"), None),
    "wrong for negative pixels": (PF, before_return(
        PF, "output = np.abs(output)"), None),
    "raises": (PF, before_return(PF, "raise KeyError('oh')"), None),
    "syntax": (PF, [("return output", "return (output")], "does not load"),
    # What a process can do.
    "sys.exit(0)": (PF, before_return(PF, "import sys; sys.exit(0)"), None),
    "os._exit(0)": (PF, before_return(PF, "import os; os._exit(0)"), None),
    "quit": (PF, before_return(PF, "quit()"), None),
    "exit while loading": (PF, [("import numpy as np\n",
                                 "import numpy as np\nimport os\n"
                                 "os._exit(0)\n")], "does not load"),
    "endless loop": (PF, before_return(PF, "while True: pass"), None),
    "endless loop while loading": (PF, [("import numpy as np\n",
                                         "import numpy as np\n"
                                         "while True: pass\n")],
                                   "does not load"),
    "endless recursion": (PF, before_return(
        PF, "return pool_forward(A_prev, kernel_shape, stride, mode)"), None),
    "deep recursion": (PF, before_return(
        PF, "import sys; sys.setrecursionlimit(10**9)\n    "
        "return pool_forward(A_prev, kernel_shape, stride, mode)"), None),
    "memory": (PF, before_return(PF, "np.ones(2**34)"), None),
    "prints megabytes": (PF, before_return(
        PF, "while True: print('x' * 10**6)"), None),
    "catches everything": (PF, before_return(
        PF, "while True:\n        try:\n            import time\n"
        "            time.sleep(1)\n        except BaseException:\n"
        "            pass"), None),
    "replaces numpy.allclose": (PF, before_return(
        PF, "np.allclose = np.array_equal = lambda *a, **k: True\n"
        "    np.abs = lambda a: a * 0\n    output += 1"), None),
    "replaces numpy.save": (PF, before_return(
        PF, "np.save = np.lib.format.write_array = lambda *a, **k: None\n"
        "    output += 1"), None),
    "replaces json.dumps": (PF, before_return(
        PF, "import json; json.dumps = lambda *a: '{\"result\": \"ok\"}'\n"
        "    output += 1"), None),
    "evil object": (PF, before_return(
        PF, "class Evil:\n        def __reduce__(self):\n"
        "            import os\n            return os._exit, (0,)\n"
        "    return Evil()"), None),
    "array of evil objects": (PF, before_return(
        PF, "class Evil:\n        def __reduce__(self):\n"
        "            import os\n            return os._exit, (0,)\n"
        "    return np.array([Evil()], object)"), None),
    "equal to all": (PF, before_return(
        PF, "class Equal(np.ndarray):\n        def __eq__(self, other):\n"
        "            return np.True_\n    return (output + 1).view(Equal)"),
        None),
    "huge": (PF, before_return(PF, "return np.zeros((5000, 5000))"), None),
    "deletes its folder": (PF, before_return(
        PF, "import os, shutil; shutil.rmtree(os.getcwd(), True)"), None),
    "leaves a process": (PF, before_return(
        PF, "import subprocess, sys\n    subprocess.Popen([sys.executable, "
        "'-c', 'import time; time.sleep(30)'])\n    output += 1"), None),
    "leaves a thread": (PF, before_return(
        PF, "import threading, time\n    threading.Thread(target=time.sleep, "
        "args=(30,)).start()\n    output += 1"), None),
    "closes stdout": (PF, before_return(
        PF, "import os; os.close(1); os.close(2)\n    output += 1"), None),
}


def planted(name):
    """Return the function's name and the text of a faulty file."""
    function, changes, _ = PLANTED[name]
    text = SOLUTIONS[function]
    for old, new in changes:
        assert old in text, (name, old)
        text = text.replace(old, new)
    return function, text
