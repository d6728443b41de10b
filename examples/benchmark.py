#!/usr/bin/env python3
"""Time the four NumPy functions against Keras, PyTorch and plain loops.

All engines work on the same numbers, take turns in one run, and are timed
only after their results agree. What counts is the ratio: machines differ, and
the same one is not as fast a minute later.
"""
import argparse
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

import naive
from common import (difference, integer_from, load, problem_with, put,
                    same_Z)

ours = SimpleNamespace(
    conv_forward=load("0-conv_forward.py"),
    pool_forward=load("1-pool_forward.py"),
    conv_backward=load("2-conv_backward.py"),
    pool_backward=load("3-pool_backward.py"))

CONVOLUTIONS = {   # A_prev, W, padding, stride
    "lenet1": ((256, 28, 28, 1), (5, 5, 1, 6), "same", 1),
    "batch32": ((32, 28, 28, 1), (5, 5, 1, 6), "same", 1),
    "lenet2": ((256, 14, 14, 6), (5, 5, 6, 16), "valid", 1),
    "mnist3x3": ((10000, 28, 28, 1), (3, 3, 1, 2), "valid", 1),
    "rgb3": ((16, 224, 224, 3), (3, 3, 3, 32), "same", 1),
    "alex": ((8, 227, 227, 3), (11, 11, 3, 96), "valid", 4),
    "mid": ((32, 32, 32, 32), (3, 3, 32, 64), "same", 1),
    "res56": ((16, 56, 56, 64), (3, 3, 64, 64), "same", 1),
    "res56s2": ((16, 56, 56, 64), (3, 3, 64, 128), "same", 2),
    "deep14": ((16, 14, 14, 256), (3, 3, 256, 256), "same", 1),
    "one": ((16, 28, 28, 256), (1, 1, 256, 64), "valid", 1),
}
BUSY = ["batch32", "lenet1", "lenet2", "mid"]
POOLINGS = {   # A_prev, kernel, stride
    "pool28": ((256, 28, 28, 6), (2, 2), 2),
    "poolmnist": ((10000, 28, 28, 2), (2, 2), 2),
    "pool112": ((16, 112, 112, 64), (3, 3), 2),
    "pool56": ((16, 56, 56, 128), (2, 2), 2),
    "pool56s1": ((16, 56, 56, 32), (3, 3), 1),
}


class Operation(NamedTuple):
    """One operation on one row, as each engine computes it."""

    row: str
    name: str
    calls: dict     # engine -> callable without arguments
    few: dict       # our function and the loops, on a few of the outputs
    share: float    # few outputs / all outputs


def shapes(row):
    """Write a row as one reads it: 8x227x227x3, 11x11x3x96, valid, 4."""
    return ", ".join("x".join(map(str, part)) if isinstance(part, tuple)
                     else str(part) for part in row)


