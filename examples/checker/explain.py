"""Where a number comes from: the sum that it is, term by term."""
import inspect
import textwrap

import numpy as np

import naive

from .calls import as_arrays, equal, same_Z
from .expected import OUTPUTS, by_definition, rules_of
from .judge import PARAMETERS, number

# What tells which terms an output is the sum of: another function, the array
# of which one number is 1 there (the rest is 0), what its result is then where
# it is not 0, and the array whose elements are numbered: that is the number.
ASKED = {("conv", "A"): ("conv_backward", "dZ", "A_prev", "W"),
         ("conv", "dA_prev"): ("conv_forward", "A_prev", "dZ", "W"),
         ("conv", "dW"): ("conv_forward", "W", "dZ", "A_prev"),
         ("conv", "db"): ("conv_forward", "b", "dZ", None),
         ("pool", "A"): ("pool_backward", "dA", "A_prev", None),
         ("pool", "dA_prev"): ("pool_forward", "A_prev", "dA", None)}


def one_at(index, shape):
    """Return zeros, and a 1 at an index."""
    array = np.zeros(shape)
    array[index] = 1
    return array


def terms(name, arguments, output, index, rule, shape):
    """Yield the factors of each term of a number: (array's name, index).

    shape: of the output. For a maximum: the pixels that it is the largest of.
    """
    asked, mine, result, other = ASKED[name[:4], output]
    arrays = {key: np.zeros(value.shape) for key, value in arguments.items()
              if isinstance(value, np.ndarray)}
    arrays[mine] = one_at(index, shape)
    if other:
        arrays[other].flat = range(1, arrays[other].size + 1)
    given = {**arguments, "mode": 'avg', "activation": same_Z, **arrays}
    found, *_ = by_definition(asked, rule, {
        key: given[key] for key in PARAMETERS[asked]})
    for at in map(tuple, np.argwhere(found)):
        if name == "pool_backward" and not by_definition(name, rule, {
                **arguments, "dA": one_at(at, found.shape)})[0][index]:
            continue        # another pixel gets the gradient of its maximum
        second = [(other, np.unravel_index(int(found[at]) - 1, arrays[
            other].shape))] if other else []
        yield sorted([(result, at), *second], key=lambda one: one[0].lower())
    if (name, output) == ("conv_forward", "A"):
        yield [("b", index[3:])]


def letters(factor):
    """Return a factor of a term as text."""
    key, at = factor
    return f"{key}[{','.join(map(str, at))}]"


def where_from(name, arguments, output, index, rule, exact):
    """Return the lines that say what the number at an index is the sum of.

    exact: the array that is right.
    """
    found = list(terms(name, arguments, output, index, rule, exact.shape))
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
