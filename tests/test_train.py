"""examples/train.py: the twin of Keras' LeNet-5, and the command itself."""
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import train
from loader import ROOT, load
from images import load_data
from compare import check

SCRIPT = ROOT / "examples" / "train.py"


@pytest.fixture(scope="module")
def some_digits():
    x, y, *_ = load_data("digits", limit=32)
    return x, np.eye(10, dtype=np.float32)[y]


def test_the_twin_predicts_as_keras(tf, some_digits):
    model = load("5-lenet5.py")(tf.keras.Input(shape=(28, 28, 1)))
    ours = train.forward(some_digits[0], model.get_weights())[-1]
    check("LeNet-5 in NumPy", "predictions", rtol=1e-5, ours=ours,
          expected=model.predict(some_digits[0], verbose=0))


def test_the_twin_has_the_gradients_of_GradientTape(tf, some_digits):
    X, T = some_digits
    model = load("5-lenet5.py")(tf.keras.Input(shape=(28, 28, 1)))
    # Biases as after some training: blank borders become positive ties.
    weights = [w if w.ndim > 1 else w + np.float32(0.1)
               for w in model.get_weights()]
    model.set_weights(weights)
    images = tf.Variable(X)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.keras.losses.categorical_crossentropy(
            T, model(images)))
    expected = tape.gradient(loss, [*model.trainable_weights, images])
    layers = train.forward(X, weights)
    gradients, dX = train.backward(X, T, layers, weights)
    assert np.isclose(train.cross_entropy(layers[-1], T), loss, rtol=1e-5)
    for i, (ours, theirs) in enumerate(zip([*gradients, dX], expected)):
        check("LeNet-5 in NumPy", f"gradient {i}", ours, theirs, rtol=1e-4,
              hint="pool_backward needs ties='first' here")


def test_adam_steps_as_keras(tf, rng):
    weights = [rng.standard_normal(5, dtype=np.float32)]
    variable = tf.Variable(weights[0])
    ours, theirs = train.Adam(weights), tf.keras.optimizers.Adam()
    for _ in range(5):
        gradient = rng.standard_normal(5, dtype=np.float32)
        ours.step(weights, [gradient])
        theirs.apply_gradients([(tf.constant(gradient), variable)])
    check("Adam", "five steps", weights[0], variable, rtol=1e-6)


def test_he_normal_has_its_deviation_and_its_cut(rng):
    draws = train.he_normal((100, 1000), rng)
    deviation = np.sqrt(2 / 100)
    assert np.isclose(draws.std(), deviation, rtol=0.01)
    assert np.isclose(np.abs(draws).max(), 2 * deviation / 0.8796, rtol=1e-3)


def run(*arguments, cwd, **options):
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, arguments)],
                          cwd=cwd, text=True, capture_output=True,
                          timeout=110, **options)


def test_both_engines_train_alike(tf, tmp_path):
    done = run("--epochs", 2, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^ +(\d) +(\S+) +(\S+) +\S+ +(\S+) +(\S+) +\S+$",
                      done.stdout, re.M)
    assert [int(row[0]) for row in rows] == [1, 2]
    _, loss, accuracy, keras_loss, keras_accuracy = map(float, rows[0])
    assert abs(loss - keras_loss) <= 1e-3
    assert accuracy > 0.8 and abs(accuracy - keras_accuracy) <= 0.01
    apart = re.search(r"curves: (\S+) in the first epoch", done.stdout)[1]
    assert float(apart) < 1e-3
    assert "NumPy epoch 2/2" in done.stderr and "Epoch 2/2" in done.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "curves.png", "lenet5.keras", "lenet5_numpy.npz", "predictions.png"]
    with np.load(tmp_path / "out" / "lenet5_numpy.npz") as ours:
        model = tf.keras.models.load_model(tmp_path / "out" / "lenet5.keras")
        assert [ours[f"{kind}{i}"].shape for i in range(1, 6) for kind in "Wb"
                ] == [w.shape for w in model.get_weights()]


