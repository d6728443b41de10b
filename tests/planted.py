"""A student's files, from the text of naive.py, and faults planted in them."""
import inspect
import re

import naive

CF, PF, CB, PB = "conv_forward", "pool_forward", "conv_backward", (
    "pool_backward")
WORDS = {   # for what the tables say often
    "TOTAL": "(h_prev - 1) * sh + kh - h_prev",
    "CROP": "top:top + h_prev, left:left + w_prev",
    "MINUS": "top:-bottom, left:-right",
    "EQUAL": "A_prev[window] == np.max(A_prev[window])",
    "PADDING": 'The padding of "same" follows none of the rules in use.',
    "DOWN": 'the rule of "same" that rounds down', "RIGHT": "conv_forward: "
    'right, with the rule of "same" that rounds up'}
RULES = {"size": "int(np.ceil((TOTAL) / 2))", "floor": "(TOTAL) // 2"}
OTHERWISE = [   # what a student writes otherwise
    (' *""".*\n|, dtype=float', ""), (r",\s+ties='all'", ""),
    (" +if ties(?s:.*) == 1\n", ""), (r" +(_, h_prev|\(top, _\)).*\n", ""),
    (" +rows, cols =.*\n", "    m, h_prev, w_prev, c_prev = A_prev.shape\n"
     "    top = bottom = left = right = 0\n    if padding == \"same\":\n"
     "ZEROS"),
    ("rows, cols,", "(top, bottom), (left, right),"),
    (r"    for n, y, x, k in.*\(Z.shape\):\n", "    for n in range(m):\n"
     "     for y in range(h_new):\n      for x in range(w_new):\n"
     "       for k in range(c_new):\n")]
# A name, the function, words of what is said, and what is replaced by what.
FAULTS = r"""
crop p:-p | CB | The crop p:-p is empty where p is 0. | CROP -> MINUS
not cropped | CB | dA_prev still has its padding. | [:, CROP] ->
one too many, crop | CB | PADDING | ZEROS -> (TOTAL) // 2 + 1 | CROP -> MINUS
not halved | CB | PADDING | ZEROS -> TOTAL
not looked at | CB | padding is not looked at. | padding == "same" -> padding
in the corner | CF | belongs behind its padding. | A_pad = np.pad(A_prev, ((0,
  0), (top, bottom), (left, right), (0, 0))) -> A_pad = np.zeros((m, h_prev +
  2 * top, w_prev + 2 * left, c_prev))\n    A_pad[:, :h_prev, :w_prev] = A_prev
counted once | CF | `2 *` is missing here. | m, h_pad, w_pad, _ = A_pad.shape
 -> h_pad, w_pad = h_prev + top, w_prev + left
over the edge | PF | Windows end inside the image. | (h_prev - kh) // sh + 1 ->
 len(range(0, h_prev, sh)) | (w_prev - kw) // sw + 1 ->
 len(range(0, w_prev, sw))
size of the output | CF | `+ 1` is missing here. | ) // sh + 1 -> ) // sh |
 ) // sw + 1 -> ) // sw
kh for kw | PF | `kh` stands where `kw` belongs. | x*sw + kw -> x*sw + kh
all kh for kw | PF | `kw` and `kh` are swapped. | kh, kw = -> kw, kh =
no stride in a window | PF | window | y*sh:y*sh -> y:y | x*sw:x*sw -> x:x
not of the padded shape | CB | `A_pad` belong | (A_pad.shape) -> (A_prev.shape)
no bias | CF | The bias is forgotten. | + np.ravel(b)[k] ->
lost axes | CB | loses its axes: add keepdims=True. | , keepdims=True ->
other axes | CB | The axes must be `(0, 1, 2)`. | (0, 1, 2) -> (1, 2)
a mean | CB | `np.mean` stands where `np.sum` | db = np.sum -> db = np.mean
turned | CF | must not be turned | W[..., k] -> W[::-1, ::-1, :, k]
an early return | PB | stands too far inside | \n    ret -> \n        ret
a default | CF | A default is missing or wrong. | ="same" -> ="valid"
a word | PB | `'average'` stands where `'avg'` | 'avg': -> 'average':
is for == | PB | `is` stands | mode == 'avg' -> mode is str(b'avg', 'ascii')
tolerance | PB | Nearly equal is not equal. | EQUAL ->
 np.isclose(A_prev[window], np.max(A_prev[window]))
ties | PB | `mask.sum | (mask, dA[n, y, x, c] ->
 (mask, dA[n, y, x, c] / mask.sum()
a ReLU | CF | `np.maximum(..., 0)` is | tion(Z) -> tion(np.maximum(Z, 0))
a method | CF | `.round()` is too much. | tion(Z) -> tion(Z).round()
three faults | CB | `/ m` is too much. | CROP -> MINUS |
 dW[..., k] += -> dW[..., k] = | dW, db\n -> dW, db / m\n
NumPy 2.4 | CF | NumPy 2.4 no longer | np.ravel(b)[k] -> b[:, :, :, k]
in place | CB | is too much. | \n    ret -> \n    A_prev *= 2\n    ret
an index | CB | stands where `k` belongs. | W[..., k] -> W[..., 0]
a name | CF | `top` stands where `left` | (left, right) -> (top, right)
a number | CF | `1` stands where `0` belongs. | ((0, 0), (top -> ((0, 1), (top
a summand | PF | `+ left` is missing here. |
 window = A_prev[n, y*sh:y*sh + kh, x*sw:x*sw + kw, c] ->
 left, window = x*sw, np.zeros((kh, kw))\n
         for i, j in np.ndindex(kh, kw):\n
             window[i, j] = A_prev[n, y*sh + i, j, c]
"""
# What a file can do to the process that runs it: what is said of it, and code
# before the return of pool_forward, or what is run while loading.
HOSTILE = r"""
SystemExit: 0, line 13 | import sys; sys.exit(0)
the process ended (0) | import os; os._exit(0)
load: the process ended (0) | LOADING | import os; os._exit(0)
no result after 2 s | while True: pass
no result after 2 s | while True:\n try: import time; time.sleep(9)\n
  except BaseException: pass
MemoryError | import sys; np.ones(2**(34 if sys.platform == 'linux' else 60))
printed more than 8 MB | while True: print('x' * 10**6)
is 5, expected 4 | import json, os; json.dumps = np.lib.format.write_array =
 np.allclose = lambda *a, **k: '{}'; os.closerange(1, 3); A += 1
of dtype object, expected | A = np.array([A, None], object)
array of shape (5000, 5000) | A = np.zeros((5000, 5000))
is nan, expected | A[0, 0, 0, 0] = np.nan
Mute, line 14 | class Mute(Exception): __str__ = None\nraise Mute
ValueError: ?[2J | raise ValueError('\033[2J')
damaged what was written is damaged | LOADING | import sys, time, numpy as np\n
 class Evil: __reduce__ = lambda self: (sys.exit, ())\n
 for name in ('loading', 'pool_forward-0', 'pool_forward-1'):\n
  with open(f'../{name}.npy', 'wb') as f:\n
   np.lib.format.write_array(f, np.frombuffer(b'{"result": "ok", "changed":
 [], "functions": {"pool_forward": 0}}', 'uint8'))\n
   if '1' in name: np.lib.format.write_array(f, np.array([Evil()]))\n
 time.sleep(9)
load: what was written is damaged | LOADING | import os, time\n
 os.symlink('/dev/zero', '../loading.npy')\ntime.sleep(9)
is 9, expected | import subprocess, sys; A[0, 0, 0, 0] = 9; subprocess.Popen([
 sys.executable, '-c', 'import time; time.sleep(60)'])
"""


