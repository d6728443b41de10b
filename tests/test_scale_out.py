"""examples/scale_out.py: spread work gives the result of one machine."""
import json
import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest

import scale_out
from common import ROOT

PROGRAM = str(ROOT / "examples" / "scale_out.py")
LIMIT = 60      # seconds for anything that is waited for


@pytest.fixture
def dask():
    return pytest.importorskip("dask.array", reason="Dask is not installed")


@pytest.fixture
def started(tmp_path):
    """Return a function that starts a Dask command, stopped after the test."""
    pytest.importorskip("distributed",
                        reason="Dask's distributed is not installed")
    processes = []
    environment = {name: value for name, value in os.environ.items()
                   if name != "PYTHONPATH"}     # as in a terminal of its own

    def start(*arguments):
        with open(tmp_path / f"{len(processes)}.log", "w") as log:
            processes.append(subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments,
                 "--host", "127.0.0.1", "--no-dashboard"],
                cwd=tmp_path, env=environment, stdout=log, stderr=log))

    yield start
    for process in reversed(processes):     # the scheduler last
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(LIMIT)


@pytest.fixture
def scheduler(started, tmp_path):
    """Return the address of a scheduler that has no worker yet."""
    file, end = tmp_path / "scheduler.json", time.monotonic() + LIMIT
    started("scheduler", "--port", "0", "--scheduler-file", str(file))
    while time.monotonic() < end:
        try:
            return json.loads(file.read_text())["address"]
        except (OSError, ValueError):       # not written yet, or half of it
            time.sleep(0.1)
    pytest.fail("the scheduler did not start")


def run(*arguments, **options):
    """Run the program; return status, standard output and standard error."""
    done = subprocess.run([sys.executable, PROGRAM, *arguments], text=True,
                          capture_output=True, timeout=2 * LIMIT, **options)
    return done.returncode, done.stdout, done.stderr


def test_threads_give_the_same(dask, capsys):
    assert scale_out.main(["dask"]) == 0
    assert capsys.readouterr().out.count("equal to one machine's") == 2


@pytest.mark.slow
def test_two_workers_give_the_same(scheduler, started, tmp_path):
    for _ in range(2):      # processes, which find no file of ours
        started("worker", scheduler, "--nthreads", "1", "--no-nanny",
                "--death-timeout", str(LIMIT))
    status, out, err = run("dask", "--scheduler", scheduler,
                           "--timeout", str(LIMIT), cwd=tmp_path)
    assert (status, err) == (0, "")
    assert out.count("equal to one machine's") == 2


@pytest.mark.slow
def test_a_scheduler_without_workers_is_not_waited_for_for_ever(
        scheduler, capsys):
    assert scale_out.main(["dask", "--scheduler", scheduler,
                           "--timeout", "0.5"]) == 2
    assert capsys.readouterr().err == (
        "scale_out.py: --timeout: no result within 0.5 s; is a worker "
        f"connected to {scheduler}?\n")


def test_wrong_blocks_are_seen(dask):
    images = np.random.default_rng(0).standard_normal((70, 9, 8, 1))
    Z, dW = scale_out.in_blocks(images, np.ones((3, 3, 1, 2)), np.zeros(2))
    assert Z.numblocks[0] == 3
    assert scale_out.report("Z", Z.compute() + 1e-9, Z.compute(), 1e-12) == 1
    assert scale_out.report("dW", dW.compute(), 3 * dW.compute(), 1e-12) == 1
    assert scale_out.report("dW", dW.compute(), dW.compute(), 1e-12) == 0


@pytest.mark.slow
def test_two_devices_give_the_same(tf):
    status, out, err = run("tensorflow")
    assert status == 0, err
    assert re.fullmatch(r"weights on \d+ devices: equal to one machine's, "
                        r"relative difference \S+\n", out)


@pytest.mark.parametrize("arguments, told", [
    (["dask", "--scheduler", "nonsense"], "--scheduler: .*'nonsense'"),
    (["dask", "--scheduler", ""], "--scheduler: .*got ''"),
    (["dask", "--scheduler", "http://127.0.0.1:1"], "--scheduler: .*http"),
    (["tensorflow", "--scheduler", "tcp://127.0.0.1:8786"],
     "--scheduler: .*dask only"),
    (["tensorflow", "--timeout", "5"], "--timeout: .*dask only"),
    (["dask", "--timeout", "0"], "--timeout: .*above 0, got 0"),
    (["dask", "--timeout", "soon"], "--timeout: .*above 0, got soon"),
    (["spark"], "engine: .*spark"), ([], "engine")])
def test_a_wrong_argument_is_one_line(arguments, told, capsys):
    if "--scheduler" in arguments:
        pytest.importorskip("distributed",
                            reason="Dask's distributed is not installed")
    assert scale_out.main(arguments) == 2
    out, err = capsys.readouterr()
    assert not out and re.fullmatch(rf"scale_out.py: .*{told}.*\n", err)


@pytest.mark.slow
def test_an_address_where_nobody_answers_is_one_line():
    pytest.importorskip("distributed",
                        reason="Dask's distributed is not installed")
    status, out, err = run("dask", "--scheduler", "tcp://127.0.0.1:1",
                           "--timeout", "1")
    assert (status, out) == (2, "")
    assert re.fullmatch(r"scale_out.py: --scheduler: .*'tcp://127.0.0.1:1' "
                        r"\(.*\)\n", err)


@pytest.mark.parametrize("package, arguments", [
    ("dask", ["dask"]), ("tensorflow", ["tensorflow"]),
    ("distributed", ["dask", "--scheduler", "tcp://127.0.0.1:1"])])
def test_a_missing_package_is_named_with_its_command(package, arguments,
                                                     tmp_path):
    if package == "distributed":
        pytest.importorskip("dask.array", reason="Dask is not installed")
    (tmp_path / f"{package}.py").write_text(
        f"raise ImportError('not here', name={package!r})")
    status, out, err = run(*arguments,
                           env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert (status, out) == (2, "")
    wanted = scale_out.PACKAGES[arguments[0]]
    assert err == (f"scale_out.py: {arguments[0]} needs the package "
                   f"{package}; run: python -m pip install {wanted}\n")


def test_its_help_shows_the_commands(capsys):
    with pytest.raises(SystemExit) as stopped:
        scale_out.main(["--help"])
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    for line in ("dask scheduler", "dask worker tcp://127.0.0.1:8786",
                 "scale_out.py dask --scheduler tcp://127.0.0.1:8786"):
        assert f"    {line}\n" in shown or f"/{line}\n" in shown
