"""What is called, from the simple to the special, and what is expected.

Numbers are whole or real, and negative too, and never zero but where they tie;
m is 1, 2 and 3. Words of a name decide on the numbers: real, ties, integer,
activation, far below, defaults.
"""
import functools
import warnings
import zlib
from typing import NamedTuple

import numpy as np

from .child import ACTIVATIONS, OPTIONS
from .definition import RULES, define, listed

VALID = """
one window                              1x2x2x1 2x2x1x1 1x1
windows that overlap                    1x3x3x1 2x2x1x1 1x1
real numbers                            1x3x3x1 2x2x1x1 1x1
an activation                           1x3x3x1 2x2x1x1 1x1
a wide image                            1x3x5x1 2x2x1x1 1x1
a tall image                            1x5x3x1 2x2x1x1 1x1
a kernel that is not square, 3x2        1x4x4x1 3x2x1x1 1x1
a kernel that is not square, 1x3        1x4x4x1 1x3x1x1 1x1
two images                              2x3x3x1 2x2x1x1 1x1
two kernels                             1x3x3x1 2x2x1x2 1x1
two channels                            1x3x3x2 2x2x2x1 1x1
stride 2                                1x4x4x1 2x2x1x1 2x2
stride 2x1                              1x4x4x1 2x2x1x1 2x1
stride 1x3                              1x5x5x1 2x2x1x1 1x3
a stride that leaves a remainder        1x6x6x1 3x2x1x1 2x3
a stride larger than the kernel         1x6x5x1 2x1x1x1 3x2
three images, channels and kernels      3x5x4x2 3x2x2x3 1x1
three images, a stride, real numbers    3x7x6x3 2x3x3x2 2x3
integer pixels                          1x4x4x1 2x2x1x1 1x1
"""
SAME = """
a kernel of one pixel                   1x2x3x1 1x1x1x1 1x1
3x3                                     1x3x4x1 3x3x1x1 1x1
5x5                                     1x3x4x1 5x5x1x1 1x1
the defaults                            1x3x4x1 3x3x1x1 1x1
3x1                                     2x4x3x1 3x1x1x1 1x1
1x3                                     1x3x4x1 1x3x1x1 1x1
2x2                                     1x3x4x1 2x2x1x1 1x1
2x3                                     1x4x3x2 2x3x2x2 1x1
3x2                                     2x3x5x2 3x2x2x2 1x1
4x5                                     1x3x4x1 4x5x1x2 1x1
5x4, an activation                      1x4x3x1 5x4x1x1 1x1
stride 2                                1x4x5x1 3x3x1x1 2x2
stride 2x1                              2x4x5x1 5x3x1x2 2x1
4x2, stride 2                           1x5x4x1 4x2x1x1 2x2
5x1, stride 2x1                         1x5x3x1 5x1x1x1 2x1
stride 3x2, real numbers                3x5x4x2 3x2x2x3 3x2
a stride larger than the kernel         1x5x6x1 1x2x1x1 2x3
"""
POOL = """
one window                              1x2x2x1 2x2 2x2
four windows                            1x4x4x1 2x2 2x2
real numbers                            1x4x4x1 2x2 2x2
a wide image                            1x2x6x1 2x2 2x2
a tall image                            1x6x2x1 2x2 2x2
a kernel that is not square             1x6x6x1 3x2 3x3
two images                              2x4x4x1 2x2 2x2
two channels                            1x4x4x2 2x2 2x2
windows that overlap                    1x3x3x1 2x2 1x1
ties                                    2x3x3x1 2x2 1x1
ties, windows of nine pixels            1x3x6x2 3x3 3x3
a stride for each axis                  1x4x4x1 2x2 2x1
a stride that leaves a remainder        1x6x5x2 3x2 2x2
a stride larger than the kernel         1x7x8x1 2x2 3x4
three images, channels                  3x5x4x3 2x3 3x1
three images, overlap, real numbers     3x4x5x2 3x2 1x2
integer arrays                          1x4x4x1 2x2 2x2
the defaults                            1x3x3x1 2x2 1x1
pixels far below zero                   1x4x4x1 2x2 2x2
"""


