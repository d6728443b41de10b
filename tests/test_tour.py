"""examples/tour.ipynb runs from top to bottom; its exercises can be solved."""
import re

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from common import ROOT

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


@pytest.fixture(scope="module")
def defined():
    """Return what the notebook has defined before LeNet-5."""
    names = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLBACKEND", "Agg")
        patch.chdir(PATH.parent)
        for cell in nbformat.read(PATH, as_version=4).cells:
            if "import lenet5_numpy" in cell.source:
                break
            if cell.cell_type == "code":
                exec(cell.source, names)
    return names


@pytest.fixture
def space(defined, monkeypatch):
    """Return a copy of it to run a cell in."""
    monkeypatch.chdir(PATH.parent)
    yield dict(defined)
    plt.close("all")


def test_what_it_invites_the_reader_to_try_gives_false(notebook, space,
                                                       capsys):
    cell, = (cell.source for cell in notebook.cells
             if "def Z_of(" in cell.source)
    changed = cell.replace('W, zero, "same"', "W, zero, ((2, 1), (1, 1))")
    assert changed.count("((2, 1), (1, 1))") == 1
    space["dZ"] = np.arange(1, 5).reshape(1, 2, 2, 1)
    capsys.readouterr()
    exec(changed, space)
    assert capsys.readouterr().out.splitlines()[-1].startswith("False ")


UNSOLVED = "answer = None", "old, new = None, None"


@pytest.mark.parametrize("number, right, wrong", [
    (0, "[[24, 36], [72, 84]]", "[[24, 36], [72, 85]]"),
    (1, "((1, 1), (1, 1))", "((1, 1), (0, 0))"),
    (2, '"dkernels += _mul", "dkernels -= _mul"', '"+ h_prev", "+ (h_prev)"'),
    (2, '"dA_pad[:, top:top", "dA_pad[:, bottom:bottom"', '"t = ", "t  = "'),
    (2, '"np.ones(len(dZ_block)", "np.zeros(len(dZ_block)"',
     '"2**17", "2**12"'),
    (3, "(16, 4)", "(4, 16)"),
    (4, "np.eye(3)", "np.ones((3, 3))"),
    (4, "[[2, -1, -1], [-1, 2, -1], [-1, -1, 2]]", "-np.eye(3)")])
def test_an_exercise_knows_right_from_wrong(number, right, wrong, notebook,
                                            space, capsys):
    cell = [cell.source for cell in notebook.cells
            if cell.source.startswith(UNSOLVED)][number]
    before = (PATH.parent.parent / "2-conv_backward.py").read_bytes()
    for answer, says in ((None, "not yet"), (wrong, "not yet"),
                         (right, "right")):
        lines = cell.split("\n", 1)
        if answer:
            lines[0] = f"{lines[0].partition(' = ')[0]} = {answer}"
        capsys.readouterr()
        exec("\n".join(lines), dict(space))
        assert capsys.readouterr().out.startswith(says), answer
    after = (PATH.parent.parent / "2-conv_backward.py").read_bytes()
    assert after == before


def test_it_is_short_stored_and_defines_no_layer(notebook):
    exercises = [cell for cell in notebook.cells
                 if cell.source.startswith(UNSOLVED)]
    assert len(exercises) == 5 and len(notebook.cells) <= 25 + 2 * 5
    assert all("not yet\n" in outputs(cell) for cell in exercises)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert "class " not in cell.source
            assert not any(out.output_type == "error" or out.get(
                "name") == "stderr" for out in cell.outputs)
    shown = [cell for cell in notebook.cells if cell.get("outputs")]
    assert len(shown) == sum(
        cell.cell_type == "code" for cell in notebook.cells) - 1
