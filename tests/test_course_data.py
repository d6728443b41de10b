"""examples/course_data.py writes what the course's main files read."""
import sys

import numpy as np
import pytest

import course_data


@pytest.fixture(autouse=True)
def offline(tmp_path, monkeypatch):
    """Hide Keras' copy of MNIST, and TensorFlow, which would download it."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setitem(sys.modules, "tensorflow", None)


def test_digits_take_the_place_of_mnist(tmp_path, capsys):
    assert course_data.main([str(tmp_path / "data")]) == 0
    said = capsys.readouterr().out
    assert "scikit-learn's digits, enlarged: 1,437 images to train" in said
    with np.load(tmp_path / "data" / "MNIST.npz") as file:
        for part, count in (("train", 1437), ("valid", 360)):
            X, Y = file[f"X_{part}"], file[f"Y_{part}"]
            assert X.shape == (count, 28, 28) and X.dtype == np.float32
            assert X.min() == 0 and X.max() == 1
            assert Y.shape == (count,) and set(Y) == set(range(10))
    assert [path.name for path in tmp_path.rglob("*.*")] == ["MNIST.npz"]


def test_keras_own_copy_is_taken_where_there_is_one(tmp_path, capsys):
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    x, y = np.zeros((60000, 28, 28), np.uint8), np.arange(60000) % 10
    x[50000:, 3, 4] = 255
    np.savez(tmp_path / "keras" / "datasets" / "mnist.npz", x_train=x,
             y_train=y, x_test=x[:1], y_test=y[:1])
    assert course_data.main([str(tmp_path)]) == 0
    assert "Keras' MNIST: 50,000 images" in capsys.readouterr().out
    with np.load(tmp_path / "MNIST.npz") as file:
        assert file["X_train"].shape == (50000, 28, 28)
        assert (file["X_valid"] == x[50000:] // 255).all()
        assert (file["Y_valid"] == y[50000:]).all()


def test_nothing_is_replaced_and_nothing_is_left_half_written(
        tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(np, "savez_compressed", lambda path, **arrays: (
        path.write_bytes(b"half"), open(tmp_path / "no" / "room")))
    assert course_data.main([str(tmp_path)]) == 2
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "MNIST.npz").write_bytes(b"mine")
    assert course_data.main([str(tmp_path)]) == 2
    assert "MNIST.npz is there already" in capsys.readouterr().err
    assert (tmp_path / "MNIST.npz").read_bytes() == b"mine"
