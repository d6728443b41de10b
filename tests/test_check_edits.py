"""What mends a function: each kind of edit is found, tried, and right."""
import re

import numpy as np
import pytest

from checker import child, forms, mending, process, table
from checker.scene import Scene
from checker.source import edited, effort, said
from planted import CB, CF, PB, PF, PLANTED, made, plant
from test_check import POOL, checks_of, run, write


@pytest.mark.parametrize("names", ["kh for kw and ties", *[
    pytest.param(name, marks=pytest.mark.slow) for name in PLANTED]])
def test_a_fault_is_mended_and_the_copy_is_right(names, tmp_path):
    names = names.split(" and ")
    text = "".join(f"# é\n{made(name)}" for name in names).replace(
        "return", "'ü'; return").replace("\n", "\r\n")
    path, new = write(tmp_path / "mine.py", text), tmp_path / "new.py"
    done, checks = checks_of(path, "--patch", new, "--hint", 2)
    assert done.status == 1 and "Write" not in done.said
    changes, lines = [], text.splitlines(True)
    for name, check in zip(names, checks):
        best = check["mended"][0]
        sentences = " And: ".join(dict.fromkeys(
            change["sentence"] for change in best))
        assert PLANTED[name][0] in sentences
        assert f"{sentences} (line" in done.said
        changes = best + changes
    for change in changes:  # what is said stands there, at that line
        before, start = change["before"].splitlines(True), change["line"] - 1
        assert lines[start:start + len(before)] == before
        lines[start:start + len(before)] = change["after"].splitlines(True)
    assert new.read_bytes().decode() == "".join(lines)
    assert run(new).status == 0


@pytest.mark.slow
def test_the_rule_of_ones_own_forward_pass_is_followed(tmp_path):
    write(tmp_path / "a" / "0-conv_forward.py", plant(CF, rule="floor"))
    write(tmp_path / "a" / "2-conv_backward.py", made("not halved"))
    done, (_, found) = checks_of(tmp_path, "--class")
    assert found["mended"][0][0]["after"].startswith(
        "        top = bottom = ((h_prev - 1) * sh + kh - h_prev) // 2\n")
    assert f"1 {CB}: {PLANTED['not halved'][0]} (a)" in done.said


@pytest.mark.slow
def test_a_trial_that_hangs_costs_no_more_than_its_limit(tmp_path):
    _, (found,) = checks_of(write(tmp_path / "mine.py", plant(CF, (
        "tion(Z)", "tion(Z - b)"), ("    m, h_pad", """    n = 0
    while n < 1:
        try:
            while n < 1:
                n += 1
        except BaseException:
            pass
    m, h_pad"""))))
    assert found["mended"][0][0]["after"] == "    return activation(Z)\n"


def test_what_nothing_mends_is_shown_as_it_was_called(tmp_path, monkeypatch):
    monkeypatch.setattr(mending, "SECONDS", 0)
    path = write(tmp_path / "a.py", plant(PF, ("    return A", "    A[:] = 7.5"
                                               "\n    return A")))
    code, expected = re.search(r'case, "max, one window":\n(.*)\n    A\[0, 0, '
                               r'0, 0\] is 7.5, expected (\S+)\n.*max\(A_prev',
                               run(path).printed, re.S).groups()
    space = {"np": np}
    exec(f"{POOL}\nif 1:\n{code.replace(PF, 'A = pool_forward')}", space)
    assert f"{space['A'].item():g}" == expected and ".0, " in code
    write(path, plant(PB, ("return dA_prev", "return np.pad(dA_prev, ((0, 0), "
                           "(1, 0), (1, 0), (0, 0)))[:, :-1, :-1]")))
    assert ("Your result is the right one, moved by one row down and one "
            "column to the right.") in run(path).said


def test_what_is_confirmed_is_right_in_new_cases_without_answers(
        tmp_path, monkeypatch):
    path = write(tmp_path / "mine.py", "assert b'expec' b'ted' not in open("
                 f"'../job', 'rb').read()\n{POOL}")
    assert run(path).status == 0
    job = {"path": str(path), "timeout": 10, "tensorflow": False}
    for more, right in (("", True), ("A_prev = A_prev[:, :7]\n    ", False)):
        text = path.read_text().replace("    m, h_p", f"    {more}m, h_p")
        assert mending.confirmed(PF, job, text, None) is right
    monkeypatch.setattr(mending, "confirmed", lambda *_: False)
    assert "No small change that was tried mends it." in run(
        write(path, made("kh for kw"))).said


def test_a_copy_that_cannot_be_written_costs_no_report(tmp_path, monkeypatch):
    monkeypatch.setattr("check.patched", lambda *_: open(tmp_path))
    done = run(write(tmp_path / "a.py", POOL), "--patch", tmp_path / "b.py")
    assert (done.status, done.said) == (2, "pool_forward: right")
    assert "--patch: cannot be written" in done.problem


def test_a_forged_way_to_mend_is_damaged_and_costs_no_verdict(tmp_path):
    child.save(tmp_path, "forged", {"result": "ok", "mended": [1]})
    assert process.read(tmp_path / "forged.npy") is process.DAMAGED


# The other rows need names that have values: they mend the faults above.
@pytest.mark.parametrize("row, form", [
    (row, form) for form in forms.FORMS for row in [table.TABLE[form.args[0]]]
    if not re.search(r"\$|_[^abc ]\b", "".join(row))])
def test_each_row_of_the_table_finds_its_form(row, form):
    before, after, said = (re.sub(r"\b_(?=[abc]\b)", "", re.sub(
        r"^(?=\[)", "x", part)) for part in row)
    scene = Scene(f"def f():\n    {before}\n", "f", [], [])
    assert (f"def f():\n    {after}\n", said) in [
        (edited(scene.text, changes), told)
        for told, changes, _ in form(scene)]


def test_changes_are_counted_across_blocks_and_each_has_its_sentence():
    old, new = "if a:\n    if b:\n        c\n    a\nd\n", (
        "if a:\n    if b:\n        e\n    a\nf\n")
    assert effort(old, new) == (2, 2)
    assert said(old, [(old.replace("d", "f"), "second"), (
        new, "first")]) == ["first", "second"]
