#!/usr/bin/env python3
"""Check a conv_backward or a pool_backward of your own, case by case.

Two proofs that need no second solution. Slopes: nudge one number of the
input, and see the loss change as the gradient says. Adjoint: a convolution,
and an average, is linear, so <gradient, V> must equal <dZ, forward(V)>.
"""
import argparse
import sys
from pathlib import Path

import numpy as np

from cases import CASES, POOLS, difference, integers
from loader import load, load_module


class Failed(Exception):
    """A proof that did not hold; the message says where."""


def called(function, *arguments):
    """Call a function on copies; refuse what fails or changes its inputs."""
    copies = [np.copy(a) if isinstance(a, np.ndarray) else a
              for a in arguments]
    name = function.__name__
    try:
        result = function(*copies)
    except Exception as error:
        raise Failed(f"{name} raises {type(error).__name__}: {error}")
    for before, after in zip(arguments, copies):
        if isinstance(before, np.ndarray) and not np.array_equal(
                before, after):
            raise Failed(f"{name} changes one of its inputs in place: work "
                         "on a copy")
    return result


def compare(what, case, ours, expected):
    message = difference(what, case.name, case.hint, ours, expected, 1e-7)
    if message:
        raise Failed(message)


def slopes(what, case, gradient, loss, A, rng, step=1e-2):
    """Compare a gradient with the loss' central differences, at 30 places."""
    if np.shape(gradient) != A.shape:
        hint = ("sum with keepdims=True" if what.endswith("db")
                else case.hint)
        raise Failed(f"{what}, {case.name}: shape {np.shape(gradient)}, "
                     f"expected {A.shape} (usual cause: {hint})")
    gradient = np.asarray(gradient, float)
    checked = np.zeros(A.shape, bool)
    checked.flat[rng.permutation(A.size)[:30]] = True
    expected = gradient.copy()
    for place in zip(*np.nonzero(checked)):
        nudge = np.zeros(A.shape)
        nudge[place] = step
        expected[place] = (loss(A + nudge) - loss(A - nudge)) / (2 * step)
    compare(what, case, gradient, expected)


def check_conv(case, backward, forward, rng):
    """Return the two proofs of conv_backward, as functions that may fail."""
    A_prev, W, V, U = integers(rng, case.A_prev, case.W, case.A_prev, case.W)
    b, u = integers(rng, *[(1, 1, 1, case.W[-1])] * 2)

    def Z(A_prev, W, b):
        return np.asarray(called(forward, A_prev, W, b, lambda Z: Z,
                                 case.padding, case.stride))

    dZ, = integers(rng, Z(A_prev, W, b).shape)
    gradients = called(backward, dZ, A_prev, W, b, case.padding, case.stride)
    try:
        dA_prev, dW, db = gradients
    except (TypeError, ValueError):
        raise Failed("conv_backward must return dA_prev, dW, db")

    def by_slopes():
        slopes("dA_prev", case, dA_prev,
               lambda A: (Z(A, W, b) * dZ).sum(), A_prev, rng)
        slopes("dW", case, dW, lambda V: (Z(A_prev, V, b) * dZ).sum(), W, rng)
        slopes("db", case, db, lambda v: (Z(A_prev, W, v) * dZ).sum(), b, rng)

    def by_adjoint():
        for what, gradient, along, image in (
                ("dA_prev", dA_prev, V, Z(V, W, 0 * b)),
                ("dW", dW, U, Z(A_prev, U, 0 * b)),
                ("db", db, u, Z(0 * A_prev, W, u))):
            compare(f"<{what}, V> = <dZ, forward(V)>", case,
                    (gradient * along).sum(), (dZ * image).sum())

    return by_slopes, by_adjoint


def check_pool(case, backward, forward, rng):
    """Return the two proofs of pool_backward, as functions that may fail."""
    # All pixels differ by more than the step, except where ties are asked.
    A_prev = rng.permutation(np.arange(float(np.prod(case.A_prev))))
    A_prev = A_prev.reshape(case.A_prev)
    options = case.kernel, case.stride, case.mode

    def pooled(A_prev):
        return np.asarray(called(forward, A_prev, *options))

    V, dA = integers(rng, case.A_prev, pooled(A_prev).shape)
    if case.ties:
        A_prev = np.ones(case.A_prev)
    dA_prev = called(backward, dA, A_prev, *options)

    def by_slopes():
        if case.ties:
            return by_rules()
        slopes("dA_prev", case, dA_prev,
               lambda A: (pooled(A) * dA).sum(), A_prev, rng)

    def by_rules():
        ours = load("3-pool_backward.py")
        rules = [ours(dA, A_prev, *options, ties) for ties in ("all", "first")]
        if all(difference("", "", "", dA_prev, r, 1e-7) for r in rules):
            compare("dA_prev", case, dA_prev, rules[0])

    def by_adjoint():
        if case.mode == 'avg':
            compare("<dA_prev, V> = <dA, forward(V)>", case,
                    (dA_prev * V).sum(), (dA * pooled(V)).sum())

    return by_slopes, by_adjoint


def verdict(proof):
    """Return pass or FAIL, and what failed."""
    try:
        proof()
    except Failed as failure:
        return "FAIL", str(failure)
    except (TypeError, ValueError, AttributeError) as error:
        return "FAIL", f"the result is not an array of numbers: {error}"
    return "pass", None


def report(name, backward, forward):
    """Print the table; return how many cases failed."""
    rng, failed = np.random.default_rng(0), 0
    check, cases = check_pool, POOLS
    if name == "conv_backward":
        check = check_conv
        cases = [case for case in CASES if isinstance(case.padding, str)]
    print(f"{'case':34}slopes  adjoint")
    for case in cases:
        try:
            results = [verdict(proof) for proof in
                       check(case, backward, forward, rng)]
        except Failed as failure:
            results = [("FAIL", str(failure))] * 2
        words, reasons = zip(*results)
        print(f"{case.name:34}{words[0]:8}{words[1]}")
        reason = reasons[0] or reasons[1]
        if reason:
            failed += 1
            if "usual cause" not in reason:
                reason += f" (usual cause: {case.hint})"
            print(f"    {reason}")
    print(f"{len(cases) - failed} of {len(cases)} cases hold.")
    return failed


def function_in(path, names):
    """Return the first of the functions that a student's file defines."""
    try:
        module = load_module(path)
    except (Exception, SystemExit) as error:    # a file may also exit
        raise SystemExit(f"{path}: does not load: {type(error).__name__}: "
                         f"{error}")
    for name in names:
        if callable(getattr(module, name, None)):
            return name, getattr(module, name)
    raise SystemExit(f"{path}: expected a function {' or '.join(names)}")


def main(argv=None):
    """Run; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help=(
        "defines conv_backward or pool_backward"))
    parser.add_argument("--forward", type=Path, metavar="FILE", help=(
        "your conv_forward or pool_forward, instead of ours"))
    args = parser.parse_args(argv)
    name, backward = function_in(args.file, ["conv_backward", "pool_backward"])
    wanted = name.replace("backward", "forward")
    if args.forward:
        _, forward = function_in(args.forward, [wanted])
    else:
        forward = load(f"{'01'[name == 'pool_backward']}-{wanted}.py")
    return 1 if report(name, backward, forward) else 0


if __name__ == "__main__":
    sys.exit(main())
