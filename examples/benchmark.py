#!/usr/bin/env python3
"""Time the four NumPy functions against Keras, PyTorch and plain loops.

All engines work on the same numbers, take turns in one run, and are timed
only after their results agree. What counts is the ratio: machines differ, and
the same one is not as fast a minute later.
"""
import argparse
import os
import sys
import time
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_info
from tqdm import tqdm

from cases import difference, same_Z
from loader import ROOT, load, load_module

conv_forward = load("0-conv_forward.py")
pool_forward = load("1-pool_forward.py")
conv_backward = load("2-conv_backward.py")
pool_backward = load("3-pool_backward.py")
pads_of = load_module(ROOT / "0-conv_forward.py")._pads

CONVS = {   # A_prev, W, padding, stride
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
POOLS = {   # A_prev, kernel, stride
    "pool28": ((256, 28, 28, 6), 2, 2),
    "poolmnist": ((10000, 28, 28, 2), 2, 2),
    "pool112": ((16, 112, 112, 64), 3, 2),
    "pool56": ((16, 56, 56, 128), 2, 2),
    "pool56s1": ((16, 56, 56, 32), 3, 1),
}


# The textbook: one window at a time

def conv_loops(A_pad, W, b, stride, outputs):
    """Compute the first outputs of a convolution, as courses write it."""
    m, h, w, _ = A_pad.shape
    kh, kw, _, c_new = W.shape
    h_new, w_new = (h - kh) // stride + 1, (w - kw) // stride + 1
    Z = np.zeros((m, h_new, w_new, c_new), A_pad.dtype)
    for n, y, x, k in islice(np.ndindex(Z.shape), outputs):
        window = A_pad[n, y*stride:y*stride + kh, x*stride:x*stride + kw]
        Z[n, y, x, k] = np.sum(window * W[..., k]) + b[k]
    return Z


def conv_backward_loops(dZ, A_pad, W, stride, outputs):
    """Carry back the first outputs of a convolution, as courses write it."""
    kh, kw = W.shape[:2]
    dA_pad, dW = np.zeros_like(A_pad), np.zeros_like(W)
    db = np.zeros(W.shape[-1], W.dtype)
    for n, y, x, k in islice(np.ndindex(dZ.shape), outputs):
        window = np.s_[n, y*stride:y*stride + kh, x*stride:x*stride + kw]
        dA_pad[window] += W[..., k] * dZ[n, y, x, k]
        dW[..., k] += A_pad[window] * dZ[n, y, x, k]
        db[k] += dZ[n, y, x, k]
    return dA_pad, dW, db


def pool_loops(A_prev, kernel, stride, function, outputs):
    """Compute the first outputs of a pooling, as courses write it."""
    m, h, w, c = A_prev.shape
    h_new, w_new = (h - kernel) // stride + 1, (w - kernel) // stride + 1
    Z = np.zeros((m, h_new, w_new, c), A_prev.dtype)
    for n, y, x, k in islice(np.ndindex(Z.shape), outputs):
        Z[n, y, x, k] = function(A_prev[n, y*stride:y*stride + kernel,
                                        x*stride:x*stride + kernel, k])
    return Z


def pool_backward_loops(dA, A_prev, kernel, stride, mode, outputs):
    """Carry back the first outputs of a pooling, as courses write it."""
    dA_prev = np.zeros_like(A_prev)
    for n, y, x, k in islice(np.ndindex(dA.shape), outputs):
        window = np.s_[n, y*stride:y*stride + kernel,
                       x*stride:x*stride + kernel, k]
        if mode == 'max':
            mask = A_prev[window] == A_prev[window].max()
            dA_prev[window] += mask * dA[n, y, x, k]
        else:
            dA_prev[window] += dA[n, y, x, k] / kernel**2
    return dA_prev


# The contests: what each engine computes on one row

class Contest(NamedTuple):
    """One pass on one row: a call for each engine, results in NHWC."""

    row: str
    what: str
    calls: dict         # engine -> function of nothing
    arrays: dict        # engine -> function of its result: a list of arrays
    loops: object       # function of nothing: the first outputs of image 1
    loops_check: object     # what ours gives for these
    loops_share: float      # of all outputs
    work: float         # floating-point operations
    moved: float        # bytes that must come in or go out


def first_of(dZ, outputs):
    """Return the gradient of the first image, zero after its first outputs."""
    cut = np.zeros_like(dZ[:1])
    cut.flat[:outputs] = dZ[:1].flat[:outputs]
    return cut


def to_torch(torch, array):
    """Return an NHWC array as a contiguous NCHW tensor."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, 1)))


def from_torch(tensors):
    return [np.moveaxis(t.detach().numpy(), 1, -1) if t.ndim == 4 else
            t.detach().numpy() for t in tensors]


def as_numpy(results):
    return [np.asarray(result) for result in results]


def conv_contests(row, dtype, rng, tf, torch, outputs):
    """Return the forward and the backward contest of a convolution."""
    shape, kernels, padding, s = CONVS[row]
    A_prev, W = (rng.standard_normal(size).astype(dtype)
                 for size in (shape, kernels))
    b = rng.standard_normal(kernels[-1]).astype(dtype)
    X, w = tf.constant(A_prev), tf.constant(W)
    layer = tf.keras.layers.Conv2D(kernels[-1], kernels[:2], s, padding,
                                   dtype=dtype)
    layer.build(shape)
    layer.set_weights([W, b])
    dZ = rng.standard_normal(tuple(layer(X).shape)).astype(dtype)
    G = tf.constant(dZ)
    options = dict(strides=[1, s, s, 1], padding=padding.upper())
    forward = {
        "ours": lambda: [conv_forward(A_prev, W, b, same_Z, padding, (s, s))],
        "Keras": lambda: [layer(X)]}
    backward = {
        "ours": lambda: conv_backward(dZ, A_prev, W, b, padding, (s, s)),
        "Keras": lambda: (
            tf.raw_ops.Conv2DBackpropInput(
                input_sizes=X.shape, filter=w, out_backprop=G, **options),
            tf.raw_ops.Conv2DBackpropFilter(
                input=X, filter_sizes=w.shape, out_backprop=G, **options),
            tf.reshape(tf.reduce_sum(G, axis=(0, 1, 2)), (1, 1, 1, -1)))}
    frame = pads_of(padding, shape[1:3], kernels[:2], (s, s))
    arrays = {"ours": as_numpy, "Keras": as_numpy}
    if torch:
        pad = (*frame[1], *frame[0])
        x, g = to_torch(torch, A_prev), to_torch(torch, dZ)
        v = torch.from_numpy(W.transpose(3, 2, 0, 1).copy())
        c = torch.from_numpy(b)
        conv2d, zeros = torch.nn.functional.conv2d, torch.nn.functional.pad

        def torch_forward(x=x, v=v, c=c):
            return [conv2d(zeros(x, pad) if any(pad) else x, v, c, s)]

        leaves = [t.clone().requires_grad_() for t in (x, v, c)]
        graph = torch_forward(*leaves)
        forward["PyTorch"] = torch_forward
        backward["PyTorch"] = lambda: torch.autograd.grad(
            graph, leaves, g, retain_graph=True)
    A_pad = np.pad(A_prev[:1], [(0, 0), *frame, (0, 0)])
    few = min(outputs, dZ[0].size)
    cut = first_of(dZ, few)
    (top, _), (left, _) = frame
    crop = np.s_[:, top:top + shape[1], left:left + shape[2]]
    flops = 2 * dZ[..., 0].size * W.size

    def torch_gradients(results):
        dX, dV, dC = (t.numpy() for t in results)
        return [np.moveaxis(dX, 1, -1), dV.transpose(2, 3, 1, 0),
                dC.reshape(1, 1, 1, -1)]

    def loops_gradients(results):
        dA_pad, dW, db = results
        return [dA_pad[crop], dW, db.reshape(1, 1, 1, -1)]

    return [
        Contest(row, "conv forward", forward,
                {**arrays, "PyTorch": from_torch},
                lambda: conv_loops(A_pad, W, b, s, few),
                lambda Z: ([Z.flat[:few]], [conv_forward(
                    A_prev[:1], W, b, same_Z, padding, (s, s)).flat[:few]]),
                few / dZ.size, flops, A_prev.nbytes + W.nbytes + dZ.nbytes),
        Contest(row, "conv backward", backward,
                {**arrays, "PyTorch": torch_gradients},
                lambda: conv_backward_loops(cut, A_pad, W, s, few),
                lambda results: (loops_gradients(results), conv_backward(
                    cut, A_prev[:1], W, b, padding, (s, s))),
                few / dZ.size, 2 * flops,
                dZ.nbytes + 2 * A_prev.nbytes + 2 * W.nbytes)]


def pool_contests(row, mode, dtype, rng, tf, torch, outputs):
    """Return the forward and the backward contest of a pooling."""
    shape, k, s = POOLS[row]
    A_prev = rng.standard_normal(shape).astype(dtype)
    X = tf.constant(A_prev)
    name = "MaxPooling2D" if mode == 'max' else "AveragePooling2D"
    layer = getattr(tf.keras.layers, name)(k, s, dtype=dtype)
    A = layer(X)
    dA = rng.standard_normal(tuple(A.shape)).astype(dtype)
    G = tf.constant(dA)
    options = dict(grad=G, ksize=[1, k, k, 1], strides=[1, s, s, 1],
                   padding="VALID")
    forward = {"ours": lambda: [pool_forward(A_prev, (k, k), (s, s), mode)],
               "Keras": lambda: [layer(X)]}
    backward = {
        "ours": lambda: [pool_backward(dA, A_prev, (k, k), (s, s), mode)],
        "Keras": (lambda: [tf.raw_ops.MaxPoolGrad(
            orig_input=X, orig_output=A, **options)]) if mode == 'max' else (
            lambda: [tf.raw_ops.AvgPoolGrad(
                orig_input_shape=X.shape, **options)])}
    if torch:
        x, g = to_torch(torch, A_prev), to_torch(torch, dA)
        pool = getattr(torch.nn.functional, f"{mode}_pool2d")
        leaf = x.clone().requires_grad_()
        graph = pool(leaf, k, s)
        forward["PyTorch"] = lambda: [pool(x, k, s)]
        backward["PyTorch"] = lambda: torch.autograd.grad(
            graph, leaf, g, retain_graph=True)
    arrays = {"ours": as_numpy, "Keras": as_numpy, "PyTorch": from_torch}
    few = min(outputs, dA[0].size)
    cut = first_of(dA, few)
    one = A_prev[:1]
    function = np.max if mode == 'max' else np.mean
    return [
        Contest(row, f"{mode} forward", forward, arrays,
                lambda: pool_loops(one, k, s, function, few),
                lambda Z: ([Z.flat[:few]], [pool_forward(
                    one, (k, k), (s, s), mode).flat[:few]]),
                few / dA.size, 0, A_prev.nbytes + dA.nbytes),
        Contest(row, f"{mode} backward", backward, arrays,
                lambda: pool_backward_loops(cut, one, k, s, mode, few),
                lambda Z: ([Z], [pool_backward(
                    cut, one, (k, k), (s, s), mode)]),
                few / dA.size, 0, 2 * A_prev.nbytes + dA.nbytes)]


# The measurement

def speeds(dtype):
    """Return operations a second of a product, bytes a second of a copy."""
    A = np.ones((2048, 2048), dtype)
    big = np.ones(2**25, dtype)
    copy = np.empty_like(big)
    product = min(seconds(lambda: A @ A) for _ in range(5))
    moved = min(seconds(lambda: np.copyto(copy, big)) for _ in range(5))
    return 2 * 2048**3 / product, 2 * big.nbytes / moved


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def disagreement(contest, dtype):
    """Return None if all engines agree, else where one does not."""
    rtol = 1e-4 if dtype == "float32" else 1e-10
    expected = contest.arrays["Keras"](contest.calls["Keras"]())
    pairs = [(engine, contest.arrays[engine](call()), expected)
             for engine, call in contest.calls.items() if engine != "Keras"]
    pairs.append(("loops", *contest.loops_check(contest.loops())))
    for engine, results, expected in pairs:
        for result, value in zip(results, expected):
            message = difference(f"{contest.what} of {engine}", contest.row,
                                 "engines disagree", result, value, rtol)
            if message:
                return message
    return None


def measured(contest, rounds):
    """Return the median seconds of each engine; they take turns."""
    times = {engine: [] for engine in contest.calls}
    for _ in range(rounds):
        for engine, call in contest.calls.items():
            times[engine].append(seconds(call))
    medians = {engine: np.median(t) for engine, t in times.items()}
    medians["loops"] = seconds(contest.loops) / contest.loops_share
    return medians


# The report

def blas():
    """Name the library that NumPy multiplies with; SciPy may bring its own."""
    libraries = [library for library in threadpool_info()
                 if library["user_api"] == "blas"]
    if not libraries:
        return "an unknown BLAS"
    library = max(libraries, key=lambda one: "numpy" in one["filepath"])
    return f"{library['internal_api']} {library['version']}"


def number(value):
    return f"{value:.0f}" if value >= 10 else f"{value:.2f}"


def table(results):
    """Return the ratios as lines of Markdown, geometric means last."""
    torch = any("PyTorch" in times for _, times, _ in results)
    heads = ["row", "pass", "ours / Keras", "loops* / Keras", "of the limit"]
    if torch:
        heads.insert(3, "PyTorch / Keras")
    lines = ["| " + " | ".join(heads) + " |",
             "|---|---|" + "---:|" * (len(heads) - 2)]
    for contest, times, reached in results:
        cells = [contest.row, contest.what,
                 number(times["ours"] / times["Keras"])]
        if torch:
            cells.append(number(times["PyTorch"] / times["Keras"]))
        cells += [number(times["loops"] / times["Keras"]), f"{reached:.0%}"]
        lines.append("| " + " | ".join(cells) + " |")
    for what in dict.fromkeys(contest.what for contest, _, _ in results):
        logs = [np.log(times["ours"] / times["Keras"])
                for contest, times, _ in results if contest.what == what]
        cells = ["geometric mean", what, f"**{np.exp(np.mean(logs)):.2f}**"]
        lines.append("| " + " | ".join(cells + [""] * (len(heads) - 3)) + " |")
    return lines


def draw(results, path):
    """Draw each engine's time over Keras' time, on a logarithmic scale."""
    from matplotlib.figure import Figure
    colors = {"ours": "#B2D9FF", "PyTorch": "white", "loops": "lightgray"}
    figure = Figure(figsize=(7, 1.2 + 0.32 * len(results)),
                    layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(results))
    engines = [e for e in colors if e in results[0][1]]
    for i, engine in enumerate(engines):
        ratios = [times[engine] / times["Keras"] for _, times, _ in results]
        axes.barh(places + 0.26 * i, ratios, 0.26, label=engine, left=1e-9,
                  color=colors[engine], edgecolor="black", linewidth=0.5)
    axes.axvline(1, color="black", linewidth=1)
    axes.set(xscale="log", xlim=(0.1, None), xlabel="time / Keras' time",
             yticks=places + 0.26 * (len(engines) - 1) / 2)
    axes.set_yticklabels([f"{contest.row}, {contest.what}"
                          for contest, _, _ in results], fontsize=7)
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def arguments(argv):
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="fewer rounds: under a minute, and less exact")
    parser.add_argument("--rows", metavar="ROW,ROW", help=(
        "of " + ", ".join([*CONVS, *POOLS])))
    parser.add_argument("--dtype", choices=("float32", "float64"),
                        default="float32")
    parser.add_argument("--out", type=Path, metavar="FOLDER",
                        help="write benchmark.md and benchmark.png there")
    args = parser.parse_args(argv)
    args.rows = args.rows.split(",") if args.rows else [*CONVS, *POOLS]
    for row in args.rows:
        if row not in {**CONVS, **POOLS}:
            parser.error(f"--rows: no row {row!r}; expected some of "
                         + ", ".join([*CONVS, *POOLS]))
    return args


def contests(args, tf, torch):
    """Make the contests one row at a time: some rows are large."""
    rng, outputs = np.random.default_rng(0), 200 if args.quick else 2000
    for row in args.rows:
        if row in CONVS:
            yield from conv_contests(row, args.dtype, rng, tf, torch, outputs)
        else:
            for mode in ('max', 'avg'):
                yield from pool_contests(row, mode, args.dtype, rng, tf,
                                         torch, outputs)


def main(argv=None):
    """Run; return the exit status."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # PyTorch's threads would go on spinning in the turns of the others.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    args = arguments(argv)
    import tensorflow as tf
    try:
        import torch
    except ImportError:
        torch = None
    flops, bandwidth = speeds(args.dtype)
    results, wrong = [], []
    total = sum(2 if row in CONVS else 4 for row in args.rows)
    for contest in tqdm(contests(args, tf, torch), total=total,
                        unit="contest"):
        message = disagreement(contest, args.dtype)
        if message:
            wrong.append(f"WRONG, not timed: {message}")
            continue
        times = measured(contest, rounds=3 if args.quick else 15)
        limit = max(contest.work / flops, contest.moved / bandwidth)
        # Only the calls are needed from here on; let the arrays go.
        results.append((contest._replace(calls=None, arrays=None, loops=None,
                                         loops_check=None),
                        times, limit / times["ours"]))
    lines = table(results) if results else []
    lines += ["", f"{args.dtype}, {os.cpu_count()} cores, NumPy "
              f"{np.__version__} with {blas()}, TensorFlow {tf.__version__}"
              + (f", PyTorch {torch.__version__}" if torch else "")
              + ". Limit: the larger of operations at the speed of a large "
              f"product ({flops / 1e9:.0f} GFLOP/s) and bytes at the speed of "
              f"a large copy ({bandwidth / 1e9:.0f} GB/s).",
              "", "\\* a few outputs of one image, scaled to all."]
    print("\n".join(lines + wrong))
    if args.out and results:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "benchmark.md").write_text("\n".join(lines) + "\n")
        draw(results, args.out / "benchmark.png")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
