#!/usr/bin/env python3
"""Train LeNet-5 twice, once with Keras and once with NumPy alone.

Both start from the same weights and see the same batches in the same order.
Their losses agree to the rounding of float32 until rounding decides where a
gradient goes: between two equal pixels of a maximum, or at the zero of ReLU.
From there the two runs differ a little, and learn equally well.

In each epoch every image is a little different: turned, bent, its strokes
thinner or thicker. So the network learns to read what other people write.

Each epoch is kept: stop at any time with Ctrl-C, and go on with --resume.
"""
import argparse
import hashlib
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

# (common comes first: it says so where NumPy is missing.)
from common import (Parser, UserError, integer_from, problem_with, put,
                    require)
import numpy as np
from lenet5_numpy import initial_weights
from training import pictures
from training.checkpoint import Epoch, Run, epochs_in
from training.data import load_data
from training.engines import KerasEngine, NumPyEngine
from training.output import Steady, complain, say
from training.variety import varied

CHECKPOINT, OLD = "checkpoint.npz", "checkpoint.old.npz"
PICTURES = "curves.png", "predictions.png"
ENGINES = {"both": [NumPyEngine, KerasEngine], "numpy": [NumPyEngine],
           "keras": [KerasEngine]}


# The arguments

def parsed(argv):
    """Return the arguments."""
    parser = Parser(description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="digits", metavar="DATA", help=(
        "digits (scikit-learn's, the default), mnist (Keras', downloaded "
        "once) or the path of an .npz"))
    parser.add_argument("--engine", default="both", choices=ENGINES)
    parser.add_argument("--epochs", type=integer_from(1), default=100,
                        help="(default 100)")
    parser.add_argument("--batch-size", type=integer_from(1), default=32,
                        help="(default 32)")
    parser.add_argument("--limit", type=integer_from(1), metavar="N",
                        help="train on the first N images only")
    parser.add_argument("--no-vary", dest="vary", action="store_false",
                        help="train on the images as they are")
    parser.add_argument("--seed", type=integer_from(0, 2**32 - 1), default=1,
                        help="of the initial weights, the order of the images "
                        "and, for digits, which of them are held out")
    parser.add_argument("--out", type=Path, default=Path("out"),
                        help="folder for checkpoint, pictures and models "
                        "(default out/)")
    parser.add_argument("--resume", action="store_true", help=(
        "go on from the checkpoint in --out, up to --epochs"))
    return parser.parse_args(argv)


def settings_of(args, data):
    """Return what must stay the same for a run to go on."""
    digest = hashlib.sha256()
    for array in data:
        digest.update(np.ascontiguousarray(array).tobytes())
    return {"engine": args.engine, "batch size": args.batch_size,
            "seed": args.seed, "limit": args.limit, "vary": args.vary,
            "images of hash": digest.hexdigest()[:16]}


# The training

def train(run, args, data):
    """Train all engines, epoch by epoch, and keep each epoch."""
    from tqdm import tqdm
    x, y, x_test, y_test = data
    T = np.eye(10, dtype=np.float32)[y]
    batch_size = min(args.batch_size, len(x))
    batches = [slice(i, i + batch_size)
               for i in range(0, len(x), batch_size)]
    sizes = [len(x[batch]) for batch in batches]
    epochs = range(run.epochs + 1, args.epochs + 1)
    with tqdm(total=len(epochs) * len(run.engines) * len(batches),
              unit="batch", file=Steady(sys.stderr)) as bar:
        for epoch in epochs:
            bar.set_description(f"Images of epoch {epoch}/{args.epochs}")
            order = run.rng.permutation(len(x))
            X, targets = x[order], T[order]
            if args.vary:
                X = varied(X, run.rng)
            for engine in run.engines:
                bar.set_description(
                    f"{engine.title} epoch {epoch}/{args.epochs}")
                start, losses = time.perf_counter(), []
                for batch in batches:
                    losses.append(engine.step(X[batch], targets[batch]))
                    bar.update()
                seconds = time.perf_counter() - start
                right = engine.predict(x_test).argmax(axis=1) == y_test
                run.history[engine.name].append(Epoch(
                    losses, float(np.average(losses, weights=sizes)),
                    float(right.mean()), seconds))
            run.save(args.out / CHECKPOINT)


def publish(run, out, images, labels):
    """Write models and pictures; return the files' names."""
    for engine in run.engines:
        put(out / engine.file, engine.save)
    read = run.engines[0].predict(images[:50]).argmax(axis=1)
    for name, figure in zip(PICTURES, (
            pictures.curves(run.history),
            pictures.predictions(images[:50], labels[:50], read))):
        put(out / name, lambda path: figure.savefig(path, dpi=120))
    return [*(engine.file for engine in run.engines), *PICTURES]


def prepare(args):
    """Return the data and a run that can begin or go on."""
    for package in "tqdm", "matplotlib":
        require(package)
    if args.engine != "numpy":
        require("tensorflow", instead=", or pass --engine numpy")
    problem = problem_with(args.out, [
        CHECKPOINT, OLD, *PICTURES,
        *(Engine.file for Engine in ENGINES[args.engine])])
    if problem:
        raise UserError(f"--out {args.out}: {problem}")
    data = load_data(args.data, args.engine, args.seed, args.limit, say)
    rng = np.random.default_rng(args.seed)
    weights = initial_weights(rng)
    engines = [Engine(weights) for Engine in ENGINES[args.engine]]
    run = Run(settings_of(args, data), engines, rng,
              {engine.name: [] for engine in engines})
    path = args.out / CHECKPOINT
    if path.exists() and args.resume:
        run.load(path)
        say(f"Resuming after {count(run.epochs)}.")
    elif path.exists():
        os.replace(path, args.out / OLD)
    elif args.resume:
        say(f"Nothing to resume in {args.out}: starting at epoch 1.")
    return data, run


def train_and_publish(args):
    """Do all that the program does."""
    data, run = prepare(args)
    path = args.out / CHECKPOINT
    if run.epochs >= args.epochs:
        say(f"{count(run.epochs)} of {args.epochs}: all done.")
    try:
        train(run, args, data)
    except (KeyboardInterrupt, OSError):
        if epochs_in(path):     # models and pictures of what is kept
            run.load(path)
            publish(run, args.out, *data[2:])
        raise
    names = [CHECKPOINT, *publish(run, args.out, *data[2:])]
    say(pictures.table(run.history))
    say(f"Written: {', '.join(str(args.out / name) for name in names)}")


# The program

@contextmanager
def sigterm_as_interrupt():
    """Let a SIGTERM end the run as Ctrl-C does; signals are of the main
    thread alone."""
    def interrupt(*_):
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def count(epochs):
    """Return "1 epoch", "2 epochs"."""
    return f"{epochs} epoch{'' if epochs == 1 else 's'}"


def main(argv=None):
    """Run; return the exit status."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        args = parsed(argv)
    except UserError as error:
        return complain("train.py", error)
    path = args.out / CHECKPOINT
    try:
        with sigterm_as_interrupt():
            train_and_publish(args)
    except UserError as error:
        return complain("train.py", error)
    except KeyboardInterrupt:
        kept = epochs_in(path)
        say(f"\nInterrupted. {count(kept)} kept in {args.out}; go on with "
            "--resume." if kept else
            "\nInterrupted before the first epoch was complete.")
        return 130
    except OSError as error:
        return complain(
            "train.py", f"--out {args.out}: cannot be written "
            f"({error.strerror or error}); {count(epochs_in(path))} kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())
