"""A student's solutions in plain loops, and faults planted in them."""

CF, PF, CB, PB = "conv_forward", "pool_forward", "conv_backward", (
    "pool_backward")
RULES = {
    "keras": """\
        rows = max((-(-h_prev // sh) - 1) * sh + kh - h_prev, 0)
        cols = max((-(-w_prev // sw) - 1) * sw + kw - w_prev, 0)
        top, left = rows // 2, cols // 2
        bottom, right = rows - top, cols - left
""", "size": """\
        top = bottom = int(np.ceil(((h_prev - 1) * sh + kh - h_prev) / 2))
        left = right = int(np.ceil(((w_prev - 1) * sw + kw - w_prev) / 2))
""", "floor": """\
        top = bottom = ((h_prev - 1) * sh + kh - h_prev) // 2
        left = right = ((w_prev - 1) * sw + kw - w_prev) // 2
"""}
SOLUTIONS = {CF: '''
import numpy as np


def conv_forward(A_prev, W, b, activation, padding="same", stride=(1, 1)):
    m, h_prev, w_prev, c_prev = A_prev.shape
    kh, kw, c_prev, c_new = W.shape
    sh, sw = stride
    top = bottom = left = right = 0
    if padding == "same":
RULE
    A_pad = np.pad(A_prev, ((0, 0), (top, bottom), (left, right), (0, 0)))
    h_pad, w_pad = A_pad.shape[1:3]
    h_new = (h_pad - kh) // sh + 1
    w_new = (w_pad - kw) // sw + 1
    Z = np.zeros((m, h_new, w_new, c_new))
    for n in range(m):
        for y in range(h_new):
            for x in range(w_new):
                for k in range(c_new):
                    window = A_pad[n, y*sh:y*sh + kh, x*sw:x*sw + kw]
                    Z[n, y, x, k] = np.sum(window * W[:, :, :, k])
    A = activation(Z + b)
    return A
''', PF: '''
import numpy as np


def pool_forward(A_prev, kernel_shape, stride=(1, 1), mode='max'):
    m, h_prev, w_prev, c_prev = A_prev.shape
    kh, kw = kernel_shape
    sh, sw = stride
    h_new = (h_prev - kh) // sh + 1
    w_new = (w_prev - kw) // sw + 1
    A = np.zeros((m, h_new, w_new, c_prev))
    for n in range(m):
        for y in range(h_new):
            for x in range(w_new):
                for c in range(c_prev):
                    window = A_prev[n, y*sh:y*sh + kh, x*sw:x*sw + kw, c]
                    if mode == 'max':
                        A[n, y, x, c] = np.max(window)
                    elif mode == 'avg':
                        A[n, y, x, c] = np.mean(window)
    return A
''', CB: '''
import numpy as np


def conv_backward(dZ, A_prev, W, b, padding="same", stride=(1, 1)):
    m, h_prev, w_prev, c_prev = A_prev.shape
    kh, kw, c_prev, c_new = W.shape
    sh, sw = stride
    top = bottom = left = right = 0
    if padding == "same":
RULE
    A_pad = np.pad(A_prev, ((0, 0), (top, bottom), (left, right), (0, 0)))
    dA_pad = np.zeros(A_pad.shape)
    dW = np.zeros(W.shape)
    db = np.sum(dZ, axis=(0, 1, 2), keepdims=True)
    for n, y, x, k in np.ndindex(dZ.shape):
        window = np.s_[n, y*sh:y*sh + kh, x*sw:x*sw + kw]
        dA_pad[window] += W[:, :, :, k] * dZ[n, y, x, k]
        dW[:, :, :, k] += A_pad[window] * dZ[n, y, x, k]
    dA_prev = dA_pad[:, top:top + h_prev, left:left + w_prev]
    return dA_prev, dW, db
''', PB: '''
import numpy as np


def pool_backward(dA, A_prev, kernel_shape, stride=(1, 1), mode='max'):
    m, h_prev, w_prev, c_prev = A_prev.shape
    kh, kw = kernel_shape
    sh, sw = stride
    dA_prev = np.zeros(A_prev.shape)
    for n, y, x, c in np.ndindex(dA.shape):
        window = np.s_[n, y*sh:y*sh + kh, x*sw:x*sw + kw, c]
        if mode == 'max':
            mask = A_prev[window] == np.max(A_prev[window])
            dA_prev[window] += mask * dA[n, y, x, c]
        elif mode == 'avg':
            dA_prev[window] += dA[n, y, x, c] / (kh * kw)
    return dA_prev
'''}


def solution(function, rule="size"):
    """Return the text of a right file."""
    return SOLUTIONS[function].replace("RULE\n", RULES[rule])


