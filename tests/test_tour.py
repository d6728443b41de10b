"""examples/tour.ipynb: its form, its exercises, and what it prints."""
import ast
import re

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import naive
from common import ROOT

PATH = ROOT / "examples" / "tour.ipynb"
# What a reader might write, exercise by exercise; each runs, and is wrong.
WRONG = ["window = A_pad[n, y:y + kh, x:x + kw]",
         "dW[..., k] = A_pad[window] * dZ[n, y, x, k]",
         "dA_pad[window] = W[..., k] * dZ[n, y, x, k]",
         "dA_prev = dA_pad[:, top:-top, left:-left]",
         "mask = A_prev[window] == np.max(A_prev)"]
MODES = {"valid": "max", "same": "avg", ((0, 1), (2, 0)): "max"}
CASES = [(kernel, stride, padding) for kernel in ((2, 3), (4, 1))
         for stride in ((1, 1), (2, 3)) for padding in MODES]


@pytest.fixture
def cells():
    return nbformat.read(PATH, as_version=4).cells


def exercises(cells):
    """Return each stub, with the solution that is folded above it."""
    return [(cell, re.search(r"```python\n(.*)\n```", above.source)[1])
            for above, cell in zip(cells, cells[1:])
            if "# your line" in cell.source]


def filled(cell, line):
    """Return the code of a stub with a line in the place of its own."""
    code, count = re.subn(r"^( *)\S.*# your line$",
                          lambda match: match[1] + line, cell.source,
                          flags=re.M)
    assert count == 1
    return code


def agrees(code, rng):
    """Tell whether a filled stub computes what naive.py does."""
    graded = []
    exec(code, {"check": graded.append, "naive": naive, "np": np})
    function, = graded
    definition = getattr(naive, function.__name__)
    A_prev = rng.integers(0, 4, (2, 5, 7, 2)).astype(float)
    for kernel, stride, padding in CASES:
        W, b = rng.integers(-4, 5, (*kernel, 2, 3)), np.arange(3)
        call = A_prev, W, b, np.abs, padding, stride
        if function.__name__ == "conv_backward":
            call = naive.conv_forward(*call), A_prev, W, b, padding, stride
        elif function.__name__ == "pool_backward":
            dA = naive.pool_forward(A_prev, kernel, stride)
            call = dA, A_prev, kernel, stride, MODES[padding]
        if not all(map(np.array_equal, function(*call), definition(*call))):
            return False
    return True


def shown(cell):
    """Return what a cell gave, and how many pictures; of a stub, its grade."""
    text = "".join(out.get("text") or out.data["text/plain"]
                   for out in cell.get("outputs", ())
                   if out.get("name") != "stderr")
    return (text.split()[-1] if "# your line" in cell.source else text,
            sum("image/png" in out.get("data", ())
                for out in cell.get("outputs", ())))


def test_its_form(cells):
    assert len(cells) <= 32
    # Only the copy that is broken on purpose, and the five empty stubs.
    assert "".join(shown(cell)[0] for cell in cells).count("False") == 6
    for text, code in zip(cells[::2], cells[1::2]):
        assert (text.cell_type, code.cell_type) == ("markdown", "code")
        assert 60 <= len(text.source.split()) <= 130, text.source
        functions = [node.name for node in ast.walk(ast.parse(code.source))
                     if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
        assert len(functions) == ("# your line" in code.source)
        assert code.outputs and not any(
            out.output_type == "error" or out.get("name") == "stderr"
            for out in code.outputs)


def test_the_solutions_are_right_and_nothing_else(cells, rng):
    assert len(exercises(cells)) == len(WRONG) == 5
    for (cell, solution), wrong in zip(exercises(cells), WRONG):
        assert agrees(filled(cell, solution), rng), solution
        assert not agrees(cell.source, rng)
        assert not agrees(filled(cell, wrong), rng), wrong


@pytest.mark.slow
def test_it_runs_as_stored_and_the_checker_grades_it(cells, tf):
    from nbclient import NotebookClient
    stored = [shown(cell) for cell in cells]
    tried = [new_code_cell(filled(cell, line))
             for (cell, solution), wrong in zip(exercises(cells), WRONG)
             for line in (solution, wrong)]
    NotebookClient(new_notebook(cells=cells + tried), timeout=100, resources={
        "metadata": {"path": str(PATH.parent)}}).execute()
    assert [shown(cell) for cell in cells] == stored
    assert [shown(cell)[0].split()[-1] for cell in tried] == [
        "True", "False"] * len(WRONG)
