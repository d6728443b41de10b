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

COMMAND = [sys.executable, str(ROOT / "examples" / "train.py")]
QUICK = ["--engine", "numpy", "--limit", "64"]
RESULTS = ["checkpoint.npz", "curves.png", "lenet5_numpy.npz",
           "predictions.png"]
SECONDS = 120       # nothing here takes as long, on any machine


def run(*arguments, folder, **options):
    """Run the command in a folder, with a limit of time."""
    return subprocess.run([*COMMAND, *map(str, arguments)], cwd=folder,
                          text=True, capture_output=True, timeout=SECONDS,
                          **options)


def start(*arguments):
    """Run the program in this process; return its exit status."""
    return train.main([*QUICK, *map(str, arguments)])


def files(folder):
    """Return the names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def weights_of(folder):
    """Return the weights that were saved, as bytes."""
    with np.load(folder / "lenet5_numpy.npz") as file:
        return [file[name].tobytes() for name in lenet5_numpy.NAMES]


@pytest.mark.slow
def test_both_engines_learn_equally_well(tf, tmp_path, capsys):
    """Two free runs may part where rounding decides; see test_lockstep."""
    assert train.main(["--epochs", "9", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    rows = re.findall(r"^ +(\d) +(\S+) +(\S+) +\S+ +(\S+) +(\S+) +\S+$",
                      printed.out, re.M)
    assert [int(row[0]) for row in rows] == [*range(1, 10)]
    *_, (_, loss, _, keras_loss, _) = rows
    assert abs(float(loss) - float(keras_loss)) <= 0.05
    for column in (2, 4):
        assert max(float(row[column]) for row in rows) >= 0.97
    for engine in ("NumPy", "Keras"):
        assert f"{engine} epoch 9/9: 100%" in printed.err
    assert files(tmp_path) == sorted([*RESULTS, "lenet5.keras"])
    assert all(str(tmp_path / name) in printed.out for name in files(tmp_path))
    model = tf.keras.models.load_model(tmp_path / "lenet5.keras")
    with np.load(tmp_path / "lenet5_numpy.npz") as ours:
        assert [ours[name].shape for name in lenet5_numpy.NAMES] == [
            w.shape for w in model.get_weights()]


@pytest.mark.slow
def test_numpy_alone_never_imports_tensorflow(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise SystemExit('imported')")
    done = run(*QUICK, "--epochs", 1, folder=tmp_path,
               env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert "Keras" not in done.stdout
    assert files(tmp_path / "out") == RESULTS


def test_a_missing_tensorflow_is_one_line(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('gone')")
    done = run("--engine", "keras", folder=tmp_path,
               env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "TensorFlow is missing" in done.stderr


@pytest.mark.parametrize("arguments, message", [
    (["--epochs", 0], "--epochs: expected an integer of at least 1, got 0"),
    (["--batch-size", -1], "--batch-size: expected an integer of at least 1"),
    (["--limit", "some"], "--limit: expected an integer .* got some"),
    (["--seed", 2**32], "--seed: expected .* 0 to 4294967295, got 4294967296"),
    (["--engine", "torch"], "--engine: invalid choice: 'torch'"),
    (["--out", __file__], "--out .*: expected a folder"),
    (["--data", "none.npz"], "--data none.npz: no such file"),
    (["--speed", 9], "unrecognized arguments: --speed"),
])
def test_wrong_arguments_end_in_one_line(arguments, message, tmp_path, capsys):
    assert start("--out", tmp_path, *arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    assert re.search(message, printed.err), printed.err


def test_a_folder_in_the_way_of_a_file_is_found_first(tmp_path, capsys):
    (tmp_path / "curves.png").mkdir()
    assert start("--out", tmp_path) == 2
    assert "curves.png, got a folder" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["numpy", "keras"])
def test_numbers_larger_than_the_data_are_taken(engine, tmp_path, request):
    if engine == "keras":
        request.getfixturevalue("tf")
    assert train.main([
        "--engine", engine, "--limit", "64", "--epochs", "1", "--out",
        str(tmp_path), "--batch-size", str(2**70)]) == 0


def test_files_of_the_user_stay(tmp_path):
    mine = [tmp_path / name for name in ("probe", "file", "new-curves.png")]
    for path in mine:
        path.write_text("mine")
    assert start("--epochs", 1, "--out", tmp_path) == 0
    assert all(path.read_text() == "mine" for path in mine)
    assert len(files(tmp_path)) == len(mine) + len(RESULTS)


# Stop and go on

@pytest.mark.slow
@pytest.mark.parametrize("engine", ["numpy", "keras"])
def test_resumed_weights_are_the_same(engine, tmp_path, request):
    """On one machine the same numbers are computed: none may differ."""
    tf = request.getfixturevalue("tf") if engine == "keras" else None
    for out, *calls in (("once", ["3"]), ("twice", ["1"], ["3", "--resume"])):
        for call in calls:
            assert start("--engine", engine, "--out", tmp_path / out,
                         "--epochs", *call) == 0
    if tf is None:
        assert weights_of(tmp_path / "once") == weights_of(tmp_path / "twice")
        return
    once, twice = (tf.keras.models.load_model(tmp_path / name / "lenet5.keras")
                   for name in ("once", "twice"))
    for a, b in zip(once.get_weights(), twice.get_weights()):
        # TensorFlow does not promise the order of its sums: rounding, made
        # larger by six steps of Adam. A lost moment changes 1e-3 and more.
        assert np.abs(a - b).max() <= 1e-4


def test_resume_says_what_it_finds(tmp_path, capsys):
    assert start("--epochs", 1, "--out", tmp_path, "--resume") == 0
    assert "Nothing to resume" in capsys.readouterr().out
    assert start("--epochs", 1, "--out", tmp_path, "--resume") == 0
    printed = capsys.readouterr().out
    assert "Resuming after 1 epoch." in printed
    assert "1 epoch of 1: all done." in printed
    again = ["--epochs", 2, "--out", tmp_path, "--resume"]
    assert start(*again, "--seed", 9) == 2
    assert "trained with seed 1, expected 9" in capsys.readouterr().err
    (tmp_path / "checkpoint.npz").write_bytes(b"damaged")
    assert start(*again) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "cannot be read as a checkpoint" in printed


@pytest.mark.slow
def test_another_run_keeps_the_old_checkpoint(tmp_path):
    assert start("--epochs", 1, "--out", tmp_path) == 0
    old = (tmp_path / "checkpoint.npz").read_bytes()
    assert start("--epochs", 1, "--out", tmp_path) == 0
    assert (tmp_path / "checkpoint.old.npz").read_bytes() == old


class Interrupt:
    """Press Ctrl-C at the n-th call that our own code makes."""

    def __init__(self, n):
        """Count from now on."""
        self.n, self.calls = n, 0
        sys.setprofile(self.count)

    def count(self, frame, event, _):
        """Interrupt once."""
        if event in ("call", "c_call") and str(
                ROOT / "examples") in frame.f_code.co_filename:
            self.calls += 1
            if self.calls == self.n:
                sys.setprofile(None)
                raise KeyboardInterrupt


def interrupted(n, *arguments):
    """Run with an interrupt; return the status and the number of calls."""
    try:
        counter = Interrupt(n)
        return start(*arguments), counter.calls
    finally:
        sys.setprofile(None)


@pytest.mark.slow
def test_wherever_it_is_interrupted_the_last_epoch_is_kept(tmp_path, capsys):
    """Eight places, from reading the arguments to the last picture."""
    assert start("--epochs", 1, "--out", tmp_path / "one") == 0
    shutil.copytree(tmp_path / "one", tmp_path / "all")
    again = "--epochs", 2, "--resume", "--out"
    _, calls = interrupted(0, *again, tmp_path / "all")
    expected = weights_of(tmp_path / "all")
    for i, n in enumerate(np.linspace(calls // 20, calls - 20, 8, dtype=int)):
        out = shutil.copytree(tmp_path / "one", tmp_path / str(i))
        status, _ = interrupted(n, *again, out)
        printed = capsys.readouterr()
        assert status == 130 and re.search(r"[12] epochs? kept", printed.out)
        assert files(out) == RESULTS
        assert start(*again, out) == 0
        assert weights_of(out) == expected


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGINT", pytest.param(
    "SIGTERM", marks=pytest.mark.slow)])
def test_a_signal_ends_with_what_is_kept(name, tmp_path):
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen([*COMMAND, *QUICK, "--epochs", "9999"],
                                   cwd=tmp_path, stdout=log, stderr=log,
                                   # In the background it is ignored.
                                   preexec_fn=lambda: signal.signal(
                                       signal.SIGINT, signal.SIG_DFL))
    try:
        until(lambda: (tmp_path / "out" / "checkpoint.npz").exists())
        process.send_signal(getattr(signal, name))
        assert process.wait(SECONDS) == 130
    finally:
        process.kill()
        process.wait()
    printed = (tmp_path / "log").read_text()
    assert "Traceback" not in printed
    assert re.search(r"Interrupted. \d+ epochs? kept in out; go on", printed)
    assert files(tmp_path / "out") == RESULTS


def until(condition):
    """Wait until a condition is true; fail if that takes too long."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
