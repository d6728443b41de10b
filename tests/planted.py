"""A student's solutions in plain loops, and faults planted in them.

The solutions are written in the letters of the definition, so that a line
that the checker advises can take the place of the faulty one.
"""
import re
from difflib import SequenceMatcher

from common import ROOT

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
    function, changes, _ = PLANTED[name]
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


def alike(old, new):
    """Tell how well a line can take the place of another, 0 if not at all."""
    sides = [re.split(r" [+]?= ", line.strip()) for line in (old, new)]
    words = [re.match(r"(for|el|if|return)?", side[0]).group() or side[0]
             for side in sides]
    if words[0] == words[1] or sides[0][1:] == sides[1][1:] != []:
        return SequenceMatcher(None, old.strip(), new).ratio()
    return 0


def mend(text, write, right):
    """Put the lines that the checker advises where the faulty ones stand.

    The lines that are not in the right file are tried first.
    """
    lines, padding = text.split("\n"), [line for line in write if re.match(
        "rows =|cols =|top, left|bottom, right|top = |left = ", line)]
    if padding:
        start = lines.index('    if padding == "same":') + 1
        end = next(i for i in range(start, len(lines))
                   if not lines[i].startswith(" " * 8))
        lines[start:end] = [" " * 8 + line for line in padding]
    for new in [line for line in write if line not in padding]:
        i = max(range(len(lines)), key=lambda i: alike(lines[i], new) and (
            lines[i] not in right.split("\n"), alike(lines[i], new)) or (
            False, 0))
        assert alike(lines[i], new), (new, text)
        indent = len(lines[i]) - len(lines[i].lstrip())
        lines[i] = " " * indent + new
    return "\n".join(lines)


# What the checker must see through. A change replaces a part of the text; the
# last entry is the beginning of the cause, or None where it names none.

PLANTED = {}


def fault(function, cause, *changes, name=None):
    """Add a fault, named by its function and cause where it has no name."""
    name = name or f"{function}: {cause}"
    while name in PLANTED:
        name += ", again"
    PLANTED[name] = function, list(changes), cause


def padding(rows, cols):
    """Return a change of the padding of both axes."""
    return "RULE\n", (f"        top = bottom = {rows}\n"
                      f"        left = right = {cols}\n")


def total(size="h_prev", stride="sh", kernel="kh"):
    """Return the expression of the zeros that keep a size."""
    return f"(({size} - 1) * {stride} + {kernel} - {size})"


def up(*letters):
    """Return the expression of half the zeros, rounded up."""
    return f"-(-{total(*letters)} // 2)"


ROWS, COLS = ("h_prev", "sh", "kh"), ("w_prev", "sw", "kw")
H, W = total(*ROWS), total(*COLS)
PAD = "np.pad(A_prev, ((0, 0), (top, bottom), (left, right), (0, 0)))"
CROP = "dA_pad[:, top:top + h_prev, left:left + w_prev]"
MINUS = "dA_pad[:, top:-bottom, left:-right]"
UNDER = f'({MINUS} if padding == "same" else dA_pad)'
DA = "W[:, :, :, k] * dZ[n, y, x, k]"
DW = "A_pad[window] * dZ[n, y, x, k]"
SUM = "np.sum(window * W[:, :, :, k])"
WINDOW = "y*sh:y*sh + kh, x*sw:x*sw + kw"
RETURN = {CF: "return A", PF: "return A", CB: "return dA_prev, dW, db",
          PB: "return dA_prev"}
LOOP = {CF: "range(m)", PF: "range(m)", CB: "np.ndindex(dZ.shape)",
        PB: "np.ndindex(dA.shape)"}


def swapped(text, pairs):
    """Return a text with letters exchanged."""
    return re.sub("|".join(map(r"\b{}\b".format, pairs)),
                  lambda match: pairs[match.group()], text)


