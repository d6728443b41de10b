"""What is trained on: how it is read, scaled, varied and written."""
import sys

import numpy as np
import pytest

import course_data
from common import UserError
from training.data import load_data
from training.variety import varied

IMAGES = np.zeros((3, 28, 28), np.uint8)
GOOD = {"x_train": IMAGES, "y_train": np.arange(3), "x_test": IMAGES,
        "y_test": np.arange(3)}


@pytest.mark.parametrize("train, test, labels, divided, says", [
    (1.02, 1.0, np.eye(10)[:3], 1, "used as they are"),
    (1.0, 0.9, np.arange(3.0), 1, "used as they are"),
    (255, 3, np.arange(3, dtype="u1"), 255, "divided by 255"),
    (0.5, 200, np.arange(3)[:, None], 255, "divided by 255"),
    (-2.5, 1.5, np.arange(3), 1, "standardised")],
    ids=["one-hot", "of floats", "of bytes", "a column", "of integers"])
def test_one_scale_holds_for_all_images_and_labels_have_any_form(
        train, test, labels, divided, says, tmp_path, rng):
    said, pixels = [], rng.random(IMAGES.shape)
    pixels[2, 0, :2] = 0, 1
    np.savez(tmp_path / "file.npz", X_train=pixels * train, Y_train=labels,
             X_valid=pixels * test, Y_valid=labels)
    x, y, x_test, y_test = load_data(tmp_path / "file.npz", limit=2,
                                     say=said.append)
    assert len(said) == 1 and says in said[0]
    assert x.shape == (2, 28, 28, 1) and x.dtype == x_test.dtype == np.float32
    assert np.allclose(x[..., 0], pixels[:2] * train / divided)
    assert np.allclose(x_test[..., 0], pixels * test / divided)
    assert (y.tolist(), y_test.tolist()) == ([0, 1], [0, 1, 2])
    assert y.dtype.kind == y_test.dtype.kind == "i"


def test_digits_are_enlarged_padded_and_stratified():
    from sklearn.datasets import load_digits
    x, y, x_test, y_test = load_data("digits")
    images = np.concatenate((x, x_test))[..., 0]
    small = images[:, 3:26:3, 3:26:3]
    assert (images == np.pad(np.kron(small, np.ones((1, 3, 3))),
                             ((0, 0), (2, 2), (2, 2)))).all()
    assert (np.sort(small.reshape(-1, 64) @ np.arange(64)) ==
            np.sort(load_digits().data @ np.arange(64) / 16)).all()
    assert len(x_test) == 360 and np.ptp(np.bincount(y_test)) <= 2


@pytest.mark.parametrize("change, message", [
    ({"x_train": IMAGES[:, :8]}, r"training images: .*got uint8 \(3, 8, 28"),
    ({"y_train": np.arange(2)}, "training labels: .*each of 3 .*shape .2,"),
    ({"y_test": np.arange(8, 11)}, "test labels: .*0 to 9, .*such as '10'"),
    ({"y_test": np.full(3, 0.5)}, "test labels: .* got float64, .*'0.5'"),
    ({"y_test": np.array(["one", "two", "six"])}, "test labels: .*'one'"),
    ({"y_test": np.eye(3)}, "test labels: expected one for each of 3"),
    ({"x_test": np.full((3, 28, 28), np.nan)}, "test images: .* finite"),
    ({"x_test": IMAGES[:0], "y_test": np.arange(0)}, "test images: .*at leas"),
    ({"x_train": np.array([None])}, "cannot be read as an .npz of plain"),
    ({"x_test": np.full((3, 28, 28), 256)}, "images: .* got 0 to 256"),
    ({"x_test": np.full((3, 28, 28), -21)}, "images: .* got -21 to 0"),
    (lambda data: data[:len(data) // 2], "cannot be read as an .npz"),
    (lambda data: data.replace(b"NUMPY", b"NUMBY"), "cannot be read as an "),
    (lambda data: data.replace(b"x_test", b"x_tent"), "keys x_train.*x_tent")])
def test_wrong_arrays_and_damaged_files_are_rejected(change, message,
                                                     tmp_path):
    path, damage = tmp_path / "file.npz", callable(change)
    np.savez(path, **{**GOOD, **({} if damage else change)})
    path.write_bytes((change if damage else bytes)(path.read_bytes()))
    with pytest.raises(UserError, match=message):
        load_data(path)


def test_mnist_out_of_reach_is_told(tf, tmp_path, monkeypatch):
    def unreachable():
        raise OSError("no route\nto the host")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(tf.keras.datasets.mnist, "load_data", unreachable)
    for engine, message in (("numpy", "mnist.npz is not there yet"), (
            "keras", "cannot be downloaded .no route.; pass --data digits")):
        with pytest.raises(UserError, match=f"--data mnist: .*{message}"):
            load_data("mnist", engine)


def measures(images):
    """Return the logarithm of the ink, the row of its middle, its slant."""
    y, x = np.indices((28, 28)) - 13.5
    ink, *sums = np.tensordot((y**0, y, x, y * y, x * y), images[..., 0],
                              ((1, 2), (1, 2)))
    row, column, yy, xy = sums / ink
    return np.log(ink), row, (xy - row * column) / (yy - row**2)


def test_varied_images_are_thinner_thicker_moved_and_slanted():
    x, *_ = load_data("digits", limit=1100)
    changes = np.subtract(measures(varied(x, np.random.default_rng(0))),
                          measures(x))
    # Measured; without one of the changes, one of the numbers is another.
    deviations = np.array([0.23, 1.33, 0.213])
    assert (abs(changes.mean(axis=1)) < 0.1 * deviations).all()
    assert np.allclose(changes.std(axis=1), deviations, rtol=0.05)


def test_varied_images_keep_their_range_and_come_from_the_seed():
    x, *_ = load_data("digits", limit=1100)
    x, one_grey = 3 * x - 1, np.full((2, 28, 28, 1), 0.5)   # standardised
    x.flags.writeable = False
    one, two, again = (varied(x, np.random.default_rng(seed))
                       for seed in (1, 2, 1))
    assert (one == again).all()
    assert (one.dtype, one.min(), one.max()) == (x.dtype, -1, 2)
    assert 0.05 < (one == x).all(axis=(1, 2, 3)).mean() < 0.15
    assert 0.00 < (one == two).all(axis=(1, 2, 3)).mean() < 0.05
    assert (varied(one_grey, np.random.default_rng(0)) == 0.5).all()


# examples/course_data.py

@pytest.fixture
def no_download(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setitem(sys.modules, "tensorflow", None)


def test_digits_take_the_place_of_mnist_and_replace_no_file(
        no_download, tmp_path, capsys):
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


def test_keras_own_copy_is_taken_where_there_is_one(
        no_download, tmp_path, capsys):
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


def test_nothing_is_left_half_written(no_download, tmp_path, monkeypatch):
    monkeypatch.setattr(np, "savez_compressed", lambda path, **arrays: (
        path.write_bytes(b"half"), open(tmp_path / "no" / "room")))
    assert course_data.main([str(tmp_path)]) == 2
    assert list(tmp_path.iterdir()) == []
