"""examples/benchmark.py: what it prints, and that it compares results first.
Times are never asserted: machines differ."""
import re

import pytest

import benchmark
from common import ROOT


def test_all_but_wrong_results_are_timed_fresh_and_warm(capsys, tmp_path):
    for file in ROOT.glob("[0-3]-*.py"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with open(tmp_path / "2-conv_backward.py", "a") as file:
        file.write("\nright = conv_backward\ndef conv_backward(*args):\n"
                   "    return [1.001 * array for array in right(*args)]\n")
    row = "2x6x5x3, 2x3x3x4, same, 2"
    assert benchmark.main(["--quick", "--rows", row, "2x6x5x3, 2x3, 2",
                           "--modules", str(tmp_path), "--output",
                           str(tmp_path / "out.md")]) == 1
    printed = capsys.readouterr().out
    assert (tmp_path / "out.md").read_text(encoding="utf-8") == printed
    assert re.search(f"Not measured: {row}, conv backward:.* result 0 of ours "
                     "is not that of", printed)
    lines = re.findall(r"^\| 2x.*? \| (\w+ \w+) \| (.*) \|$", printed, re.M)
    assert [name for name, _ in lines] == 2 * [
        "conv forward", "max forward", "max backward", "avg forward",
        "avg backward"]
    for _, cells in lines:      # ms of both, then of the products
        assert min(map(float, re.split(r" / | \| ", cells)[:4])) > 0


@pytest.mark.slow
def test_keras_agrees_on_named_and_on_random_rows(tf, capsys):
    assert benchmark.main("--quick --rows pool28 --random 1".split()) == 0
    printed = capsys.readouterr().out
    for row in ("conv backward", "avg forward"):
        assert printed.count(f"{row}, geometric means of 1: ours / Keras") == 2


def test_products_are_those_of_all_windows():
    row = benchmark.parse("8x64x64x3, 5x5x3x8, same, 1")
    for call in benchmark.product_passes(None, "conv", row,
                                         *benchmark.inputs(*row)):
        assert len(call()) == 10    # 32,768 windows, 2**18 // 75 in a block
