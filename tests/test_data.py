"""examples/training/data.py: what may be trained on, and how it is scaled."""
import numpy as np
import pytest

from common import UserError
from training.data import load_data

IMAGES = np.zeros((3, 28, 28), np.uint8)
GOOD = dict(x_train=IMAGES, y_train=np.arange(3), x_test=IMAGES,
            y_test=np.arange(3))


@pytest.fixture
def saved(tmp_path):
    """Return a function that writes an .npz and returns its path."""
    def save(**arrays):
        np.savez(tmp_path / "file.npz", **arrays)
        return tmp_path / "file.npz"
    return save


def test_the_courses_keys_are_read(saved, rng):
    images = rng.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    labels = np.arange(40) % 10
    x, y, x_test, y_test = load_data(saved(
        X_train=images, Y_train=labels, X_valid=images[:9],
        Y_valid=labels[:9]), limit=30)
    assert x.shape == (30, 28, 28, 1) and x.dtype == np.float32
    assert np.allclose(x[..., 0] * 255, images[:30])
    assert (y == labels[:30]).all() and len(x_test) == len(y_test) == 9


def test_digits_are_enlarged_padded_and_stratified():
    from sklearn.datasets import load_digits
    x, y, x_test, y_test = load_data("digits")
    assert (len(x), len(x_test)) == (1437, 360)
    assert not x[:, [0, 1, -2, -1]].any() and not x[:, :, [0, 1, -2, -1]].any()
    small = np.concatenate((x, x_test))[:, 3:26:3, 3:26:3, 0]
    assert (np.sort(small.reshape(-1, 64) @ np.arange(64)) ==
            np.sort(load_digits().data @ np.arange(64) / 16)).all()
    assert (x[:, 2::3, 2:26][:, :8] == x[:, 4::3, 2:26][:, :8]).all()
    assert np.ptp(np.bincount(y_test)) <= 2


@pytest.mark.parametrize("change, message", [
    (dict(x_train=IMAGES[:, :8]), r"training images: .*got uint8 \(3, 8, 28"),
    (dict(y_train=np.arange(2)), "training labels: .*each of 3 .*shape .2,"),
    (dict(y_test=np.arange(8, 11)), "test labels: .*0 to 9, .*such as '10'"),
    (dict(y_test=np.full(3, 0.5)), "test labels: .* got float64, .*'0.5'"),
    (dict(y_test=np.array(["one", "two", "six"])), "test labels: .*'one'"),
    (dict(y_test=np.eye(3)), "test labels: expected one for each of 3"),
    (dict(x_test=np.full((3, 28, 28), np.nan)), "test images: .* finite"),
    (dict(x_test=IMAGES[:0], y_test=np.arange(0)), "test images: .*at least"),
    (dict(x_train=np.array([None])), "cannot be read as an .npz of plain"),
    (dict(x_train=None), "cannot be read as an .npz of plain"),
    (dict(x_test=np.full((3, 28, 28), 256)), "images: .* got 0 to 256"),
    (dict(x_test=np.full((3, 28, 28), -21)), "images: .* got -21 to 0"),
])
def test_wrong_arrays_are_rejected(change, message, saved):
    with pytest.raises(UserError, match=message):
        load_data(saved(**{**GOOD, **change}))


def test_other_keys_are_rejected(saved):
    with pytest.raises(UserError, match="expected the keys x_train.* or "
                       "X_train.*; found images"):
        load_data(saved(images=IMAGES))


@pytest.mark.parametrize("damage", [
    lambda data: data[:len(data) // 2], lambda data: b"PK" + data[2:100],
    lambda data: data.replace(b"NUMPY", b"NUMBY"), lambda data: b""])
def test_damaged_files_are_rejected(damage, saved):
    path = saved(**GOOD)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match="cannot be read as an .npz"):
        load_data(path)


@pytest.mark.parametrize("train, test, divided, says", [
    (1.02, 1.0, 1, "used as they are"), (1.0, 0.9, 1, "used as they are"),
    (255, 3, 255, "divided by 255"), (0.5, 200, 255, "divided by 255"),
    (-2.5, 1.5, 1, "standardised")])
def test_one_scale_holds_for_training_and_test_images(train, test, divided,
                                                      says, saved):
    path = saved(**{**GOOD, "x_train": IMAGES + train,
                    "x_test": IMAGES + test})
    said = []
    x, _, x_test, _ = load_data(path, say=said.append)
    assert len(said) == 1 and says in said[0]
    assert np.allclose(x, train / divided)
    assert np.allclose(x_test, test / divided)


@pytest.mark.parametrize("labels", [
    np.eye(10)[:3], np.arange(3.0), np.arange(3, dtype="u1"),
    np.arange(3)[:, None]])
def test_labels_of_any_form_are_read(labels, saved):
    path = saved(**{**GOOD, "y_train": labels})
    assert load_data(path)[1].tolist() == [0, 1, 2]


def test_mnist_out_of_reach_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(UserError, match="--data mnist: .*mnist.npz is not "
                       "there yet.*digits"):
        load_data("mnist", engine="numpy")


def test_a_download_that_fails_is_told(tf, monkeypatch):
    def unreachable():
        raise OSError("no route\nto the host")

    monkeypatch.setattr(tf.keras.datasets.mnist, "load_data", unreachable)
    with pytest.raises(UserError, match="--data mnist: cannot be downloaded "
                       ".no route.; pass --data digits"):
        load_data("mnist", engine="keras")
