"""What is called, from the simple to the special, and what is expected.

Numbers are whole or real, never zero, and negative too; m is 1, 2 and 3; the
zeros that "same" adds in all are 0 to 4 per axis, the strides 1 to 3.
"""
import functools
import warnings
import zlib
from typing import NamedTuple

import numpy as np

from . import definition as by
from .child import ACTIVATIONS


class Case(NamedTuple):
    """One call of a student's function, drawn from a seed of its own."""

    name: str               # what is special in it
    A_prev: tuple
    kernel: tuple           # W's shape, or the window of a pooling
    stride: tuple = (1, 1)
    padding: str = "valid"
    mode: str = "max"
    draw: str = "whole"     # or real, ties, integers
    activation: str = "same_Z"


CONV = [
    Case("one window", (1, 2, 2, 1), (2, 2, 1, 1)),
    Case("windows that overlap", (1, 3, 3, 1), (2, 2, 1, 1)),
    Case("real numbers", (1, 3, 3, 1), (2, 2, 1, 1), draw="real"),
    Case("an activation", (1, 3, 3, 1), (2, 2, 1, 1), activation="relu"),
    Case("a wide image", (1, 3, 5, 1), (2, 2, 1, 1)),
    Case("a tall image", (1, 5, 3, 1), (2, 2, 1, 1)),
    Case("a kernel that is not square, 3x2", (1, 4, 4, 1), (3, 2, 1, 1)),
    Case("a kernel that is not square, 1x3", (1, 4, 4, 1), (1, 3, 1, 1)),
    Case("two images", (2, 3, 3, 1), (2, 2, 1, 1)),
    Case("two kernels", (1, 3, 3, 1), (2, 2, 1, 2)),
    Case("two channels", (1, 3, 3, 2), (2, 2, 2, 1)),
    Case("stride 2", (1, 4, 4, 1), (2, 2, 1, 1), (2, 2)),
    Case("stride 2x1", (1, 4, 4, 1), (2, 2, 1, 1), (2, 1)),
    Case("stride 1x3", (1, 5, 5, 1), (2, 2, 1, 1), (1, 3)),
    Case("a stride that leaves a remainder", (1, 8, 6, 1), (3, 2, 1, 1),
         (2, 3)),
    Case("a stride larger than the kernel", (1, 9, 8, 1), (2, 1, 1, 1),
         (3, 2)),
    Case("three images, channels and kernels", (3, 5, 4, 2), (3, 2, 2, 3)),
    Case("three images, a stride, real numbers", (3, 7, 6, 3), (2, 3, 3, 2),
         (2, 3), draw="real", activation="relu"),
    *[case._replace(padding="same", name=f"same, {case.name}") for case in [
        Case("a kernel of one pixel", (1, 3, 4, 1), (1, 1, 1, 1)),
        Case("3x3", (1, 4, 5, 1), (3, 3, 1, 1)),
        Case("5x5", (1, 5, 6, 1), (5, 5, 1, 1)),
        Case("3x1", (2, 5, 4, 1), (3, 1, 1, 1)),
        Case("1x3", (1, 4, 5, 1), (1, 3, 1, 1)),
        Case("2x2", (1, 4, 5, 1), (2, 2, 1, 1)),
        Case("2x3", (1, 5, 4, 2), (2, 3, 2, 2)),
        Case("3x2", (2, 4, 6, 2), (3, 2, 2, 2)),
        Case("4x5", (1, 5, 6, 1), (4, 5, 1, 2)),
        Case("5x4, an activation", (1, 6, 5, 1), (5, 4, 1, 1),
             activation="relu"),
        Case("stride 2", (1, 5, 6, 1), (3, 3, 1, 1), (2, 2)),
        Case("stride 2x1", (2, 6, 6, 1), (5, 3, 1, 2), (2, 1)),
        Case("4x2, stride 2", (1, 6, 5, 1), (4, 2, 1, 1), (2, 2)),
        Case("5x1, stride 2x1", (1, 6, 4, 1), (5, 1, 1, 1), (2, 1)),
        Case("stride 3x2, real numbers", (3, 7, 5, 2), (3, 2, 2, 3), (3, 2),
             draw="real"),
        Case("a stride larger than the kernel", (1, 6, 7, 1), (1, 2, 1, 1),
             (2, 3))]],
    Case("integer pixels", (1, 4, 4, 1), (2, 2, 1, 1), draw="integers")]