def mixed(a, b):
    """Yield the beginnings of causes, and the letters that are exchanged."""
    return [(f"{a} and {b} are swapped", {a: b, b: a}, (1, 0)),
            (f"{a} is used for both axes", {b: a}, (0, 0)),
            (f"{b} is used for both axes", {a: b}, (1, 1))]


fault(CB, "The crop p:-p is empty", (CROP, MINUS), name="crop p:-p")
for function in (CF, CB):
    for cause, rows, cols in [
            ("is `// 2 + 1`", f"{H} // 2 + 1", f"{W} // 2 + 1"),
            ("is rounded with round()", f"round({H} / 2)", f"round({W} / 2)"),
            ("is not halved", H, W), ("is not halved", "kh - 1", "kw - 1"),
            *[("is computed from h_prev * sh", half.format("h"),
               half.format("w")) for half in (
                   "({0}_prev * s{0} + k{0} - {0}_prev) // 2",
                   "-(-({0}_prev * s{0} + k{0} - {0}_prev) // 2)")],
            *[("is computed without the stride", *pair) for pair in (
                ("kh // 2", "kw // 2"), ("(kh - 1) // 2", "(kw - 1) // 2"))],
            ("is rounded up on one", f"{H} // 2", up(*COLS)),
            ("is rounded up on one", up(*ROWS), f"{W} // 2"),
            *[("mixes up the axes", swapped(up(*ROWS), pairs),
               swapped(up(*COLS), pairs))
              for i, (a, b) in enumerate(zip(ROWS, COLS))
              for _, pairs, _ in mixed(a, b)[i:i + 1]],
            ("mixes up the axes", up(*COLS), up(*ROWS)),
            ("mixes up the axes", up(*ROWS), up(*ROWS))]:
        fault(function, f'The padding of "same" {cause}', padding(rows, cols))
    for order in ("bottom, top, right, left", "0, top + bottom, 0, "
                  "left + right"):
        fault(function, 'The padding of "same" is on the wrong', (
            "RULE\n", f"RULE\n        top, bottom, left, right = {order}\n"))
    fault(function, "padding is not looked at", (
        'if padding == "same":', 'if padding:'))
    fault(function, "The padding repeats or mirrors",
          (PAD, f"{PAD[:-1]}, 'edge')"))
fault(CF, 'The padding of "same" is forgotten', (PAD, "A_prev"))
fault(CF, 'The padding of "same" mixes up the axes', (PAD, PAD.replace(
    "(top, bottom), (left, right)", "(left, right), (top, bottom)")), (
        "h_pad, w_pad = A_pad.shape[1:3]",
        "h_pad, w_pad = h_prev + top + bottom, w_prev + left + right"))

