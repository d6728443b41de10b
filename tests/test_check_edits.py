"""What mends a function: each kind of edit is found, tried, and right."""
import json
import re

import numpy as np
import pytest

from checker import mending
from checker.source import effort
from planted import CB, CF, PB, PF, PLANTED, plant, planted
from test_check import POOL, checks_of, like, run, write

QUICK = ["no bias", "kh for kw"]


@pytest.mark.parametrize("name", [name if name in QUICK else pytest.param(
    name, marks=pytest.mark.slow) for name in PLANTED])
def test_a_fault_is_mended_and_the_copy_is_right(name, tmp_path):
    text = f"# é\n{planted(name)[1]}".replace(
        "return", "'ü'; return").replace("\n", "\r\n")
    status, found = checks_of(write(tmp_path / "mine.py", text), "--patch",
                              tmp_path / "new.py")
    best, lines = found[None]["mended"][0], text.splitlines(True)
    assert status == 1 and PLANTED[name][1] in [
        change["sentence"] for change in best]
    for change in reversed(best):   # what is said stands there, at that line
        before, start = change["before"].splitlines(True), change["line"] - 1
        assert lines[start:start + len(before)] == before
        lines[start:start + len(before)] = change["after"].splitlines(True)
    assert (tmp_path / "new.py").read_bytes().decode() == "".join(lines)
    assert run(tmp_path / "new.py").status == 0


@pytest.mark.slow
def test_two_faults_in_one_file_are_mended_in_one_copy(tmp_path):
    path = write(tmp_path / "mine.py", planted("kh for kw")[1]
                 + planted("a sign")[1])
    assert f"{PF}, {CB} mended." in run(path, "--patch",
                                        tmp_path / "new.py").said
    assert run(tmp_path / "new.py").status == 0


@pytest.mark.slow
def test_a_hint_says_no_more_than_it_should(tmp_path):
    path = write(tmp_path / "mine.py", planted("crop p:-p")[1])
    start = "conv_backward: wrong (judged by the rule of ~) "
    why, cases = PLANTED["crop p:-p"][1], (
        " 12 of 33 cases are right. dA_prev wrong, dW right, db right. ~")
    for hint, words in ((1, f"{cases[1:]}Wrong: ~"), (
            2, f"{why} (line 19){cases}"), (
            3, f"{why} Line 19: ~ Write: return dA_pad[:, top:top + h_prev, "
            f"~ With this line all 33 cases are right (tried).{cases}")):
        assert like(start + words, run(path, "--hint", hint).said)


@pytest.mark.slow
def test_the_rule_of_ones_own_forward_pass_is_followed(tmp_path):
    write(tmp_path / "a" / "0-conv_forward.py", plant(CF, rule="floor"))
    write(tmp_path / "a" / "2-conv_backward.py", planted("not halved")[1])
    done = run("--class", tmp_path, "--json", tmp_path / "out.json")
    found = json.loads((tmp_path / "out.json").read_text())["checks"][2]
    assert found["mended"][0][0]["after"].startswith(
        "        top = bottom = ((h_prev - 1) * sh + kh - h_prev) // 2\n")
    assert f"1 {CB}: {PLANTED['not halved'][1]} (a)" in done.said


@pytest.mark.slow
def test_a_trial_that_hangs_costs_no_more_than_its_limit(tmp_path):
    _, found = checks_of(write(tmp_path / "mine.py", plant(CF, (
        "tion(Z)", "tion(Z - b)"), ("for n in range(m):\n", "n = -1\n    "
                                    "while n + 1 < m - 0:\n     n += 1\n"))))
    assert "activation(Z + b)" in found[None]["mended"][0][0]["after"]


def test_what_nothing_mends_is_shown_as_it_was_called(tmp_path, monkeypatch):
    monkeypatch.setattr(mending, "SECONDS", 0)
    path = write(tmp_path / "a.py", plant(PF, ("    return A", "    A[:] = 7.5"
                                               "\n    return A")))
    code, expected = re.search(r'case, "max, one window":\n(.*)\n    A\[0, 0, '
                               r'0, 0\] is 7.5, expected (\S+)\n.*max\(A_prev',
                               run(path).printed, re.S).groups()
    space = {"np": np}
    exec(f"{POOL}\nif 1:\n{code.replace(PF, 'A = pool_forward')}", space)
    assert f"{space['A'].item():g}" == expected
    write(path, plant(PB, ("return dA_prev", "return np.pad(dA_prev, ((0, 0), "
                           "(1, 0), (1, 0), (0, 0)))[:, :-1, :-1]")))
    assert ("Your result is the right one, moved by one row down and one "
            "column to the right.") in run(path).said


def test_what_is_confirmed_is_right_in_new_cases_without_answers(tmp_path):
    path = write(tmp_path / "mine.py", "assert 'expec' 'ted' not in open("
                 f"'../job.json').read()\n{POOL}")
    assert run(path).status == 0
    job = {"path": str(path), "timeout": 10, "tensorflow": False}
    for more, right in (("", True), ("A_prev = A_prev[:, :7]\n    ", False)):
        text = path.read_text().replace("    m, h_p", f"    {more}m, h_p")
        assert mending.confirmed(PF, job, text, None) is right


def test_changed_statements_are_counted_across_blocks():
    old, new = "if a:\n    if b:\n        c\nd\n", (
        "if a:\n    if b:\n        e\nf\n")
    assert effort(old, new) == (2, 2)
