"""examples/benchmark.py: what it prints, and that it catches a wrong result.

Times are never asserted: machines differ.
"""
import re

import numpy as np
import pytest

import benchmark


@pytest.fixture
def quick(tf, capsys, tmp_path):
    def run(*arguments):
        status = benchmark.main(["--rounds", "1", "--out",
                                 str(tmp_path / "out"), *arguments])
        return status, capsys.readouterr().out, tmp_path / "out"
    return run


def test_it_prints_a_ratio_for_each_pass_of_each_row(quick):
    status, printed, out = quick("--rows", "lenet2", "pool28")
    assert status == 0
    rows = re.findall(r"^\| (lenet2: 256x14x14x6, 5x5x6x16, valid, 1|"
                      r"pool28: 256x28x28x6, 2x2, 2) \| (\w+ \w+) \| ([\d.]+) "
                      r"\|", printed, re.M)
    assert [(row[0][:6], row[1]) for row in rows] == [
        ("lenet2", "conv forward"), ("lenet2", "conv backward"),
        ("pool28", "max forward"), ("pool28", "max backward"),
        ("pool28", "avg forward"), ("pool28", "avg backward")]
    assert all(float(row[2]) > 0 for row in rows)
    # Of a single row, the geometric mean is its ratio.
    for _, operation, ratio in rows:
        assert f"- {operation}: geometric mean {ratio}; worst" in printed
    assert re.search(r"float32, \d+ cores of .*, NumPy \d", printed)
    assert (out / "benchmark.md").read_text(encoding="utf-8") == printed
    assert [path.name for path in out.iterdir()] == ["benchmark.md"]


def test_the_mean_is_geometric_and_the_worst_come_first():
    times = [("a", 1), ("b", 8), ("c", 1), ("d", 16)]
    lines = benchmark.table([
        (row, "conv forward", {"ours": ours, "Keras": 2, "loops": 200})
        for row, ours in times])
    assert lines[2] == "| a | conv forward | 0.50 | 100 |"
    assert lines[-2] == ("- conv forward: geometric mean 1.68; worst 8.00 (d),"
                         " 4.00 (b), 0.50 (c)")


def test_busy_compares_with_the_same_call_undisturbed(quick):
    status, printed, _ = quick("--busy", "--rows", "lenet2", "--rounds", "3")
    assert status == 0
    rows = re.findall(r"\| (conv \w+) \| ([\d.]+) \| ([\d.]+) \|", printed)
    assert [name for name, *_ in rows] == ["conv forward", "conv backward"]
    assert all(float(times) > 0 for _, *both in rows for times in both)
    assert "beside a second process" in printed


def test_a_wrong_result_is_reported_and_not_timed(quick, monkeypatch):
    right = benchmark.ours.conv_forward
    monkeypatch.setattr(benchmark.ours, "conv_forward",
                        lambda *args: right(*args) * np.float32(1.001))
    status, printed, _ = quick("--rows", "lenet2")
    assert status == 1
    assert re.search(r"WRONG, not timed: conv forward of ours, lenet2: .*: at "
                     r"\(\d+, \d+, \d+, \d+\) got", printed)
    assert "1 | conv forward" not in printed
    assert "1 | conv backward" in printed


def test_wrong_loops_are_reported(quick, monkeypatch):
    right = benchmark.naive.pool_forward
    monkeypatch.setattr(benchmark.naive, "pool_forward",
                        lambda *args: right(*args) * 1.001)
    status, printed, _ = quick("--rows", "pool28")
    assert status == 1
    assert "max forward of loops, pool28" in printed


def test_random_rows_are_the_same_for_a_seed_and_as_promised():
    rows = benchmark.random_rows(40, seed=3)
    assert rows == benchmark.random_rows(40, seed=3)
    assert rows != benchmark.random_rows(40, seed=4) and len(rows) == 40
    for (_, h, w, c_prev), (kh, kw, channels, _), padding, s in rows:
        assert 1 <= kh <= min(7, h) and 1 <= kw <= min(7, w)
        assert s in (1, 2, 3) and padding in ("same", "valid")
        assert channels == c_prev
    assert {row[2] for row in rows} == {"same", "valid"}


@pytest.mark.slow
def test_random_rows_are_timed(quick):
    status, printed, _ = quick("--random", "2")
    assert status == 0
    assert len(re.findall(r"^\| \d+x\d+x\d+x\d+, ", printed, re.M)) == 4


@pytest.mark.parametrize("arguments, message", [
    (["--rows", "lenet3"], "invalid choice: 'lenet3' .choose from '?lenet1"),
    (["--rounds", "0"], "expected an integer of at least 1, got 0"),
    (["--out", __file__], "--out .*: expected a folder that can be written")])
def test_wrong_arguments_end_before_the_work(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        benchmark.main(arguments)
    assert stopped.value.code == 2
    assert re.search(message, capsys.readouterr().err)