for function, line in (
        (CF, "kh, kw, c_prev, c_new = W.shape"), (PF, "kh, kw = kernel_shape"),
        (CB, "kh, kw, c_prev, c_new = W.shape"),
        (PB, "kh, kw = kernel_shape")):
    forward = function in (CF, PF)
    padded = "pad" if function == CF else "prev"
    sizes = {a: f"({a}_{padded} - k{a}) // s{a} + 1" for a in "hw"}
    for a, b, text in (("kh", "kw", line), ("sh", "sw", "sh, sw = stride")):
        value = text.split(" = ")[1]
        rest = f", *{value}[2:]" if value == "W.shape" else ""
        for cause, pairs, places in mixed(a, b):
            if function == CB and a == "kh":
                cause = "kh and kw are mixed up"
            counted = " where windows are taken and counted" * forward
            taken = (WINDOW, swapped(WINDOW, pairs))
            fault(function, cause + counted * (function == PF), (
                text, text.replace(value, ", ".join(
                    f"{value}[{i}]" for i in places) + rest)))
            fault(function, cause + " where a window" * forward, taken)
            if forward:
                changes = [(size, swapped(size, pairs))
                           for size in sizes.values()]
                fault(function, f"{cause} in the output's", *changes)
                fault(function, cause + counted, *changes, taken)
    for cause, new in (("The stride is forgotten", "y:y + kh, x:x + kw"),
                       ("The stride is forgotten", "y:y + kh, x*sw:x*sw + kw"),
                       ("Windows start at", "y*kh:y*kh + kh, x*kw:x*kw + kw"),
                       ("A window is as large",
                        "y*sh:y*sh + sh, x*sw:x*sw + sw"),
                       ("A window is one row",
                        "y*sh:y*sh + kh - 1, x*sw:x*sw + kw"),
                       ("The row and the column of a window",
                        "x*sh:x*sh + kh, y*sw:y*sw + kw")):
        if function != CB or "one row" not in cause:
            fault(function, cause, (WINDOW, new))
    if not forward:
        loss = "dZ" if function == CB else "dA"
        fault(function, "The loops stop too early", (
            LOOP[function], f"np.ndindex(m, {loss}.shape[1] - 1, "
            f"*{loss}.shape[2:])"))
    if function != PB:
        fault(function, "h_prev and w_prev are swapped",
              ("h_prev, w_prev, c_prev", "w_prev, h_prev, c_prev"), *[
                  ("h_pad, w_pad = A_pad.shape[1:3]", "h_pad, w_pad = h_prev "
                   "+ top + bottom, w_prev + left + right")] * (
                       function == CF))
    loop = LOOP[function]
    for word, first, last in (("first", "range(1)", "== 0"),
                              ("last", "range(m - 1, m)", "== m - 1")):
        fault(function, f"Only the {word} image is computed", (
            loop, first if forward else f"[i for i in {loop} if i[0] {last}]"))
    fault(function, "The first image is taken for each", *[
        ("[n, y*sh", "[0, y*sh")] if forward else [
            ("dZ[n," if function == CB else "dA[n,",
             "dZ[0," if function == CB else "dA[0,")])
    if not forward:
        continue
    for cause, new in (("is one row or", "({0}_{1} - k{0}) // s{0}"),
                       ("is computed without", "{0}_{1} - k{0} + 1"),
                       ("is rounded up", "-(-({0}_{1} - k{0}) // s{0}) + 1")):
        fault(function, f"The output's size {cause}", *[
            (size, new.format(a, padded)) for a, size in sizes.items()])
    fault(function, "The output's size is computed without the kernel", *[
        (size, f"{a}_{padded} // s{a}") for a, size in sizes.items()])
    fault(function, "The kernel's size is used", *[
        (size, f"({a}_{padded} - k{a}) // k{a} + 1")
        for a, size in sizes.items()], (
            WINDOW, "y*kh:y*kh + kh, x*kw:x*kw + kw"))
    fault(function, "The loops stop too early", ("range(h_new)",
                                                 "range(h_new - 1)"))
    fault(function, "The output's size has h and w swapped", *[
        (f"{a}_new = {sizes[a]}", f"{a}_new = {sizes[b]}")
        for a, b in ("hw", "wh")])
    if function == CF:
        for cause, new in (("", "{0}_prev"), (" over", "{0}_prev // s{0}")):
            fault(CF, f'The output of "same" is given the size of the input'
                  f"{cause}", *[(size, f"{new.format(a)} if padding == 'same' "
                                 f"else {size}") for a, size in sizes.items()])
