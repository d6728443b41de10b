#!/usr/bin/env python3
"""Time the four NumPy functions against Keras, PyTorch and plain loops.

All engines work on the same numbers, take turns in one run, and are timed
only after their results agree. What counts is the ratio: machines differ, and
the same one is not as fast a minute later.
"""
import argparse
import os
import platform
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

import naive
from cases import difference, same_Z
from loader import load

conv_forward = load("0-conv_forward.py")
pool_forward = load("1-pool_forward.py")
conv_backward = load("2-conv_backward.py")
pool_backward = load("3-pool_backward.py")

CONVOLUTIONS = {   # A_prev, W, padding, stride
    "lenet1": ((256, 28, 28, 1), (5, 5, 1, 6), "same", 1),
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
POOLINGS = {   # A_prev, kernel, stride
    "pool28": ((256, 28, 28, 6), 2, 2),
    "poolmnist": ((10000, 28, 28, 2), 2, 2),
    "pool112": ((16, 112, 112, 64), 3, 2),
    "pool56": ((16, 56, 56, 128), 2, 2),
    "pool56s1": ((16, 56, 56, 32), 3, 1),
}


class Measurement(NamedTuple):
    """One operation on one row, as each engine computes it."""

    row: str
    operation: str
    calls: dict         # engine -> callable without arguments
    to_numpy: dict      # engine -> what turns its result into NHWC arrays
    naive: object       # callable without arguments: a few outputs
    naive_ours: object  # callable: the same outputs by our function
    share: float        # of all outputs that naive computes
    flops: float        # floating-point operations
    bytes: float        # that must be read or written once


def random_rows(count, seed):
    """Draw convolutions nobody chose, of about 1 to 50 ms each."""
    rng, rows = np.random.default_rng(seed), {}

    def log_uniform(low, high):
        return int(np.exp(rng.uniform(np.log(low), np.log(high + 1))))

    while len(rows) < count:
        m, c_prev, c_new = (log_uniform(1, most) for most in (512, 256, 256))
        h, w = log_uniform(5, 320), log_uniform(5, 320)
        kh, kw, s = (int(rng.integers(1, most + 1)) for most in (7, 7, 3))
        padding = str(rng.choice(["same", "valid"]))
        outputs = m * (h // s) * (w // s) * c_new
        # At 100 GFLOP/s, and at 2 GB/s for what is read and written.
        seconds = (2 * outputs * kh * kw * c_prev / 1e11
                   + 4 * (m * h * w * c_prev + outputs) / 2e9)
        if kh <= h and kw <= w and 1e-3 <= seconds <= 50e-3:
            name = (f"{m}x{h}x{w}x{c_prev}, {kh}x{kw}x{c_prev}x{c_new}, "
                    f"{padding}, {s}")
            rows[name] = (m, h, w, c_prev), (kh, kw, c_prev, c_new), padding, s
    return rows


def as_numpy(results):
    return [np.asarray(result) for result in results]


def to_torch(torch, array):
    """Return an NHWC array as a contiguous NCHW tensor."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, 1)))


def from_torch(tensors):
    """Return NCHW tensors, and kernels and biases, in our layout."""
    image, *others = (tensor.detach().numpy() for tensor in tensors)
    others = [other.transpose(2, 3, 1, 0) if other.ndim == 4
              else other.reshape(1, 1, 1, -1) for other in others]
    return [np.moveaxis(image, 1, -1), *others]


def convolution(name, row, dtype, rng, tf, torch):
    """Return the forward and the backward measurement of a convolution."""
    shape, kernels, padding, s = row
    A_prev, W = (rng.standard_normal(size).astype(dtype)
                 for size in (shape, kernels))
    b, stride = rng.standard_normal(kernels[-1]).astype(dtype), (s, s)
    X, w = tf.constant(A_prev), tf.constant(W)
    layer = tf.keras.layers.Conv2D(kernels[-1], kernels[:2], s, padding,
                                   dtype=dtype)
    layer.build(shape)
    layer.set_weights([W, b])
    dZ = rng.standard_normal(tuple(layer(X).shape)).astype(dtype)
    G, options = tf.constant(dZ), dict(strides=[1, s, s, 1],
                                       padding=padding.upper())
    forward = {
        "ours": lambda: [conv_forward(A_prev, W, b, same_Z, padding, stride)],
        "Keras": lambda: [layer(X)]}
    backward = {
        "ours": lambda: conv_backward(dZ, A_prev, W, b, padding, stride),
        "Keras": lambda: (
            tf.raw_ops.Conv2DBackpropInput(
                input_sizes=X.shape, filter=w, out_backprop=G, **options),
            tf.raw_ops.Conv2DBackpropFilter(
                input=X, filter_sizes=w.shape, out_backprop=G, **options),
            tf.reshape(tf.reduce_sum(G, axis=(0, 1, 2)), (1, 1, 1, -1)))}
    rows, cols = naive.sides(padding, shape[1:3], kernels, stride)
    if torch:
        x, g = to_torch(torch, A_prev), to_torch(torch, dZ)
        v = torch.from_numpy(W.transpose(3, 2, 0, 1).copy())
        leaves = [t.requires_grad_() for t in (x, v, torch.from_numpy(b))]

        def torch_forward():
            padded = torch.nn.functional.pad(leaves[0], (*cols, *rows))
            return torch.nn.functional.conv2d(padded, *leaves[1:], s)

        def torch_alone():
            with torch.no_grad():
                return [torch_forward()]

        forward["PyTorch"], graph = torch_alone, torch_forward()
        backward["PyTorch"] = lambda: torch.autograd.grad(
            graph, leaves, g, retain_graph=True)
    # A few outputs: the upper left corner of the first image.
    h, w_few = min(2, dZ.shape[1]), min(3, dZ.shape[2])
    corner = np.pad(A_prev[:1], ((0, 0), rows, cols, (0, 0)))
    corner = corner[:, :(h - 1)*s + kernels[0], :(w_few - 1)*s + kernels[1]]
    few = dZ[:1, :h, :w_few]
    flops = 2 * dZ[..., 0].size * W.size
    to_numpy = {"ours": as_numpy, "Keras": as_numpy, "PyTorch": from_torch}
    return [
        Measurement(
            name, "conv forward", forward, to_numpy,
            lambda: [naive.conv_forward(corner, W, b, same_Z, "valid",
                                        stride)],
            lambda: [conv_forward(corner, W, b, same_Z, "valid", stride)],
            few.size / dZ.size, flops, A_prev.nbytes + W.nbytes + dZ.nbytes),
        Measurement(
            name, "conv backward", backward, to_numpy,
            lambda: naive.conv_backward(few, corner, W, b, "valid", stride),
            lambda: conv_backward(few, corner, W, b, "valid", stride),
            few.size / dZ.size, 2 * flops,
            dZ.nbytes + 2 * A_prev.nbytes + 2 * W.nbytes)]


def pooling(name, row, mode, dtype, rng, tf, torch):
    """Return the forward and the backward measurement of a pooling."""
    shape, k, s = row
    A_prev, kernel, stride = rng.standard_normal(shape), (k, k), (s, s)
    A_prev = A_prev.astype(dtype)
    X = tf.constant(A_prev)
    layer = getattr(tf.keras.layers, "MaxPooling2D" if mode == 'max' else
                    "AveragePooling2D")(k, s, dtype=dtype)
    A = layer(X)
    dA = rng.standard_normal(tuple(A.shape)).astype(dtype)
    G, options = tf.constant(dA), dict(
        ksize=[1, k, k, 1], strides=[1, s, s, 1], padding="VALID")
    forward = {"ours": lambda: [pool_forward(A_prev, kernel, stride, mode)],
               "Keras": lambda: [layer(X)]}
    backward = {
        "ours": lambda: [pool_backward(dA, A_prev, kernel, stride, mode)],
        "Keras": (lambda: [tf.raw_ops.MaxPoolGrad(
            orig_input=X, orig_output=A, grad=G, **options)])
        if mode == 'max' else (lambda: [tf.raw_ops.AvgPoolGrad(
            orig_input_shape=X.shape, grad=G, **options)])}
    if torch:
        x, g = to_torch(torch, A_prev), to_torch(torch, dA)
        pool = getattr(torch.nn.functional, f"{mode}_pool2d")
        leaf = x.clone().requires_grad_()
        graph = pool(leaf, k, s)
        forward["PyTorch"] = lambda: [pool(x, k, s)]
        backward["PyTorch"] = lambda: torch.autograd.grad(
            graph, leaf, g, retain_graph=True)
    corner, few = A_prev[:1, :s + k, :s + k], dA[:1, :2, :2]
    to_numpy = {"ours": as_numpy, "Keras": as_numpy, "PyTorch": from_torch}
    return [
        Measurement(
            name, f"{mode} forward", forward, to_numpy,
            lambda: [naive.pool_forward(corner, kernel, stride, mode)],
            lambda: [pool_forward(corner, kernel, stride, mode)],
            few.size / dA.size, 0, A_prev.nbytes + dA.nbytes),
        Measurement(
            name, f"{mode} backward", backward, to_numpy,
            lambda: [naive.pool_backward(few, corner, kernel, stride, mode)],
            lambda: [pool_backward(few, corner, kernel, stride, mode)],
            few.size / dA.size, 0, 2 * A_prev.nbytes + dA.nbytes)]


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def disagreement(measurement, dtype):
    """Return None if all engines agree, else where one does not."""
    calls, to_numpy = measurement.calls, measurement.to_numpy
    expected = to_numpy["Keras"](calls["Keras"]())
    pairs = [(engine, to_numpy[engine](calls[engine]()), expected)
             for engine in calls if engine != "Keras"]
    pairs.append(("naive loops", measurement.naive(),
                  measurement.naive_ours()))
    rtol = 1e-4 if dtype == "float32" else 1e-10
    for engine, results, expected in pairs:
        for result, value in zip(results, expected):
            message = difference(f"{measurement.operation} of {engine}",
                                 measurement.row, "engines disagree", result,
                                 value, rtol)
            if message:
                return message
    return None


def medians(measurement, rounds):
    """Return the median seconds of each engine; they take turns."""
    times = {engine: [] for engine in measurement.calls}
    for _ in range(rounds):
        for engine, call in measurement.calls.items():
            times[engine].append(seconds(call))
    result = {engine: np.median(t) for engine, t in times.items()}
    result["loops"] = seconds(measurement.naive) / measurement.share
    return result


def roofline(dtype):
    """Return the flops and the bytes per second that this machine reaches."""
    A, large = np.ones((2048, 2048), dtype), np.ones(2**25, dtype)
    copy = np.empty_like(large)
    product = min(seconds(lambda: A @ A) for _ in range(5))
    copied = min(seconds(lambda: np.copyto(copy, large)) for _ in range(5))
    return 2 * 2048**3 / product, 2 * large.nbytes / copied


def number(value):
    return f"{value:.0f}" if value >= 10 else f"{value:.2f}"


def table(results):
    """Return the ratios as lines of Markdown, geometric means last."""
    engines = ["ours", *(["PyTorch"] if "PyTorch" in results[0][1] else []),
               "loops"]
    heads = [f"{engine}{'*' * (engine == 'loops')} / Keras"
             for engine in engines]
    lines = ["| row | operation | " + " | ".join(heads) + " | roofline |",
             "|---|---|" + "---:|" * (len(heads) + 1)]
    for one, times, reached in results:
        cells = [number(times[engine] / times["Keras"]) for engine in engines]
        lines.append(" | ".join([f"| {one.row}", one.operation, *cells,
                                 f"{reached:.0%} |"]))
    for operation in dict.fromkeys(one.operation for one, _, _ in results):
        logs = [np.log(times["ours"] / times["Keras"])
                for one, times, _ in results if one.operation == operation]
        lines.append(f"| geometric mean | {operation} | "
                     f"**{np.exp(np.mean(logs)):.2f}** |"
                     + " |" * len(engines))
    return lines


def explanation(args, versions, speeds):
    """Return the lines below the table: what a reader needs to trust it."""
    lines = [f"{args.dtype}, {os.cpu_count()} cores "
             f"({platform.processor() or platform.machine()}), {versions}. "
             "Each figure is a median time divided by Keras' median time in "
             "the same run: below 1 is faster. Roofline: the share of the "
             "speed that the machine allows, which is the larger of the time "
             f"for the operations at {speeds[0] / 1e9:.0f} GFLOP/s (a large "
             "matrix product) and for the bytes at "
             f"{speeds[1] / 1e9:.0f} GB/s (a large copy).", "",
             "\\* naive.py: a few outputs of one image, scaled to all."]
    if not args.random:
        lines += ["", "| row | A_prev | W or window | padding | stride |",
                  "|---|---|---|---|---|"]
        for row in args.rows:
            shape, kernel, *padding, s = {**CONVOLUTIONS, **POOLINGS}[row]
            lines.append(f"| {row} | {shape} | {kernel} | "
                         f"{' '.join(padding) or 'valid'} | {s} |")
    return lines


def blas():
    """Name the library that NumPy multiplies with; SciPy may bring its own."""
    from threadpoolctl import threadpool_info
    found = [one for one in threadpool_info() if one["user_api"] == "blas"]
    if not found:
        return "an unknown BLAS"
    library = max(found, key=lambda one: "numpy" in one["filepath"])
    return f"{library['internal_api']} {library['version']}"


def arguments(argv):
    names = ", ".join([*CONVOLUTIONS, *POOLINGS])
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="fewer rounds: faster, and less exact")
    parser.add_argument("--rows", metavar="ROW,ROW", help=f"of {names}")
    parser.add_argument("--random", type=int, metavar="N", default=0, help=(
        "N random convolutions instead, the worst three named"))
    parser.add_argument("--seed", type=int, default=0, help="of --random")
    parser.add_argument("--dtype", choices=("float32", "float64"),
                        default="float32")
    parser.add_argument("--out", type=Path, metavar="FOLDER",
                        help="write benchmark.md there")
    args = parser.parse_args(argv)
    if args.random < 0 or args.seed < 0:
        parser.error(f"--random {args.random}, --seed {args.seed}: expected "
                     "integers of at least 0")
    args.rows = args.rows.split(",") if args.rows else [*CONVOLUTIONS,
                                                        *POOLINGS]
    for row in args.rows:
        if row not in {**CONVOLUTIONS, **POOLINGS}:
            parser.error(f"--rows: no row {row!r}; expected some of {names}")
    if args.out:
        try:
            write(args.out, "")
        except OSError as error:
            parser.error(f"--out {args.out}: expected a folder that can be "
                         f"written ({error.strerror})")
    return args


def write(folder, text):
    """Write benchmark.md as a whole or, without a text, only try to."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "benchmark.md.tmp"
    path.write_text(text, encoding="utf-8")
    if text:
        os.replace(path, folder / "benchmark.md")
    else:
        path.unlink()


def measurements(args, tf, torch):
    """Make the measurements one row at a time: some rows are large."""
    rng = np.random.default_rng(0)
    if args.random:
        for name, row in random_rows(args.random, args.seed).items():
            yield from convolution(name, row, args.dtype, rng, tf, torch)
        return
    for name in args.rows:
        if name in CONVOLUTIONS:
            yield from convolution(name, CONVOLUTIONS[name], args.dtype, rng,
                                   tf, torch)
            continue
        for mode in ('max', 'avg'):
            yield from pooling(name, POOLINGS[name], mode, args.dtype, rng,
                               tf, torch)


def worst(results):
    """Name the three rows with the largest ratios of each operation."""
    for operation in ("conv forward", "conv backward"):
        rows = sorted(((times["ours"] / times["Keras"], one.row)
                       for one, times, _ in results
                       if one.operation == operation), reverse=True)[:3]
        yield f"Slowest, {operation}: " + "; ".join(
            f"{ratio:.2f} ({row})" for ratio, row in rows)


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
    speeds, results, wrong = roofline(args.dtype), [], []
    total = 2 * args.random or sum(2 if row in CONVOLUTIONS else 4
                                   for row in args.rows)
    for one in tqdm(measurements(args, tf, torch), total=total,
                    unit="operation"):
        message = disagreement(one, args.dtype)
        if message:
            wrong.append(f"WRONG, not timed: {message}")
            continue
        times = medians(one, rounds=3 if args.quick else 15)
        limit = max(one.flops / speeds[0], one.bytes / speeds[1])
        # Only the names are needed from here on; let the arrays go.
        results.append((Measurement(one.row, one.operation, *7 * [None]),
                        times, limit / times["ours"]))
    versions = (f"NumPy {np.__version__} with {blas()}, TensorFlow "
                f"{tf.__version__}")
    if torch:
        versions += f", PyTorch {torch.__version__}"
    lines = [*(table(results) if results else []), "",
             *explanation(args, versions, speeds)]
    if args.random and results:
        lines += ["", *worst(results)]
    if args.out and results:
        write(args.out, "\n".join(lines) + "\n")
    print("\n".join(lines + wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
