"""examples/train.py: what it trains, keeps, says and rejects."""
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import lenet5_numpy
import train
from common import ROOT
from training import pictures
from training.checkpoint import Epoch

COMMAND = [sys.executable, str(ROOT / "examples" / "train.py"),
           "--engine", "numpy", "--limit", "64"]
RESULTS = ["checkpoint.npz", "curves.png", "lenet5_numpy.npz",
           "predictions.png"]
SECONDS = 120       # nothing here takes as long, on any machine
slow = pytest.mark.slow
posix = pytest.mark.skipif(os.name != "posix", reason="of POSIX")


def start(*arguments):
    """Run the program in this process; return its exit status."""
    return train.main([*COMMAND[2:], *map(str, arguments)])


def files(folder):
    """Return the names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def weights_of(folder):
    """Return the weights that were saved."""
    return lenet5_numpy.load_weights(folder / "lenet5_numpy.npz")


def apart(some, others):
    """Return the largest difference of two lists of weights."""
    return max(np.abs(a - b).max() for a, b in zip(some, others))


@pytest.mark.parametrize("epochs, limit, tolerance, least", [
    (1, 64, 1e-3, 0), pytest.param(100, 9999, 0.05, 0.97, marks=slow)])
def test_both_engines_learn_equally_well(epochs, limit, tolerance, least, tf,
                                         tmp_path, capsys):
    """Two free runs may part where rounding decides; see test_lockstep."""
    assert train.main(["--epochs", str(epochs), "--limit", str(limit),
                       "--out", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    *_, (epoch, loss, right, keras_loss, keras_right) = re.findall(
        r"^ +(\d+) +(\S+) +(\S+) +\S+ +(\S+) +(\S+) +\S+$", out, re.M)
    assert int(epoch) == epochs and f"Keras epoch {epochs}/{epochs}" in err
    assert abs(float(loss) - float(keras_loss)) <= tolerance
    assert min(float(right), float(keras_right)) >= least
    assert files(tmp_path) == sorted([*RESULTS, "lenet5.keras"])
    assert all(str(tmp_path / name) in out for name in files(tmp_path))
    model = tf.keras.models.load_model(tmp_path / "lenet5.keras")
    assert epochs > 1 or apart(model.get_weights(),
                               weights_of(tmp_path)) <= 1e-4


def test_numpy_alone_imports_no_tensorflow_and_needs_no_reader(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise SystemExit('imported')")
    process = subprocess.Popen(
        [*COMMAND, "--epochs", "1", "--out", "mit Umläuten"], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "LC_ALL": "C",
             "PYTHONIOENCODING": "ascii"})
    process.stdout.close()
    process.stderr.close()
    assert process.wait(SECONDS) == 0
    assert files(tmp_path / "mit Umläuten") == RESULTS


@pytest.mark.parametrize("epochs, shown", [
    (0, []), (3, [1, 2, 3]), (45, [*range(3, 46, 3)])])
def test_of_many_epochs_the_table_has_every_third_and_the_last(epochs, shown):
    table = pictures.table({"numpy": [Epoch([1.0], 1, 1, 1)] * epochs})
    assert [int(row.split()[0]) for row in table.splitlines()[2:]] == shown


@pytest.mark.parametrize("name, package", [
    ("train", "numpy"), ("lenet5_numpy", "numpy"), ("scale_out", "numpy"),
    ("train", "tqdm")])
def test_a_missing_numpy_or_tqdm_is_one_line(name, package, tmp_path):
    """Also where nothing has imported it before."""
    (tmp_path / f"{package}.py").write_text("raise ImportError('gone')")
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / f"{name}.py"], text=True,
        capture_output=True, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode and done.stderr.lower().endswith(
        f"{package} is missing (gone); run: python -m pip install {package}\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments, told", [
    ([], "tqdm is missing (.*); run: python -m pip install tqdm$"),
    ([], "matplotlib is missing (.*); run: .* matplotlib$"),
    ([], "sklearn is missing .* scikit-learn, or pass --data FILE.npz$"),
    (["--engine", "keras"], "tensorflow .*, or pass --engine numpy$"),
    (["--epochs", 0], "--epochs: expected an integer of at least 1, got 0"),
    (["--batch-size", -1], "--batch-size: expected an integer of at least 1"),
    (["--limit", "some"], "--limit: expected an integer .* got some"),
    (["--seed", 2**32], "--seed: expected .* 0 to 4294967295, got 4294967296"),
    (["--engine", "torch"], "--engine: invalid choice: 'torch'"),
    (["--out", __file__], "--out .*: expected a folder"),
    (["--data", "none.npz"], "--data none.npz: no such file"),
    (["--speed", 9], "unrecognized arguments: --speed"),
    ([], "curves.png, got a folder")])
def test_what_is_missing_or_wrong_is_one_line_before_training(
        arguments, told, tmp_path, monkeypatch, capsys):
    package = re.match(r"\w+", told)
    if package and package[0] != "curves":
        monkeypatch.setitem(sys.modules, package[0], None)
    elif not arguments:
        (tmp_path / "curves.png").mkdir()
    assert start("--out", tmp_path, *arguments) == 2
    out, err = capsys.readouterr()
    assert not out and re.fullmatch("train.py: .*\n", err)
    assert re.search(told, err)


@pytest.mark.parametrize("engine", [
    "numpy", pytest.param("keras", marks=slow)])
def test_a_resumed_run_is_the_same_and_files_of_the_user_stay(
        engine, tmp_path, request, capsys):
    """On one machine the same numbers are computed: none may differ."""
    once, twice = tmp_path / "once", tmp_path / "twice"
    once.mkdir()
    mine = [once / name for name in ("probe", "file", "new-curves.png")]
    for path in mine:
        path.write_text("mine")
    for folder, *more in ((once, 2), (twice, 1, "--resume"),
                          (twice, 2, "--resume"), (twice, 2, "--resume")):
        assert start("--engine", engine, "--batch-size", 2**70, "--out",
                     folder, "--epochs", *more) == 0
    assert re.search("Nothing to resume.*Resuming after 1 epoch.*2 epochs of "
                     "2: all done", capsys.readouterr().out, re.S)
    assert all(path.read_text() == "mine" for path in mine)
    assert len(files(once)) == len(files(twice)) + len(mine)
    if engine == "numpy":
        assert apart(weights_of(once), weights_of(twice)) == 0
    else:   # TensorFlow does not promise the order of its sums: rounding,
        # made larger by Adam. A lost moment changes 1e-3 and more.
        models = request.getfixturevalue("tf").keras.models
        assert apart(*(models.load_model(folder / "lenet5.keras").get_weights()
                       for folder in (once, twice))) <= 1e-4


def test_a_checkpoint_that_does_not_fit_is_one_line(tmp_path, capsys):
    assert start("--epochs", 1, "--out", tmp_path) == 0
    path = tmp_path / "checkpoint.npz"
    old = path.read_bytes()
    with np.load(path) as file:
        good = dict(file)
    for told, arguments, change in (
            ("trained with seed 1, expected 9", ["--seed", 9], {}),
            ("trained with vary True, expected False", ["--no-vary"], {}),
            *(("cannot be read as a checkpoint", [], change) for change in (
                {"numpy 0": np.zeros((5, 5, 1, 7), np.float32)},
                {"numpy 0": good["numpy 0"].astype(complex)},
                {"numpy 12": np.zeros(1)}, {"about": np.array("{}")},
                {"numpy losses": np.zeros(0)}, None))):
        if change is None:
            path.write_bytes(b"damaged")
        else:
            np.savez(path, **{**good, **change})
        capsys.readouterr()
        assert start("--out", tmp_path, "--epochs", 2, "--resume",
                     *arguments) == 2
        assert re.fullmatch(f"train.py: --resume: .*{told}.*\n",
                            capsys.readouterr().err)
    path.write_bytes(old)       # and another run keeps it
    assert start("--epochs", 1, "--out", tmp_path) == 0
    assert (tmp_path / "checkpoint.old.npz").read_bytes() == old


def test_it_runs_in_a_thread_and_leaves_signals_alone(tmp_path):
    before, found = signal.getsignal(signal.SIGTERM), []
    thread = threading.Thread(target=lambda: found.append(
        start("--epochs", 1, "--out", tmp_path)))
    thread.start()
    thread.join(SECONDS)
    assert found == [0] and start("--epochs", 1, "--out", tmp_path) == 0
    assert signal.getsignal(signal.SIGTERM) == before


# Stopped

def interrupted(n, *arguments):
    """Press Ctrl-C at the n-th call of our own code; return status, calls."""
    calls = 0

    def count(frame, event, _):
        nonlocal calls
        calls += (event in ("call", "c_call") and
                  str(ROOT / "examples") in frame.f_code.co_filename)
        if calls == n:
            sys.setprofile(None)
            raise KeyboardInterrupt

    sys.setprofile(count)
    try:
        return start(*arguments), calls
    finally:
        sys.setprofile(None)


@slow
def test_wherever_it_is_interrupted_the_last_epoch_is_kept(tmp_path, capsys):
    """From reading the arguments to the last picture."""
    assert start("--epochs", 1, "--out", tmp_path / "one") == 0
    shutil.copytree(tmp_path / "one", tmp_path / "all")
    again = "--epochs", 2, "--resume", "--out"
    _, calls = interrupted(-1, *again, tmp_path / "all")
    for n in np.linspace(calls // 20, calls - 20, 8, dtype=int):
        out = shutil.copytree(tmp_path / "one", tmp_path / str(n))
        assert interrupted(n, *again, out)[0] == 130
        assert re.search(r"[12] epochs? kept", capsys.readouterr().out)
        assert files(out) == RESULTS and start(*again, out) == 0
        assert apart(weights_of(out), weights_of(tmp_path / "all")) == 0


@slow
@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_with_what_is_kept(name, tmp_path):
    """Also where this suite runs in the background, with SIGINT ignored."""
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(
            [*COMMAND, "--epochs", "9999"], cwd=tmp_path, stdout=log,
            stderr=log, preexec_fn=lambda: signal.signal(signal.SIGINT,
                                                         signal.SIG_DFL))
    try:
        end = time.monotonic() + SECONDS
        while not (tmp_path / "out" / "checkpoint.npz").exists():
            assert time.monotonic() < end, "waited too long"
            time.sleep(0.02)
        process.send_signal(getattr(signal, name))
        assert process.wait(SECONDS) == 130
    finally:
        process.kill()
        process.wait()
    printed = (tmp_path / "log").read_text()
    assert "Traceback" not in printed and files(tmp_path / "out") == RESULTS
    assert re.search(r"Interrupted. \d+ epochs? kept in out; go on", printed)


@slow
@posix
def test_a_full_disk_costs_no_epoch(tmp_path):
    """Files may have 400 kB here; a checkpoint has 740 kB."""
    import resource
    path = tmp_path / "out" / "checkpoint.npz"
    assert start("--epochs", 1, "--out", tmp_path / "out") == 0
    before = path.read_bytes()
    done = subprocess.run(
        [*COMMAND, "--epochs", "3", "--resume"], cwd=tmp_path,
        capture_output=True, text=True, timeout=SECONDS,
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (400_000, 400_000)))
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert re.search("--out out: cannot be written .*; 1 epoch kept$",
                     done.stderr)
    assert path.read_bytes() == before and files(tmp_path / "out") == RESULTS
