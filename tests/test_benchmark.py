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
        status = benchmark.main(["--quick", "--out", str(tmp_path / "out"),
                                 *arguments])
        return status, capsys.readouterr().out, tmp_path / "out"
    return run


def test_it_prints_a_ratio_for_each_pass_of_each_row(quick):
    status, printed, out = quick("--rows", "lenet2,pool28")
    assert status == 0
    rows = re.findall(r"^\| (lenet2|pool28) \| (\w+ \w+) \| ([\d.]+) \|.* "
                      r"(\d+)% \|$", printed, re.M)
    assert [row[:2] for row in rows] == [
        ("lenet2", "conv forward"), ("lenet2", "conv backward"),
        ("pool28", "max forward"), ("pool28", "max backward"),
        ("pool28", "avg forward"), ("pool28", "avg backward")]
    assert all(float(row[2]) > 0 for row in rows)
    assert len(re.findall(r"^\| geometric mean ", printed, re.M)) == 6
    assert re.search(r"\d cores .*NumPy \d.* GFLOP/s", printed)
    assert (out / "benchmark.md").read_text(encoding="utf-8") == printed
    assert [path.name for path in out.iterdir()] == ["benchmark.md"]


def test_float64_is_compared_with_float64(quick):
    status, printed, _ = quick("--rows", "lenet2", "--dtype", "float64")
    assert status == 0 and "\nfloat64, " in printed


def test_a_wrong_result_is_reported_and_not_timed(quick, monkeypatch):
    right = benchmark.conv_forward
    monkeypatch.setattr(benchmark, "conv_forward",
                        lambda *args: right(*args) * np.float32(1.001))
    status, printed, _ = quick("--rows", "lenet2")
    assert status == 1
    assert re.search(r"WRONG, not timed: conv forward of ours, lenet2: at "
                     r"\(\d+, \d+, \d+, \d+\) got", printed)
    assert "| lenet2 | conv forward" not in printed
    assert "| lenet2 | conv backward" in printed


def test_wrong_loops_are_reported(quick, monkeypatch):
    right = benchmark.naive.pool_forward
    monkeypatch.setattr(benchmark.naive, "pool_forward",
                        lambda *args: right(*args) + 1)
    status, printed, _ = quick("--rows", "pool28")
    assert status == 1
    assert "max forward of naive loops, pool28" in printed


def test_random_rows_are_the_same_for_a_seed_and_as_promised():
    rows = benchmark.random_rows(40, seed=3)
    assert rows == benchmark.random_rows(40, seed=3)
    assert rows != benchmark.random_rows(40, seed=4) and len(rows) == 40
    for (m, h, w, c_prev), (kh, kw, channels, _), padding, s in rows.values():
        assert 1 <= kh <= min(7, h) and 1 <= kw <= min(7, w)
        assert s in (1, 2, 3) and padding in ("same", "valid")
        assert channels == c_prev
    assert {row[2] for row in rows.values()} == {"same", "valid"}


def test_random_rows_are_timed_and_the_slowest_named(quick):
    status, printed, _ = quick("--random", "2")
    assert status == 0
    assert len(re.findall(r"^\| \d+x\d+x\d+x\d+, ", printed, re.M)) == 4
    assert len(re.findall(r"^Slowest, conv \w+: \d", printed, re.M)) == 2


def test_an_unknown_row_is_refused(capsys):
    with pytest.raises(SystemExit) as refused:
        benchmark.main(["--rows", "lenet3"])
    assert refused.value.code == 2
    assert "no row 'lenet3'; expected some of lenet1" in capsys.readouterr(
        ).err


def test_a_folder_that_cannot_be_written_is_refused_first(capsys, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SystemExit) as refused:
        benchmark.main(["--out", str(tmp_path / "file")])
    assert refused.value.code == 2
    assert "expected a folder that can be written" in capsys.readouterr().err
