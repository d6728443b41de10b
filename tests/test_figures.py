"""examples/figures.py draws what is committed."""
import numpy as np
import pytest
from matplotlib.image import imread

import figures
from collection import ROOT

FOLDER = ROOT / "examples" / "figures"


@pytest.mark.parametrize("function", figures.FIGURES,
                         ids=lambda function: function.__name__)
def test_the_committed_figure_is_drawn_again(function, tmp_path, request):
    if function is figures.curves:
        request.getfixturevalue("tf")
    again = figures.draw(function, tmp_path)
    committed = FOLDER / again.name
    if again.read_bytes() != committed.read_bytes():
        # Other versions draw other letters, other processors round otherwise.
        ours, theirs = imread(again), imread(committed)
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).mean() < 0.04


def test_the_same_versions_draw_the_same_bytes(tmp_path):
    (tmp_path / "again").mkdir()
    for function in (figures.convolution, figures.pooling, figures.steps):
        once = figures.draw(function, tmp_path).read_bytes()
        assert figures.draw(function, tmp_path / "again").read_bytes() == once


def test_no_figure_is_left_over():
    drawn = {f"{function.__name__}.png" for function in figures.FIGURES}
    assert {path.name for path in FOLDER.iterdir()} == drawn
