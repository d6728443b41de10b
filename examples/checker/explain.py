"""Where a number comes from: the sum that it is, term by term."""
import inspect
import textwrap

import numpy as np

import naive

from . import definition as by
from .causes import equal
from .judge import number, rules_of


def meetings(arguments, shape, kernel, sides, stride):
    """Yield the indices of a pixel, a weight and an output that meet."""
    (_, h, w, _), (kh, kw) = arguments["A_prev"].shape, kernel
    ((top, _), (left, _)), (sh, sw) = sides, stride
    for n, y, x, i, j in np.ndindex(*shape, kh, kw):
        row, col = y*sh + i - top, x*sw + j - left
        if 0 <= row < h and 0 <= col < w:
            yield (n, row, col), (i, j), (n, y, x)


def term(arguments, *parts, divisor=1):
    """Return a product of elements as text, as numbers, and its value."""
    values = [float(arguments[key][index]) for key, index in parts]
    end = f"/{divisor}" * (divisor > 1)
    return ("*".join(f"{key}[{','.join(map(str, index))}]"
                     for key, index in parts) + end,
            "*".join(map(number, values)) + end, np.prod(values) / divisor)


def terms(name, arguments, output, index, rule):
    """Yield the terms whose sum (or maximum) a number is."""
    if name[:4] == "pool":
        yield from pool_terms(name, arguments, index, rule)
        return
    kernel, stride = arguments["W"].shape[:2], arguments["stride"]
    padding, sizes = arguments["padding"], arguments["A_prev"].shape[1:3]
    sides = [by.RULES[rule](*axis) for axis in zip(sizes, kernel, stride)
             ] if padding == "same" else naive.sides(
                 padding, sizes, kernel, stride)
    shape = [size + 1 for size in index[:3]] if output == "A" else (
        arguments["dZ"].shape[:3])
    last, (c_prev, c_new) = index[-1], arguments["W"].shape[2:]
    if output == "db":
        for place in np.ndindex(*shape):
            yield term(arguments, ("dZ", (*place, last)))
        return
    for pixel, weight, place in meetings(arguments, shape, kernel, sides,
                                         stride):
        if output == "A" and place == index[:3]:
            for c in range(c_prev):
                yield term(arguments, ("A_prev", (*pixel, c)),
                           ("W", (*weight, c, last)))
        elif output == "dA_prev" and pixel == index[:3]:
            for k in range(c_new):
                yield term(arguments, ("dZ", (*place, k)),
                           ("W", (*weight, last, k)))
        elif output == "dW" and weight == index[:2]:
            yield term(arguments, ("A_prev", (*pixel, index[2])),
                       ("dZ", (*place, last)))
    if output == "A":
        yield term({"b": np.ravel(arguments["b"])}, ("b", (last,)))


def pool_terms(name, arguments, index, ties):
    """Yield the terms of a pooling's sum, or the elements of its maximum."""
    A_prev, kernel = arguments["A_prev"], arguments["kernel_shape"]
    stride, (*first, c) = arguments["stride"], index
    mean, first = arguments["mode"] == 'avg', tuple(first)
    divisor = kernel[0] * kernel[1] if mean else 1
    shape = [size + 1 for size in first] if name == "pool_forward" else (
        arguments["dA"].shape[:3])
    for pixel, (i, j), place in meetings(arguments, shape, kernel,
                                         [(0, 0)] * 2, stride):
        if name == "pool_forward" and place == first:
            yield term(arguments, ("A_prev", (*pixel, c)), divisor=divisor)
        elif name == "pool_backward" and pixel == first:
            do = by.Definition()
            do.ties = ties
            rows, cols = do.window(*place[1:], kernel, stride)
            window = A_prev[:, rows, cols]
            if mean or do.mask(window, do.maximum(window, A_prev))[
                    place[0], i, j, c]:
                yield term(arguments, ("dA", (*place, c)), divisor=divisor)


def where_from(name, arguments, output, index, rule, ours=None):
    """Return the lines that say what the number at an index is the sum of.

    ours: the student's array, where its numbers are to be explained.
    """
    found = list(terms(name, arguments, output, index, rule))
    total = sum(value for _, _, value in found)
    activation = arguments.get("activation")
    join, around, linear = " + ", "{}", True
    if name == "pool_forward" and arguments["mode"] == 'max':
        join, around, linear = ", ", "max({})", False
        total = max(value for _, _, value in found)
    elif activation and not np.array_equal(
            activation(np.array([-1.0, 1.0])), [-1, 1]):
        around, linear = "activation({})", False
        total = float(np.asarray(activation(np.float64(total))))
    lines = []
    for part, start in enumerate((
            f"{output}[{', '.join(map(str, index))}] = {number(total)} = ",
            "= ")):
        text = join.join(one[part] for one in found[:24]) or "0 (no term)"
        text += f" ... ({len(found)} terms)" * (len(found) > 24)
        lines += textwrap.wrap(start + around.format(text), 75,
                               subsequent_indent="  ")
    if ours is not None and linear:
        # A single number may fit by chance: ask the others too.
        faults = {other: fault(
            list(terms(name, arguments, output, other, rule)),
            float(ours[other])) for other in list(np.ndindex(ours.shape))[:200]
            } if ours.size <= 200 else {index: None}
        if None not in faults.values() and faults[index]:
            lines.append(faults[index])
    return ["    " + line for line in lines]


def fault(found, ours):
    """Name the one term that is missing or counted twice.

    Return "" where nothing or more than one term would explain the number, and
    None where none does.
    """
    values = [value for _, _, value in found]
    difference, close = ours - sum(values), 1e-6 * max([1, *map(abs, values)])
    if abs(difference) < close:
        return ""
    texts = [f"the term {text} is {what}." for text, _, value in found
             for what, sign in (("missing", 1), ("counted twice", -1))
             if abs(difference + sign * value) < close]
    if not texts:
        return None
    return f"You have {number(ours)}: {texts[0]}" if len(texts) == 1 else ""


def explain(function, *args, at, **kwargs):
    """Print where one number of a call comes from, and what came instead.

    The rule (of "same", or of ties) is the one that the results follow best.

    explain(conv_backward, dZ, A_prev, W, b, padding="valid",
            at=("dA_prev", 0, 1, 1, 0))
    """
    name, (output, *index) = function.__name__, at
    if output not in by.OUTPUTS.get(name, ()):
        raise ValueError(f"at: expected one of {by.OUTPUTS.get(name)} and an "
                         f"index, got {at!r}")
    bound = inspect.signature(getattr(naive, name)).bind(*args, **kwargs)
    ties = bound.arguments.get("ties")
    bound.apply_defaults()
    arguments = {key: np.asarray(value, float) if key in (
        "A_prev", "W", "b", "dZ", "dA") else value
        for key, value in bound.arguments.items() if key != "ties"}
    results = by.listed(function(*args, **kwargs))
    rules = [ties] if ties else rules_of(name)
    if arguments.get("padding", "same") != "same":
        rules = rules[:1]
    rule = rules[0] if len(rules) == 1 else max(rules, key=lambda rule: sum(
        map(equal, results, by.listed(by.define(name, rule)(**arguments)))))
    ours = results[by.OUTPUTS[name].index(output)]
    print("\n".join(where_from(name, arguments, output, tuple(index), rule,
                               ours)))