class Case(NamedTuple):
    """One call of a student's function, drawn from a seed of its own."""

    name: str               # what is special in it
    A_prev: tuple
    kernel: tuple           # W's shape, or the window of a pooling
    stride: tuple
    kind: str               # padding, or mode

    def draw(self, what, shape):
        """Return whole or real numbers for an array, always the same."""
        rng = np.random.default_rng(zlib.crc32((self.name + what).encode()))
        if "real" in self.name:
            return rng.standard_normal(shape)
        if "ties" in self.name and what == "A_prev":
            return rng.integers(-1, 1, shape).astype("float64")
        if what == "A_prev" and self.kind in ("max", "avg"):    # no ties
            count = int(np.prod(shape))
            numbers = rng.permutation(np.r_[-count:0, 1:count + 1])[:count]
            numbers = numbers.reshape(shape) - 10**5 * (
                "far below" in self.name)
        else:
            numbers = rng.integers(1, 10, shape) * rng.choice([-1, 1], shape)
        if "integer" not in self.name:
            return numbers.astype("float64")
        return numbers if what == "A_prev" else numbers * 0.37


def table(kind, text):
    """Return the cases of a table; kind: a padding or a mode."""
    cases = []
    for line in text.strip().splitlines():
        *words, A_prev, kernel, stride = line.split()
        name = " ".join(words) if kind == "valid" else (
            f"{kind}, {' '.join(words)}")
        shapes = [tuple(map(int, part.split("x")))
                  for part in (A_prev, kernel, stride)]
        cases.append(Case(name, *shapes, kind))
    return cases


CONV_CASES = table("valid", VALID) + table("same", SAME)
POOL_CASES = table("max", POOL) + table("avg", POOL.replace(
    "the defaults", "windows of four"))


@functools.lru_cache(maxsize=None)
def calls_of(name):
    """Return the calls that are made: {case name: (case, arguments)}."""
    calls = {}
    for case in CONV_CASES if name[:4] == "conv" else POOL_CASES:
        A_prev = case.draw("A_prev", case.A_prev)
        activated = "activation" in case.name
        if name[:4] == "pool":
            arguments = {"A_prev": A_prev, "kernel_shape": case.kernel,
                         "stride": case.stride, "mode": case.kind}
            if name == "pool_backward":
                shape = define("pool_forward", None)(**arguments).shape
                arguments = {"dA": case.draw("dA", shape), **arguments}
            calls[case.name] = case, arguments
            continue
        arguments = {"A_prev": A_prev, "W": case.draw("W", case.kernel),
                     "b": case.draw("b", (1, 1, 1, case.kernel[-1]))}
        options = {"padding": case.kind, "stride": case.stride}
        if name == "conv_forward":
            calls[case.name] = case, {**arguments, "activation": ACTIVATIONS[
                "half_relu" if activated else "same_Z"], **options}
        elif not activated:
            for rule in RULES:
                shape, label = shape_of_Z(case, rule), case.name
                if shape != shape_of_Z(case, "keras"):
                    label += f", dZ {shape[1]}x{shape[2]}"
                calls[label] = case, {"dZ": case.draw("dZ", shape),
                                      **arguments, **options}
    return calls


def passed(name, label):
    """Return the arguments of a call without those left to their defaults."""
    return {key: value for key, value in calls_of(name)[label][1].items()
            if "defaults" not in label or key not in OPTIONS}


@functools.lru_cache(maxsize=None)
def shape_of_Z(case, rule):
    """Return the shape that conv_forward gives under a rule."""
    return define("conv_forward", rule)(
        np.zeros(case.A_prev), np.zeros(case.kernel), 0, np.array,
        case.kind, case.stride).shape


@functools.lru_cache(maxsize=None)
def labels_of(name, rule):
    """Return the cases for a rule: for "same", those whose dZ fits it."""
    return tuple(label for label, (case, arguments) in calls_of(name).items()
                 if name != "conv_backward"
                 or shape_of_Z(case, rule) == arguments["dZ"].shape)


def judged_labels(name, rule):
    """Return the cases that are judged: integers are worth a remark alone."""
    return [label for label in labels_of(name, rule) if "integer" not in label]


@functools.lru_cache(maxsize=30000)
def results_of(name, rule, label, steps=()):
    """Return the definition's arrays for a call, or what it raises.

    steps are replaced: see causes.py.
    """
    _, arguments = calls_of(name)[label]
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return listed(define(name, rule, steps)(**arguments))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
