#!/usr/bin/env python3
"""Train LeNet-5 twice, once with Keras and once with NumPy alone.

Both start from the same weights and see the same batches in the same order,
so their loss curves must lie on each other. Each epoch is kept: stop at any
time with Ctrl-C, and go on with --resume.
"""
import argparse
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path

from common import integer_from, problem_with, put
from training.pictures import curves, predictions, print_table

CHECKPOINT, OLD = "checkpoint.npz", "checkpoint.old.npz"
FILES = {"numpy": "lenet5_numpy.npz", "keras": "lenet5.keras"}
PICTURES = "curves.png", "predictions.png"


# The two engines: train an epoch, predict, and give and take their state

class NumPyEngine:
    """LeNet-5 of lenet5_numpy.py with its optimizer."""

    name = "numpy"

    def __init__(self, weights, epochs):
        """Begin with a copy of the weights."""
        from lenet5_numpy import Adam
        self.weights = [w.copy() for w in weights]
        self.adam, self.epochs = Adam(weights), epochs

    def train(self, X, T, batch_size, epoch):
        """Go once through the images; return the loss of each batch."""
        from lenet5_numpy import train_epoch
        from tqdm import tqdm
        return train_epoch(
            X, T, self.weights, self.adam, batch_size,
            lambda batches: tqdm(batches, unit="batch", desc=(
                f"NumPy epoch {epoch}/{self.epochs}")))

    def predict(self, X):
        """Return the probabilities of the ten digits."""
        from lenet5_numpy import predict
        return predict(X, self.weights)

    def state(self):
        """Return all arrays that the next epoch depends on."""
        import numpy as np
        return [*self.weights, *self.adam.means, *self.adam.squares,
                np.array(self.adam.steps)]

    def restore(self, arrays):
        """Go back to a state."""
        *moments, steps = (array.copy() for array in arrays)
        self.weights, self.adam.means, self.adam.squares = (
            moments[:10], moments[10:20], moments[20:])
        self.adam.steps = int(steps)

    def save(self, path):
        """Write the weights, named W1, b1, W2, ..."""
        import numpy as np
        from lenet5_numpy import NAMES
        with open(path, "wb") as file:
            np.savez(file, **dict(zip(NAMES, self.weights)))


class KerasEngine:
    """LeNet-5 of 5-lenet5.py with its optimizer."""

    name = "keras"

    def __init__(self, weights, epochs):
        """Begin with the weights, and with moments of zero."""
        from common import load
        from tensorflow import keras as K
        self.model = load("5-lenet5.py")(K.Input(shape=(28, 28, 1)))
        self.model.set_weights(weights)
        self.model.optimizer.build(self.model.trainable_variables)
        self.epochs, self.means = epochs, []
        self.watch = K.callbacks.LambdaCallback(
            on_train_batch_end=lambda i, logs: self.means.append(
                float(logs["loss"])),
            on_epoch_end=lambda i, logs: setattr(
                self.model, "stop_training", True))

    def train(self, X, T, batch_size, epoch):
        """Go once through the images; return the loss of each batch."""
        import numpy as np
        self.means.clear()
        self.model.fit(X, T, batch_size, epochs=self.epochs,
                       initial_epoch=epoch - 1, shuffle=False,
                       callbacks=[self.watch])
        # Keras tells the mean of all batches so far: take the sums apart.
        seen = np.minimum(np.arange(len(self.means) + 1) * batch_size, len(X))
        sums = np.concatenate(([0], self.means * seen[1:]))
        return list(np.diff(sums) / np.diff(seen))

    def predict(self, X):
        """Return the probabilities of the ten digits."""
        return self.model.predict(X, batch_size=500, verbose=0)

    def variables(self):
        """Return the optimizer's variables."""
        found = self.model.optimizer.variables
        return list(found() if callable(found) else found)

    def state(self):
        """Return all arrays that the next epoch depends on."""
        import numpy as np
        return [*self.model.get_weights(),
                *(np.asarray(variable) for variable in self.variables())]

    def restore(self, arrays):
        """Go back to a state."""
        count = len(self.model.get_weights())
        self.model.set_weights(arrays[:count])
        for variable, array in zip(self.variables(), arrays[count:]):
            variable.assign(array)

    def save(self, path):
        """Write the model as Keras does."""
        self.model.save(path)


# The checkpoint: all that a run is, in one file

