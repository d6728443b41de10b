"""examples/figures.py draws what is committed.

The bytes are compared only with those of the same machine: other versions
draw other letters and move lines by some pixels, other processors round
otherwise. What a person would notice is compared everywhere.
"""
import re

import numpy as np
import pytest
from PIL import Image, ImageSequence

import figures
from common import ROOT

FOLDER = ROOT / "examples" / "figures"


def named(functions):
    return pytest.mark.parametrize("function", functions,
                                   ids=lambda function: function.__name__)


def frames(path):
    """Return all frames of a picture, a quarter as wide and high."""
    with Image.open(path) as picture:
        return [np.asarray(frame.convert("RGB").reduce(4))
                for frame in ImageSequence.Iterator(picture)]


def ink(picture, size=5):
    """Return black and colour of squares, 20x20 pixels of the file each.

    Black is what even the brightest of red, green and blue lacks; colour, by
    how much they differ: the blue of the figures is no black, and black is
    no colour.
    """
    high, low = picture.max(axis=2), picture.min(axis=2)
    kinds = np.stack([255 - high, high - low])
    h, w = (n // size * size for n in picture.shape[:2])
    return kinds[:, :h, :w].reshape(2, h // size, size, w // size, size).mean(
        axis=(2, 4))


def inks(path):
    """Return the ink of all frames of a picture."""
    return [ink(frame) for frame in frames(path)]


def difference(ours, theirs):
    """Return which part of the black, or of the colour, stands elsewhere."""
    if ours.shape != theirs.shape:
        return np.inf
    apart, whole = (kinds.sum(axis=(1, 2))
                    for kinds in (abs(ours - theirs), theirs))
    return (apart[whole > 0] / whole[whole > 0]).max()


def look_alike(ours, theirs):
    """Tell whether the inks of all frames would be taken for the same.

    Other versions and processors move few lines, by less than a square: a
    quarter of the ink is more than that, and less than half a picture or one
    of two curves. Frames of an animation differ by less: each must be more
    like its own than like any other.
    """
    return len(ours) == len(theirs) and all(
        difference(one, own) < 0.25 and difference(one, own) == min(
            difference(one, other) for other in theirs)
        for one, own in zip(ours, theirs))


@pytest.mark.slow
@named(figures.FIGURES + figures.ANIMATIONS)
def test_what_is_committed_is_drawn_again(function, tmp_path, request):
    if function is figures.curves:
        request.getfixturevalue("tf")
    again = figures.draw(function, tmp_path)
    committed = FOLDER / again.name
    assert (again.read_bytes() == committed.read_bytes()
            or look_alike(inks(again), inks(committed)))


@named(figures.FIGURES)
def test_a_spoilt_picture_is_noticed(function):
    theirs, = frames(FOLDER / figures.filename(function))
    blank, right, bare = (theirs.copy() for _ in range(3))
    blank[:] = 255
    right[:, right.shape[1] // 2:] = 255
    coloured = np.ptp(theirs, axis=2) > 25
    bare[coloured] = 255
    for spoilt in (blank, right, bare, theirs[:, ::-1], theirs[:-5]):
        assert not look_alike([ink(spoilt)], [ink(theirs)])
    assert look_alike([ink(theirs)], [ink(theirs)])


@named(figures.ANIMATIONS)
def test_a_spoilt_animation_is_noticed(function):
    theirs = inks(FOLDER / figures.filename(function))
    swapped, stuck = theirs[:], theirs[:]
    swapped[4:6], stuck[5] = theirs[5:3:-1], theirs[4]
    for spoilt in (theirs[::-1], theirs[:-1], swapped, stuck,
                   theirs[:1] * len(theirs)):
        assert not look_alike(spoilt, theirs)
    assert look_alike(theirs, theirs)


@named(figures.ANIMATIONS)
def test_an_animation_gives_time_to_read(function):
    path = FOLDER / figures.filename(function)
    assert path.stat().st_size <= 200_000
    with Image.open(path) as picture:
        durations = [frame.info["duration"]
                     for frame in ImageSequence.Iterator(picture)]
    assert min(durations) >= 1000 and durations[-1] >= 4000
    first, *_, last = frames(path)
    assert (first == last).all()        # a still shows the result


@named(figures.FIGURES + figures.ANIMATIONS)
def test_every_figure_has_a_white_margin(function):
    for frame in frames(FOLDER / figures.filename(function)):
        for edge in (frame[0], frame[-1], frame[:, 0], frame[:, -1]):
            assert (edge > 250).all()


@named([figures.convolution, figures.steps])
def test_a_machine_draws_the_same_bytes_again(function, tmp_path):
    once = figures.draw(function, tmp_path).read_bytes()
    assert figures.draw(function, tmp_path).read_bytes() == once


def test_no_figure_is_left_over():
    drawn = {figures.filename(function) for function in
             figures.FIGURES + figures.ANIMATIONS}
    # explorer.png is a photograph of explorer.html.
    assert {path.name for path in FOLDER.iterdir()} - {"explorer.png"} == drawn


def test_it_replaces_nothing_without_being_asked(tmp_path, capsys):
    arguments = [str(tmp_path / "new"), "--only", "padding"]
    assert figures.main(arguments) == 0
    path = tmp_path / "new" / "padding.png"
    path.write_bytes(b"mine")
    assert figures.main(arguments) == 2
    assert "holds padding.png already" in capsys.readouterr().err
    assert path.read_bytes() == b"mine"
    assert figures.main([*arguments, "--force"]) == 0
    assert len(frames(path)) == 1
    assert list((tmp_path / "new").iterdir()) == [path]


@pytest.mark.parametrize("arguments, told", [
    ([], "FOLDER"), (["--only", "padding"], "FOLDER"),
    (["new", "--only", "colour"], "--only: .* got 'colour'"),
    (["new", "--only", ""], "--only: .* got ''"),
    (["taken"], "taken: expected a folder")])
def test_a_wrong_argument_is_one_line_and_writes_nothing(
        arguments, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("a file")
    assert figures.main(arguments) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert re.fullmatch(rf"figures.py: .*{told}.*\n", err)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
