"""What tests share: functions and shapes, and how numbers are compared."""
import os
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest

from common import ROOT, load_module

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

with suppress(ImportError):     # only test_functions.py needs it
    from hypothesis import settings
    settings.register_profile("same draws", derandomize=True, deadline=None,
                              database=None, max_examples=60)
    settings.register_profile("new draws", deadline=None, database=None,
                              max_examples=600, print_blob=True)
    settings.load_profile("same draws")


def loaded(block=None):
    """Load the four NumPy functions, with blocks of at most that size."""
    functions = {}
    for path in ROOT.glob("[0-3]-*.py"):
        module, name = load_module(path), path.stem[2:]
        module._BLOCK = block or module._BLOCK
        functions[name] = getattr(module, name)
    return SimpleNamespace(**functions)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def tf():
    return pytest.importorskip(
        "tensorflow", reason="TensorFlow, the yardstick, is not installed")


def sizes(text):
    """Read 2x3 as (2, 3), 0+2x3+1 as ((0, 2), (3, 1)), a word as itself."""
    if "x" not in text:
        return text
    return tuple(tuple(map(int, part.split("+"))) if "+" in part
                 else int(part) for part in text.split("x"))


def table(names, text):
    """Return a parametrization by lines of sizes, words and, last, a name.

    Lines that begin with * are for CI alone.
    """
    rows = [(line[0] == "*", *line.lstrip("*").split(
        None, names.count(",") + 1)) for line in text.strip().splitlines()]
    return pytest.mark.parametrize(names, [
        pytest.param(*map(sizes, row), id=name,
                     marks=[pytest.mark.slow] * slow)
        for slow, *row, name in rows])


def integers(rng, *shapes):
    """Draw small whole numbers, on which float64 is exact."""
    return [rng.integers(-9, 10, shape).astype(float) for shape in shapes]


def assert_close(what, ours, expected, rtol=0.0):
    """Fail unless ours is expected, up to rtol of the largest number."""
    expected = np.asarray(expected)
    assert np.shape(ours) == expected.shape, what
    np.testing.assert_allclose(
        ours, expected, 0, rtol * (np.abs(expected).max(initial=0) or 1.0),
        equal_nan=False, err_msg=what)
