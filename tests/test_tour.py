"""examples/tour.ipynb runs from top to bottom and keeps to its house rules."""
import re

import nbformat
import pytest
from nbclient import NotebookClient

from loader import ROOT

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
        if "array" in before or "windows" in before:
            assert before == after
    text = "\n".join(again)
    left, right = re.search(r"\(([^,]*), ([^,]*)\)\n", text).groups()
    assert left == right
    assert float(re.search(r"([\d.]+)% of 360 new digits", text)[1]) > 85
    assert float(re.search(r"largest difference: (\S+)", text)[1]) < 1e-5


def test_it_keeps_to_its_house_rules(notebook):
    assert len(notebook.cells) <= 25
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert 60 <= len(cell.source.split()) <= 130, cell.source
        else:
            assert "class " not in cell.source
            assert not any(out.output_type == "error" for out in cell.outputs)
    shown = [cell for cell in notebook.cells if cell.get("outputs")]
    assert len(shown) == sum(
        cell.cell_type == "code" for cell in notebook.cells) - 1
