"""What mends a function: each edit is found, tried, and right."""
import ast
import inspect
import json

import numpy as np
import pytest

import planted
from checker import mending, scene
from checker.judge import PARAMETERS
from checker.source import compared, edited, effort
from test_check import CB, CF, PB, PF, result, run, write

QUICK = ["no bias", "kh for kw"]


@pytest.mark.parametrize("name", [name if name in QUICK else pytest.param(
    name, marks=pytest.mark.slow) for name in planted.PLANTED])
def test_a_fault_is_mended_and_the_copy_is_right(name, tmp_path):
    function, text = planted.planted(name)
    *_, words = planted.PLANTED[name]
    done, found = result(write(tmp_path / "mine.py", text), "--patch",
                         tmp_path / "mended.py")
    assert found["verdict"] == "wrong" and done.returncode == 1
    best, flat = found["mended"][0], " ".join(done.stdout.split())
    assert words in " ".join(change["sentence"] for change in best)
    assert "cases are right (tried)." in flat
    lines = text.splitlines(True)
    for change in best:     # what is said stands in the file, at that line
        before = change["before"].splitlines(True)
        start = change["line"] - 1
        assert lines[start:start + len(before)] == before
        assert change["sentence"] in flat
    assert run(tmp_path / "mended.py").returncode == 0


@pytest.mark.slow
def test_two_faults_in_one_file_are_mended_in_one_copy(tmp_path):
    text = planted.planted("kh for kw")[1] + planted.planted("a sign")[1]
    path = write(tmp_path / "mine.py", "# é\r\n" + text.replace("\n", "\r\n"))
    path.write_bytes(path.read_bytes().replace(b"\r\r", b"\r"))
    done = run(path, "--patch", tmp_path / "new.py")
    assert f"{PF}, {CB} mended." in done.stdout
    new = (tmp_path / "new.py").read_bytes()
    assert new.count(b"\r\n") == new.count(b"\n") and new[:4] == b"# \xc3\xa9"
    assert run(tmp_path / "new.py").returncode == 0


@pytest.mark.slow
def test_a_hint_says_no_more_than_it_should(tmp_path):
    path = write(tmp_path / "mine.py", planted.planted("crop p:-p")[1])
    one, two, three = (run(path, "--hint", i).stdout for i in (1, 2, 3))
    assert "dA_prev wrong, dW right" in one and 'Wrong: "one window"' in one
    assert "crop p:-p" not in one and "Write" not in one + two
    assert "(line 21)" in two and "top:top + h_prev" not in two
    assert "dA_prev = dA_pad[:, top:top + h_prev, left:" in three


@pytest.mark.slow
def test_the_rule_of_ones_own_forward_pass_is_followed(tmp_path):
    write(tmp_path / "0-conv_forward.py", planted.solution(CF, "floor"))
    write(tmp_path / "2-conv_backward.py", planted.planted("one too many, "
                                                           "crop")[1])
    run(tmp_path, "--json", tmp_path / "out.json")
    checks = json.loads((tmp_path / "out.json").read_text())["checks"]
    new = checks[2]["mended"][0][0]["after"]
    assert "(h_prev - 1) * sh + kh - h_prev) // 2\n" in new


def test_what_nothing_mends_is_shown_as_it_was_called(tmp_path,
                                                      monkeypatch):
    monkeypatch.setattr(mending, "SECONDS", 1)
    text = planted.plant(PF, [("    m, h_prev", "    return np.array([[[[7.5]]"
                               "]])\n    m, h_prev")])
    printed = run(write(tmp_path / "mine.py", text)).stdout
    assert "(tried)" not in printed and "max(A_prev[0,0,0,0]" in printed
    lines = printed.splitlines()
    start = next(i for i, line in enumerate(lines) if "A_prev = " in line)
    end = next(i for i, line in enumerate(lines) if "is 7.5, exp" in line)
    space, code = {"np": np}, "\n".join(line[4:] for line in lines[start:end])
    exec(planted.solution(PF), space)
    exec(code.replace("pool_forward(", "result = pool_forward("), space)
    assert f"expected {space['result'].item():g}" in lines[end]


