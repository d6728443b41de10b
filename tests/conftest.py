"""Fixtures that all tests share."""
import os
from types import SimpleNamespace

import numpy as np
import pytest

from common import ROOT, load_module

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def loaded(block):
    """Load the four NumPy functions, with blocks of at most that size.

    _BLOCK is the one constant of the modules that says how large a block
    is. No result may depend on it.
    """
    functions = {}
    for filename in ("0-conv_forward.py", "1-pool_forward.py",
                     "2-conv_backward.py", "3-pool_backward.py"):
        module, name = load_module(ROOT / filename), filename[2:-3]
        module._BLOCK = block or module._BLOCK
        functions[name] = getattr(module, name)
    return SimpleNamespace(**functions)


@pytest.fixture(params=[None, 24], ids=["", "small blocks"])
def functions(request):
    """Each test of the four functions runs twice: blocks must not matter."""
    return loaded(request.param)


@pytest.fixture
def conv_forward(functions):
    return functions.conv_forward


@pytest.fixture
def pool_forward(functions):
    return functions.pool_forward


@pytest.fixture
def conv_backward(functions):
    return functions.conv_backward


@pytest.fixture
def pool_backward(functions):
    return functions.pool_backward


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def tf():
    return pytest.importorskip(
        "tensorflow", reason="TensorFlow, the yardstick, is not installed")
