"""The calls that are made, and what is right: that is naive.py."""
import functools
import warnings

import numpy as np

import naive

from .cases import CASES, drawn
from .calls import OPTIONS, half_relu, same_Z

OUTPUTS = {"conv_forward": ("A",), "pool_forward": ("A",),
           "conv_backward": ("dA_prev", "dW", "db"),
           "pool_backward": ("dA_prev",)}


def total_to_keep(size, kernel, stride):
    """Return the zeros that keep the size of an axis, even under a stride."""
    return (size - 1) * stride + kernel - size


# Rules of "same": the zeros before and after an axis.
RULES = {"keras": naive.same,
         "size": lambda *axis: (-(-total_to_keep(*axis) // 2),) * 2,
         "floor": lambda *axis: (total_to_keep(*axis) // 2,) * 2}


def rules_of(name):
    """Return the rules that a function may follow."""
    return list(RULES) if name[:4] == "conv" else ["all", "first"] if (
        name == "pool_backward") else [None]


@functools.lru_cache(maxsize=64)
def calls_of(name, seed=None):
    """Return the calls that are made: {case name: (case, arguments)}.

    seed: of newly drawn cases; None are those that are judged.
    """
    calls = {}
    for case in CASES[name[:4]] if seed is None else drawn(name, seed):
        A_prev = case.draw("A_prev", case.A_prev)
        activated = "activation" in case.name
        if name[:4] == "pool":
            arguments = {"A_prev": A_prev, "kernel_shape": case.kernel,
                         "stride": case.stride, "mode": case.kind}
            if name == "pool_backward":
                shape = naive.pool_forward(**arguments).shape
                arguments = {"dA": case.draw("dA", shape), **arguments}
            calls[case.name] = case, arguments
            continue
        arguments = {"A_prev": A_prev, "W": case.draw("W", case.kernel),
                     "b": case.draw("b", (1, 1, 1, case.kernel[-1]))}
        options = {"padding": case.kind, "stride": case.stride}
        if name == "conv_forward":
            calls[case.name] = case, {
                **arguments, "activation": half_relu if activated else same_Z,
                **options}
        elif not activated:
            for rule in RULES:
                shape, label = shape_of_Z(case, rule), case.name
                if shape != shape_of_Z(case, "keras"):
                    label += f", dZ {shape[1]}x{shape[2]}"
                calls[label] = case, {"dZ": case.draw("dZ", shape),
                                      **arguments, **options}
    return calls


def passed(name, label, seed=None):
    """Return the arguments of a call without those left to their defaults."""
    return {key: value for key, value in calls_of(name, seed)[label][1].items()
            if "defaults" not in label or key not in OPTIONS}


@functools.lru_cache(maxsize=64)
def jobs_of(name, only=None, timeout=10, seed=None):
    """Return the calls of a function for the child."""
    if name == "lenet5":
        return [{"id": name, "function": name, "label": name, "outputs": 0,
                 "arguments": {}, "timeout": 12 * max(timeout, 20)}]
    return [{"id": f"{name}-{seed or ''}{i}", "function": name, "label": label,
             "outputs": len(OUTPUTS[name]), "timeout": timeout,
             "arguments": passed(name, label, seed)}
            for i, label in enumerate(calls_of(name, seed))
            if only in (None, label)]


@functools.lru_cache(maxsize=None)
def shape_of_Z(case, rule):
    """Return the shape that conv_forward gives under a rule."""
    before_after = RULES[rule] if case.kind == "same" else (
        lambda *axis: (0, 0))
    sizes = [(size + sum(before_after(size, k, s)) - k) // s + 1
             for size, k, s in zip(case.A_prev[1:3], case.kernel, case.stride)]
    return (case.A_prev[0], *sizes, case.kernel[-1])


@functools.lru_cache(maxsize=None)
def judged_labels(name, rule, seed=None):
    """Return the cases of a rule: for "same", those whose dZ fits it.

    Integers are not judged: they are worth a remark alone.
    """
    return tuple(label for label, (case, arguments) in calls_of(
        name, seed).items() if "integer" not in label and (
            name != "conv_backward"
            or shape_of_Z(case, rule) == arguments["dZ"].shape))


def by_definition(name, rule, arguments):
    """Return what naive.py gives under a rule of "same", or of ties."""
    if arguments.get("padding") == "same":
        arguments = {**arguments, "padding": [RULES[rule](*axis) for axis in (
            zip(arguments["A_prev"].shape[1:3], arguments["W"].shape,
                arguments["stride"]))]}
    if name == "pool_backward":
        arguments = {**arguments, "ties": rule}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = getattr(naive, name)(**arguments)
    return result if isinstance(result, tuple) else (result,)


@functools.lru_cache(maxsize=10000)
def results_of(name, rule, label, seed=None):
    """Return the arrays that are right for a call."""
    return by_definition(name, rule, calls_of(name, seed)[label][1])
