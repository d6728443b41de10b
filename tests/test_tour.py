"""examples/tour.ipynb: its exercises, and what it prints."""
import re

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_notebook

import naive
from check import check
from common import ROOT

PATH = ROOT / "examples" / "tour.ipynb"
# What a reader might write, exercise by exercise; each runs, and is wrong.
WRONG = ["window = A_pad[n, y:y + kh, x:x + kw]",
         "dW[..., k] = A_pad[window] * dZ[n, y, x, k]",
         "dA_pad[window] = W[..., k] * dZ[n, y, x, k]",
         "dA_prev = dA_pad[:, top:-top, left:-left]",
         "mask = A_prev[window] == np.max(A_prev)"]


@pytest.fixture
def cells():
    return nbformat.read(PATH, as_version=4).cells


def shown(cell):
    """Return what a cell gave, and how many pictures; of a stub, its grade."""
    text = "".join(out.get("text") or out.data["text/plain"]
                   for out in cell.get("outputs", ())
                   if out.get("name") != "stderr")
    return (text.split()[-1] if "# your line" in cell.source else text,
            sum("image/png" in out.get("data", ())
                for out in cell.get("outputs", ())))


def test_what_it_shows_is_stored(cells):
    # Only the copy that is broken on purpose, and the five empty stubs.
    assert "".join(shown(cell)[0] for cell in cells).count("False") == 6
    for text, code in zip(cells[::2], cells[1::2]):
        assert (text.cell_type, code.cell_type) == ("markdown", "code")
        assert code.outputs and not any(
            out.output_type == "error" or out.get("name") == "stderr"
            for out in code.outputs)


def test_the_checker_grades_the_solutions_right_and_nothing_else(cells):
    stubs = [(re.search(r"```python\n(.*)\n```", above.source)[1], cell.source)
             for above, cell in zip(cells, cells[1:])
             if "# your line" in cell.source]
    assert len(stubs) == len(WRONG)
    for (solution, stub), wrong in zip(stubs, WRONG):
        graded = []
        for line in rf"\g<1>{solution}", rf"\g<1>{wrong}", r"\g<0>":
            code, count = re.subn(r"^( *)\S.*# your line$", line, stub,
                                  flags=re.M)
            exec(code, {"check": lambda function: graded.append(
                check(function)), "naive": naive, "np": np})
            assert count == 1
        assert graded == [True, False, False], solution


@pytest.mark.slow
def test_it_runs_as_stored(cells, tf):
    from nbclient import NotebookClient
    stored = [*map(shown, cells)]
    NotebookClient(new_notebook(cells=cells), timeout=100, resources={
        "metadata": {"path": str(PATH.parent)}}).execute()
    assert [*map(shown, cells)] == stored
