#!/usr/bin/env python3
"""Time the four NumPy functions against Keras and PyTorch, each alone.

Inputs are made beforehand, calls follow each other, the first two are not
counted; a cell is the minimum / the median of the others. Fresh: one process
per engine and operation, three times in turn. Warm: one process for all
engines, in turn, four phases of each. Forward is the Keras layer, called
eagerly, backward are TensorFlow's kernels of the gradient, all in float32.
"products" are the matrix products alone, on ready matrices as im2col gives
them, in blocks of at most 2**18 numbers: the rest of our time is copying.
(With few channels ours multiplies other matrices, and may take less.) Faults
are page faults per call: memory that the operating system hands out anew.
What counts is the ratio: no machine is as fast a minute later.
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

try:
    import resource
except ImportError:     # on Windows
    resource = None

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
    """Return A_prev, the gradient and, of a convolution, W and b."""
    # Nothing large is freed: the C library would keep memory from then on.
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


# Each engine gives its forward and its backward pass, to be called without
# arguments, for a list of results.
def numpy_passes(folder, kind, row, A_prev, gradient, *weights):
    (_, kernel, padding, s), name = row, "conv" if weights else "pool"
    forward, backward = (
        load(next(Path(folder).glob(f"[0-3]-{name}_{way}.py")))
        for way in ("forward", "backward"))
    if not weights:
        return (lambda: [forward(A_prev, kernel, (s, s), kind)],
                lambda: [backward(gradient, A_prev, kernel, (s, s), kind)])
    return (lambda: [forward(A_prev, *weights, same_Z, padding, (s, s))],
            lambda: backward(gradient, A_prev, *weights, padding, (s, s)))


def keras_passes(_, kind, row, A_prev, gradient, *weights):
    import tensorflow as tf
    (_, kernel, padding, s), layers, ops = row, tf.keras.layers, tf.raw_ops
    X, G, *tensors = map(tf.constant, (A_prev, gradient, *weights))
    form = dict(strides=s, padding=padding, data_format="channels_last",
                dtype="float32")
    layer = (layers.Conv2D(kernel[3], kernel[:2], **form) if weights else
             layers.MaxPooling2D(kernel, **form) if kind == "max" else
             layers.AveragePooling2D(kernel, **form))
    outputs = layer(X)
    layer.set_weights(weights)
    form = dict(strides=[1, s, s, 1], padding=padding.upper())
    window = dict(form, ksize=[1, *kernel, 1], grad=G)
    return lambda: [layer(X)], {
        "conv": lambda: [
            ops.Conv2DBackpropInput(input_sizes=X.shape, filter=tensors[0],
                                    out_backprop=G, **form),
            ops.Conv2DBackpropFilter(input=X, filter_sizes=kernel,
                                     out_backprop=G, **form),
            tf.reshape(tf.reduce_sum(G, axis=(0, 1, 2)), (1, 1, 1, -1))],
        "max": lambda: [ops.MaxPoolGrad(orig_input=X, orig_output=outputs,
                                        **window)],
        "avg": lambda: [ops.AvgPoolGrad(orig_input_shape=X.shape, **window)],
    }[kind]


def torch_passes(_, kind, row, A_prev, gradient, *weights):
    import torch
    (shape, kernel, padding, s), F = row, torch.nn.functional
    (top, bottom), (left, right) = naive.sides(padding, shape[1:3], kernel[:2],
                                               (s, s))
    more, nchw = (0, right - left, 0, bottom - top), (0, 3, 1, 2)
    leaves = [torch.tensor(array.transpose(axes), requires_grad=True)
              for array, axes in zip((A_prev, *weights),
                                     (nchw, (3, 2, 0, 1), (0,)))]

    def forward():
        X, *weights = leaves
        Z = F.conv2d(F.pad(X, more) if any(more) else X, *weights, s, (
            top, left)) if weights else getattr(F, f"{kind}_pool2d")(
                X, kernel, s)
        return [Z.permute(0, 2, 3, 1)]      # a view, here and below

    def backward():
        dX, *rest = torch.autograd.grad(Z, leaves, G, retain_graph=True)
        return [dX.permute(0, 2, 3, 1), *(
            d.permute(2, 3, 1, 0) if d.ndim == 4 else d[None, None, None]
            for d in rest)]
    (Z,), G = forward(), torch.tensor(gradient)
    return torch.no_grad()(forward), backward


def product_passes(_, kind, row, A_prev, gradient, W, b):
    kernels = W.reshape(-1, W.shape[3])
    windows = gradient.size // W.shape[3]
    blocks = range(-(-windows // max(2**18 // max(kernels.shape), 1)))
    patches, dZ = (np.ones((-(-windows // len(blocks)), numbers), np.float32)
                   for numbers in kernels.shape)
    Z, dpatches, dkernels = map(np.empty_like, (dZ, patches, kernels))
    return (lambda: [np.matmul(patches, kernels, out=Z) for _ in blocks],
            lambda: [(np.matmul(patches.T, dZ, out=dkernels),
                      np.matmul(dZ, kernels.T, out=dpatches)) for _ in blocks])


PASSES = {"Keras": keras_passes, "PyTorch": torch_passes,
          "products": product_passes}


def measure(row, operation, names, modules, seconds):
    """Return [times, faults] of each engine, and versions; exit if wrong."""
    (kind, way), parts = operation.split(), parse(row)
    arrays = inputs(*parts)
    calls = {name: PASSES.get(name, numpy_passes)(
        ROOT if name == "ours" else modules, kind, parts, *arrays
        )[way == "backward"] for name in names}
    arrays = {name: list(map(np.asarray, calls[name]())) for name in names
              if len(names) > 1 and name != "products"}
    for name in arrays:
        for i, (a, b) in enumerate(zip(arrays[name], arrays[names[1]])):
            if a.shape != b.shape or not (
                    np.abs(a - b).max() <= 1e-4 * np.abs(b).max()):
                sys.exit(f"result {i} of {name} is not that of {names[1]}")
    results = {name: [[], []] for name in names}
    for name in names * (4 if len(names) > 1 else 1):
        call, times = calls[name], []
        call(), call()
        before = resource and resource.getrusage(0).ru_minflt
        while len(times) < 4 or sum(times) < seconds and len(times) < 300:
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        results[name][0] += times
        results[name][1] += [(resource.getrusage(0).ru_minflt - before)
                             / len(times) if resource else np.nan]
    return results, [f"{name} {sys.modules[name].__version__}"
                     for name in ("tensorflow", "torch") if name in sys.modules]


def cell(values):
    """Write numbers with three digits: 1.23 / 1230."""
    return " / ".join(f"{float(f'{value:.3g}'):g}" for value in values
                      ).replace("nan", "-")


def table(measured, names):
    """Return the measurements as lines of Markdown, geometric means last."""
    ratios, others = {}, [f"{name} / {names[1]}" for name in names]
    del others[1]
    head = ["row", "operation", *(f"{name}, ms" for name in names), *others,
            *(f"faults, {name}" for name in names[:-1])]
    lines = [head, ["---"] * 2 + ["---:"] * (len(head) - 2)]
    for key in dict.fromkeys(key[:2] for key in measured):
        times, faults = zip(*(measured.get((*key, name), [[np.nan]] * 2)
                              for name in names))
        ms = 1e3 * np.array([[min(part), np.median(part)] for part in times])
        ratio = np.delete(ms / ms[1], 1, axis=0)
        lines.append([*key, *map(cell, [
            *ms, *ratio, *([np.mean(part)] for part in faults[:-1])])])
        if ratio[0, 0] > 0:     # both were measured
            ratios.setdefault(key[1], []).append(np.log(ratio))
    return [*(f"| {' | '.join(line)} |" for line in lines), "", *(
        f"- {operation}, geometric means of {len(logs)}: " + ", ".join(
            f"{name} {cell(mean)}" for name, mean in zip(
                others, np.exp(np.mean(logs, axis=0))))
        for operation, logs in ratios.items()), ""]


def machine():
    """Return what is measured on: processor, instructions, NumPy, BLAS."""
    from threadpoolctl import threadpool_info
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else os.popen(
        "sysctl machdep.cpu 2>&1").read()      # macOS; in vain on Windows
    model = re.search(r"(?:model name|brand_string)\s*: *(.*)", text)
    sets = {"AVX2", "AVX512F", "ASIMD"} & set(text.upper().split())
    return [f"{os.cpu_count()} cores of "
            f"{model[1] if model else platform.processor()}",
            platform.machine(), *sorted(sets or ["instruction set unknown"]),
            f"{platform.system()}, NumPy {np.__version__}", *(
                f"{blas['internal_api']} {blas['version']} with kernels for "
                f"{blas.get('architecture', 'an unknown processor')}"
                for blas in threadpool_info() if blas["user_api"] == "blas")]


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--rows", nargs="+", metavar="ROW", default=[],
        help=f"of {', '.join(ROWS)}; or shapes of your own, as in the table")
    add("--random", type=integer_from(1), metavar="N", default=0,
        help="N random convolutions, of about 1 to 50 ms")
    add("--seed", type=integer_from(0), default=0, help="of --random")
    add("--modules", type=Path, metavar="FOLDER",
        help="compare with the modules of another checkout, not with Keras")
    add("--quick", action="store_true", help="few rows and calls, one turn")
    add("--output", type=Path, metavar="FILE", help="write Markdown there")
    args = parser.parse_args(argv)
    rows = args.rows + random_rows(args.random, args.seed) or (
        ["lenet2", "mid"] if args.quick else ROWS)
    args.rows = [ROWS.get(row, row) for row in rows]
    try:
        list(map(parse, args.rows))
    except ValueError as error:
        parser.error(f"--rows: expected rows as {ROWS['alex']!r} ({error})")
    if args.modules and len([*args.modules.glob("[0-3]-*ward.py")]) != 4:
        parser.error(f"--modules: expected a folder with the four modules, "
                     f"got {args.modules}")
    problem = args.output and problem_with(args.output.parent,
                                           [args.output.name])
    if problem:
        parser.error(f"--output {args.output}: {problem}")
    return args


def main(argv=None):
    """Run; return the exit status."""
    args = arguments(argv)
    from tqdm import tqdm
    names = ["ours", *(["other"] if args.modules else ["Keras", *(
        ["PyTorch"] if find_spec("torch") else [])]), "products"]
    jobs = [(row, f"{kind} {way}", names[:None if kind == "conv" else -1])
            for row in args.rows
            for kind in (["conv"] if row.count(",") > 2 else ["max", "avg"])
            for way in ("forward", "backward")]
    jobs += [(*job, [name]) for *job, who in jobs for name in who] * (
        1 if args.quick else 3)
    tables, wrong, about = {"Fresh": {}, "Warm": {}}, {}, machine()
    try:
        for row, operation, who in tqdm(jobs, unit="process"):
            if (row, operation) in wrong:
                continue
            process = subprocess.run(
                [sys.executable, __file__, "--worker"], input=json.dumps([
                    row, operation, who, str(args.modules),
                    0.1 if args.quick else 0.6]),
                capture_output=True, text=True, errors="replace")
            if process.returncode:
                said = re.findall(r"\S.*", process.stderr) or ["no word"]
                wrong[row, operation] = (f"{' and '.join(who)}: {said[-1]} "
                                         f"(status {process.returncode})")
                continue
            results, versions = json.loads(process.stdout.splitlines()[-1])
            about += [name for name in versions if name not in about]
            for name, lists in results.items():
                kept = tables["Warm" if len(who) > 1 else "Fresh"].setdefault(
                    (row, operation, name), ([], []))
                for old, new in zip(kept, lists):
                    old.extend(new)
    except KeyboardInterrupt:
        wrong["stopped",] = "what was left"
    lines = [line for title, measured in tables.items() if measured
             for line in (f"{title}:", "", *table(measured, names))]
    lines += [__doc__.partition("\n\n")[2], f"{', '.join(about)}.", *(
        f"\nNot measured: {', '.join(key)}: {why}"
        for key, why in wrong.items())]
    print("\n".join(lines))
    if args.output and ("stopped",) not in wrong:
        put(args.output, lambda path: path.write_text(
            "\n".join(lines) + "\n", encoding="utf-8"))
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--worker"]:
        print(json.dumps(measure(*json.load(sys.stdin))))
    else:
        sys.exit(main())