ORDERED = "transpose(2, 0, 1).reshape(kh, kw, c_prev)"
for old, rows in ((SUM, [
        ("Only the first channel", "np.sum(window[..., 0] * W[:, :, 0, k])"),
        ("Only the last channel", "np.sum(window[..., -1] * W[:, :, -1, k])"),
        ("The first kernel is used", "np.sum(window * W[:, :, :, 0])"),
        ("The kernel meets", "np.sum(window * W[::-1, ::-1, :, k])"),
        ("Rows and columns are swapped",
         "np.sum(window * W.transpose(1, 0, 2, 3)[:, :, :, k])"),
        ("The axes of the window", "window.transpose(2, 0, 1)"
         ".ravel() @ W.reshape(-1, c_new)[:, k]"),
        ("The axes of the window", "window.ravel() @ "
         "W.reshape(c_new, -1)[k]"),
        ("The sum is not set to zero", "np.sum(window[..., None] * "
         "W[:, :, :, :k + 1])"),
        ("Only the last product", "window[-1, -1, -1] * W[-1, -1, -1, k]"),
        ("The products are averaged", "np.mean(window * W[:, :, :, k])")]), (
        "activation(Z + b)", [
            ("The bias is forgotten", "activation(Z)"),
            ("The first number of the bias", "activation(Z + b[0, 0, 0, 0])"),
            ("The activation is forgotten", "Z + b"),
            ("The bias is added after", "activation(Z) + b"),
            ("The activation is applied twice",
             "activation(activation(Z + b))"),
            ("The bias is subtracted", "activation(Z - b)"),
            ("The bias and the activation", "Z"),
            ("The sign is wrong", "activation(-(Z + b))"),
            ("The sign is wrong", "-activation(Z + b)"),
            ("The result is truncated", "activation((Z + b).astype(int))")])):
    for cause, new in rows:
        fault(CF, cause, (old, new))
for new in (f"{SUM[:-1]} + b[0, 0, 0, k])",
            "sum(np.sum(window[..., c] * W[:, :, c, k]) + b[0, 0, 0, k] for c "
            "in range(c_prev))"):
    fault(CF, "The bias is added inside the sum", (SUM, new),
          ("activation(Z + b)", "activation(Z)"))
for function, window, value, mean in (
        (PF, "window", "np.max(window)", "np.mean(window)"),
        (PB, "A_prev[window]", "np.max(A_prev[window])",
         "dA[n, y, x, c] / (kh * kw)")):
    everywhere = ["A_prev[:, y*sh:y*sh + kh, x*sw:x*sw + kw, c]",
                  "A_prev[n, y*sh:y*sh + kh, x*sw:x*sw + kw]"]
    for cause, new in (
            ("starts at 0", f"max(0, np.max({window}))"),
            ("is a minimum", f"np.min({window})"),
            ("is taken over all images", f"np.max({everywhere[0]})"),
            ("is taken over all channels", f"np.max({everywhere[1]})"),
            ("is that of the whole", "np.max(A_prev[n, :, :, c])")):
        fault(function, f"The maximum {cause}", (value, new))
    for cause, new in (("not divided", "{0}"), ("divided by m too", "{1} / m"),
                       *[(f"divided by {n}", f"{{0}} / ({n})") for n in (
                           "m", "kh * kh", "kw * kw", "sh * sw", "kh + kw",
                           "h_new * w_new")]):
        new = new.format("np.sum(window)" if function == PF else
                         "dA[n, y, x, c]", mean)
        fault(function, f"The mean is {cause}", (
            mean, new if function == PF else new.replace(
                "h_new * w_new", "dA.shape[1] * dA.shape[2]")))
    fault(function, "Mean and maximum", ("if mode == 'max'",
                                         "if mode != 'max'"),
          ("elif mode == 'avg'", "else"))
    fault(function, "The maximum is always", ("if mode == 'max'", "if mode"))
    fault(function, "The mean is always", ("if mode == 'max'", "if mode == "
                                           "'maximum'"),
          ("elif mode == 'avg'", "else"))
    fault(function, "The mean is never", ("elif mode == 'avg'",
                                          "elif mode == 'average'"))
fault(PF, "All channels", ("kw, c]", "kw]"))
fault(PF, "The first channel", ("kw, c]", "kw, 0]"))
fault(PB, "The first channel", ("dA[n, y, x, c]", "dA[n, y, x, 0]"))
for new in ("int(np.mean(window))", "np.sum(window) // (kh * kw)"):
    fault(PF, "The mean is truncated", ("np.mean(window)", new))
