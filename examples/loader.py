"""Load the numbered modules of the folder above, by filename."""
import importlib.util
from pathlib import Path

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