def planted(name, rule="size"):
    """Return the function's name and the text of a faulty file."""
    function, changes, *_ = PLANTED[name]
    return function, plant(function, changes, rule)


def plant(function, changes, rule="size"):
    """Return the text of a file with parts of it replaced."""
    text = solution(function, rule)
    for old, new in changes:
        old, new = (part.replace("RULE\n", RULES[rule])
                    for part in (old, new))
        assert old in text, (function, old)
        text = text.replace(old, new)
    return text


ROWS, COLS = (f"({a}_prev - 1) * s{a} + k{a} - {a}_prev" for a in "hw")
CROP = "dA_pad[:, top:top + h_prev, left:left + w_prev]"
MINUS = "dA_pad[:, top:-bottom, left:-right]"
WINDOW = "y*sh:y*sh + kh, x*sw:x*sw + kw"
ZEROS = "np.zeros(A_pad.shape)"
SIZE = "(h_pad - kh) // sh + 1", "(w_pad - kw) // sw + 1"
RETURN = {CF: "return A", PF: "return A", CB: "return dA_prev, dW, db",
          PB: "return dA_prev"}


def half(rows, cols):
    """Return a change of the padding of both axes."""
    return "RULE\n", (f"        top = bottom = {rows}\n"
                      f"        left = right = {cols}\n")


PLUS = half(f"({ROWS}) // 2 + 1", f"({COLS}) // 2 + 1")

# A function, the changes that plant a fault, and words of what is said.
PLANTED = {
    "crop p:-p": (CB, [(CROP, MINUS)], "crop p:-p"),
    "a guarded crop": (CB, [(f"dA_prev = {CROP}", "if top == 0 and left == 0:"
                             "\n        dA_prev = dA_pad\n    else:\n        "
                             f"dA_prev = {MINUS}")], "crop p:-p"),
    "not cropped": (CB, [(CROP, "dA_pad")], "still has its padding"),
    "one too many": (CF, [PLUS], "one too many"),
    "one too many, crop": (CB, [PLUS, (CROP, MINUS)], "one too many"),
    "not halved": (CB, [half(ROWS, COLS)], "not halved"),
    "no stride": (CF, [half("kh // 2", "kw // 2")], "without the stride"),
    "parity": (CF, [half("0 if kh % 2 == 0 else kh // 2",
                         "0 if kw % 2 == 0 else kw // 2")], "parity"),
    "not looked at": (CB, [('if padding == "same":', "if padding:")], ""),
    "output's size": (CF, [(size, size[:-4]) for size in SIZE],
                      "size of the"),
    "kh for kw": (PF, [(WINDOW, WINDOW.replace("kw", "kh"))], "belongs"),
    "no stride in a window": (PF, [(WINDOW, "y:y + kh, x:x + kw")],
                              "A window is not the one"),
    "= for +=": (PB, [("+=", "=")], "`+=` adds"),
    "+= for =": (PF, [("A[n, y, x, c] = np.max", "A[n, y, x, c] += np.max"),
                      ("np.zeros((", "np.ones((")], ""),
    "not of the padded shape": (CB, [(ZEROS, "np.zeros(A_prev.shape)")],
                                "array"),
    "no bias": (CF, [("activation(Z + b)", "activation(Z)")],
                "The bias is forgotten."),
    "lost axes": (CB, [(", keepdims=True", "")], "db has lost its axes."),
    "a mean": (CB, [("db = np.sum", "db = np.mean")], "db is not the sum"),
    "divided by m": (CB, [("dW, db\n", "dW / m, db\n")], "divided by m"),
    "a sign": (CB, [("dW[:, :, :, k] +=", "dW[:, :, :, k] -=")], "`-=`"),
    "turned": (CF, [("W[:, :, :, k]", "W[::-1, ::-1, :, k]")], "turned"),
    "an early return": (PB, [("    return", "        return")],
                        "inside a loop"),
    "integers": (PF, [("c_prev))\n", "c_prev), dtype=int)\n")],
                 "truncated"),
    "a default": (CF, [('="same"', '="valid"')], "default"),
    "a word": (PF, [("'avg'", "'average'")], "word"),
    "tolerance": (PB, [("A_prev[window] == np.max(A_prev[window])",
                        "np.isclose(A_prev[window], np.max(A_prev[window]))"
                        )], "nearly equal"),
    "ties": (PB, [("+= mask *", "+= mask / mask.sum() *")], ""),
    "a wrong count": (PB, [("(kh * kw)", "(kh * kh)")], "belongs"),
    "a ReLU": (CF, [("activation(Z + b)", "activation(np.maximum(Z + b, 0))"
                     )], "not asked for"),
    "NumPy 2.4": (CF, [("k])\n", "k]) + b[:, :, :, k]\n"), ("Z + b", "Z")],
                  "NumPy 2.4 no longer accepts"),
    "in place": (CB, [("    return", "    A_prev *= 2\n    return")],
                 "which is not asked for"),
}