def test_numpy_alone_never_imports_tensorflow(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise SystemExit('imported')")
    done = run("--engine", "numpy", "--epochs", 1, "--limit", 64,
               cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert "Keras" not in done.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "curves.png", "lenet5_numpy.npz", "predictions.png"]


def test_the_courses_keys_are_read(tmp_path, rng):
    images = rng.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    labels = np.arange(40) % 10
    np.savez(tmp_path / "course.npz", X_train=images, Y_train=labels,
             X_valid=images[:9], Y_valid=labels[:9])
    x, y, x_test, y_test = load_data(str(tmp_path / "course.npz"), limit=30)
    assert x.shape == (30, 28, 28, 1) and x.dtype == np.float32
    assert np.allclose(x[..., 0] * 255, images[:30])
    assert (y == labels[:30]).all() and len(x_test) == len(y_test) == 9


def test_digits_are_enlarged_framed_and_stratified():
    from sklearn.datasets import load_digits
    x, y, x_test, y_test = load_data("digits")
    assert (len(x), len(x_test)) == (1437, 360)
    assert not x[:, [0, 1, -2, -1]].any() and not x[:, :, [0, 1, -2, -1]].any()
    small = np.concatenate((x, x_test))[:, 3:26:3, 3:26:3, 0]
    assert (np.sort(small.reshape(-1, 64) @ np.arange(64)) ==
            np.sort(load_digits().data @ np.arange(64) / 16)).all()
    assert (x[:, 2::3, 2:26][:, :8] == x[:, 4::3, 2:26][:, :8]).all()
    assert np.ptp(np.bincount(y_test)) <= 2


IMAGES = np.zeros((3, 28, 28), np.uint8)
GOOD = dict(x_train=IMAGES, y_train=np.arange(3), x_test=IMAGES,
            y_test=np.arange(3))


@pytest.mark.parametrize("change, message", [
    (dict(x_train=IMAGES[:, :8]), r"training images: .*got uint8 \(3, 8, 28"),
    (dict(y_train=np.arange(2)), "training labels: .*each of 3 .*shape .2,"),
    (dict(y_test=np.arange(8, 11)), "test labels: .*0 to 9, .*from 8 to 10"),
    (dict(y_test=np.eye(3)), "test labels: expected one for each of 3"),
    (dict(y_test=np.ones(3)), "test labels: expected integers"),
    (dict(x_test=np.full((3, 28, 28), np.nan)), "test images: .* finite"),
    (dict(x_test=IMAGES[:0], y_test=np.arange(0)), "test labels: .*one"),
    (dict(x_train=np.array([None])), "cannot be read as an .npz of plain"),
    (dict(x_train=None), "cannot be read as an .npz of plain"),
])
def test_wrong_arrays_end_in_one_line(change, message, tmp_path, capsys):
    np.savez(tmp_path / "file.npz", **{**GOOD, **change})
    assert_refused(["--data", tmp_path / "file.npz"], message, capsys)


@pytest.mark.parametrize("arguments, message", [
    (["--data", "none.npz"], "--data none.npz: no such file; expected digits"),
    (["--data", __file__], "cannot be read as an .npz"),
    (["--epochs", 0], "--epochs: expected an integer of at least 1, got 0"),
    (["--batch-size", -1], "--batch-size: expected an integer of at least 1"),
    (["--limit", "some"], "--limit: expected an integer .* got some"),
    (["--engine", "torch"], "--engine: invalid choice: 'torch'"),
    (["--out", __file__], "--out .*: expected a folder"),
    (["--speed", 9], "unrecognized arguments: --speed"),
])
def test_wrong_arguments_end_in_one_line(arguments, message, capsys):
    assert_refused(arguments, message, capsys)


def test_other_keys_end_in_one_line(tmp_path, capsys):
    np.savez(tmp_path / "file.npz", images=IMAGES)
    assert_refused(["--data", tmp_path / "file.npz"],
                   "expected the keys x_train.* or X_train.*; found images",
                   capsys)


def test_mnist_out_of_reach_ends_in_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert_refused(["--data", "mnist", "--engine", "numpy"],
                   "--data mnist: .*mnist.npz is not there yet.*digits",
                   capsys)


def test_a_download_that_fails_ends_in_one_line(tf, capsys, monkeypatch):
    def unreachable():
        raise OSError("no route\nto the host")

    monkeypatch.setattr(tf.keras.datasets.mnist, "load_data", unreachable)
    assert_refused(["--data", "mnist", "--engine", "keras"],
                   "--data mnist: cannot be downloaded .no route.; pass --data"
                   " digits", capsys)


def assert_refused(arguments, message, capsys):
    assert train.main([str(argument) for argument in arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    assert re.search(message, printed.err), printed.err


def test_ctrl_c_says_what_was_trained(tmp_path):
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), "--engine", "numpy", "--epochs", "9999",
         "--limit", "64"], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    while "epoch 3/" not in process.stderr.readline(200):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.search(r"Trained so far: \d+ epochs of NumPy", out)
    assert "Traceback" not in err