def rows(table):
    """Return the rows of a table; what begins with a space goes on."""
    return [[cell.strip().replace(r"\n", "\n") for cell in row.split("|")]
            for row in table.strip().replace("\n ", "").split("\n")]


def written(text):
    """Return a text with WORDS put in."""
    return re.sub("|".join(WORDS), lambda word: WORDS[word.group()], text)


def plant(function, *changes, rule="size"):
    """Return the text of a right file, with parts of it replaced."""
    text = inspect.getsource(getattr(naive, function))
    for old, new in OTHERWISE:
        text = re.sub(old, new, text)
    text = f"import numpy as np\n\n\n{text}"
    for old, new in [*changes, ("ZEROS", RULES[rule])]:
        old, new = written(old), written(new)
        if old == "ZEROS":
            columns = re.sub(r"h(?=_)|(?<=[ks])h\b", "w", new)
            new = (f"        top = bottom = {new}\n"
                   f"        left = right = {columns}\n")
        text = text.replace(old, new)
    return text


PLANTED = {name: (written(words), function, *changes)
           for name, function, words, *changes in rows(FAULTS)}
HOSTILE = [(words, code[1] + "  # pool_forward" if code[1:] else plant(PF, (
    "    return", "    " + code[0].replace("\n", "\n    ") + "\n    return")))
           for words, *code in rows(HOSTILE)]


def made(name="", *changes):
    """Return the text of the file that a table tells of."""
    if name in PLANTED:
        _, name, *changes = PLANTED[name]
    if name[:2] not in ("CF", "PF", "CB", "PB"):
        return name
    return plant(globals()[name[:2]], *[
        re.split(" ?-> ?", change) for change in changes],
        rule=name[3:] or "size")