def test_a_result_that_is_moved_is_said_to_be(tmp_path, monkeypatch):
    monkeypatch.setattr(mending, "SECONDS", 1)
    text = planted.plant(PB, [("    return dA_prev", "    dA_prev[:, 1:, 1:], "
                               "dA_prev[:, 0], dA_prev[:, :, 0] = dA_prev[:, "
                               ":-1, :-1].copy(), 5e3, 5e3\n    "
                               "return dA_prev")])
    printed = " ".join(run(write(tmp_path / "m.py", text)).stdout.split())
    assert "(tried)" not in printed
    assert "the right one, moved by one row down and one column to the" in (
        printed)


def test_a_file_that_reads_the_answers_gains_nothing(tmp_path,
                                                     monkeypatch):
    monkeypatch.setattr(mending, "SECONDS", 1)
    code = f"""
import json, os
import numpy as np
JOB = json.load(open('../job.json'))
CASES = JOB['jobs'][0].get('cases', [])


def pool_forward({', '.join(inspect.signature(
    __import__('naive').pool_forward).parameters)}):
    for case in CASES:
        given = case['arguments']
        if np.array_equal(given['A_prev']['array'], A_prev) and (
                given['mode'] == mode) and tuple(kernel_shape) == tuple(
                given['kernel_shape']) and tuple(stride) == tuple(
                given['stride']):
            one = case['expected']['None'][0]
            return np.array(one['array']).reshape(one['shape']) + 0 * 1
    return A_prev * 1
"""
    _, found = result(write(tmp_path / "mine.py", code))
    assert found["verdict"] == "wrong" and found["mended"] == []


@pytest.mark.slow
def test_a_trial_that_hangs_costs_no_more_than_its_limit(tmp_path):
    text = planted.plant(CF, [
        ("activation(Z + b)", "activation(Z)"), ("for n in range(m):\n", (
            "n = -1\n    while n + 1 < m - 0:\n        n += 1\n"))])
    _, found = result(write(tmp_path / "mine.py", text))
    assert found["mended"][0][0]["after"].strip() == "A = activation(Z + b)"


def test_text_is_replaced_by_bytes_of_utf_8_and_keeps_the_rest():
    text = "def f(a):\r\n    x = 'é', a  # ü\r\n"
    known = scene.Scene(text, "f", [], [])
    new = edited(text, [known.put(known.nodes(ast.Name)[1], "b + 1")])
    assert new == "def f(a):\r\n    x = 'é', b + 1  # ü\r\n"
    assert compared(text, new) == [
        (2, "    x = 'é', a  # ü\r\n", "    x = 'é', b + 1  # ü\r\n")]


def test_changed_statements_are_counted_across_blocks():
    old, new = "if a:\n    if b:\n        c\nd\n", (
        "if a:\n    if b:\n        e\nf\n")
    assert effort(old, new) == (2, 2)


def test_names_are_known_by_their_values_at_their_line(tmp_path):
    path = str(write(tmp_path / "mine.py", planted.solution(CB)))
    space = {"__name__": "mine"}
    exec(compile(planted.solution(CB), path, "exec"), space)
    from checker.child import decoded
    calls = [(one["kind"], one["roles"], scene.traced(
        space[CB], decoded(one["arguments"]), path))
        for one in mending.telling(CB, "size")]
    known = scene.Scene(planted.solution(CB), CB, calls, PARAMETERS[CB])
    loop = known.nodes(ast.For)[0].body[0]
    assert known.named("kh", loop) == "kh" and known.named("h_prev", loop) == (
        "h_prev")
    assert known.counter("h_new", loop) == "y"
    assert known.arrays(loop, lambda value, _: value.ndim == 4) == [
        "A_pad", "A_prev", "W", "b", "dA_pad", "dW", "dZ", "db"]
