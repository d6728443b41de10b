"""examples/training: what may be trained on, how it is scaled and varied."""
import numpy as np
import pytest

from common import UserError
from training.data import load_data
from training.variety import varied

IMAGES = np.zeros((3, 28, 28), np.uint8)
GOOD = {"x_train": IMAGES, "y_train": np.arange(3), "x_test": IMAGES,
        "y_test": np.arange(3)}


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
    *((damage, "cannot be read as an .npz") for damage in (
        lambda data: data[:len(data) // 2], lambda data: b"PK" + data[2:100],
        lambda data: data.replace(b"NUMPY", b"NUMBY"), lambda data: b""))])
def test_wrong_arrays_and_damaged_files_are_rejected(change, message, saved):
    path = saved(**{**GOOD, **({} if callable(change) else change)})
    if callable(change):
        path.write_bytes(change(path.read_bytes()))
    with pytest.raises(UserError, match=message):
        load_data(path)


def test_other_keys_are_rejected(saved):
    with pytest.raises(UserError, match="expected the keys x_train.* or "
                       "X_train.*; found images"):
        load_data(saved(images=IMAGES))


@pytest.mark.parametrize("train, test, divided, says", [
    (1.02, 1.0, 1, "used as they are"), (1.0, 0.9, 1, "used as they are"),
    (255, 3, 255, "divided by 255"), (0.5, 200, 255, "divided by 255"),
    (-2.5, 1.5, 1, "standardised")])
def test_one_scale_holds_for_training_and_test_images(train, test, divided,
                                                      says, saved):
    said = []
    x, _, x_test, _ = load_data(saved(**{
        **GOOD, "x_train": IMAGES + train, "x_test": IMAGES + test}),
        say=said.append)
    assert len(said) == 1 and says in said[0]
    assert np.allclose(x, train / divided)
    assert np.allclose(x_test, test / divided)


@pytest.mark.parametrize("labels", [
    np.eye(10)[:3], np.arange(3.0), np.arange(3, dtype="u1"),
    np.arange(3)[:, None]])
def test_labels_of_any_form_are_read(labels, saved):
    path = saved(**{**GOOD, "y_train": labels})
    assert load_data(path)[1].tolist() == [0, 1, 2]


def test_mnist_out_of_reach_is_told(tf, tmp_path, monkeypatch):
    def unreachable():
        raise OSError("no route\nto the host")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(UserError, match="mnist: .*mnist.npz is not there yet"):
        load_data("mnist", engine="numpy")
    monkeypatch.setattr(tf.keras.datasets.mnist, "load_data", unreachable)
    with pytest.raises(UserError, match="--data mnist: cannot be downloaded "
                       ".no route.; pass --data digits"):
        load_data("mnist", engine="keras")


def moments(images):
    """Return the amount of ink, the row of its middle, and its slant."""
    ink = images.sum(axis=(1, 2, 3), dtype=float)
    y, x = np.indices((28, 28))
    y, x = (at - ((images[..., 0] * at).sum(axis=(1, 2)) / ink)[:, None, None]
            for at in (y, x))
    return ink, -y[:, 0, 0], (images[..., 0] * x * y).sum(axis=(1, 2)) / (
        images[..., 0] * y * y).sum(axis=(1, 2))


def test_varied_images_are_thinner_thicker_moved_and_slanted():
    x, *_ = load_data("digits", limit=1100)
    ink, row, slant = zip(moments(varied(x, np.random.default_rng(0))),
                          moments(x))
    # Measured; without one of the changes, one of the numbers is another.
    assert np.allclose(np.quantile(ink[0] / ink[1], (0.05, 0.5, 0.95)),
                       (0.68, 1, 1.46), atol=0.03)
    for new, old, deviation in (*row, 1.33), (*slant, 0.213):
        assert abs((new - old).mean()) < 0.1 * deviation
        assert abs((new - old).std() - deviation) < 0.05 * deviation


def test_varied_images_keep_their_range_and_come_from_the_seed():
    x, *_ = load_data("digits", limit=1100)
    x, one_grey = 3 * x - 1, np.full((2, 28, 28, 1), 0.5)   # standardised
    before, x.flags.writeable = x.copy(), False
    one, two, again = (varied(x, np.random.default_rng(seed))
                       for seed in (1, 2, 1))
    assert (one == again).all() and one.dtype == x.dtype
    assert one.shape == x.shape and (x == before).all()
    assert (one.min(), one.max()) == (-1, 2)
    assert 0.05 < (one == x).all(axis=(1, 2, 3)).mean() < 0.15
    assert 0.00 < (one == two).all(axis=(1, 2, 3)).mean() < 0.05
    assert (varied(one_grey, np.random.default_rng(0)) == 0.5).all()
