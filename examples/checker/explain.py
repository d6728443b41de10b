"""Where a number comes from: the sum that it is, term by term."""
import inspect
import textwrap

import numpy as np

import naive

from . import definition as by
from .causes import equal
from .judge import number, rules_of


class Terms(list):
    """The terms of one number: (text, numbers as text, value)."""

    def times(self, arguments, left, right):
        """Add a product: left and right are (argument, index)."""
        names = [f"{name}[{','.join(map(str, index))}]"
                 for name, index in (left, right)]
        values = [float(arguments[name][index]) for name, index in (
            left, right)]
        self.append(("*".join(names), "*".join(map(number, values)),
                     values[0] * values[1]))

    def plus(self, name, index, value, divisor=1):
        """Add a number, which may be divided."""
        end = f"/{divisor}" if divisor > 1 else ""
        self.append((f"{name}[{','.join(map(str, index))}]{end}",
                     number(value) + end, float(value) / divisor))


def terms(name, arguments, output, index, rule):
    """Return the terms whose sum (or maximum) a number is."""
    if name[:4] == "pool":
        return pool_terms(name, arguments, index, rule)
    A_prev, W = arguments["A_prev"], arguments["W"]
    sizes, (kh, kw), (sh, sw) = (A_prev.shape[1:3], W.shape[:2],
                                 arguments["stride"])
    padding = arguments["padding"]
    (top, _), (left, _) = [by.RULES[rule](*axis) for axis in zip(
        sizes, (kh, kw), (sh, sw))] if padding == "same" else naive.sides(
            padding, sizes, (kh, kw), (sh, sw))
    found, last = Terms(), index[-1]

    def inside(y, x, i, j):
        row, col = y*sh + i - top, x*sw + j - left
        return 0 <= row < sizes[0] and 0 <= col < sizes[1] and (row, col)

    if output == "A":
        n, y, x, k = index
        for i, j, c in np.ndindex(W.shape[:3]):
            place = inside(y, x, i, j)
            if place:
                found.times(arguments, ("A_prev", (n, *place, c)),
                            ("W", (i, j, c, k)))
        found.plus("b", (k,), np.ravel(arguments["b"])[k])
    elif output == "dA_prev":
        n, row, col, c = index
        for y, x, k in np.ndindex(arguments["dZ"].shape[1:]):
            i, j = row + top - y*sh, col + left - x*sw
            if 0 <= i < kh and 0 <= j < kw:
                found.times(arguments, ("dZ", (n, y, x, k)),
                            ("W", (i, j, c, k)))
    else:
        for n, y, x in np.ndindex(arguments["dZ"].shape[:3]):
            place = output == "dW" and inside(y, x, *index[:2])
            if place:
                found.times(arguments, ("A_prev", (n, *place, index[2])),
                            ("dZ", (n, y, x, last)))
            elif output == "db":
                found.plus("dZ", (n, y, x, last),
                           arguments["dZ"][n, y, x, last])
    return found


def pool_terms(name, arguments, index, ties):
    """Return the terms of a pooling's sum, or the elements of its maximum."""
    A_prev, (kh, kw) = arguments["A_prev"], arguments["kernel_shape"]
    (sh, sw), mode, found = arguments["stride"], arguments["mode"], Terms()
    divisor = kh * kw if mode == 'avg' else 1
    if name == "pool_forward":
        n, y, x, c = index
        for i, j in np.ndindex(kh, kw):
            place = n, y*sh + i, x*sw + j, c
            found.plus("A_prev", place, A_prev[place], divisor)
        return found
    n, row, col, c = index
    for y, x in np.ndindex(arguments["dA"].shape[1:3]):
        i, j = row - y*sh, col - x*sw
        if 0 <= i < kh and 0 <= j < kw:
            pixels = by.read(A_prev, *by.window(y, x, (kh, kw), (sh, sw)))
            if mode == 'avg' or by.mask(pixels, ties)[n, i, j, c]:
                found.plus("dA", (n, y, x, c), arguments["dA"][n, y, x, c],
                           divisor)
    return found


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