# What a file can do to the process that runs it: code before the return of
# pool_forward, and a part of what the report says.

LOADING = "# while loading\n"
HOSTILE = {
    "raises": ("raise KeyError('oh')", "KeyError: 'oh', line 21"),
    "exits": ("import sys; sys.exit(0)", "SystemExit: 0"),
    "exits at once": ("import os; os._exit(0)", "the process ended (0)"),
    "exits while loading": (LOADING + "import os\nos._exit(0)",
                            "the process ended (0)"),
    "an endless loop": ("while True: pass", "no result after"),
    "an endless loop while loading": (LOADING + "while True: pass",
                                      "no result after"),
    "an endless recursion": (
        "return pool_forward(A_prev, kernel_shape, stride, mode)",
        "RecursionError"),
    "a deep recursion": (
        "import sys; sys.setrecursionlimit(10**9)\n    "
        "return pool_forward(A_prev, kernel_shape, stride, mode)", ""),
    "memory": ("import sys\n    if not sys.platform.startswith('linux'):\n"
               "        raise MemoryError   # it has no limit of memory\n"
               "    np.ones(2**34)", "MemoryError"),
    "prints": ("while True: print('x' * 10**6)", "printed more than 8 MB"),
    "catches everything": (
        "while True:\n        try:\n            import time\n"
        "            time.sleep(1)\n        except BaseException:\n"
        "            pass", "no result after"),
    "replaces allclose": (
        "np.allclose = np.array_equal = lambda *a, **k: True\n"
        "    np.abs = lambda a: a * 0\n    A += 1", "expected"),
    "replaces write_array": (
        "np.save = np.lib.format.write_array = lambda *a, **k: None\n"
        "    A += 1", "expected"),
    "replaces dumps": (
        "import json; json.dumps = lambda *a: '{\"result\": \"ok\"}'\n"
        "    A += 1", "expected"),
    "an evil object": (
        "class Evil:\n        def __reduce__(self):\n"
        "            import os\n            return os._exit, (0,)\n"
        "    return np.array([Evil()], object)", "of dtype object"),
    "an array that equals all": (
        "class Equal(np.ndarray):\n        def __eq__(self, other):\n"
        "            return np.True_\n    return (A + 1).view(Equal)",
        "expected"),
    "a huge array": ("return np.zeros((5000, 5000))", "shape (5000, 5000)"),
    "NaN": ("A[0, 0, 0, 0] = np.nan", "is nan, expected"),
    "an error without words": (
        "class Mute(Exception):\n        def __str__(self):\n"
        "            raise ValueError\n    raise Mute", "Mute, line"),
    "deletes its job": ("import shutil; shutil.rmtree('..', True)",
                        "the process ended"),
    "a report of its own": (
        LOADING + "import io, os, json\nfor name in ('loading', "
        "'pool_forward-0'):\n    with open(f'../{name}.npy', 'wb') as file:\n"
        "        np.lib.format.write_array(file, np.frombuffer(json.dumps("
        "{'result': 'ok', 'functions': {'pool_forward': 0}}).encode(), "
        "'uint8'))\nimport time\ntime.sleep(9)", "is damaged"),
    "a link for a report": (
        LOADING + "import os, time\nos.symlink('/dev/zero', '../loading.npy')"
        "\ntime.sleep(9)", "is damaged"),
    "leaves a process": (
        "import subprocess, sys\n    subprocess.Popen([sys.executable, "
        "'-c', 'import time; time.sleep(60)'])\n    A += 1", "expected"),
    "leaves a thread": (
        "import threading, time\n    threading.Thread(target=time.sleep, "
        "args=(60,)).start()\n    A += 1", "expected"),
    "takes its reports away": (
        "import glob, os\n    A += 1\n    [os.remove(path) for path in "
        "glob.glob('../pool_forward*.npy')]", ""),
    "moves the cursor": ("raise ValueError('\\033[2J')", "ValueError: ?[2J"),
    "closes stdout": ("import os; os.close(1); os.close(2)\n    A += 1",
                      "expected"),
}


def hostile(name):
    """Return the text of a hostile file."""
    code, _ = HOSTILE[name]
    if code.startswith(LOADING):
        return solution(PF).replace("import numpy as np\n",
                                    f"import numpy as np\n{code}\n")
    return plant(PF, [(RETURN[PF], f"{code}\n    {RETURN[PF]}")])