def random_rows(count, seed):
    """Draw convolutions nobody chose, of about 1 to 50 ms each."""
    rng, rows = np.random.default_rng(seed), []

    def log_uniform(low, high):
        return int(np.exp(rng.uniform(np.log(low), np.log(high + 1))))

    while len(rows) < count:
        m, c_prev, c_new = (log_uniform(1, most) for most in (512, 256, 256))
        h, w = log_uniform(5, 320), log_uniform(5, 320)
        kh, kw, s = (int(rng.integers(1, most + 1)) for most in (7, 7, 3))
        padding = str(rng.choice(["same", "valid"]))
        outputs = m * (h // s) * (w // s) * c_new
        # At 100 GFLOP/s, and at 2 GB/s for what is read and written.
        time_needed = (2 * outputs * kh * kw * c_prev / 1e11
                       + 4 * (m * h * w * c_prev + outputs) / 2e9)
        if kh <= h and kw <= w and 1e-3 <= time_needed <= 50e-3:
            rows.append(((m, h, w, c_prev), (kh, kw, c_prev, c_new), padding,
                         s))
    return rows


def as_numpy(engine, results):
    """Return the results of an engine as a list of arrays in our layout."""
    results = results if isinstance(results, (list, tuple)) else [results]
    if engine != "PyTorch":
        return [np.asarray(result) for result in results]
    image, *others = (tensor.detach().numpy() for tensor in results)
    return [np.moveaxis(image, 1, -1),
            *(other.transpose(2, 3, 1, 0) if other.ndim == 4
              else other.reshape(1, 1, 1, -1) for other in others)]


def torch_pair(torch, function, gradient, *arrays):
    """Return a function of PyTorch forward and backward, NHWC made NCHW."""
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    outputs = function(*leaves)
    upstream = torch.tensor(np.moveaxis(gradient, -1, 1))
    return (torch.no_grad()(lambda: function(*leaves)),
            lambda: torch.autograd.grad(outputs, leaves, upstream,
                                        retain_graph=True))


def operations(row, names, engines, few, share):
    """Return the forward and the backward operation of a row."""
    return [Operation(row, name, {e: pair[i] for e, pair in engines.items()},
                      {e: pair[i] for e, pair in few.items()}, share)
            for i, name in enumerate(names)]


def convolution(name, row, rng, tf, torch):
    """Return the two operations of a convolution."""
    shape, kernel, padding, s = row
    A_prev, W, b = (rng.standard_normal(size, np.float32)
                    for size in (shape, kernel, kernel[-1]))
    layer = tf.keras.layers.Conv2D(kernel[-1], kernel[:2], s, padding)
    layer.build(shape)
    layer.set_weights([W, b])
    X, w = tf.constant(A_prev), tf.constant(W)
    dZ = rng.standard_normal(tuple(layer(X).shape), np.float32)
    G, options = tf.constant(dZ), dict(strides=[1, s, s, 1],
                                       padding=padding.upper())

    def numpy_pair(module, A_prev, dZ, padding):
        rest = padding, (s, s)
        return (lambda: module.conv_forward(A_prev, W, b, same_Z, *rest),
                lambda: module.conv_backward(dZ, A_prev, W, b, *rest))

    def keras_backward():
        return (tf.raw_ops.Conv2DBackpropInput(
                    input_sizes=X.shape, filter=w, out_backprop=G, **options),
                tf.raw_ops.Conv2DBackpropFilter(
                    input=X, filter_sizes=w.shape, out_backprop=G, **options),
                tf.reshape(tf.reduce_sum(G, axis=(0, 1, 2)), (1, 1, 1, -1)))

    engines = {"ours": numpy_pair(ours, A_prev, dZ, padding),
               "Keras": (lambda: layer(X), keras_backward)}
    if torch:
        rows, cols = naive.sides(padding, shape[1:3], kernel, (s, s))
        engines["PyTorch"] = torch_pair(
            torch, lambda x, v, b: torch.nn.functional.conv2d(
                torch.nn.functional.pad(x, (*cols, *rows)), v, b, s),
            dZ, np.moveaxis(A_prev, -1, 1), W.transpose(3, 2, 0, 1), b)
    corner = A_prev[:1, :kernel[0] + s, :kernel[1] + s]
    outputs = ours.conv_forward(corner, W, b, same_Z, "valid", (s, s))
    return operations(
        name, ("conv forward", "conv backward"), engines,
        {"ours": numpy_pair(ours, corner, outputs, "valid"),
         "loops": numpy_pair(naive, corner, outputs, "valid")},
        outputs.size / dZ.size)


def pooling(name, row, mode, rng, tf, torch):
    """Return the two operations of a pooling."""
    shape, (k, _), s = row
    # Distinct numbers (in float32 up to 2**24): at ties, engines differ.
    A_prev = np.float32(rng.permutation(np.prod(shape))).reshape(shape)
    layer = {"max": tf.keras.layers.MaxPooling2D,
             "avg": tf.keras.layers.AveragePooling2D}[mode](k, s)
    X = tf.constant(A_prev)
    A = layer(X)
    dA = rng.standard_normal(tuple(A.shape), np.float32)
    G, options = tf.constant(dA), dict(
        ksize=[1, k, k, 1], strides=[1, s, s, 1], padding="VALID")

    def numpy_pair(module, A_prev, dA):
        rest = (k, k), (s, s), mode
        return (lambda: module.pool_forward(A_prev, *rest),
                lambda: module.pool_backward(dA, A_prev, *rest))

    def keras_backward():
        if mode == 'max':
            return tf.raw_ops.MaxPoolGrad(orig_input=X, orig_output=A, grad=G,
                                          **options)
        return tf.raw_ops.AvgPoolGrad(orig_input_shape=X.shape, grad=G,
                                      **options)

    engines = {"ours": numpy_pair(ours, A_prev, dA),
               "Keras": (lambda: layer(X), keras_backward)}
    if torch:
        pool = getattr(torch.nn.functional, f"{mode}_pool2d")
        engines["PyTorch"] = torch_pair(torch, lambda x: pool(x, k, s), dA,
                                        np.moveaxis(A_prev, -1, 1))
    corner = A_prev[:1, :k + s, :k + s]
    outputs = ours.pool_forward(corner, (k, k), (s, s), mode)
    return operations(
        name, (f"{mode} forward", f"{mode} backward"), engines,
        {"ours": numpy_pair(ours, corner, outputs),
         "loops": numpy_pair(naive, corner, outputs)}, outputs.size / dA.size)


def measurements(args, tf, torch):
    """Make the operations one row at a time: some rows are large."""
    common = np.random.default_rng(0), tf, torch
    for row in random_rows(args.random, args.seed):
        yield from convolution(shapes(row), row, *common)
    for name in args.rows:
        row = {**CONVOLUTIONS, **POOLINGS}[name]
        label = f"{name}: {shapes(row)}"
        if name in CONVOLUTIONS:
            yield from convolution(label, row, *common)
        else:
            yield from pooling(label, row, 'max', *common)
            yield from pooling(label, row, 'avg', *common)


def disagreement(one):
    """Return None if all engines agree, else where one does not."""
    for calls in (one.calls, one.few):
        results = {engine: as_numpy(engine, call())
                   for engine, call in calls.items()}
        expected = results.pop("Keras" if "Keras" in results else "ours")
        for engine, values in results.items():
            for value, right in zip(values, expected):
                message = difference(
                    f"{one.name} of {engine}", one.row, "engines disagree",
                    value, right, rtol=1e-4)
                if message:
                    return message
    return None


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def in_turn(calls, rounds):
    """Return the seconds of each engine, round by round."""
    times = {engine: [] for engine in calls}
    for _ in range(rounds):
        for engine, call in calls.items():
            times[engine].append(seconds(call))
    return times


def medians(one, rounds):
    """Return the median seconds of each engine, and those of the loops."""
    times = in_turn(one.calls, rounds)
    return {**{engine: np.median(t) for engine, t in times.items()},
            "loops": seconds(one.few["loops"]) / one.share}


def beside_a_neighbour(one, rounds):
    """Return how many times as long each engine takes beside a neighbour.

    The neighbour is a process that computes on one core; means are compared,
    for it is the slow calls that one waits for.
    """
    idle = in_turn(one.calls, rounds)
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        busy = in_turn(one.calls, rounds)
    finally:
        neighbour.kill()
        neighbour.wait()
    return {engine: np.mean(busy[engine]) / np.mean(idle[engine])
            for engine in one.calls}


def table(results):
    """Return the ratios as lines of Markdown, geometric means last."""
    engines = [engine for engine in results[0][2] if engine != "Keras"]
    lines = ["| row | operation | " + " | ".join(
                 f"{engine} / Keras" for engine in engines) + " |",
             "|---|---|" + "---:|" * len(engines)]
    ratios = {}
    for row, name, times in results:
        ratio = {engine: times[engine] / times["Keras"] for engine in engines}
        ratios.setdefault(name, []).append((ratio["ours"], row))
        lines.append(f"| {row} | {name} | " + " | ".join(
            f"{value:.{0 if value >= 10 else 2}f}" for value in
            ratio.values()) + " |")
    lines.append("")
    for name, pairs in ratios.items():
        mean = np.exp(np.mean([np.log(ratio) for ratio, _ in pairs]))
        worst = ", ".join(f"{ratio:.2f} ({row})" for ratio, row in
                          sorted(pairs, reverse=True)[:3])
        lines.append(f"- {name}: geometric mean {mean:.2f}; worst {worst}")
    return [*lines, """
A row is the shape of A_prev, the shape of W or of the window, the padding
("valid" where none is named) and the stride. A figure is a median time divided
by Keras' median time in the same run: below 1 is faster. The loops are those
of naive.py on a few outputs, scaled to all."""]


def busy_table(results):
    """Return as lines of Markdown what a busy machine costs each engine."""
    engines = list(results[0][2])
    return ["| row | operation | " + " | ".join(engines) + " |",
            "|---|---|" + "---:|" * len(engines),
            *(f"| {row} | {name} | " + " | ".join(
                f"{times[engine]:.1f}" for engine in engines) + " |"
              for row, name, times in results), """
A figure is the mean time of a call beside a second process, which computes on
one of the cores, divided by the mean time without it: 1 is undisturbed."""]


def machine(tf, torch):
    """Return what was measured on: processor, BLAS and versions."""
    from threadpoolctl import threadpool_info
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        found = re.search(r"model name\s*:\s*(.*)",
                          Path("/proc/cpuinfo").read_text())
        processor = found[1] if found else processor
    blas = [f"{library['internal_api']} {library['version']} with kernels for "
            f"{library.get('architecture', 'this processor')}"
            for library in threadpool_info() if "numpy" in library["filepath"]]
    versions = [f"NumPy {np.__version__}", *blas,
                f"TensorFlow {tf.__version__}",
                *([f"PyTorch {torch.__version__}"] if torch else [])]
    return (f"float32, {os.cpu_count()} cores of {processor} "
            f"({platform.machine()}), {', '.join(versions)}.")


def arguments(argv):
    rows = {**CONVOLUTIONS, **POOLINGS}
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", metavar="ROW", choices=rows,
                        help=f"some of {', '.join(rows)}")
    parser.add_argument("--random", type=integer_from(1), metavar="N",
                        default=0, help="N random convolutions instead")
    parser.add_argument("--seed", type=integer_from(0), default=0,
                        help="of --random")
    parser.add_argument("--busy", action="store_true", help=(
        f"measure beside a process that computes, {', '.join(BUSY)} by "
        "default: how calm is a call?"))
    parser.add_argument("--rounds", type=integer_from(1), default=15,
                        help="of which the median is taken, or the mean")
    parser.add_argument("--out", type=Path, metavar="FOLDER",
                        help="write benchmark.md there")
    args = parser.parse_args(argv)
    args.rows = args.rows or ([] if args.random else BUSY if args.busy
                              else list(rows))
    problem = args.out and problem_with(args.out, ["benchmark.md"])
    if problem:
        parser.error(f"--out {args.out}: {problem}")
    return args


def main(argv=None):
    """Run; return the exit status."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # PyTorch's threads would go on spinning in the turns of the others.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    args = arguments(argv)
    import tensorflow as tf
    from tqdm import tqdm
    try:
        import torch
    except ImportError:
        torch = None
    measure, lines_of = ((beside_a_neighbour, busy_table) if args.busy else
                         (medians, table))
    results, wrong = [], []
    total = 2 * args.random + sum(2 if row in CONVOLUTIONS else 4
                                  for row in args.rows)
    for one in tqdm(measurements(args, tf, torch), total=total,
                    unit="operation"):
        message = disagreement(one)
        if message:
            wrong.append(f"WRONG, not timed: {message}")
            continue
        results.append((one.row, one.name, measure(one, args.rounds)))
    lines = lines_of(results) if results else []
    lines += ["", machine(tf, torch)]
    if args.out and results:
        put(args.out / "benchmark.md", lambda path: path.write_text(
            "\n".join(lines) + "\n", encoding="utf-8"))
    print("\n".join(lines + wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
