"""examples/scale_out.py: spread work gives the result of one machine."""
import re
import signal
import subprocess
import sys
from contextlib import ExitStack

import pytest

import scale_out


@pytest.mark.parametrize("off", [(0, 0), (1e-9, 0), (0, -1e-9)])
def test_blocks_in_threads_give_the_same_and_what_differs_is_status_1(
        off, monkeypatch, capsys):
    pytest.importorskip("dask.array", reason="Dask is not installed")
    in_blocks = scale_out.in_blocks

    def changed(*arguments):
        Z, dW = in_blocks(*arguments)
        assert Z.numblocks[0] == 4      # of 100 images
        return Z * (1 + off[0]), dW * (1 + off[1])

    monkeypatch.setattr(scale_out, "in_blocks", changed)
    assert scale_out.main(["dask"]) == any(off)
    assert re.findall("(equal|DIFFERENT) .* one machine's",
                      capsys.readouterr().out) == [
        "DIFFERENT" if wrong else "equal" for wrong in off]


@pytest.mark.slow
def test_a_worker_is_waited_for_and_two_give_the_same(tmp_path, capsys):
    distributed = pytest.importorskip("distributed", reason="not installed")
    with ExitStack() as workers, distributed.LocalCluster(
            n_workers=0, host="127.0.0.1", protocol="tcp://",
            dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        command = ["dask", "--scheduler", address, "--timeout"]
        assert scale_out.main([*command, "0.5"]) == 2
        assert capsys.readouterr().err == (
            "scale_out.py: --timeout: no result within 0.5 s; is a worker "
            f"connected to {address}?\n")
        for _ in range(2):      # processes, which find no file of ours
            workers.enter_context(subprocess.Popen(
                [sys.executable, "-E", "-m", "dask", "worker", address,
                 "--nthreads", "1", "--no-nanny", "--no-dashboard",
                 "--death-timeout", "60"], cwd=tmp_path,
                stderr=subprocess.DEVNULL))
        assert scale_out.main([*command, "60"]) == 0
        out, err = capsys.readouterr()
        assert not err and out.count("equal to one machine's") == 2


@pytest.mark.slow
def test_two_devices_give_the_same(tf):
    done = subprocess.run([sys.executable, scale_out.__file__, "tensorflow"],
                          text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"weights on [2-9] devices: equal to one machine's, "
                        r"relative difference \S+\n", done.stdout)


@pytest.mark.parametrize("arguments, told", [
    ("dask --scheduler nonsense", "--scheduler: .*'nonsense'"),
    ("dask --scheduler ", "--scheduler: .*got ''"),
    ("dask --scheduler http://127.0.0.1:1", "--scheduler: .*http"),
    ("dask --timeout 0.2 --scheduler tcp://127.0.0.1:1",
     r"--scheduler: .*'tcp://127.0.0.1:1' \(.*\)"),
    ("tensorflow --scheduler tcp://127.0.0.1:8786", "--scheduler: .*dask on"),
    ("tensorflow --timeout 5", "--timeout: .*dask only"),
    ("dask --timeout 5", "--timeout: expected with --scheduler only"),
    ("dask --timeout 0", "--timeout: .*above 0, got 0"),
    ("dask --timeout inf", "--timeout: .*above 0, got inf"),
    ("dask --timeout soon", "--timeout: .*above 0, got soon"),
    ("spark", "engine: .*spark"),
    ("dask", r"dask.array is missing \(.*'dask\[array,distributed]'"),
    ("dask --scheduler x", r"distributed is missing .*'dask\[array,dist.*'"),
    ("tensorflow", r"tensorflow is missing \(.*; run: .* tensorflow")])
def test_what_is_wrong_or_missing_is_one_line(arguments, told, monkeypatch,
                                              capsys):
    if re.match("dask .*--sch", arguments):
        pytest.importorskip("distributed", reason="not installed")
    if " is missing" in told:
        monkeypatch.setitem(sys.modules, told.split()[0], None)
    assert scale_out.main(arguments.split(" ")) == 2
    out, err = capsys.readouterr()
    assert not out and re.fullmatch(rf"scale_out.py: .*{told}.*\n", err)


def test_its_help_shows_the_commands_and_ctrl_c_is_one_line(monkeypatch,
                                                            capsys):
    with pytest.raises(SystemExit, match="0"):
        scale_out.main(["--help"])
    assert re.search(r"( +)dask scheduler\n\1dask worker (tcp://127.0.0.1:8786"
                     r")\n\1python \S+/scale_out.py dask --scheduler \2\n",
                     capsys.readouterr().out)
    monkeypatch.setattr(scale_out, "parsed",
                        lambda _: signal.default_int_handler(2, None))
    assert scale_out.main(["dask"]) == 130
    assert capsys.readouterr().err == "scale_out.py: interrupted\n"
