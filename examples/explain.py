"""Where a number comes from: the sum that it is, term by term."""
import textwrap

import numpy as np

import naive


def number(value):
    """Return a number as a person writes it."""
    return f"{float(value):.6g}"


def terms(name, arguments, output, index, same=None):
    """Return [(text, numbers as text, value)], one term for each summand."""
    if name[:4] == "pool":
        return pool_terms(name, arguments, index)
    A_prev, W = arguments["A_prev"], arguments["W"]
    (_, h, w, _), (kh, kw) = A_prev.shape, W.shape[:2]
    (sh, sw), padding = arguments["stride"], arguments["padding"]
    sides = naive.sides(padding, (h, w), (kh, kw), (sh, sw))
    if padding == "same" and same:
        sides = [same(*axis) for axis in zip((h, w), W.shape, (sh, sw))]
    (top, _), (left, _) = sides
    found = []

    def add(left_name, left_index, right_name, right_index):
        a = arguments[left_name][left_index]
        b = arguments[right_name][right_index]
        place = [",".join(map(str, i)) for i in (left_index, right_index)]
        found.append((f"{left_name}[{place[0]}]*{right_name}[{place[1]}]",
                      f"{number(a)}*{number(b)}", float(a) * float(b)))

    if output == "A":
        n, y, x, k = index
        for i, j, c in np.ndindex(W.shape[:3]):
            row, col = y*sh + i - top, x*sw + j - left
            if 0 <= row < h and 0 <= col < w:
                add("A_prev", (n, row, col, c), "W", (i, j, c, k))
        b = np.ravel(arguments["b"])[k]
        return [*found, (f"b[{k}]", number(b), float(b))]
    dZ = arguments["dZ"]
    if output == "dA_prev":
        n, row, col, c = index
        for y, x, k in np.ndindex(dZ.shape[1:]):
            i, j = row + top - y*sh, col + left - x*sw
            if 0 <= i < kh and 0 <= j < kw:
                add("dZ", (n, y, x, k), "W", (i, j, c, k))
    elif output == "dW":
        i, j, c, k = index
        for n, y, x in np.ndindex(dZ.shape[:3]):
            row, col = y*sh + i - top, x*sw + j - left
            if 0 <= row < h and 0 <= col < w:
                add("A_prev", (n, row, col, c), "dZ", (n, y, x, k))
    else:
        for n, y, x in np.ndindex(dZ.shape[:3]):
            value = dZ[n, y, x, index[-1]]
            found.append((f"dZ[{n},{y},{x},{index[-1]}]", number(value),
                          float(value)))
    return found


def pool_terms(name, arguments, index):
    """Return the terms of a pooling's sum, or the elements of its maximum."""
    A_prev, (kh, kw) = arguments["A_prev"], arguments["kernel_shape"]
    (sh, sw), mode = arguments["stride"], arguments["mode"]
    found = []
    if name == "pool_forward":
        n, y, x, c = index
        for i, j in np.ndindex(kh, kw):
            place = n, y*sh + i, x*sw + j, c
            value, text = float(A_prev[place]), ",".join(map(str, place))
            share = (f"A_prev[{text}]", number(value), value)
            if mode == 'avg':
                share = (f"{share[0]}/{kh * kw}", f"{share[1]}/{kh * kw}",
                         value / (kh * kw))
            found.append(share)
        return found
    n, row, col, c = index
    for y, x in np.ndindex(arguments["dA"].shape[1:3]):
        if not (0 <= row - y*sh < kh and 0 <= col - x*sw < kw):
            continue
        value = float(arguments["dA"][n, y, x, c])
        window = A_prev[n, y*sh:y*sh + kh, x*sw:x*sw + kw, c]
        if mode == 'avg':
            found.append((f"dA[{n},{y},{x},{c}]/{kh * kw}",
                          f"{number(value)}/{kh * kw}", value / (kh * kw)))
        elif A_prev[index] == window.max():
            found.append((f"dA[{n},{y},{x},{c}]", number(value), value))
    return found


def where_from(name, arguments, output, index, ours=None, same=None):
    """Return the lines that say what the number at an index is the sum of."""
    found = terms(name, arguments, output, index, same)
    place = f"{output}[{', '.join(map(str, index))}]"
    largest = name == "pool_forward" and arguments["mode"] == 'max'
    values = [value for _, _, value in found]
    total = (max(values) if largest else sum(values)) if found else 0.0
    activation = arguments.get("activation")
    if activation:
        total = float(np.asarray(activation(np.float64(total))))
    join, before, after = " + ", "", ""
    if largest:
        join, before, after = ", ", "max(", ")"
    elif activation and total != sum(values):
        before, after = "activation(", ")"
    lines = []
    for part in (0, 1):
        text = join.join(term[part] for term in found[:24]) or "0 (no term)"
        more = f" ... ({len(found)} terms)" * (len(found) > 24)
        start = f"{place} = {number(total)} = " if not part else "= "
        lines += textwrap.wrap(start + before + text + more + after, 75,
                               subsequent_indent="  ")
    linear = not largest and (not activation or np.array_equal(
        activation(np.array([-1.0, 1.0])), [-1, 1]))
    if ours is not None and linear:
        # A single number may fit by chance: ask the others too.
        others = list(np.ndindex(ours.shape))[:200]
        if all(fault(terms(name, arguments, output, other, same),
                     float(ours[other])) is not None for other in others):
            lines += filter(None, [fault(found, float(ours[index]))])
    return ["    " + line for line in lines]


def fault(found, ours):
    """Name the one term that is missing or counted twice.

    Return "" where nothing or more than one term would explain the number, and
    None where none does.
    """
    values = [value for _, _, value in found]
    apart, close = ours - sum(values), 1e-6 * max([1, *map(abs, values)])
    if abs(apart) < close:
        return ""
    texts = [f"the term {text} is {what}." for text, _, value in found
             for what, sign in (("missing", 1), ("counted twice", -1))
             if abs(apart + sign * value) < close]
    if not texts:
        return None
    return f"You have {number(ours)}: {texts[0]}" if len(texts) == 1 else ""


def explain(function, *args, at, **kwargs):
    """Print where one number of a call comes from, and what came instead.

    explain(conv_backward, dZ, A_prev, W, b, padding="valid",
            at=("dA_prev", 0, 1, 1, 0))
    """
    import inspect
    name = function.__name__
    definition = getattr(naive, name)
    bound = inspect.signature(definition).bind(*args, **kwargs)
    bound.apply_defaults()
    arguments = {key: np.asarray(value, float) if key in (
        "A_prev", "W", "b", "dZ", "dA") else value
        for key, value in bound.arguments.items()}
    (output, *index), result = at, function(*args, **kwargs)
    if name == "conv_backward":
        result = dict(zip(("dA_prev", "dW", "db"), result))[output]
    print("\n".join(where_from(name, arguments, output, tuple(index),
                               np.asarray(result))))