def keep(path, settings, epoch, rng, engines, history):
    """Write the state after an epoch."""
    import numpy as np
    about = {"settings": settings, "epoch": epoch,
             "rng": rng.bit_generator.state,
             "rows": {name: [row[1:] for row in rows]
                      for name, rows in history.items()}}
    arrays = {"about": np.array(json.dumps(about))}
    for engine in engines:
        arrays[f"{engine.name} losses"] = np.array(
            [row[0] for row in history[engine.name]])
        arrays.update((f"{engine.name} {i}", array)
                      for i, array in enumerate(engine.state()))

    def write(temporary):
        with open(temporary, "wb") as file:
            np.savez(file, **arrays)

    put(path, write)


def go_back(path, settings, rng, engines, history):
    """Take up the state in a checkpoint; return how many epochs it has."""
    import numpy as np
    from training.data import UserError
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        about = json.loads(str(arrays["about"]))
        kept = about["settings"]
        for key, value in settings.items():
            if kept.get(key) != value:
                raise UserError(
                    f"--resume: {path} was trained with {key} "
                    f"{kept.get(key)!r}, expected {value!r}; pass that, "
                    "another --out, or no --resume")
        for engine in engines:
            losses = arrays[f"{engine.name} losses"]
            history[engine.name] = [
                (list(loss), *row) for loss, row in
                zip(losses, about["rows"][engine.name])]
            engine.restore([arrays[f"{engine.name} {i}"] for i in range(sum(
                key.startswith(f"{engine.name} ") for key in arrays) - 1)])
        rng.bit_generator.state = about["rng"]
        return about["epoch"]
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"--resume: {path} cannot be read as a checkpoint "
                        f"({type(error).__name__})")


# The program

def publish(out, engines, history, images, labels):
    """Make models and pictures; return their names."""
    for engine in engines:
        put(out / FILES[engine.name], engine.save)
    read = engines[0].predict(images[:50]).argmax(axis=1)
    for name, figure in zip(PICTURES, (
            curves(history), predictions(images[:50], labels[:50], read))):
        put(out / name, lambda path: figure.savefig(path, dpi=120))
    return [*(FILES[engine.name] for engine in engines), *PICTURES]


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message):
        """Raise what main() prints."""
        from training.data import UserError
        raise UserError(message)


def parsed(argv):
    """Return the arguments."""
    parser = Parser(description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="digits", metavar="DATA", help=(
        "digits (scikit-learn's, the default), mnist (Keras', downloaded "
        "once) or the path of an .npz"))
    parser.add_argument("--engine", default="both",
                        choices=("both", "numpy", "keras"))
    parser.add_argument("--epochs", type=integer_from(1), default=20)
    parser.add_argument("--batch-size", type=integer_from(1), default=32)
    parser.add_argument("--limit", type=integer_from(1), metavar="N",
                        help="train on the first N images only")
    parser.add_argument("--seed", type=integer_from(0), default=1, help=(
        "of the initial weights, the order of the images and, for digits, "
        "which of them are held out"))
    parser.add_argument("--out", type=Path, default=Path("out"),
                        help="folder for checkpoint, pictures and models "
                        "(default out/)")
    parser.add_argument("--resume", action="store_true", help=(
        "go on from the checkpoint in --out, up to --epochs"))
    return parser.parse_args(argv)


def train(engines, args, settings, data, rng, history, kept):
    """Train all engines, epoch by epoch, and keep each epoch."""
    import numpy as np
    x, y, x_test, y_test = data
    T = np.eye(10, dtype=np.float32)[y]
    batch_size = min(args.batch_size, len(x))
    sizes = np.diff(np.append(np.arange(0, len(x), batch_size), len(x)))
    for epoch in range(kept["epochs"] + 1, args.epochs + 1):
        order = rng.permutation(len(x))
        rows = {}
        for engine in engines:
            start = time.perf_counter()
            losses = engine.train(x[order], T[order], batch_size, epoch)
            seconds = time.perf_counter() - start
            accuracy = (engine.predict(x_test).argmax(axis=1) == y_test).mean()
            rows[engine.name] = (losses, float(np.average(
                losses, weights=sizes)), float(accuracy), seconds)
        longer = {name: [*history[name], row] for name, row in rows.items()}
        keep(args.out / CHECKPOINT, settings, epoch, rng, engines, longer)
        history.update(longer)
        kept["epochs"] = epoch


def count(epochs):
    """Return "1 epoch", "2 epochs"."""
    return f"{epochs} epoch{'' if epochs == 1 else 's'}"


