"""examples/lenet5_numpy.py: the twin of Keras' LeNet-5, and its reading.

Layers, loss, gradients and steps are compared in test_lockstep.py.
"""
import re

import numpy as np
import pytest
from PIL import Image

import lenet5_numpy as lenet
import train
from training.data import load_data
from training.preprocess import read_digit

GOOD = dict(zip(lenet.NAMES, lenet.initial_weights(np.random.default_rng(0))))
*_, IMAGES, LABELS = load_data("digits", seed=1)     # held out in training
NOISE = np.random.default_rng(0).normal(0, 15, (120, 120))
Y, X = np.indices((120, 120))
EDGE = np.minimum(np.minimum(Y, X), 119 - np.maximum(Y, X))
SHOWN = {
    "moved": lambda a: np.roll(a, (-9, 11), (0, 1)),
    "light on dark": lambda a: 255 - a,
    "pale": lambda a: a // 4 + 100,
    "in a frame": lambda a: np.where(EDGE < 4, 0, a),
    "in a frame inside": lambda a: np.where(abs(EDGE - 10) < 2, 0, a),
    "with a dot": lambda a: np.where(np.hypot(Y - 26, X - 12) < 6, 0, a),
    "in light from above": lambda a: a * (1 - Y / 220),
    "in light from the left": lambda a: a * (1 - X / 220),
    "in noise": lambda a: 50 + 0.6 * a + NOISE,
    "transparent": lambda a: np.dstack([0 * a] * 3 + [255 - a]),
    "white on transparent": lambda a: np.dstack([0 * a + 255] * 3 + [255 - a]),
    "magenta on white": lambda a: np.dstack([0 * a + 255, a, 0 * a + 255]),
    "of 16 bits": lambda a: np.uint16(300 + 3 * a)}
slow = pytest.mark.slow


def test_he_normal_has_its_deviation_and_its_cut(rng):
    draws, deviation = lenet.he_normal((100, 1000), rng), np.sqrt(2 / 100)
    # The deviation of 100,000 draws has a standard error of 0.2 %.
    assert np.isclose(draws.std(), deviation, rtol=0.01)
    assert np.isclose(np.abs(draws).max(), 2 * deviation / 0.8796, rtol=1e-3)


def test_softmax_of_large_numbers_does_not_overflow():
    P = lenet.softmax(np.array([[1000, 1000, 0], [-1000, 0, -1000.0]]))
    assert P.tolist() == [[0.5, 0.5, 0], [0, 1, 0]]


@pytest.mark.parametrize("digits, share, doubts, told", [
    ([7] * 9, 0.9, [], r"7 \(91.0%; .*\)"),
    ([7] * 9, 0.7, [], r"not sure: 7 \(73.0%; .*\)"),
    ([7] * 8 + [1], 1, [], r"not sure: 7 \(88.9%; 1: 11.1%.*; read otherw.*"),
    ([7] * 9, 1, ["a", "b"], r"not sure: 7 \(100.0%; .*\); a; b")], ids=str)
def test_sure_is_what_all_versions_say_without_a_doubt(
        digits, share, doubts, told, monkeypatch):
    each = share * np.eye(10)[digits] + (1 - share) / 10
    monkeypatch.setattr(lenet, "predict", lambda *_: each)
    assert re.fullmatch(told, lenet.describe(None, doubts, None))


# Pictures

def draw(image, rng, size=(120, 120), height=0.6, centre=(0.5, 0.5)):
    """Return an image as a picture, black on white, with smooth strokes."""
    tall = round(height * min(size))
    small = Image.fromarray(image[3:26:3, 3:26:3, 0])
    smooth = np.pad(small.resize((tall, tall), Image.Resampling.BICUBIC), 2)
    strokes = smooth > rng.uniform(0.3, 0.6) * smooth.max()
    picture = Image.new("L", size, 255)
    picture.paste(0, tuple(round(c * side - tall / 2) - 2 for c, side in
                           zip(centre, size)), Image.fromarray(strokes))
    return np.asarray(picture, float)


def read_pixels(pixels, folder):
    """Save a picture; return its nine versions, and the doubts about it."""
    if pixels.dtype != np.uint16:
        pixels = np.uint8(pixels.clip(0, 255))
    Image.fromarray(pixels).save(folder / "a.png")
    return read_digit(folder / "a.png")


