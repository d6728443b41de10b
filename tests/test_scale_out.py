"""examples/scale_out.py: spread work gives the result of one machine."""
import re
import subprocess
import sys

import pytest

import scale_out
from common import ROOT


def test_dask_gives_the_same(capsys):
    pytest.importorskip("dask.array", reason="Dask is not installed")
    assert scale_out.main(["dask"]) == 0
    printed = capsys.readouterr().out
    assert len(re.findall("equal to one machine's", printed)) == 2


def test_a_wrong_block_is_seen(capsys, monkeypatch):
    pytest.importorskip("dask.array", reason="Dask is not installed")
    right = scale_out.same_Z
    monkeypatch.setattr(scale_out, "same_Z", lambda Z: right(Z) + len(Z))
    assert scale_out.main(["dask"]) == 1
    assert "DIFFERENT from one machine's" in capsys.readouterr().out


def test_two_devices_give_the_same(tf):
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "scale_out.py"),
         "tensorflow"], text=True, capture_output=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert re.match(r"weights on \d+ devices: equal to", done.stdout)
