"""Fixtures that all tests share."""
import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def tf():
    return pytest.importorskip(
        "tensorflow", reason="TensorFlow, the yardstick, is not installed")