def test_a_full_disk_costs_no_epoch(tmp_path):
    """Files may have 400 kB here; a checkpoint has 740 kB."""
    import resource
    out = tmp_path / "out"
    assert start("--epochs", 1, "--out", out) == 0
    before = (out / "checkpoint.npz").read_bytes()
    done = run(*QUICK, "--epochs", 3, "--resume", folder=tmp_path,
               preexec_fn=lambda: resource.setrlimit(
                   resource.RLIMIT_FSIZE, (400_000, 400_000)))
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert re.search("--out out: cannot be written .*; 1 epoch kept$",
                     done.stderr)
    assert (out / "checkpoint.npz").read_bytes() == before
    assert files(out) == RESULTS


def test_a_closed_pipe_and_ascii_cost_nothing(tmp_path):
    process = subprocess.Popen(
        [*COMMAND, *QUICK, "--epochs", "1", "--out", "mit Umläuten"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"})
    process.stdout.close()
    process.stderr.close()
    assert process.wait(SECONDS) == 0
    assert files(tmp_path / "mit Umläuten") == RESULTS


def test_it_runs_in_a_thread_and_leaves_signals_alone(tmp_path):
    before, found = signal.getsignal(signal.SIGTERM), []
    assert start("--epochs", 1, "--out", tmp_path) == 0
    assert signal.getsignal(signal.SIGTERM) == before
    thread = threading.Thread(target=lambda: found.append(
        start("--epochs", 2, "--out", tmp_path, "--resume")))
    thread.start()
    thread.join(SECONDS)
    assert found == [0]
