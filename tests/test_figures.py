"""examples/figures.py draws what is committed."""
import numpy as np
import pytest
from matplotlib.image import imread
from PIL import Image, ImageSequence

import figures
from common import ROOT

FOLDER = ROOT / "examples" / "figures"


def far(picture, size=20):
    """Return the mean colours of squares of size x size pixels."""
    h, w = (n // size * size for n in picture.shape[:2])
    return picture[:h, :w].reshape(h // size, size, w // size, size, -1).mean(
        axis=(1, 3))


def frames(path):
    """Return all frames of a picture as arrays of RGB."""
    with Image.open(path) as picture:
        return [np.asarray(frame.convert("RGB"))
                for frame in ImageSequence.Iterator(picture)]


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


@pytest.mark.parametrize("function", figures.ANIMATIONS,
                         ids=lambda function: function.__name__)
def test_the_committed_animation_is_drawn_again(function, tmp_path):
    again = figures.draw(function, tmp_path)
    assert again.stat().st_size <= 200_000
    ours, theirs = frames(again), frames(FOLDER / again.name)
    assert len(ours) == len(theirs) == 14
    for one, other in zip(ours, theirs):
        assert np.abs(far(one / 255) - far(other / 255)).mean() < 0.04
    assert (ours[0] == ours[-1]).all()      # a still shows the result
    with Image.open(again) as picture:
        picture.seek(13)
        assert picture.info["duration"] >= 4000


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()),
                         ids=lambda path: path.name)
def test_every_figure_has_a_white_margin(path):
    for frame in frames(path):
        for edge in (frame[:3], frame[-3:], frame[:, :3], frame[:, -3:]):
            assert (edge > 250).all()


def test_the_same_versions_draw_the_same_bytes(tmp_path):
    (tmp_path / "again").mkdir()
    for function in (figures.convolution, figures.pooling):
        once = figures.draw(function, tmp_path).read_bytes()
        assert figures.draw(function, tmp_path / "again").read_bytes() == once


def test_no_figure_is_left_over():
    drawn = {figures.filename(function) for function in
             figures.FIGURES + figures.ANIMATIONS}
    assert {path.name for path in FOLDER.iterdir()} == drawn


def test_it_replaces_nothing_without_being_asked(tmp_path, capsys):
    arguments = [str(tmp_path / "new"), "--only", "steps"]
    assert figures.main(arguments) == 0
    with pytest.raises(SystemExit) as stopped:
        figures.main(arguments)
    assert stopped.value.code == 2
    assert "holds steps.png already" in capsys.readouterr().err
    assert figures.main([*arguments, "--force"]) == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == [
        "steps.png"]
