"""Fixtures that all tests share."""
import os
from types import SimpleNamespace

import numpy as np
import pytest

from common import ROOT, load_module

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
FILENAMES = ("0-conv_forward.py", "1-pool_forward.py", "2-conv_backward.py",
             "3-pool_backward.py")

try:
    from hypothesis import settings
except ImportError:     # only test_properties.py needs it
    pass
else:
    settings.register_profile("same draws", derandomize=True, deadline=None,
                              database=None, max_examples=60)
    settings.register_profile("new draws", deadline=None, database=None,
                              max_examples=600, print_blob=True)
    settings.load_profile("same draws")


def loaded(block=None):
    """Load the four NumPy functions, with blocks of at most that size.

    _BLOCK is the one constant of the modules that says how large a block
    is. No result may depend on it.
    """
    functions = {}
    for filename in FILENAMES:
        module, name = load_module(ROOT / filename), filename[2:-3]
        module._BLOCK = block or module._BLOCK
        functions[name] = getattr(module, name)
    return SimpleNamespace(**functions)


@pytest.fixture(params=[None, 2000, 24], ids=["", "neighbours", "rows"])
def functions(request):
    """The four functions, three times: no result may depend on the blocks.

    By default the calls of the tests are small, so that each is one block,
    and no outputs are joined; in blocks of 2000 numbers neighbours are, and
    blocks of 24 hold one row.
    """
    return loaded(request.param)


@pytest.fixture
def conv_forward():
    return loaded().conv_forward


@pytest.fixture
def pool_forward():
    return loaded().pool_forward


@pytest.fixture
def conv_backward():
    return loaded().conv_backward


@pytest.fixture
def pool_backward():
    return loaded().pool_backward


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def tf():
    return pytest.importorskip(
        "tensorflow", reason="TensorFlow, the yardstick, is not installed")
