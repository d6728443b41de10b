"""examples/benchmark.py: what its tables hold, and that it compares results.

Times are never asserted: machines differ.
"""
import re

import pytest

import benchmark
from common import ROOT

TINY = ["--quick", "--rows", "2x6x5x3, 2x3x3x4, same, 2", "2x6x5x3, 2x3, 2"]


def cells(printed):
    """Return the operation and the numbers of each line of the tables."""
    return [(line[0], [float(cell) for cell in re.split(r" / | \| ", line[1])])
            for line in re.findall(
                r"^\| 2x.*? \| (\w+ \w+) \| ([^a-z]*) \|$",
                printed.replace("| - |", "|"), re.M)]


def test_both_tables_time_each_pass_but_no_wrong_one(capsys, tmp_path):
    for file in ROOT.glob("[0-3]-*.py"):
        wrong = ("\nright = conv_backward\ndef conv_backward(*args):\n"
                 "    return [1.001 * array for array in right(*args)]\n")
        (tmp_path / file.name).write_text(file.read_text("utf-8") + wrong * (
            "conv_backward" in file.name), "utf-8")
    status = benchmark.main([*TINY, "--modules", str(tmp_path), "--output",
                             str(tmp_path / "out.md")])
    printed = capsys.readouterr().out
    assert status == 1 and (tmp_path / "out.md").read_text("utf-8") == printed
    assert f"Not measured: {TINY[2]}, conv backward" in printed
    assert f"result 0 of ours is not that of {tmp_path}/" in printed
    assert len(cells(printed)) == 10
    for operation, numbers in cells(printed):
        assert operation != "conv backward" and min(numbers[:4]) > 0
        assert numbers[-2:] == [0, 0] or benchmark.resource
