"""examples/figures.py draws what is committed."""
import numpy as np
import pytest
from matplotlib.image import imread

import figures
from loader import ROOT

FOLDER = ROOT / "examples" / "figures"


def far(picture, size=20):
    """Return the mean colours of squares of size x size pixels."""
    h, w = (n // size * size for n in picture.shape[:2])
    return picture[:h, :w].reshape(h // size, size, w // size, size, -1).mean(
        axis=(1, 3))


@pytest.mark.parametrize("function", figures.FIGURES,
                         ids=lambda function: function.__name__)
def test_the_committed_figure_is_drawn_again(function, tmp_path, request):
    if function is figures.curves:
        request.getfixturevalue("tf")
    again = figures.draw(function, tmp_path)
    committed = FOLDER / again.name
    if again.read_bytes() != committed.read_bytes():
        # Other versions draw other letters and move lines by some pixels,
        # other processors round otherwise: compare as from a distance.
        ours, theirs = far(imread(again)), far(imread(committed))
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


def test_it_replaces_nothing_without_being_asked(tmp_path, capsys):
    arguments = [str(tmp_path / "new"), "--only", "steps"]
    assert figures.main(arguments) == 0
    with pytest.raises(SystemExit) as refused:
        figures.main(arguments)
    assert refused.value.code == 2
    assert "holds steps.png already" in capsys.readouterr().err
    assert figures.main([*arguments, "--force"]) == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == [
        "steps.png"]
