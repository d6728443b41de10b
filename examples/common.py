"""What all examples share: modules by filename, safe files, arguments."""
import argparse
import importlib.util
import os
import sys
import tempfile
from pathlib import Path

try:
    import numpy    # noqa: F401 (all of them need it)
except ImportError as error:
    sys.exit(f"NumPy is missing ({error}); run: python -m pip install numpy")

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
    """Write a file in a new folder beside it; when complete, move it here."""
    with tempfile.TemporaryDirectory(prefix="new-", dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        write(temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)


def problem_with(folder, names):
    """Return why these files cannot be written into a folder, or None."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="new-", dir=folder) as trial:
            (Path(trial) / "file").write_bytes(b"0" * 10**5)
    except OSError as error:
        return ("expected a folder that can be written "
                f"({error.strerror or error})")
    for name in names:
        if (folder / name).is_dir():
            return f"expected a file or nothing as {name}, got a folder"
    return None


def integer_from(minimum, maximum=None):
    """Return a reader of integers that rejects what is out of range."""
    expected = (f"of at least {minimum}" if maximum is None
                else f"from {minimum} to {maximum}")

    def read(text):
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or number < minimum or (
                maximum is not None and number > maximum):
            raise argparse.ArgumentTypeError(
                f"expected an integer {expected}, got {text}")
        return number
    return read


class UserError(Exception):
    """What the user can mend, told in one line."""


def require(package, install=None, instead=""):
    """Import a package; if that fails, say how to install it."""
    try:
        importlib.import_module(package)
    except Exception as error:      # a broken installation raises anything
        raise UserError(f"{package} is missing ({error}); run: python -m pip "
                        f"install {install or package}{instead}")


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, for main() to print."""

    def error(self, message):
        """Raise the error."""
        raise UserError(message)
