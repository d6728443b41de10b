"""Fixtures that all tests share."""
import os
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest

from common import ROOT, load_module

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

with suppress(ImportError):     # only test_properties.py needs it
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
