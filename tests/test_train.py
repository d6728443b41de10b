"""examples/train.py: what it trains, keeps, says and rejects."""
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from shutil import copytree

import numpy as np
import pytest

import lenet5_numpy
import train
from common import ROOT

RESULTS = {"checkpoint.npz", "curves.png", "lenet5_numpy.npz",
           "predictions.png"}
EXAMPLES = str(ROOT / "examples") + os.sep
slow = pytest.mark.slow


def start(*arguments):
    """Run the program, which leaves signals alone; return its status."""
    before = signal.getsignal(signal.SIGTERM)
    status = train.main(["--engine", "numpy", "--limit", "64",
                         *map(str, arguments)])
    assert signal.getsignal(signal.SIGTERM) == before
    return status


def run(command, folder, **how):
    """Run a program in a folder whose modules come first."""
    name, *arguments = command.split()
    return subprocess.run(
        [sys.executable, EXAMPLES + name, *arguments], cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "LC_ALL": "C",
             "PYTHONIOENCODING": "ascii"}, **how)


@pytest.fixture
def one(tmp_path):
    """Train for one epoch; return the folder."""
    assert start("--epochs", 1, "--out", tmp_path / "one") == 0
    return tmp_path / "one"


def apart(one, two):
    """Return how far the arrays of two checkpoints are apart, at most."""
    one, two = (np.load(folder / "checkpoint.npz") for folder in (one, two))
    return max(np.abs(one[name] - two[name]).max() for name in one
               if name != "about")


@pytest.mark.parametrize("epochs, limit, tolerance, least", [
    (1, 64, 1e-3, 0), pytest.param(100, 9999, 0.05, 0.97, marks=slow)])
