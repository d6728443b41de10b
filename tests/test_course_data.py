"""examples/course_data.py writes what the course's main files read."""
import sys

import numpy as np
import pytest

import course_data
from training.data import load_data


@pytest.fixture(autouse=True)
def no_mnist_here_and_no_download(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setitem(sys.modules, "tensorflow", None)


def test_digits_take_the_place_of_mnist_and_replace_no_file(tmp_path, capsys):
    assert course_data.main([str(tmp_path / "data")]) == 0
    said = capsys.readouterr().out
    assert "scikit-learn's digits, enlarged: 1,437 images to train" in said
    with np.load(tmp_path / "data" / "MNIST.npz") as file:
        assert list(file) == ["X_train", "Y_train", "X_valid", "Y_valid"]
        for key, array in zip(file, load_data("digits")):
            assert np.array_equal(file[key], array.squeeze())
            assert file[key].dtype == array.dtype
    assert course_data.main([str(tmp_path / "data")]) == 2
    assert "MNIST.npz is there already" in capsys.readouterr().err


def test_keras_own_copy_is_taken_where_there_is_one(tmp_path, capsys):
    x, y = np.zeros((50100, 28, 28), np.uint8), np.arange(50100) % 10
    x[50000:, 3, 4] = 255
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    np.savez(tmp_path / "keras" / "datasets" / "mnist.npz", x_train=x,
             y_train=y, x_test=x[:1], y_test=y[:1])
    assert course_data.main([str(tmp_path)]) == 0
    assert "Keras' MNIST: 50,000 images" in capsys.readouterr().out
    with np.load(tmp_path / "MNIST.npz") as file:
        assert file["X_train"].shape == (50000, 28, 28)
        assert (file["X_valid"] == x[50000:] // 255).all()
        assert (file["Y_valid"] == y[50000:]).all()


def test_nothing_is_left_half_written(tmp_path, monkeypatch):
    monkeypatch.setattr(np, "savez_compressed", lambda path, **arrays: (
        path.write_bytes(b"half"), open(tmp_path / "no" / "room")))
    assert course_data.main([str(tmp_path)]) == 2
    assert list(tmp_path.iterdir()) == []