@pytest.mark.parametrize("count", [20, pytest.param(300, marks=slow)])
def test_held_out_digits_are_read_from_pictures(count, tmp_path, rng):
    """Of all sizes, places and polarities; after a training of 10 epochs."""
    assert train.main(["--engine", "numpy", "--epochs", "10", "--out",
                       str(tmp_path)]) == 0
    weights = lenet.load_weights(tmp_path / "lenet5_numpy.npz")
    told, sizes = [], [(28, 28), (60, 60), (120, 90), (300, 400), (64, 200)]
    for image in IMAGES[:count]:
        picture = draw(image, rng, sizes[rng.integers(5)],
                       rng.uniform(0.5, 0.8), rng.uniform(0.4, 0.6, 2))
        told.append(lenet.describe(*read_pixels(
            abs(rng.integers(2) * 255 - picture), tmp_path), weights))
    right = np.array([int(re.search(r"\d", text)[0]) for text in told]) == (
        LABELS[:count])
    sure = np.array([text[0] != "n" for text in told])
    # Measured with 100: 93 %, 74 % sure, none of these wrong.
    assert right.mean() >= 0.8 and sure.mean() >= 0.6
    assert (sure & ~right).sum() <= max(1, count // 25)


@pytest.mark.parametrize("way", SHOWN)
@pytest.mark.parametrize("count", [1, pytest.param(11, marks=slow)])
def test_a_digit_is_found_however_it_is_shown(way, count, tmp_path, rng):
    for image in IMAGES[:count]:
        pixels = draw(image, rng)
        plain, doubts = read_pixels(pixels, tmp_path)
        assert not doubts and plain.shape == (9, 28, 28, 1)
        assert plain.dtype == np.float32
        assert plain.min() == 0 and plain.max() == 1
        shown, doubts = read_pixels(SHOWN[way](pixels), tmp_path)
        assert not doubts and np.abs(shown - plain).mean() < 0.02


@pytest.mark.parametrize("count", [40, pytest.param(300, marks=slow)])
def test_small_pictures_end_in_doubts_or_one_error(count, tmp_path, rng):
    """With one to three dark pixels; a warning is an error here."""
    for _ in range(count):
        pixels = np.full(rng.choice([1, 2, 3, 9, 28, 200], 2), 255)
        pixels.flat[rng.integers(0, pixels.size, 3)] = rng.integers(0, 200, 3)
        try:
            assert read_pixels(pixels, tmp_path)[1]
        except ValueError as error:
            assert "expected a digit" in str(error)


@pytest.mark.parametrize("place, ink, doubts", [
    (((4, 5), (2, 1)), 0, ["very small"]),      # two pixels, at a corner
    (np.s_[8:16, 9:17], 0, ["a blot, not strokes"]),
    ((np.arange(20) // 2 + 9, np.arange(4, 24)), 0, ["wider than high"]),
    (np.s_[4:24, [8, 18]], 0, ["2 separate pieces of ink"]),
    (np.s_[4:24, 4::5], [[0] * 5, [255, 255, 0, 255, 255]] * 10,
     ["much other ink"]),
    (np.s_[:], np.where(X // 2 == 6, 0, 190 + 2.5 * NOISE)[:28, :28], [
        "the ink touches the edge of the picture",
        "ink and ground differ little"]),
    (np.s_[4:24, 13], 0, [])])
def test_each_doubt_has_its_reason(place, ink, doubts, tmp_path):
    pixels = np.full((28, 28), 255)
    pixels[place] = ink
    assert read_pixels(pixels, tmp_path)[1] == doubts


@pytest.mark.parametrize("pen, wide", [(1, 3), (2, 3.2), (6, 5)])
def test_thin_strokes_become_wider_and_wide_ones_stay(pen, wide, tmp_path):
    pixels = np.full((40, 40), 255)
    pixels[8:33, 20:20 + pen] = 0
    versions, _ = read_pixels(pixels, tmp_path)
    assert abs(versions[:, 14].sum(axis=(1, 2)) - wide).max() < 0.5


def test_more_and_more_of_the_slant_is_taken_out(tmp_path):
    pixels = np.full((40, 40), 255)
    pixels[np.arange(30) + 5, np.arange(30) // 2 + 12] = 0
    versions, _ = read_pixels(pixels, tmp_path)
    columns = (versions.max(axis=1) > 0.5).sum(axis=(1, 2)).reshape(3, 3)
    assert (np.diff(columns) < 0).all()


@pytest.mark.parametrize("change, told", [
    ({"b2": np.zeros(1)}, r"b2 .*shape \(16,\), got float64 \(1,\)"),
    ({"W1": np.zeros((5, 5, 1, 7))}, r"W1 .*shape \(5, 5, 1, 6\), got"),
    ({"b5": np.full(10, np.nan)}, "b5 to be finite"),
    ({"b5": np.array(["0"] * 10)}, "b5 .*got <U1"),
    ({"b5": None}, "expected the arrays W1, b1, .*, got W1, b1, .*, W5"),
    ({}, "")], ids=str)     # a damaged file
def test_what_are_no_weights_is_said(change, told, tmp_path, capsys):
    path = tmp_path / "w.npz"
    np.savez(path, **{name: array for name, array in {**GOOD, **change}.items()
                      if array is not None})
    if not change:
        path.write_bytes(b"no")
    assert lenet.main([str(path), "x.png"]) == 2
    assert re.fullmatch(rf"lenet5_numpy.py: \S+w.npz: cannot be read as "
                        rf"trained weights \(.*{told}.*\)\n",
                        capsys.readouterr().err)


def test_what_is_no_picture_costs_no_other(tmp_path, capsys):
    np.savez(tmp_path / "w.npz", **GOOD)
    (tmp_path / "no.png").write_text("no")
    for name, pixels in ("blank.png", 0 * X), ("x.png", X // 9 == 6):
        Image.fromarray(np.uint8(99 * pixels)).save(tmp_path / name)
    assert lenet.main([str(tmp_path / name) for name in (
        "w.npz", "no.png", "blank.png", "x.png")]) == 2
    out, err = capsys.readouterr()
    assert re.fullmatch(r"(lenet5_numpy.py: \S+.png: cannot be read as a "
                        r"picture of a digit \(.*\)\n){2}", err)
    assert re.fullmatch(r"\S+x.png: .*\d \(.*\n", out)
