"""All edited texts of a function: each edit alone, and those of one kind."""
import itertools
import re

from .edits import EDITS
from .forms import FORMS
from .padding import padding
from .source import edited

IDLE = re.compile(r"::1\b|[-+]=? ?0\b(?!\.)|[*/%]=? ?1\b")    # does nothing


def candidates(scene):
    """Yield all edits of a scene, as texts does."""
    groups, idle = {}, len(IDLE.findall(scene.text))
    for edit in (*FORMS, padding, *EDITS):
        try:
            for sentence, changes, key in edit(scene):
                yield from texts(scene, [(sentence, changes)], idle)
                if key:
                    groups.setdefault(key, []).append((sentence, changes))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            pass        # a form that this edit does not know
    for found in groups.values():
        for several in together(scene, found):
            yield from texts(scene, several, idle)


def together(scene, found):
    """Yield edits of one kind: behind one bracket, in a line or two, all."""
    lines, inner = {}, {}
    for one in found:
        before = scene.text[:one[1][0][0]]
        lines.setdefault(before.count("\n"), []).append(one)
        inner.setdefault(max(before.rfind("("), before.rfind("[")), []).append(
            one)
    lines = [*lines.values()]
    yield from lines
    for several in lines:       # h_new, w_new = ..., ...
        yield from zip(several, several[len(several) // 2:])
    for several in inner.values():
        yield several
        if len(several) < 8:
            yield from itertools.combinations(several, 2)
    yield from zip(found, found[len(found) // 2 + 1:])   # $kh here, $kw there
    for first, second in zip(lines, lines[1:]):
        yield first + second
        yield from zip(first, second)
    yield found


def texts(scene, several, idle):
    """Yield an edited text, its steps, and its changes.

    idle: how much stands in the scene that does nothing; no edit adds to it.
    """
    changes = [change for _, found in several for change in found]
    text = edited(scene.text, changes)
    if text and text != scene.text and len(IDLE.findall(text)) <= idle:
        told = " ".join(dict.fromkeys(sentence for sentence, _ in several))
        yield text, [(text, told)], changes


def pairs(scene, found):
    """Yield, as texts does, pairs of edits that each made a progress.

    found: (points, steps, changes) of these, all there when this begins.
    """
    found.sort(key=lambda one: -one[0])
    for (_, first, ours), (_, [(_, told)], theirs) in itertools.combinations(
            found[:12], 2):
        text = edited(scene.text, ours + theirs)
        if text:
            yield text, [*first, (text, told)], None
