"""Where a number comes from: the sum that it is, term by term."""
import inspect
import itertools
import textwrap

import numpy as np

import naive

from .calls import as_arrays, equal
from .expected import OUTPUTS, RULES, by_definition, rules_of
from .judge import number

# Which arrays a term multiplies, and which letters an output's index gives:
# n, y, x, k: an element of Z or A; n, row, col, c: a pixel; i, j, c, k: a
# weight.
CONV = {"A": ("nyxk", ["A_prev", "W"]), "dW": ("ijck", ["A_prev", "dZ"]),
        "dA_prev": (["n", "row", "col", "c"], ["dZ", "W"]),
        "db": ("...k", ["dZ"])}
POOL = {"A": ("nyxc", ["A_prev"]),
        "dA_prev": (["n", "row", "col", "c"], ["dA"])}


def terms(name, arguments, output, index, rule):
    """Yield the factors of each term of a number: (array's name, index).

    For a maximum, yield the pixels that it is the largest of.
    """
    conv, A_prev = name[:4] == "conv", arguments["A_prev"]
    places, factors = (CONV if conv else POOL)[output]
    known, stride = dict(zip(places, index)), arguments["stride"]
    kernel, sides = arguments.get("kernel_shape"), [(0, 0), (0, 0)]
    (_, h_prev, w_prev, c_prev), c_new = A_prev.shape, 1
    if conv:
        *kernel, _, c_new = arguments["W"].shape
        axes, padding = ((h_prev, w_prev), kernel, stride), (
            arguments["padding"])
        sides = [RULES[rule](*axis) for axis in zip(*axes)] if (
            padding == "same") else naive.sides(padding, *axes)
    shape = (0, 0, 0) if output == "A" else arguments[
        "dZ" if conv else "dA"].shape[:3]
    ranges = dict(zip("nyxijck", (*shape, *kernel, c_prev, c_new)))
    if output == "db":
        ranges.update(i=1, j=1, c=1)
    for n, y, x, i, j, c, k in itertools.product(*[
            [known[letter]] if letter in known else range(size)
            for letter, size in ranges.items()]):
        row, col = (at * step + offset - before for at, step, offset, (
            before, _) in zip((y, x), stride, (i, j), sides))
        if output == "db" or (
                0 <= row < h_prev and 0 <= col < w_prev
                and known.get("row", row) == row
                and known.get("col", col) == col and (
                    name != "pool_backward" or arguments["mode"] == 'avg'
                    or gets(arguments, rule, (n, y, x, c))[i, j])):
            at = {"A_prev": (n, row, col, c), "W": (i, j, c, k),
                  "dZ": (n, y, x, k), "dA": (n, y, x, c)}
            yield [(factor, at[factor]) for factor in factors]
    if output == "A" and conv:
        yield [("b", (index[3],))]


def gets(arguments, ties, place):
    """Return which elements of a window get the gradient of its maximum."""
    n, y, x, c = place
    (kh, kw), (sh, sw) = arguments["kernel_shape"], arguments["stride"]
    pixels = arguments["A_prev"][n, y*sh:y*sh + kh, x*sw:x*sw + kw, c]
    one = {"A_prev": pixels[None, ..., None], "dA": np.ones((1, 1, 1, 1)),
           "kernel_shape": (kh, kw)}
    return naive.pool_backward(**one, ties=ties)[0, :, :, 0] > 0


def letters(factor):
    """Return a factor of a term as text."""
    key, at = factor
    return f"{key}[{','.join(map(str, at))}]"


def where_from(name, arguments, output, index, rule, exact):
    """Return the lines that say what the number at an index is the sum of.

    exact: the array that is right.
    """
    found = list(terms(name, arguments, output, index, rule))
    arrays = {**arguments, "b": np.ravel(arguments.get("b", 0))}
    values = [[float(arrays[key][at]) for key, at in term] for term in found]
    mode, join, around = arguments.get("mode"), " + ", "{}"
    divisor = int(np.prod(arguments["kernel_shape"])) if mode == 'avg' else 1
    total = sum(map(np.prod, values)) / divisor
    if name == "pool_forward" and mode == 'max':
        join, around, total = ", ", "max({})", max(map(np.prod, values))
    elif name == "conv_forward" and not np.isclose(total, exact[index]):
        around, total = "activation({})", exact[index]
    lines, end = [], f"/{divisor}" * (divisor > 1)
    for start, texts in (
            (f"{output}[{', '.join(map(str, index))}] = {number(total)} = ",
             [list(map(letters, term)) for term in found]),
            ("= ", [map(number, term) for term in values])):
        text = join.join("*".join(term) + end for term in texts[:24])
        text += f" ... ({len(found)} terms)" * (len(found) > 24)
        lines += textwrap.wrap(start + around.format(
            text or "0 (nothing is added here)"), 75, subsequent_indent="  ")
    return ["    " + line for line in lines]


def name_of(function, name=None):
    """Return which of the four functions a function object is."""
    name = name or getattr(function, "__name__", None)
    if name not in list(OUTPUTS) or not callable(function):
        raise ValueError(f"name: expected one of {', '.join(OUTPUTS)} and a "
                         f"function, got {name!r} and {function!r}")
    return name


def explain(function, *args, at, name=None, **kwargs):
    """Print the terms of one number: at=(output, *index), as a call's rest.

    The rule (of "same", or of ties) is the one that the results follow best.

    explain(conv_backward, dZ, A_prev, W, b, padding="valid",
            at=("dA_prev", 0, 1, 1, 0))
    """
    name = name_of(function, name)
    bound = inspect.signature(getattr(naive, name)).bind(*args, **kwargs)
    ties = bound.arguments.get("ties")
    bound.apply_defaults()
    arguments = {key: np.array(value, float) if key in (
        "A_prev", "W", "b", "dZ", "dA") else value
        for key, value in bound.arguments.items() if key != "ties"}
    results = as_arrays(function(*args, **kwargs), len(OUTPUTS[name]))
    exact = {}
    for rule in [ties] if ties else rules_of(name):
        try:
            exact[rule] = by_definition(name, rule, arguments)
        except (IndexError, ValueError):
            pass        # a rule of "same" that does not fit dZ
    if not exact:
        raise ValueError("padding, dZ: no rule of padding fits these "
                         "arguments")
    rule = max(exact, key=lambda rule: sum(map(equal, results, exact[rule])))
    shapes = dict(zip(OUTPUTS[name], [part.shape for part in exact[rule]]))
    output, *index = at if isinstance(at, tuple) and at else [at]
    if output not in list(shapes) or len(index) != len(shapes[output]) or (
            not all(map(lambda i, size: i in range(size), index,
                        shapes[output]))):
        raise ValueError(f"at: expected an output and an index, of {shapes}, "
                         f"got {at!r}")
    place, index = OUTPUTS[name].index(output), tuple(index)
    print("\n".join(where_from(name, arguments, output, index, rule,
                               exact[rule][place])))
    if not equal(results[place], exact[rule][place]):
        print("    Your function gives " + (
            f"{number(results[place][index])} there."
            if results[place].shape == exact[rule][place].shape else
            f"the shape {results[place].shape}."))