fault(PF, "The result is truncated", ("c_prev))\n", "c_prev), dtype=int)\n"))

# conv_backward and pool_backward
for cause, new in [
        ("The crop p:-p", UNDER), ("dA_prev still", "dA_pad"),
        ("The crop removes", "dA_pad[:, top:len(dA_pad[0]) - top, "
         "left:len(dA_pad[0, 0]) - left]"),
        ("The crop removes", "dA_pad[:, -h_prev:, -w_prev:]"),
        ("The crop removes", "dA_pad[:, :h_prev, :w_prev]"),
        ("The crop removes", "dA_pad[:, top:top + h_prev, top:top + w_prev]")
        ]:
    fault(CB, cause, (CROP, new))
for new in (MINUS, UNDER):
    fault(CB, "The crop p:-p", (
        f"dA_prev = {CROP}",
        f"dA_prev = np.zeros(A_prev.shape); dA_prev[:] = {new}"))
without = "Windows of A_pad are taken"
fault(CB, without, (PAD, "A_prev"))
fault(CB, without, (DW, DW.replace("A_pad", "A_prev")))
for new in ("dA_pad", CROP, MINUS, UNDER):
    fault(CB, without, ("np.zeros(A_pad.shape)", "np.zeros(A_prev.shape)"),
          (CROP, new))
for new in ("A_pad", "A_pad.copy()"):
    fault(CB, "dA_pad starts as", ("np.zeros(A_pad.shape)", new))
for cause, old, new in [
        ("Where windows overlap", "dA_pad[window] +=", "dA_pad[window] ="),
        ("In dA_prev: The kernel meets", DA,
         "W[::-1, ::-1, :, k] * dZ[n, y, x, k]"),
        ("In dA_prev: Rows and columns", DA,
         "W.transpose(1, 0, 2, 3)[:, :, :, k] * dZ[n, y, x, k]"),
        ("In dA_prev: The first kernel", DA,
         "W[:, :, :, 0] * dZ[n, y, x, k]"),
        ("In dA_prev: The axes", DA,
         f"W[:, :, :, k].{ORDERED} * dZ[n, y, x, k]"),
        ("dW keeps the values", "dW[:, :, :, k] +=", "dW[:, :, :, k] ="),
        ("dW is that of the last", f"+= {DW}", f"+= {DW} * (n == m - 1)"),
        ("dW is that of the first", f"+= {DW}", f"+= {DW} * (n == 0)"),
        ("dW is computed from the first image", DW,
         "A_pad[(0, *window[1:])] * dZ[n, y, x, k]"),
        ("In dW: The kernel meets", DW,
         "A_pad[window][::-1, ::-1] * dZ[n, y, x, k]"),
        ("In dW: The first kernel", DW,
         "A_pad[window] * dZ[n, y, x, 0]"),
        ("In dW: Rows and columns", DW,
         "A_pad[window].transpose(1, 0, 2) * dZ[n, y, x, k]"),
        ("dW's shape has", "return dA_prev, dW",
         "return dA_prev, dW.transpose(1, 0, 2, 3)"),
        ("In dW: The axes", DW,
         f"A_pad[window].{ORDERED} * dZ[n, y, x, k]"),
        ("db has lost", ", keepdims=True", ""),
        ("db is summed over the channels", "dZ, axis=(0, 1, 2), keepdims=True",
         "dZ"),
        ("db is summed over the channels", "keepdims=True)",
         "keepdims=True).sum() * np.ones((1, 1, 1, c_new))"),
        ("db is summed over the wrong", "(0, 1, 2)", "0"),
        ("db is summed over the wrong", "(0, 1, 2)", "(1, 2)"),
        ("db is not the sum", "np.sum(dZ,", "np.sum(dZ[:1],"),
        ("db is not the sum", "np.sum(dZ,", "np.sum(dZ[-1:],"),
        ("db is the last number", "np.sum(dZ,", "np.sum(dZ[-1:, -1:, -1:],"),
        ("The numbers of rows", "in np.ndindex(dZ.shape)", "in np.ndindex(m, "
         "dZ.shape[2], dZ.shape[1], c_new)"),
        *[("The gradients are returned", RETURN[CB], f"return {order}")
          for order in ("dW, dA_prev, db", "db, dW, dA_prev")]]:
    fault(CB, cause, (old, new))
