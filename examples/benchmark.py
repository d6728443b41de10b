#!/usr/bin/env python3
"""Time the four NumPy functions against Keras and PyTorch, each alone.

Inputs are made beforehand, calls follow each other, the first two are not
counted; a cell is the minimum / the median of the others. Fresh: a process
per engine and operation, three times in turn (--quick: once). Warm: one for
all engines that has freed 32 MiB before (the C library then keeps memory),
four phases of each in turn. Forward is the Keras layer, called eagerly,
backward TensorFlow's kernels of the gradient, in float32. "products" are the
matrix products alone, on ready matrices as im2col gives them, in blocks of at
most 2**18 numbers: the rest of our time is copying. (With few channels ours
multiplies others, and may take less.) Faults: page faults per call.
"""
import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import naive
from common import ROOT, integer_from, load, problem_with, put, same_Z

resource = find_spec("resource") and __import__("resource")
ROWS = {row.partition(":")[0]: row for row in """\
lenet1: 256x28x28x1, 5x5x1x6, same, 1
lenet2: 256x14x14x6, 5x5x6x16, valid, 1
mnist3x3: 10000x28x28x1, 3x3x1x2, valid, 1
rgb3: 16x224x224x3, 3x3x3x32, same, 1
alex: 8x227x227x3, 11x11x3x96, valid, 4
mid: 32x32x32x32, 3x3x32x64, same, 1
res56: 16x56x56x64, 3x3x64x64, same, 1
res56s2: 16x56x56x64, 3x3x64x128, same, 2
deep14: 16x14x14x256, 3x3x256x256, same, 1
one: 16x28x28x256, 1x1x256x64, valid, 1
pool28: 256x28x28x6, 2x2, 2
poolmnist: 10000x28x28x2, 2x2, 2
pool112: 16x112x112x64, 3x3, 2
pool56: 16x56x56x128, 2x2, 2
pool56s1: 16x56x56x32, 3x3, 1""".splitlines()}


def parse(row):
    """Return the shapes of A_prev and the kernel, the padding, the stride."""
    *sizes, s = re.split(", *", row.rpartition(": ")[2])
    shape, kernel = (tuple(map(int, size.split("x"))) for size in sizes[:2])
    return shape, kernel, "".join(sizes[2:]) or "valid", int(s)


