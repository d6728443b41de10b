"""examples/train.py: the twin of Keras' LeNet-5, and the command itself."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from matplotlib.figure import Figure

import lenet5_numpy
import train
from common import ROOT, load
from training.data import load_data
from compare import check

SCRIPT = ROOT / "examples" / "train.py"


@pytest.fixture(autouse=True)
def quick_pictures(monkeypatch):
    """Leave the drawing to the runs in processes of their own."""
    monkeypatch.setattr(train, "curves", lambda *_: Figure())
    monkeypatch.setattr(train, "predictions", lambda *_: Figure())


@pytest.fixture(scope="module")
def some_digits():
    x, y, *_ = load_data("digits", limit=32)
    return x, np.eye(10, dtype=np.float32)[y]


def test_the_twin_predicts_as_keras(tf, some_digits):
    model = load("5-lenet5.py")(tf.keras.Input(shape=(28, 28, 1)))
    ours = lenet5_numpy.forward(some_digits[0], model.get_weights())[-1]
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
    layers = lenet5_numpy.forward(X, weights)
    gradients, dX = lenet5_numpy.backward(X, T, layers, weights)
    ours = lenet5_numpy.cross_entropy(layers[-1], T)
    assert np.isclose(ours, loss, rtol=1e-5)
    for i, (ours, theirs) in enumerate(zip([*gradients, dX], expected)):
        check("LeNet-5 in NumPy", f"gradient {i}", ours, theirs, rtol=1e-4,
              hint="pool_backward needs ties='first' here")


def test_adam_steps_as_keras(tf, rng):
    weights = [rng.standard_normal(5, dtype=np.float32)]
    variable = tf.Variable(weights[0])
    ours, theirs = lenet5_numpy.Adam(weights), tf.keras.optimizers.Adam()
    for _ in range(5):
        gradient = rng.standard_normal(5, dtype=np.float32)
        ours.step(weights, [gradient])
        theirs.apply_gradients([(tf.constant(gradient), variable)])
    check("Adam", "five steps", weights[0], variable, rtol=1e-6)


def test_he_normal_has_its_deviation_and_its_cut(rng):
    draws = lenet5_numpy.he_normal((100, 1000), rng)
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
        "checkpoint.npz", "curves.png", "lenet5.keras", "lenet5_numpy.npz",
        "predictions.png"]
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
        "checkpoint.npz", "curves.png", "lenet5_numpy.npz", "predictions.png"]


def test_the_courses_keys_are_read(tmp_path, rng):
    images = rng.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    labels = np.arange(40) % 10
    np.savez(tmp_path / "course.npz", X_train=images, Y_train=labels,
             X_valid=images[:9], Y_valid=labels[:9])
    x, y, x_test, y_test = load_data(str(tmp_path / "course.npz"), limit=30)
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


IMAGES = np.zeros((3, 28, 28), np.uint8)
GOOD = dict(x_train=IMAGES, y_train=np.arange(3), x_test=IMAGES,
            y_test=np.arange(3))


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
def test_wrong_arrays_end_in_one_line(change, message, tmp_path, capsys):
    np.savez(tmp_path / "file.npz", **{**GOOD, **change})
    assert_invalid(["--engine", "numpy", "--out", tmp_path, "--data",
                    tmp_path / "file.npz"], message, capsys)


@pytest.mark.parametrize("damage", [
    lambda data: data[:len(data) // 2], lambda data: b"PK" + data[2:100],
    lambda data: data.replace(b"NUMPY", b"NUMBY"), lambda data: b""])
def test_damaged_files_end_in_one_line(damage, tmp_path, capsys):
    np.savez(tmp_path / "good.npz", **GOOD)
    (tmp_path / "bad.npz").write_bytes(damage(
        (tmp_path / "good.npz").read_bytes()))
    assert_invalid(["--engine", "numpy", "--out", tmp_path, "--data",
                    tmp_path / "bad.npz"], "cannot be read as an .npz", capsys)


@pytest.mark.parametrize("train, test, divided, says", [
    (1.02, 1.0, 1, "used as they are"), (1.0, 0.9, 1, "used as they are"),
    (255, 3, 255, "divided by 255"), (0.5, 200, 255, "divided by 255"),
    (-2.5, 1.5, 1, "standardised")])
def test_one_scale_holds_for_training_and_test_images(train, test, divided,
                                                      says, tmp_path):
    np.savez(tmp_path / "file.npz", **{**GOOD, "x_train": IMAGES + train,
                                       "x_test": IMAGES + test})
    said = []
    x, _, x_test, _ = load_data(tmp_path / "file.npz", say=said.append)
    assert len(said) == 1 and says in said[0]
    assert np.allclose(x, train / divided)
    assert np.allclose(x_test, test / divided)


@pytest.mark.parametrize("labels", [
    np.eye(10)[:3], np.arange(3.0), np.arange(3, dtype="u1"),
    np.arange(3)[:, None]])
def test_labels_of_any_form_are_read(labels, tmp_path):
    np.savez(tmp_path / "file.npz", **{**GOOD, "y_train": labels})
    assert load_data(tmp_path / "file.npz")[1].tolist() == [0, 1, 2]


@pytest.mark.parametrize("arguments, message", [
    (["--epochs", 0], "--epochs: expected an integer of at least 1, got 0"),
    (["--batch-size", -1], "--batch-size: expected an integer of at least 1"),
    (["--limit", "some"], "--limit: expected an integer .* got some"),
    (["--engine", "torch"], "--engine: invalid choice: 'torch'"),
    (["--out", __file__, "--engine", "numpy"], "--out .*: expected a folder"),
    (["--speed", 9], "unrecognized arguments: --speed"),
])
def test_wrong_arguments_end_in_one_line(arguments, message, capsys):
    assert_invalid(arguments, message, capsys)


def test_other_keys_end_in_one_line(tmp_path, capsys):
    np.savez(tmp_path / "file.npz", images=IMAGES)
    assert_invalid(["--engine", "numpy", "--out", tmp_path, "--data",
                    tmp_path / "file.npz"],
                   "expected the keys x_train.* or X_train.*; found images",
                   capsys)


def test_mnist_out_of_reach_ends_in_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert_invalid(["--data", "mnist", "--engine", "numpy", "--out", tmp_path],
                   "--data mnist: .*mnist.npz is not there yet.*digits",
                   capsys)


def test_a_download_that_fails_ends_in_one_line(tf, capsys, monkeypatch,
                                                tmp_path):
    def unreachable():
        raise OSError("no route\nto the host")

    monkeypatch.setattr(tf.keras.datasets.mnist, "load_data", unreachable)
    assert_invalid(["--data", "mnist", "--engine", "keras", "--out", tmp_path],
                   "--data mnist: cannot be downloaded .no route.; pass --data"
                   " digits", capsys)


def assert_invalid(arguments, message, capsys):
    assert train.main([str(argument) for argument in arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    assert re.search(message, printed.err), printed.err


QUICK = ["--engine", "numpy", "--limit", "64"]


def weights_of(folder):
    with np.load(folder / "lenet5_numpy.npz") as file:
        return [file[name] for name in lenet5_numpy.NAMES]


def start(*arguments):
    return train.main([*QUICK, *map(str, arguments)])


def test_resumed_numpy_weights_are_bit_for_bit_the_same(tmp_path, capsys):
    assert start("--epochs", 4, "--out", tmp_path / "once") == 0
    assert start("--epochs", 2, "--out", tmp_path / "twice") == 0
    assert start("--epochs", 4, "--out", tmp_path / "twice", "--resume") == 0
    assert "Resuming after 2 epochs." in capsys.readouterr().out
    for ours, expected in zip(weights_of(tmp_path / "twice"),
                              weights_of(tmp_path / "once")):
        assert ours.tobytes() == expected.tobytes()


def test_resumed_keras_weights_are_the_same(tf, tmp_path):
    found = []
    for calls in ([["--epochs", "3"]],
                  [["--epochs", "1"], ["--epochs", "3", "--resume"]]):
        out = tmp_path / str(len(calls))
        for call in calls:
            assert train.main(["--engine", "keras", "--limit", "96", "--out",
                               str(out), *call]) == 0
        found.append(tf.keras.models.load_model(out / "lenet5.keras"))
    for once, twice in zip(*(model.get_weights() for model in found)):
        assert np.abs(once - twice).max() <= 1e-6


def test_resume_says_what_it_finds(tmp_path, capsys):
    assert start("--epochs", 1, "--out", tmp_path, "--resume") == 0
    assert "Nothing to resume" in capsys.readouterr().out
    assert start("--epochs", 1, "--out", tmp_path, "--resume") == 0
    assert "1 epoch of 1: all done." in capsys.readouterr().out
    again = ["--epochs", 2, "--out", tmp_path, "--resume"]
    assert start(*again, "--seed", 9) == 2
    assert "trained with seed 1, expected 9" in capsys.readouterr().err
    (tmp_path / "checkpoint.npz").write_bytes(b"damaged")
    assert start(*again) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "cannot be read as a checkpoint" in printed


def test_another_run_keeps_the_old_checkpoint(tmp_path):
    assert start("--epochs", 1, "--out", tmp_path) == 0
    old = (tmp_path / "checkpoint.npz").read_bytes()
    assert start("--epochs", 1, "--out", tmp_path) == 0
    assert (tmp_path / "checkpoint.old.npz").read_bytes() == old


def test_a_folder_in_the_way_of_a_file_is_found_first(tmp_path, capsys):
    (tmp_path / "curves.png").mkdir()
    assert_invalid([*QUICK, "--out", tmp_path], "curves.png, got a folder",
                   capsys)


@pytest.mark.parametrize("name", ["seed", "batch-size", "limit"])
def test_numbers_of_any_size_are_taken(name, tmp_path):
    assert train.main(["--engine", "numpy", "--limit", "64", "--epochs", "1",
                       "--out", str(tmp_path), f"--{name}", str(2**70)]) == 0


def test_keras_takes_a_batch_larger_than_its_integers(tf, tmp_path):
    assert train.main(["--engine", "keras", "--limit", "64", "--epochs", "1",
                       "--out", str(tmp_path), "--batch-size",
                       str(2**70)]) == 0


@pytest.fixture(scope="module")
def two_epochs(tmp_path_factory):
    """Return a folder with two epochs, and the weights after four."""
    folder = tmp_path_factory.mktemp("runs")
    assert start("--epochs", 2, "--out", folder / "two") == 0
    assert start("--epochs", 4, "--out", folder / "four") == 0
    return folder / "two", weights_of(folder / "four")


STOPS = [(place, KeyboardInterrupt) for place in (
    "keep", "publish", "os.fsync", "os.replace", "os.replace 2", "np.savez",
    "train_epoch", "train_epoch 2", "predict", "curves")]
STOPS += [("keep", signal.SIGTERM)]
STOPS += [(place, OSError(28, "disk full")) for place in (
    "os.fsync", "os.replace 2", "np.savez")]


@pytest.mark.parametrize("place, error", STOPS)
def test_whatever_stops_it_the_last_epoch_is_kept(place, error, two_epochs,
                                                  tmp_path, monkeypatch,
                                                  capsys):
    out, (before, expected) = tmp_path / "out", two_epochs
    shutil.copytree(before, out)
    name, *times = place.split()
    owner = {"os.fsync": train.os, "os.replace": train.os, "np.savez": np,
             "train_epoch": lenet5_numpy, "predict": lenet5_numpy}.get(
                 name, train)
    name = name.split(".")[-1]
    right, calls = getattr(owner, name), []

    def failing(*arguments, **options):
        calls.append(1)
        # The first write is the one that tries --out.
        if len(calls) == int(times[0] if times else 1) + (owner is train.os):
            if error is signal.SIGTERM:
                signal.raise_signal(error)
            raise error
        return right(*arguments, **options)

    monkeypatch.setattr(owner, name, failing)
    status = start("--epochs", 4, "--out", out, "--resume")
    monkeypatch.setattr(owner, name, right)
    assert status == (2 if isinstance(error, OSError) else 130)
    assert "Traceback" not in capsys.readouterr().err
    assert {path.name for path in out.iterdir()} == {
        path.name for path in before.iterdir()}
    assert start("--epochs", 4, "--out", out, "--resume") == 0
    for ours, exact in zip(weights_of(out), expected):
        assert ours.tobytes() == exact.tobytes()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_signal_ends_with_what_is_kept(tmp_path):
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), *QUICK, "--epochs", "9999"],
        cwd=tmp_path, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    while "epoch 3/" not in process.stderr.readline(200):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err
    assert re.search(r"Interrupted. \d+ epochs kept in out; go on", out)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "checkpoint.npz", "curves.png", "lenet5_numpy.npz", "predictions.png"]


def test_a_closed_pipe_costs_nothing(tmp_path):
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), *QUICK, "--epochs", "1", "--out",
         "mit Umläuten"], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C",
                                        "PYTHONIOENCODING": "ascii"})
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert (tmp_path / "mit Umläuten" / "lenet5_numpy.npz").exists()


def test_a_missing_tensorflow_is_one_line(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('gone')")
    done = run("--engine", "keras", cwd=tmp_path,
               env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "TensorFlow is missing" in done.stderr


@pytest.mark.parametrize("light", [False, True])
@pytest.mark.parametrize("size", [(28, 28), (90, 120), (300, 200)])
def test_a_picture_of_a_digit_becomes_28x28(light, size, tmp_path):
    from PIL import Image, ImageDraw
    ground, ink = (0, 255) if light else (255, 0)
    picture = Image.new("RGB", size, (ground,) * 3)
    w, h = size
    ImageDraw.Draw(picture).rectangle(
        (w * 0.45, h * 0.2, w * 0.55, h * 0.8), fill=(ink,) * 3)
    picture.save(tmp_path / "one.png")
    digit = lenet5_numpy.read_picture(tmp_path / "one.png")
    assert digit.shape == (1, 28, 28, 1) and digit.dtype == np.float32
    assert digit.min() == 0 and digit.max() == 1
    assert digit[0, 14].max() > 0.5 and not digit[0, 14, :6].any()


def test_digits_saved_as_pictures_are_read(tmp_path, capsys):
    from PIL import Image
    assert train.main(["--engine", "numpy", "--epochs", "3", "--out",
                       str(tmp_path)]) == 0
    _, _, x_test, y_test = load_data("digits", seed=1)
    paths = []
    for i, image in enumerate(x_test[:40, :, :, 0]):
        large = np.uint8(255 - 255 * image).repeat(9, 0).repeat(9, 1)
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(large).save(paths[-1])
    capsys.readouterr()
    assert lenet5_numpy.main([str(tmp_path / "lenet5_numpy.npz"),
                              *map(str, paths)]) == 0
    lines = capsys.readouterr().out.splitlines()
    read = [int(re.search(r"png: (\d) \(", line)[1]) for line in lines]
    assert np.mean(read == y_test[:40]) >= 0.8


def test_what_is_no_picture_or_no_weights_is_said(tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(b"no")
    assert lenet5_numpy.main([str(tmp_path / "a.png"), "x"]) == 2
    assert "cannot be read as trained weights" in capsys.readouterr().err