for output, line in (("dA_prev", "dA_pad[window] +="),
                     ("dW", "+= A_pad[window]")):
    for cause, new in (("The stride", "y:y + kh, x:x + kw"),
                       ("Windows start", "y*kh:y*kh + kh, x*sw:x*sw + kw"),
                       ("The row and", "x*sh:x*sh + kh, y*sw:y*sw + kw")):
        fault(CB, f"In {output} alone: {cause}", (
            line, line.replace("window", f"n, {new}")))
fault(CB, "dZ goes through a ReLU", ("* dZ[n, y, x, k]", "* max(dZ[n, y, x, k]"
      ", 0)"), ("np.sum(dZ,", "np.sum(np.maximum(dZ, 0),"))
for cause, old, new in [
        ("Where windows overlap", "+=", "="),
        ("Where windows overlap", "+= mask", "= mask"),
        ("Where windows overlap", "+= dA", "= dA"),
        ("Where windows overlap", "dA_prev[window] += mask * dA[n, y, x, c]",
         "dA_prev[window] = np.where(mask, dA[n, y, x, c], dA_prev[window])"),
        ("The mask is multiplied by A_prev", "+= mask * dA[n, y, x, c]",
         "+= mask * A_prev[window]"),
        ("The gradient of a maximum", "+= mask * dA[n, y, x, c]",
         "+= mask * dA[n, y, x, c] / (kh * kw)"),
        ("The gradient is multiplied", "+= mask", "+= A_prev[window] * mask"),
        ("Ties share", "+= mask", "+= mask / mask.sum()"),
        ("At a tie the last", "== np.max(A_prev[window])", "== np.max(A_prev["
         "window]); mask[::-1, ::-1] &= np.cumsum(mask[::-1, ::-1]"
         ").reshape(mask.shape) == 1"),
        ("dA_prev starts as", "np.zeros(A_prev.shape)", "A_prev.copy()")]:
    fault(PB, cause, (old, new))
for function, loss in ((CB, "dZ"), (PB, "dA")):
    back = RETURN[function]
    for output in back.split(" ", 1)[1].split(", "):
        for cause, new in [
                ("divided by m", "{} / m"), ("of the wrong sign", "-{}"),
                ("divided by the number of windows",
                 f"{{}} / ({loss}.size / {loss}.shape[3])"),
                ("truncated", "np.trunc({})")]:
            fault(function, f"{output} is {cause}", (back, back.replace(
                output, new.format(output))))
    fault(function, "dA_prev is multiplied by", (back, back.replace(
        "dA_prev", "dA_prev * (A_prev > 0)")))
fault(CB, "Only the first image", ("np.ndindex(dZ.shape)", "np.ndindex(1, "
      "*dZ.shape[1:])"), ("np.sum(dZ,", "np.sum(dZ[:1],"))

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
        "'-c', 'import time; time.sleep(60)'], start_new_session=True)\n"
        "    A += 1", "expected"),
    "leaves a thread": (
        "import threading, time\n    threading.Thread(target=time.sleep, "
        "args=(60,)).start()\n    A += 1", "expected"),
    "takes its reports away": (
        "import glob, os\n    A += 1\n    [os.remove(path) for path in "
        "glob.glob('../pool_forward*.npy')]", ""),
    "is our own": (
        LOADING + f"import sys\nsys.path.insert(0, {str(ROOT)!r} + "
        "'/examples')\nimport naive", "a file of the collection is opened"),
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