POOL = [
    Case(f"{mode}, {name}", shape, kernel, stride, "", mode, draw)
    for mode in ("max", "avg") for name, shape, kernel, stride, draw in [
        ("one window", (1, 2, 2, 1), (2, 2), (2, 2), "whole"),
        ("four windows", (1, 4, 4, 1), (2, 2), (2, 2), "whole"),
        ("real numbers", (1, 4, 4, 1), (2, 2), (2, 2), "real"),
        ("a wide image", (1, 2, 6, 1), (2, 2), (2, 2), "whole"),
        ("a tall image", (1, 6, 2, 1), (2, 2), (2, 2), "whole"),
        ("a kernel that is not square", (1, 6, 6, 1), (3, 2), (3, 3),
         "whole"),
        ("two images", (2, 4, 4, 1), (2, 2), (2, 2), "whole"),
        ("two channels", (1, 4, 4, 2), (2, 2), (2, 2), "whole"),
        ("windows that overlap", (1, 4, 4, 1), (2, 2), (1, 1), "whole"),
        ("ties", (2, 4, 5, 1), (2, 2), (1, 1), "ties"),
        ("ties, windows of nine pixels", (1, 6, 6, 2), (3, 3), (3, 3),
         "ties"),
        ("a stride for each axis", (1, 6, 6, 1), (2, 2), (2, 1), "whole"),
        ("a stride that leaves a remainder", (1, 6, 7, 2), (3, 2), (2, 2),
         "whole"),
        ("a stride larger than the kernel", (1, 7, 8, 1), (2, 2), (3, 4),
         "whole"),
        ("three images, channels", (3, 9, 8, 3), (2, 3), (3, 1), "whole"),
        ("three images, overlap, real numbers", (3, 5, 7, 2), (3, 2), (1, 2),
         "real"),
        ("integer arrays", (1, 4, 4, 1), (2, 2), (2, 2), "integers")]]


def generator(case, what):
    """Return random numbers that are always the same."""
    return np.random.default_rng(zlib.crc32((case.name + what).encode()))


def draw(case, shape, what):
    """Return an array of a convolution, or a gradient."""
    rng = generator(case, what)
    if case.draw == "real":
        return rng.standard_normal(shape)
    numbers = rng.integers(1, 10, shape) * rng.choice([-1, 1], shape)
    if case.draw != "integers":
        return numbers.astype("float64")
    return numbers if what == "A_prev" else numbers * 0.37


def pixels(case):
    """Return A_prev of a pooling: all different, or with many ties."""
    rng, count = generator(case, "A_prev"), int(np.prod(case.A_prev))
    numbers = rng.permutation(np.delete(np.arange(-count, count + 1), count))
    numbers = numbers[:count].reshape(case.A_prev)
    if case.draw == "ties":
        numbers = rng.integers(-2, 0, case.A_prev)
    return numbers * 0.37 if case.draw == "real" else numbers.astype(
        "int64" if case.draw == "integers" else "float64")


@functools.lru_cache(maxsize=None)
def calls_of(name):
    """Return the calls that are made: {case name: (case, arguments)}."""
    calls = {}
    for case in CONV if name[:4] == "conv" else POOL:
        if name[:4] == "pool":
            arguments = {"A_prev": pixels(case), "kernel_shape": case.kernel,
                         "stride": case.stride, "mode": case.mode}
            if name == "pool_backward":
                shape = by.define("pool_forward", None)(**arguments).shape
                arguments = {"dA": draw(case, shape, "dA"), **arguments}
            calls[case.name] = case, arguments
            continue
        arguments = {"A_prev": draw(case, case.A_prev, "A_prev"),
                     "W": draw(case, case.kernel, "W"),
                     "b": draw(case, (1, 1, 1, case.kernel[-1]), "b")}
        options = {"padding": case.padding, "stride": case.stride}
        if name == "conv_forward":
            calls[case.name] = case, {
                **arguments, "activation": ACTIVATIONS[case.activation],
                **options}
        elif "activation" not in case.name:
            for rule in by.RULES:
                shape = shape_of_Z(case, rule)
                label = case.name
                if shape != shape_of_Z(case, "keras"):
                    label += f", dZ {shape[1]}x{shape[2]}"
                calls[label] = case, {"dZ": draw(case, shape, "dZ"),
                                      **arguments, **options}
    return calls


@functools.lru_cache(maxsize=None)
def shape_of_Z(case, rule):
    """Return the shape that conv_forward gives under a rule."""
    return by.define("conv_forward", rule)(
        np.zeros(case.A_prev), np.zeros(case.kernel), 0, np.array,
        case.padding, case.stride).shape


@functools.lru_cache(maxsize=None)
def labels_of(name, rule):
    """Return the cases for a rule: for "same", those whose dZ fits it."""
    return tuple(label for label, (case, arguments) in calls_of(name).items()
                 if name != "conv_backward"
                 or shape_of_Z(case, rule) == arguments["dZ"].shape)


@functools.lru_cache(maxsize=30000)
def results_of(name, rule, label, steps=()):
    """Return the definition's arrays for a call, or what it raises.

    steps are replaced: see causes.py.
    """
    _, arguments = calls_of(name)[label]
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = by.define(name, rule, steps)(**arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return by.listed(result)
