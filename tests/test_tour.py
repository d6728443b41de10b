"""examples/tour.ipynb runs from top to bottom and keeps to its house rules."""
import re

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from loader import ROOT, load

PATH = ROOT / "examples" / "tour.ipynb"


@pytest.fixture
def notebook():
    return nbformat.read(PATH, as_version=4)


def outputs(cell):
    """Return the text that a cell gave: printed, or as its value."""
    return "".join(out.get("text", "") or out.get("data", {}).get(
        "text/plain", "") for out in cell.get("outputs", []))


def test_it_runs_and_gives_what_is_stored(notebook, tf):
    stored = [outputs(cell) for cell in notebook.cells]
    NotebookClient(notebook, timeout=100, resources={
        "metadata": {"path": str(PATH.parent)}}).execute()
    again = [outputs(cell) for cell in notebook.cells]
    for before, after in zip(stored, again):
        if "array" in before or "dA" in before:
            assert before == after
    text = "\n".join(again)
    assert "difference / 0.001 = 10.0" in text
    assert "\nTrue True True\n" in text
    assert float(re.search(r"([\d.]+)% of 360 new digits", text)[1]) > 85
    assert float(re.search(r"largest difference: (\S+)", text)[1]) < 1e-5


def test_what_it_invites_the_reader_to_try_gives_false(notebook):
    cell, = (cell.source for cell in notebook.cells
             if "def Z_of(" in cell.source)
    changed = cell.replace('W, zero, "same"', "W, zero, ((2, 1), (1, 1))")
    assert changed.count("((2, 1), (1, 1))") == 1
    printed = []
    space = {"np": np, "load": load, "print": lambda *args, **options:
             printed.append(args), "conv_forward": load("0-conv_forward.py"),
             "conv_backward": load("2-conv_backward.py"),
             "image": np.arange(9).reshape(1, 3, 3, 1),
             "kernel": np.arange(4).reshape(2, 2, 1, 1),
             "dZ": np.arange(1, 5).reshape(1, 2, 2, 1)}
    exec(changed, space)
    assert not printed[-1][0] and printed[-1][1] is not None


def test_it_keeps_to_its_house_rules(notebook):
    assert len(notebook.cells) <= 25
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert "class " not in cell.source
            assert not any(out.output_type == "error" or out.get(
                "name") == "stderr" for out in cell.outputs)
    shown = [cell for cell in notebook.cells if cell.get("outputs")]
    assert len(shown) == sum(
        cell.cell_type == "code" for cell in notebook.cells) - 1
