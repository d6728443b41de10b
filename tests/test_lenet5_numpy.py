"""examples/lenet5_numpy.py: the twin of Keras' LeNet-5, and its reading."""
import re

import drawn
import numpy as np
import pytest
from PIL import Image

import lenet5_numpy
from common import load
from compare import check
from training.data import load_data
from training.preprocess import read_digit


def test_the_gradient_of_the_images_is_GradientTapes(tf):
    """The weights' gradients are compared in test_lockstep.py."""
    X, y, *_ = load_data("digits", limit=32)
    T = np.eye(10, dtype=np.float32)[y]
    model = load("5-lenet5.py")(tf.keras.Input(shape=(28, 28, 1)))
    images = tf.Variable(X)
    with tf.GradientTape() as tape:
        layers = [images]
        for layer in model.layers[1:]:
            layers.append(layer(layers[-1]))
        loss = tf.reduce_mean(tf.keras.losses.categorical_crossentropy(
            T, layers[-1]))
    layers = [layer.numpy() for layer in layers[1:]]
    _, dX = lenet5_numpy.backward(X, T, layers, model.get_weights())
    # Rounding of float32; see test_lockstep.py.
    check("LeNet-5 in NumPy", "gradient of the images", dX,
          tape.gradient(loss, images), rtol=1e-5)


def test_adam_steps_as_keras(tf, rng):
    """From zero, so that the weights are the steps.

    The first step is exact but for a few roundings of float32 (6e-8). Later
    ones divide by 1 - beta2**t, 0.002 at first, which has lost three digits.
    """
    weights = [np.zeros(50, np.float32)]
    variable = tf.Variable(weights[0])
    ours, theirs = lenet5_numpy.Adam(weights), tf.keras.optimizers.Adam()
    for tolerance in (1e-6, 1e-4, 1e-4, 1e-4, 1e-4):
        gradient = rng.standard_normal(50, dtype=np.float32)
        ours.step(weights, [gradient])
        theirs.apply_gradients([(tf.constant(gradient), variable)])
        check("Adam", f"step {ours.steps}", weights[0], variable.numpy(),
              rtol=tolerance)


def test_he_normal_has_its_deviation_and_its_cut(rng):
    draws = lenet5_numpy.he_normal((100, 1000), rng)
    deviation = np.sqrt(2 / 100)
    # The deviation of 100,000 draws has a standard error of 0.2 %.
    assert np.isclose(draws.std(), deviation, rtol=0.01)
    assert np.isclose(np.abs(draws).max(), 2 * deviation / 0.8796, rtol=1e-3)


# Digits of one's own

@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return weights trained for eight epochs, in a file."""
    x, y, *_ = load_data("digits", seed=1)
    T, rng = np.eye(10, dtype=np.float32)[y], np.random.default_rng(1)
    weights = lenet5_numpy.initial_weights(rng)
    adam = lenet5_numpy.Adam(weights)
    for _ in range(8):
        order = rng.permutation(len(x))
        lenet5_numpy.train_epoch(x[order], T[order], weights, adam, 32)
    path = tmp_path_factory.mktemp("trained") / "lenet5_numpy.npz"
    np.savez(path, **dict(zip(lenet5_numpy.NAMES, weights)))
    return path


@pytest.fixture
def read(trained, tmp_path, capsys):
    """Return a function that reads pictures: a digit or None, and a line."""
    def answers(pictures):
        found = []
        for picture in pictures:
            picture.save(tmp_path / "digit.png")
            status = lenet5_numpy.main([str(trained),
                                        str(tmp_path / "digit.png")])
            out, err = capsys.readouterr()
            assert (out + err).count("\n") == 1 and status in (0, 2)
            digit = re.search(r"png: (?:not sure: )?(\d) \(", out)
            assert bool(digit) == (status == 0)
            found.append((digit and int(digit[1]), out + err))
        return found
    return answers


@pytest.mark.slow
@pytest.mark.parametrize("centred", [True, False])
def test_drawn_digits_are_read(centred, read):
    """The table of 500 is printed by drawn.py.

    Other machines train other weights: where nine of ten are read right, 6 of
    60 are wrong, give or take 2.3; twelve are allowed.
    """
    digits, pictures = zip(*drawn.plain(60, 3, centred))
    answers = read(pictures)
    right = np.array([digit == answer for digit, (answer, _)
                      in zip(digits, answers)])
    sure = np.array(["not sure" not in line for _, line in answers])
    assert right.mean() >= 0.8 and sure.mean() >= 0.6
    assert (sure & ~right).sum() <= 3


@pytest.mark.slow
def test_awkward_pictures_get_no_confident_wrong_answer(read):
    names, digits, pictures = zip(*drawn.awkward(len(drawn.AWKWARD), 0))
    wrong = [(name, line) for name, digit, (answer, line)
             in zip(names, digits, read(pictures))
             if answer is not None and "not sure" not in line
             and answer != digit]
    assert len(wrong) <= 1, wrong     # an 8 like a 9 is the network's mistake


@pytest.mark.parametrize("turn", [
    lambda x: x, lambda x: 255 - x, lambda x: x // 4 + 100])
@pytest.mark.parametrize("y, x", [(0, 0), (3, 5), (-4, 2)])
def test_place_polarity_and_contrast_do_not_matter(turn, y, x, tmp_path, rng):
    picture = np.asarray(drawn.draw(3, rng, (60, 60), 0.5))
    Image.fromarray(picture).save(tmp_path / "a.png")
    Image.fromarray(turn(np.roll(picture, (y, x), (0, 1)))).save(
        tmp_path / "b.png")
    (a, _), (b, _) = (read_digit(tmp_path / f"{name}.png") for name in "ab")
    assert a.shape == (3, 28, 28, 1) and a.dtype == np.float32
    assert a.min() == 0 and a.max() == 1
    # Resampled elsewhere, a pixel of the 32x32 at the rim may differ.
    assert np.abs(a - b).mean() < 0.05


def test_training_digits_stay_as_they_are(tmp_path):
    """Saved as pictures of 28x28 pixels and read, they are much the same."""
    x, *_ = load_data("digits", limit=40)
    errors = []
    for image in x[..., 0]:
        Image.fromarray(np.uint8(255 * image)).save(tmp_path / "a.png")
        versions, _ = read_digit(tmp_path / "a.png")
        errors.append(np.abs(versions[2, ..., 0] - image).mean())
    # A digit moved by one of the 8x8 blocks has 0.3 and more.
    assert np.mean(errors) < 0.12


def test_what_is_no_picture_or_no_weights_is_said(trained, tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(b"no")
    assert lenet5_numpy.main([str(tmp_path / "a.png"), "x"]) == 2
    assert "cannot be read as trained weights" in capsys.readouterr().err
    assert lenet5_numpy.main([str(trained), str(tmp_path / "a.png")]) == 2
    err = capsys.readouterr().err
    assert "a.png: cannot be read as a picture" in err
    assert err.count("\n") == 1
