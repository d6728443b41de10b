"""What all examples share: modules by filename, safe files, arguments."""
import argparse
import importlib.util
import os
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent


def load_module(path):
    """Run the Python file at path and return it as a module."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load(filename):
    """Return the function that a numbered module is named after."""
    name = Path(filename).stem.partition("-")[2]
    return getattr(load_module(ROOT / filename), name)


def same_Z(Z):
    """The activation that leaves Z as it is."""
    return Z


def put(path, write):
    """Write a file under another name and, when complete, move it here."""
    temporary = path.with_name(f"new-{os.getpid()}-{path.name}")
    try:
        write(temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def problem_with(folder, names):
    """Return why these files cannot be written into a folder, or None."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        put(folder / "probe", lambda path: path.write_bytes(b"0" * 10**5))
        (folder / "probe").unlink()
    except OSError as error:
        return ("expected a folder that can be written "
                f"({error.strerror or error})")
    for name in names:
        if (folder / name).is_dir():
            return f"expected a file or nothing as {name}, got a folder"
    return None


def integer_from(minimum):
    """Return a reader of integers that rejects what is below a minimum."""
    def read(text):
        try:
            if int(text) >= minimum:
                return int(text)
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(
            f"expected an integer of at least {minimum}, got {text}")
    return read


def difference(function, case, hint, ours, expected, rtol=0.0):
    """Return None if ours is expected, else a line that says where not.

    Errors are relative to the largest number expected; rtol 0 asks for
    equality.
    """
    where = f"{function}, {case}"
    ours, expected = np.atleast_1d(ours), np.atleast_1d(expected)
    if ours.shape != expected.shape:
        return (f"{where}: shape {ours.shape}, expected {expected.shape} "
                f"({hint})")
    if not ours.size:
        return None
    scale = np.abs(expected).max() or 1.0
    errors = np.abs(np.subtract(ours, expected, dtype=float)) / scale
    errors[np.isnan(errors)] = np.inf
    worst = tuple(int(i) for i in
                  np.unravel_index(errors.argmax(), errors.shape))
    if errors[worst] <= rtol:
        return None
    return (f"{where}: at {worst} got {ours[worst]:.8g}, expected "
            f"{expected[worst]:.8g}, relative error {errors[worst]:.1e} "
            f"(usual cause: {hint})")