def random_rows(count, seed):
    """Draw convolutions of 1 to 50 ms each, at 100 GFLOP/s and 2 GB/s."""
    rng, rows = np.random.default_rng(seed), []
    low, high = np.log([1, 1, 1, 5, 5]), np.log([513, 257, 257, 321, 321])
    while len(rows) < count:
        m, c_prev, c_new, h, w = np.exp(rng.uniform(low, high)).astype(int)
        kh, kw, s = rng.integers(1, [8, 8, 4])
        outputs = m * (h // s) * (w // s) * c_new
        needed = (2 * outputs * kh * kw * c_prev / 1e11
                  + 4 * (m * h * w * c_prev + outputs) / 2e9)
        if kh <= h and kw <= w and 1e-3 <= needed <= 50e-3:
            rows.append(f"{m}x{h}x{w}x{c_prev}, {kh}x{kw}x{c_prev}x{c_new}, "
                        f"{rng.choice(['same', 'valid'])}, {s}")
    return rows


def inputs(shape, kernel, padding, s):
    """Return the arrays. Nothing large is freed: C would keep its memory."""
    rng, (m, *sizes, c_new) = np.random.default_rng(0), shape
    weights = [kernel, kernel[3]] if kernel[2:] else []
    outputs = (-(-size // s) if padding == "same" else (size - k) // s + 1
               for size, k in zip(sizes, kernel))
    A_prev, gradient, *weights = (
        rng.standard_normal(size, np.float32) for size in
        (shape, (m, *outputs, kernel[3] if weights else c_new), *weights))
    if not weights:     # distinct numbers in an image: at ties, engines differ
        images = A_prev.reshape(m, -1)
        images[...] = 1
        rng.permuted(images.cumsum(axis=1, out=images), axis=1, out=images)
    return A_prev, gradient, *weights


def numpy_passes(folder, kind, row, A_prev, gradient, *weights):
    _, kernel, padding, s = row
    forward, backward = (load(Path(folder) / name) for name in (
        ("0-conv_forward.py", "2-conv_backward.py") if weights else
        ("1-pool_forward.py", "3-pool_backward.py")))
    if not weights:
        return (lambda: [forward(A_prev, kernel, (s, s), kind)],
                lambda: [backward(gradient, A_prev, kernel, (s, s), kind)])
    return (lambda: [forward(A_prev, *weights, same_Z, padding, (s, s))],
            lambda: backward(gradient, A_prev, *weights, padding, (s, s)))


def keras_passes(_, kind, row, A_prev, gradient, *weights):
    import tensorflow as tf
    (_, kernel, padding, s), layers, ops = row, tf.keras.layers, tf.raw_ops
    X, G, *tensors = map(tf.constant, (A_prev, gradient, *weights))
    options = dict(strides=s, padding=padding, data_format="channels_last",
                   dtype="float32")
    layer = (layers.Conv2D(kernel[3], kernel[:2], **options) if weights else
             layers.MaxPooling2D(kernel, **options) if kind == "max" else
             layers.AveragePooling2D(kernel, **options))
    outputs = layer(X)
    layer.set_weights(weights)
    options = dict(strides=[1, s, s, 1], padding=padding.upper())
    window = dict(options, ksize=[1, *kernel, 1], grad=G)
    return lambda: [layer(X)], {"conv": lambda: [
        ops.Conv2DBackpropInput(input_sizes=X.shape, filter=tensors[0],
                                out_backprop=G, **options),
        ops.Conv2DBackpropFilter(input=X, filter_sizes=kernel, out_backprop=G,
                                 **options),
        tf.reduce_sum(G, axis=(0, 1, 2))], "max": lambda: [
        ops.MaxPoolGrad(orig_input=X, orig_output=outputs, **window)],
        "avg": lambda: [ops.AvgPoolGrad(orig_input_shape=X.shape, **window)],
    }[kind]


def torch_passes(_, kind, row, A_prev, gradient, *weights):
    import torch
    (shape, kernel, padding, s), F = row, torch.nn.functional
    rows, cols = naive.sides(padding, shape[1:], kernel, (s, s))
    more = 0, cols[1] - cols[0], 0, rows[1] - rows[0]
    axes = (0, 3, 1, 2), (3, 2, 0, 1), (0,)
    leaves = X, *weights = [
        torch.tensor(array.transpose(order), requires_grad=True)
        for array, order in zip((A_prev, *weights), axes)]

    def forward():
        X_pad = F.pad(X, more) if any(more) else X
        Z = (F.conv2d(X_pad, *weights, s, (rows[0], cols[0])) if weights else
             getattr(F, f"{kind}_pool2d")(X, kernel, s))
        return [Z.permute(0, 2, 3, 1)]      # a view, here and below
    (Z,), G = forward(), torch.tensor(gradient)
    return torch.no_grad()(forward), lambda: [
        d.permute(tuple(np.argsort(order))) for d, order in zip(
            torch.autograd.grad(Z, leaves, G, retain_graph=True), axes)]


def product_passes(_, kind, row, A_prev, gradient, W, b):
    kernels, windows = W.reshape(-1, len(b)), gradient.size // len(b)
    blocks = range(-(-windows // max(2**18 // max(kernels.shape), 1)))
    patches, dZ = (np.ones((-(-windows // len(blocks)), numbers), np.float32)
                   for numbers in kernels.shape)
    Z, dpatches, dkernels = map(np.empty_like, (dZ, patches, kernels))
    return (lambda: [np.matmul(patches, kernels, out=Z) for _ in blocks],
            lambda: [(np.matmul(patches.T, dZ, out=dkernels),
                      np.matmul(dZ, kernels.T, out=dpatches)) for _ in blocks])


def measure(row, operation, names, seconds):
    """Return what each call takes, and versions; exit if one is wrong."""
    def faults():
        return resource.getrusage(0).ru_minflt if resource else np.nan
    np.empty(2**25 - 2**13 if len(names) > 1 else 0, np.uint8)   # freed: warm
    (kind, way), parts = operation.split(), parse(row)
    arrays = inputs(*parts)
    passes = {"Keras": keras_passes, "PyTorch": torch_passes,
              "products": product_passes}
    calls = {name: passes.get(name, numpy_passes)(
        ROOT if name == "ours" else name, kind, parts, *arrays
        )[way == "backward"] for name in names}
    arrays = {name: [np.squeeze(array) for array in calls[name]()]
              for name in names if len(names) > 1 and name != "products"}
    for name in arrays:
        for i, (a, b) in enumerate(zip(arrays[name], arrays[names[1]])):
            if a.shape != b.shape or not (
                    np.abs(a - b).max() <= 1e-4 * np.abs(b).max()):
                sys.exit(f"result {i} of {name} is not that of {names[1]}")
    results = {name: [] for name in names}
    for name in names * (4 if len(names) > 1 else 1):
        calls[name](), calls[name]()
        end, took = time.perf_counter() + seconds, []
        while len(took) < 4 or len(took) < 300 and time.perf_counter() < end:
            before, start = faults(), time.perf_counter()
            calls[name]()
            took.append([time.perf_counter() - start, faults() - before])
        results[name] += took
    return results, [f"{name} {sys.modules[name].__version__}" for name in
                     ("tensorflow", "torch") if name in sys.modules]


def table(measured, names):
    """Return the measurements as lines of Markdown, geometric means last."""
    def cell(values):
        return " / ".join(f"{float(f'{value:.3g}'):g}" for value in values
                          ).replace("nan / nan", "-").replace("nan", "-")
    others = [f"{name} / {names[1]}" for name in names[:1] + names[2:]]
    head = ["row", "operation", *(f"{name}, ms" for name in names), *others,
            *(f"faults, {name}" for name in names[:-1])]
    lines, ratios = [head, ["---"] * 2 + ["---:"] * (len(head) - 2)], {}
    for key, engines in measured.items():
        calls = [np.array(engines.get(name, [[np.nan] * 2])) for name in names]
        ms = [1e3 * np.percentile(c[:, 0], [0, 50]) for c in calls]
        ratio = np.delete(np.divide(ms, ms[1]), 1, axis=0)
        lines.append([*key, *map(cell, [*ms, *ratio, *(
            [c[:, 1].mean().round()] for c in calls[:-1])])])
        if ratio[0, 0] > 0:     # both are measured
            ratios.setdefault(key[1], []).append(np.log(ratio))
    return [*(f"| {' | '.join(line)} |" for line in lines), "", *(
        f"- {operation}, geometric means of {len(logs)}: " + ", ".join(
            f"{name} {cell(mean)}" for name, mean in zip(
                others, np.exp(np.mean(logs, axis=0))) if mean[0] > 0)
        for operation, logs in ratios.items()), ""]


def machine():
    """Return what is measured on: processor, instructions, NumPy, BLAS."""
    from threadpoolctl import threadpool_info
    text = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else (
        os.popen("sysctl machdep.cpu 2>&1").read())      # macOS
    model = re.search(r"(?:model name|brand_string)\s*: *(.+)|$", text)[1]
    sets = {"AVX2", "AVX512F", "ASIMD"} & set(text.upper().split())
    return [f"{os.cpu_count()} cores of {model or platform.processor()}",
            platform.machine(), *sorted(sets), f"NumPy {np.__version__}", *(
                f"{blas['internal_api']} {blas['version']} with kernels for "
                f"{blas.get('architecture', 'an unknown processor')}"
                for blas in threadpool_info() if blas["user_api"] == "blas")]


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--rows", nargs="+", metavar="ROW", default=[],
        help=f"of {', '.join(ROWS)}; or shapes of your own, as in the table")
    add("--random", type=integer_from(1), default=0, help="convolutions drawn")
    add("--seed", type=integer_from(0), default=0, help="of --random")
    add("--modules", type=Path, metavar="FOLDER", help="instead of Keras")
    add("--quick", action="store_true", help="few rows and calls, one turn")
    add("--output", type=Path, metavar="FILE", dest="out", help="as Markdown")
    args = parser.parse_args(argv)
    rows = args.rows + random_rows(args.random, args.seed) or (
        ["lenet2", "mid"] if args.quick else ROWS)
    args.rows = [ROWS.get(row, row) for row in rows]
    try:
        list(map(parse, args.rows))
    except ValueError:
        parser.error(f"--rows: expected rows as {ROWS['alex']!r}, got {rows}")
    if args.modules and len([*args.modules.glob("[0-3]-*ward.py")]) != 4:
        parser.error(f"--modules: expected the modules in {args.modules}")
    if problem := args.out and problem_with(args.out.parent, [args.out.name]):
        parser.error(f"--output {args.out}: {problem}")
    return args


def main(argv=None):
    """Run; return the exit status."""
    if sys.argv[1:] == ["--worker"]:
        return print(json.dumps(measure(*json.load(sys.stdin))))
    args = arguments(argv)
    from tqdm import tqdm
    names = ["ours", *([f"{args.modules}/"] if args.modules else [
        "Keras", "PyTorch"][:2 if find_spec("torch") else 1]), "products"]
    jobs = [(row, f"{kind} {way}", names[:None if kind == "conv" else -1])
            for row in args.rows
            for kind in (["conv"] if row.count(",") > 2 else ["max", "avg"])
            for way in ("forward", "backward")]
    turns, seconds = (1, 0.1) if args.quick else (3, 0.6)
    jobs += [(*job, [name]) for *job, who in jobs for name in who] * turns
    tables, wrong, about = {"Fresh": {}, "Warm": {}}, {}, machine()
    try:
        for row, operation, who in tqdm(jobs, unit="process"):
            if (row, operation) in wrong:
                continue
            process = subprocess.run(
                [sys.executable, __file__, "--worker"], capture_output=True,
                input=json.dumps([row, operation, who, seconds]), text=True,
                errors="replace")
            if process.returncode:
                last = ["", *process.stderr.strip().splitlines()][-1]
                wrong[row, operation] = (f"{' and '.join(who)} ended with "
                                         f"{process.returncode}: {last}")
                continue
            results, versions = json.loads(process.stdout.splitlines()[-1])
            about += [name for name in versions if name not in about]
            engines = tables["Warm" if len(who) > 1 else "Fresh"].setdefault(
                (row, operation), {})
            for name in results:
                engines.setdefault(name, []).extend(results[name])
    except KeyboardInterrupt:
        wrong["stopped",] = "what was left"
    lines = [line for title, measured in tables.items() if measured
             for line in (f"{title}:", "", *table(measured, names))]
    text = "\n".join([
        *lines, __doc__.partition("\n\n")[2], f"{', '.join(about)}.", *(
            f"\nNot measured: {', '.join(key)}: {why}"
            for key, why in wrong.items())])
    print(text)
    if args.out and ("stopped",) not in wrong:
        put(args.out, lambda path: path.write_text(text + "\n", "utf-8"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
