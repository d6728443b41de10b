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


def written(name, index):
    """Return an element as it is written."""
    return f"{name}[{','.join(map(str, index))}]"


def terms(name, arguments, output, index, rule):
    """Return the terms whose sum (or maximum) a number is.

    A term is (text, numbers as text, value).
    """
    found, last = [], index[-1]

    def add(left, right=None, divisor=1):
        """Add an element, times another one or divided by a number."""
        parts = [part for part in (left, right) if part]
        values = [float(arguments[key][place]) for key, place in parts]
        end = f"/{divisor}" * (divisor > 1)
        found.append(("*".join(written(*part) for part in parts) + end,
                      "*".join(map(number, values)) + end,
                      np.prod(values) / divisor))

    if name[:4] == "pool":
        pool_terms(name, arguments, index, rule, add)
        return found
    kernel, stride = arguments["W"].shape[:2], arguments["stride"]
    padding, sizes = arguments["padding"], arguments["A_prev"].shape[1:3]
    sides = [by.RULES[rule](*axis) for axis in zip(sizes, kernel, stride)
             ] if padding == "same" else naive.sides(
                 padding, sizes, kernel, stride)
    shape = index[:3] if output == "A" else arguments["dZ"].shape[:3]
    if output == "db":
        for place in np.ndindex(shape):
            add(("dZ", (*place, last)))
        return found
    shape = [size + (output == "A") for size in shape]
    c_prev, c_new = arguments["W"].shape[2:]
    for pixel, weight, place in meetings(arguments, shape, kernel, sides,
                                         stride):
        if output == "A" and place == index[:3]:
            for c in range(c_prev):
                add(("A_prev", (*pixel, c)), ("W", (*weight, c, last)))
        elif output == "dA_prev" and pixel == index[:3]:
            for k in range(c_new):
                add(("dZ", (*place, k)), ("W", (*weight, last, k)))
        elif output == "dW" and weight == index[:2]:
            add(("A_prev", (*pixel, index[2])), ("dZ", (*place, last)))
    if output == "A":
        arguments = {**arguments, "b": np.ravel(arguments["b"])}
        add(("b", (last,)))
    return found


def pool_terms(name, arguments, index, ties, add):
    """Add the terms of a pooling's sum, or the elements of its maximum."""
    A_prev, kernel = arguments["A_prev"], arguments["kernel_shape"]
    stride, (*first, c) = arguments["stride"], index
    divisor = kernel[0] * kernel[1] if arguments["mode"] == 'avg' else 1
    shape = [size + 1 for size in first] if name == "pool_forward" else (
        arguments["dA"].shape[:3])
    for pixel, (i, j), place in meetings(arguments, shape, kernel,
                                         [(0, 0)] * 2, stride):
        if name == "pool_forward" and place == tuple(first):
            add(("A_prev", (*pixel, c)), divisor=divisor)
        elif name == "pool_backward" and pixel == tuple(first):
            y, x = by.window(*place[1:], kernel, stride)
            window = A_prev[:, y, x]
            if arguments["mode"] == 'avg' or by.mask(window, ties, by.maximum(
                    window, A_prev))[place[0], i, j, c]:
                add(("dA", (*place, c)), divisor=divisor)


def where_from(name, arguments, output, index, rule, ours=None):
    """Return the lines that say what the number at an index is the sum of."""
    found = terms(name, arguments, output, index, rule)
    values = [value for _, _, value in found]
    total = sum(values)
    activation = arguments.get("activation")
    join, before, after, linear = " + ", "", "", True
    if name == "pool_forward" and arguments["mode"] == 'max':
        join, before, after, linear = ", ", "max(", ")", False
        total = max(values)
    elif activation and not np.array_equal(
            activation(np.array([-1.0, 1.0])), [-1, 1]):
        before, after, linear = "activation(", ")", False
        total = float(np.asarray(activation(np.float64(total))))
    lines = []
    for part, start in enumerate((
            f"{output}[{', '.join(map(str, index))}] = {number(total)} = ",
            "= ")):
        text = join.join(term[part] for term in found[:24]) or "0 (no term)"
        more = f" ... ({len(found)} terms)" * (len(found) > 24)
        lines += textwrap.wrap(start + before + text + more + after, 75,
                               subsequent_indent="  ")
    if ours is not None and linear:
        # A single number may fit by chance: ask the others too.
        faults = [fault(terms(name, arguments, output, other, rule),
                        float(ours[other]))
                  for other in list(np.ndindex(ours.shape))[:200]]
        if None not in faults:
            lines += filter(None, [fault(found, float(ours[index]))])
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
    rules = [bound.arguments["ties"]] if "ties" in bound.arguments else (
        rules_of(name))
    bound.apply_defaults()
    arguments = {key: np.asarray(value, float) if key in (
        "A_prev", "W", "b", "dZ", "dA") else value
        for key, value in bound.arguments.items() if key != "ties"}
    result = function(*args, **kwargs)
    results = result if isinstance(result, tuple) else (result,)
    ours = np.asarray(dict(zip(by.OUTPUTS[name], results))[output])
    if arguments.get("padding", "same") != "same":
        rules = rules[:1]
    rule = rules[0] if len(rules) == 1 else max(rules, key=lambda rule: sum(
        map(equal, map(np.asarray, results), results_by(
            name, rule, arguments))))
    print("\n".join(where_from(name, arguments, output, tuple(index), rule,
                               ours)))


def results_by(name, rule, arguments):
    """Return the results of the definition as a tuple."""
    result = by.define(name, rule)(**arguments)
    return result if isinstance(result, tuple) else (result,)