def test_both_engines_learn_equally_well(epochs, limit, tolerance, least, tf,
                                         tmp_path, capsys):
    """Two free runs may part where rounding decides; see test_lockstep."""
    assert train.main(["--epochs", str(epochs), "--limit", str(limit),
                       "--out", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    rows = np.array(re.findall("^" + r" +(\d\S*)" * 7 + "$", out, re.M), float)
    assert (rows[:, 0] == ([1] if epochs == 1 else range(5, 101, 5))).all()
    _, loss, right, _, keras_loss, keras_right, _ = rows[-1]
    assert f"Keras epoch {epochs}/{epochs}" in err
    assert abs(loss - keras_loss) <= tolerance
    assert min(right, keras_right) >= least
    assert set(os.listdir(tmp_path)) == {*RESULTS, "lenet5.keras"}
    assert all(str(tmp_path / name) in out for name in os.listdir(tmp_path))
    model = tf.keras.models.load_model(tmp_path / "lenet5.keras")
    weights = lenet5_numpy.load_weights(tmp_path / "lenet5_numpy.npz")
    assert epochs > 1 or all(np.allclose(*pair, rtol=0, atol=1e-4)
                             for pair in zip(weights, model.get_weights()))


def test_numpy_alone_imports_no_tensorflow_and_needs_no_reader(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise SystemExit('imported')")
    read, write = os.pipe()
    os.close(read)
    done = run("train.py --engine numpy --limit 64 --epochs 1 --out Umläute",
               tmp_path, stdout=write, stderr=write)
    os.close(write)
    assert done.returncode == 0
    assert set(os.listdir(tmp_path / "Umläute")) == RESULTS


@pytest.mark.parametrize("command, package, install", [
    ("train.py", "numpy", "numpy"), ("train.py", "tqdm", "tqdm"),
    ("scale_out.py", "numpy", "numpy"), ("lenet5_numpy.py", "numpy", "numpy"),
    ("lenet5_numpy.py w.npz x.png", "PIL", "pillow")])
def test_a_missing_package_is_one_line(command, package, install, tmp_path):
    """Also where nothing has imported it before."""
    (tmp_path / f"{package}.py").write_text("raise ImportError('gone')")
    done = run(command, tmp_path, text=True, capture_output=True)
    assert done.returncode and re.fullmatch(
        rf"(?i)(\w+.py: )?{package} is missing \(gone\); run: python -m pip "
        rf"install {install}\n", done.stderr)


@pytest.mark.parametrize("arguments, told", [
    ([], "matplotlib is missing (.*); run: .* matplotlib$"),
    ([], "sklearn is missing .* scikit-learn, or pass --data FILE.npz$"),
    (["--engine", "keras"], "tensorflow .*, or pass --engine numpy$"),
    (["--epochs", 0], "--epochs: expected an integer of at least 1, got 0"),
    (["--limit", "some"], "--limit: expected an integer .* got some"),
    (["--seed", 2**32], "--seed: expected .* 0 to 4294967295, got 4294967296"),
    (["--engine", "torch"], "--engine: invalid choice: 'torch'"),
    (["--out", __file__], "--out .*: expected a folder"),
    (["--data", "none.npz"], "--data none.npz: no such file"),
    ([], "expected a file or nothing as curves.png, got a folder")])
def test_what_is_missing_or_wrong_is_one_line_before_training(
        arguments, told, tmp_path, monkeypatch, capsys):
    if "missing" in told or "tensorflow" in told:
        monkeypatch.setitem(sys.modules, told.split()[0], None)
    elif not arguments:
        (tmp_path / "curves.png").mkdir()
    assert start("--out", tmp_path, *arguments) == 2
    out, err = capsys.readouterr()
    assert not out and re.fullmatch(f"train.py: .*{told}.*\n", err)


@pytest.mark.parametrize("engine, tolerance", [
    # TensorFlow does not promise the order of its sums: rounding, made larger
    # by Adam. A lost moment changes 1e-3 and more.
    ("numpy", 0), pytest.param("keras", 1e-4, marks=slow)])
def test_a_resumed_run_is_the_same_and_files_of_the_user_stay(
        engine, tolerance, tmp_path, capsys):
    once, twice = tmp_path / "once", tmp_path / "twice"
    once.mkdir()
    mine = {"probe", "file", "new-curves.png"}
    for name in mine:
        (once / name).write_text("mine")
    for folder, *more in ((once, 2), (twice, 1, "--resume"),
                          (twice, 2, "--resume"), (twice, 2, "--resume")):
        assert start("--engine", engine, "--batch-size", 2**70, "--out",
                     folder, "--epochs", *more) == 0
    assert re.search("Nothing to resume.*Resuming after 1 epoch.*2 epochs of "
                     "2: all done", capsys.readouterr().out, re.S)
    assert {(once / name).read_text() for name in mine} == {"mine"}
    assert set(os.listdir(once)) == {*os.listdir(twice), *mine}
    assert apart(once, twice) <= tolerance


def test_a_checkpoint_that_does_not_fit_is_one_line(one, capsys):
    path = one / "checkpoint.npz"
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
        np.savez(path, **{**good, **(change or {})})
        if change is None:
            path.write_bytes(b"damaged")
        capsys.readouterr()
        assert start("--out", one, "--epochs", 2, "--resume", *arguments) == 2
        assert re.fullmatch(f"train.py: --resume: .*{told}.*\n",
                            capsys.readouterr().err)


def test_it_runs_in_a_thread_and_keeps_the_checkpoint_of_another_run(one):
    old = (one / "checkpoint.npz").read_bytes()
    with ThreadPoolExecutor() as pool:
        assert pool.submit(start, "--epochs", 1, "--out", one).result() == 0
    assert (one / "checkpoint.old.npz").read_bytes() == old


def stopped(n, *arguments):
    """Get a SIGTERM at the n-th call of our own code; return status, calls."""
    calls = 0

    def count(frame, event, _):
        nonlocal calls
        calls += "call" in event and EXAMPLES in frame.f_code.co_filename
        if calls == n:
            sys.setprofile(None)
            signal.getsignal(signal.SIGTERM)(signal.SIGTERM, frame)

    sys.setprofile(count)
    try:
        return start(*arguments), calls
    finally:
        sys.setprofile(None)


@slow
def test_wherever_it_is_stopped_the_last_epoch_is_kept(one, tmp_path, capsys):
    """From reading the arguments to the last picture."""
    again, kept = ("--epochs", 3, "--resume", "--out"), []
    _, calls = stopped(-1, *again, copytree(one, tmp_path / "all"))
    for n in np.linspace(calls // 20, calls - 20, 8, dtype=int):
        out = copytree(one, tmp_path / str(n))
        assert stopped(n, *again, out)[0] == 130
        kept += re.findall(r"Interrupted. (\d) epochs? kept in .*; go on with",
                           capsys.readouterr().out)
        assert set(os.listdir(out)) == RESULTS
        with np.load(out / "checkpoint.npz") as file:
            assert (file["numpy 0"] == lenet5_numpy.load_weights(
                out / "lenet5_numpy.npz")[0]).all()
        assert start(*again, out) == 0
        assert apart(out, tmp_path / "all") == 0
    assert len(kept) == 8 and {*kept} == {"1", "2", "3"}


@slow
def test_a_full_disk_costs_no_epoch(one, capsys):
    """Files may have 400 kB here; a checkpoint has 740 kB."""
    resource = pytest.importorskip("resource", reason="of POSIX")
    before = (one / "checkpoint.npz").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, limits[1]))
    try:
        assert start("--epochs", 3, "--resume", "--out", one) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert re.search("--out .*one: cannot be written .*; 1 epoch kept$",
                     capsys.readouterr().err)
    assert (one / "checkpoint.npz").read_bytes() == before
    assert set(os.listdir(one)) == RESULTS