def prepare(args, say):
    """Return data, engines, settings, random generator."""
    import numpy as np
    from training.data import UserError, load_data
    from lenet5_numpy import initial_weights
    if args.engine != "numpy":
        try:
            import tensorflow    # noqa: F401
        except ImportError as error:
            raise UserError(f"--engine {args.engine}: TensorFlow is missing "
                            f"({error}); pass --engine numpy")
    names = [name for name in FILES if args.engine in ("both", name)]
    problem = problem_with(args.out, [
        CHECKPOINT, OLD, *PICTURES, *(FILES[name] for name in names)])
    if problem:
        raise UserError(f"--out {args.out}: {problem}")
    data = load_data(args.data, args.engine, args.seed, args.limit, say)
    digest = hashlib.sha256()
    for array in data:
        digest.update(np.ascontiguousarray(array).tobytes())
    settings = {"engine": args.engine, "batch size": args.batch_size,
                "seed": args.seed, "limit": args.limit,
                "images of hash": digest.hexdigest()[:16]}
    rng = np.random.default_rng(args.seed)
    weights = initial_weights(rng)
    engines = [Engine(weights, args.epochs)
               for Engine in (NumPyEngine, KerasEngine)
               if Engine.name in names]
    return data, engines, settings, rng


def run(argv, kept):
    """Train, and say what is kept; kept tells main() the same."""
    args = parsed(argv)
    kept["out"] = args.out
    data, engines, settings, rng = prepare(args, print)
    history = {engine.name: [] for engine in engines}
    path = args.out / CHECKPOINT
    if args.resume and path.exists():
        kept["epochs"] = go_back(path, settings, rng, engines, history)
        print(f"Resuming after {count(kept['epochs'])}.")
    elif args.resume:
        print(f"Nothing to resume in {args.out}: starting at epoch 1.")
    elif path.exists():
        os.replace(path, args.out / OLD)
    if kept["epochs"] >= args.epochs:
        print(f"{count(args.epochs)} of {args.epochs}: all done.")
    try:
        train(engines, args, settings, data, rng, history, kept)
    except (KeyboardInterrupt, OSError):
        if kept["epochs"]:      # models and pictures of what is kept
            restored = {engine.name: [] for engine in engines}
            go_back(path, settings, rng, engines, restored)
            publish(args.out, engines, restored, data[2], data[3])
        raise
    names = publish(args.out, engines, history, data[2], data[3])
    print_table(history)
    print("Written:", ", ".join(str(args.out / name) for name in names))


def stop(*_):
    """Let a SIGTERM end the run as Ctrl-C does."""
    raise KeyboardInterrupt


class Steady:
    """A stream that goes quiet, instead of raising, when its reader has gone.

    So a closed pipe or a closed terminal costs no epoch.
    """

    def __init__(self, stream):
        """Take a stream, or None where there is none."""
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
        self.stream = stream

    def quietly(self, method, *arguments):
        """Call a method of the stream; from the first error on, do nothing."""
        try:
            if self.stream is not None:
                return getattr(self.stream, method)(*arguments)
        except (OSError, ValueError):
            self.stream = None
        return None

    def write(self, text):
        """Write a text; return its length."""
        self.quietly("write", text)
        return len(text)

    def flush(self):
        """Flush what was written."""
        self.quietly("flush")

    def __getattr__(self, name):
        """Be the stream in all else."""
        return getattr(self.stream if self.stream is not None
                       else sys.__stdin__, name)


def main(argv=None):
    """Run; return the exit status."""
    kept, streams = {"epochs": 0, "out": None}, (sys.stdout, sys.stderr)
    try:
        sys.stdout, sys.stderr = map(Steady, streams)
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        if hasattr(signal, "SIGTERM"):
            signal.signal(signal.SIGTERM, stop)
        from training.data import UserError
        try:
            run(argv, kept)
        except UserError as error:
            print(f"train.py: {error}", file=sys.stderr)
            return 2
    except KeyboardInterrupt:
        print(f"\nInterrupted. {count(kept['epochs'])} kept in {kept['out']}; "
              "go on with --resume." if kept["epochs"] else
              "\nInterrupted before the first epoch was complete.")
        return 130
    except OSError as error:
        print(f"train.py: --out {kept['out']}: cannot be written "
              f"({error.strerror or error}); {count(kept['epochs'])} kept",
              file=sys.stderr)
        return 2
    finally:
        sys.stdout.flush()
        if sys.stdout.stream is None:       # nothing is left to flush
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.stdout, sys.stderr = streams
    return 0


if __name__ == "__main__":
    sys.exit(main())
