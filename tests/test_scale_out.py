"""examples/scale_out.py: spread work gives the result of one machine."""
import json
import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack

import numpy as np
import pytest

import scale_out
from common import ROOT

LIMIT = 60      # seconds for anything that is waited for


def test_threads_give_the_same_and_wrong_blocks_are_seen(capsys):
    pytest.importorskip("dask.array", reason="Dask is not installed")
    assert scale_out.main(["dask"]) == 0
    assert capsys.readouterr().out.count("equal to one machine's") == 2
    images = np.random.default_rng(0).standard_normal((70, 9, 8, 1))
    Z, dW = scale_out.in_blocks(images, np.ones((3, 3, 1, 2)), np.zeros(2))
    assert Z.numblocks[0] == 3
    Z, dW = Z.compute(), dW.compute()
    assert scale_out.report("Z", Z + 1e-9, Z, 1e-12) == 1
    assert scale_out.report("dW", dW, 3 * dW, 1e-12) == 1
    assert scale_out.report("dW", dW, dW, 1e-12) == 0


def test_one_result_that_differs_is_the_exit_status(monkeypatch, capsys):
    Z = np.ones(3)
    monkeypatch.setattr(scale_out, "require", lambda *_: None)
    monkeypatch.setattr(scale_out, "with_dask", lambda *_: [
        ("Z", Z, Z, 1e-12), ("dW", 2 * Z, Z, 1e-12), ("db", Z, Z, 1e-12)])
    assert scale_out.main(["dask"]) == 1
    assert capsys.readouterr().out.count("DIFFERENT") == 1


@pytest.mark.slow
def test_a_scheduler_is_waited_for_and_two_workers_give_the_same(tmp_path,
                                                                 capsys):
    pytest.importorskip("distributed", reason="Dask's is not installed")
    environment = {name: value for name, value in os.environ.items()
                   if name != "PYTHONPATH"}     # as in a terminal of its own
    file, end = tmp_path / "scheduler.json", time.monotonic() + LIMIT
    with ExitStack() as stack, open(tmp_path / "log", "w") as log:
        def started(*arguments):
            process = stack.enter_context(subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments, "--host",
                 "127.0.0.1", "--no-dashboard"], cwd=tmp_path, stdout=log,
                stderr=log, env=environment))
            stack.callback(process.kill)

        started("scheduler", "--port", "0", "--scheduler-file", str(file))
        while not (file.exists() and "}" in file.read_text()[-2:]):
            assert time.monotonic() < end, "the scheduler did not start"
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        command = ["dask", "--scheduler", address, "--timeout"]
        assert scale_out.main([*command, "0.5"]) == 2
        assert capsys.readouterr().err == (
            "scale_out.py: --timeout: no result within 0.5 s; is a worker "
            f"connected to {address}?\n")
        for _ in range(2):      # processes, which find no file of ours
            started("worker", address, "--nthreads", "1", "--no-nanny",
                    "--death-timeout", str(LIMIT))
        assert scale_out.main([*command, str(LIMIT)]) == 0
        out, err = capsys.readouterr()
        assert not err and out.count("equal to one machine's") == 2


@pytest.mark.slow
def test_two_devices_give_the_same(tf):
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "scale_out.py", "tensorflow"],
        text=True, capture_output=True, timeout=2 * LIMIT)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"weights on \d+ devices: equal to one machine's, "
                        r"relative difference \S+\n", done.stdout)


@pytest.mark.parametrize("arguments, told", [
    ("dask --scheduler nonsense", "--scheduler: .*'nonsense'"),
    ("dask --scheduler ", "--scheduler: .*got ''"),
    ("dask --scheduler http://127.0.0.1:1", "--scheduler: .*http"),
    ("dask --timeout 1 --scheduler tcp://127.0.0.1:1",
     r"--scheduler: .*'tcp://127.0.0.1:1' \(.*\)"),
    ("tensorflow --scheduler tcp://127.0.0.1:8786", "--scheduler: .*dask on"),
    ("tensorflow --timeout 5", "--timeout: .*dask only"),
    ("dask --timeout 5", "--timeout: expected with --scheduler only"),
    ("dask --timeout 0", "--timeout: .*above 0, got 0"),
    ("dask --timeout soon", "--timeout: .*above 0, got soon"),
    ("spark", "engine: .*spark")])
def test_a_wrong_argument_is_one_line(arguments, told, capsys):
    if "dask --sch" in arguments or "tcp://127.0.0.1:1" in arguments:
        pytest.importorskip("distributed", reason="Dask's is not installed")
    assert scale_out.main(arguments.split(" ")) == 2
    out, err = capsys.readouterr()
    assert not out and re.fullmatch(rf"scale_out.py: .*{told}.*\n", err)


@pytest.mark.parametrize("package, arguments, install", [
    ("dask.array", "dask", "'dask[array,distributed]'"),
    ("tensorflow", "tensorflow", "tensorflow"),
    ("distributed", "dask --scheduler x", "'dask[array,distributed]'")])
def test_a_missing_package_is_told(package, arguments, install, monkeypatch,
                                   capsys):
    if package == "distributed":
        pytest.importorskip("dask.array", reason="Dask is not installed")
    monkeypatch.setitem(sys.modules, package, None)
    assert scale_out.main(arguments.split()) == 2
    out, err = capsys.readouterr()
    assert not out and err.startswith(f"scale_out.py: {package} is missing (")
    assert err.endswith(f"; run: python -m pip install {install}\n")


def test_its_help_shows_the_commands_and_ctrl_c_is_one_line(monkeypatch,
                                                            capsys):
    with pytest.raises(SystemExit, match="0"):
        scale_out.main(["--help"])
    shown = capsys.readouterr().out
    for line in ("dask scheduler", "dask worker tcp://127.0.0.1:8786",
                 "scale_out.py dask --scheduler tcp://127.0.0.1:8786"):
        assert re.search(rf"[ /]{line}\n", shown)

    def pressed(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(scale_out, "parsed", pressed)
    assert scale_out.main(["dask"]) == 130
    assert capsys.readouterr().err == "scale_out.py: interrupted\n"
