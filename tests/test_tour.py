"""examples/tour.ipynb runs from top to bottom; its exercises can be solved."""
import ast
import re

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from common import ROOT

PATH = ROOT / "examples" / "tour.ipynb"
BACKWARD = ROOT / "2-conv_backward.py"
UNSOLVED = "answer = None", "old, new = None, None"


@pytest.fixture
def notebook():
    return nbformat.read(PATH, as_version=4)


def outputs(cell):
    """Return the text that a cell gave, printed or as its value."""
    return "".join(out.get("text") or out["data"].get("text/plain", "")
                   for out in cell.get("outputs", [])
                   if out.output_type == "execute_result"
                   or out.get("name") == "stdout")


def pictures(cell):
    """Return how many pictures a cell drew."""
    return sum("image/png" in out.get("data", {})
               for out in cell.get("outputs", []))


@pytest.mark.slow
def test_it_runs_and_gives_what_is_stored(notebook, tf):
    stored = [(outputs(cell), pictures(cell)) for cell in notebook.cells]
    NotebookClient(notebook, timeout=100, resources={
        "metadata": {"path": str(PATH.parent)}}).execute()
    assert [(outputs(cell), pictures(cell))
            for cell in notebook.cells] == stored
    text = "\n".join(map(outputs, notebook.cells))
    assert "difference / 0.001 = 10.0\nTrue True True\n" in text
    assert "new digits read right: True\n" in text
    assert "largest difference below 1e-5: True\n" in text


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
def solve(notebook, defined, monkeypatch, capsys):
    """Return a function that answers an exercise and tells what it says."""
    monkeypatch.chdir(PATH.parent)
    cells = exercises(notebook)

    def says(number, answer):
        """Put a line of code in the place of the cell's first line."""
        _, rest = cells[number - 1].source.split("\n", 1)
        capsys.readouterr()
        exec(f"{answer}\n{rest}", dict(defined))
        return capsys.readouterr().out.strip()

    before = BACKWARD.read_bytes()
    yield says
    plt.close("all")
    assert BACKWARD.read_bytes() == before


def exercises(notebook):
    """Return the cells to be answered."""
    return [cell for cell in notebook.cells
            if cell.source.startswith(UNSOLVED)]


def test_what_it_invites_the_reader_to_try_gives_false(notebook, defined,
                                                       capsys):
    cell, = (cell.source for cell in notebook.cells
             if "def Z_of(" in cell.source)
    tried = "((2, 1), (1, 1))"
    assert any(f"`{tried}`" in cell.source for cell in notebook.cells)
    tree = ast.parse(cell)
    call, = (node for node in ast.walk(tree) if isinstance(node, ast.Call)
             and getattr(node.func, "id", "") == "conv_backward")
    padding = next(i for i, argument in enumerate(call.args)
                   if getattr(argument, "value", "") == "same")
    call.args[padding] = ast.parse(tried, mode="eval").body
    # The tiny dZ, which a later cell has given another shape.
    space = {**defined, "dZ": np.arange(1, 5).reshape(1, 2, 2, 1)}
    capsys.readouterr()
    exec(ast.unparse(tree), space)
    assert capsys.readouterr().out.splitlines()[-1].startswith("False ")


def test_the_solutions_are_right(notebook, solve):
    solutions, = (cell for cell in notebook.cells
                  if "solutions" in cell.metadata.get("tags", ()))
    assert solutions is notebook.cells[-1]
    folds = solutions.source.split("<details>")[1:]
    assert len(folds) == len(exercises(notebook)) == 5
    for number, fold in enumerate(folds, 1):
        line, = re.findall(r"```python\n(.*)\n```", fold)
        assert solve(number, line).startswith("right")
        assert "</details>" in fold


@pytest.mark.parametrize("number, wrong", [
    (1, "None"), (1, "[[24, 36], [72, 85]]"), (1, "24"),
    (2, "None"), (2, "((1, 1), (0, 0))"), (2, "((0, 1), (1, 0))"),
    (4, "None"), (4, "(4, 16)"),
    (5, "None"), (5, "np.ones((3, 3))"), (5, "-np.eye(3)"),
    (5, "[[1, 0, 1], [0, 1, 0], [1, 0, 1]]")])
def test_a_wrong_answer_is_not_yet_right(number, wrong, solve):
    assert solve(number, f"answer = {wrong}") == "not yet"


def test_another_right_answer_is_right(solve):
    assert solve(1, "answer = np.array([[24, 36], [72, 84]])") == "right"
    assert solve(4, "answer = [16, 4]") == "right"
    assert solve(5, "answer = np.eye(3)") == "right"


def changed(solve, old, new):
    """Return what exercise 3 says of a change."""
    return solve(3, f"old, new = {old!r}, {new!r}")


def faults():
    """Return the lines that add inside a loop, and what spoils each."""
    source = BACKWARD.read_text(encoding="utf-8")
    loops = (node for node in ast.walk(ast.parse(source))
             if isinstance(node, ast.For))
    adding = {ast.get_source_segment(source, node).splitlines()[0]
              for loop in loops for node in ast.walk(loop)
              if isinstance(node, ast.AugAssign)
              and isinstance(node.op, ast.Add)}
    return [(line, line.replace(" += ", instead))
            for line in sorted(adding) for instead in (" = ", " -= ")]


def test_the_dot_product_test_finds_what_was_broken(solve):
    assert faults()
    for fault in (*faults(), (" += ", " = ")):
        assert changed(solve, *fault) == "right: the test has found it", fault


@pytest.mark.parametrize("old, new, told", [
    (None, None, "not yet"),
    ("no such text", "x", "that text is not in the file"),
    ("    return", "return", "does not run (IndentationError"),
    ("import numpy", "import no_such_module", "does not run (ModuleNotFound"),
    ("return", "return", "the test still passes"),
    ("h_prev", "heights", "the test still passes")])    # another name
def test_it_says_why_a_change_does_not_count(old, new, told, solve):
    said = changed(solve, old, new)
    assert said.startswith("not yet") and told in said


def test_it_is_short_stored_and_defines_no_layer(notebook):
    cells = exercises(notebook)
    assert len(notebook.cells) <= 26 + 2 * len(cells)
    assert all(outputs(cell) == "not yet\n" for cell in cells)
    for cell in cells:
        before = notebook.cells[notebook.cells.index(cell) - 1]
        assert "<details><summary>Hint</summary>" in before.source
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert "class " not in cell.source
            assert not any(out.output_type == "error" or out.get(
                "name") == "stderr" for out in cell.outputs)
    shown = [cell for cell in notebook.cells if cell.get("outputs")]
    assert len(shown) == sum(
        cell.cell_type == "code" for cell in notebook.cells) - 1
