"""examples/check_gradient.py names what is wrong with a student's file."""
import re

import pytest

import check_gradient
from loader import ROOT
from students import BROKEN, RIGHT

CONV, POOL = (RIGHT.split("\n\n\ndef ")[i] for i in (1, 2))
HEAD = "import numpy as np\n\n\ndef "


@pytest.fixture
def check(tmp_path, capsys):
    def run(text, *arguments):
        path = tmp_path / "mine.py"
        path.write_text(text)
        status = check_gradient.main([str(path), *map(str, arguments)])
        return status, capsys.readouterr().out
    return run


@pytest.mark.parametrize("function", [CONV, POOL], ids=["conv", "pool"])
def test_a_right_solution_passes_every_case(check, function):
    status, printed = check(HEAD + function)
    assert status == 0 and "FAIL" not in printed
    assert re.search(r"\n(\d+) of \1 cases hold\.\n$", printed)


@pytest.mark.parametrize("filename", ["2-conv_backward.py",
                                      "3-pool_backward.py"])
def test_our_own_modules_pass(filename, capsys):
    assert check_gradient.main([str(ROOT / filename)]) == 0
    assert "FAIL" not in capsys.readouterr().out


@pytest.mark.parametrize("fault", BROKEN)
def test_the_first_case_that_fails_names_the_fault(check, fault):
    old, new, hint = BROKEN[fault]
    function, = (f for f in (CONV, POOL) if old in f)
    assert function.count(old) == 1
    status, printed = check(HEAD + function.replace(old, new))
    assert status == 1
    table = printed.splitlines()
    first = next(i for i, line in enumerate(table) if "FAIL" in line)
    assert hint in table[first + 1], printed


def test_ties_may_be_paid_to_the_first_as_tensorflow_does(check):
    first = "share = np.arange(kh * kw).reshape(kh, kw) == window.argmax()"
    status, printed = check(HEAD + POOL.replace(
        "share = window == window.max()", first))
    assert status == 0, printed


def test_the_students_own_forward_pass_is_used(check, tmp_path):
    forward = tmp_path / "forward.py"
    forward.write_text("""
def conv_forward(A_prev, W, b, activation, padding="same", stride=(1, 1)):
    raise ZeroDivisionError("mine")
""")
    status, printed = check(HEAD + CONV, "--forward", forward)
    assert status == 1
    assert "conv_forward raises ZeroDivisionError: mine" in printed


@pytest.mark.parametrize("text, message", [
    ("def conv_backward(:", "does not load: SyntaxError"),
    ("import sys; sys.exit(3)", "does not load: SystemExit"),
    ("import no_such_module", "does not load: ModuleNotFoundError"),
    ("def backward(): pass", "expected a function conv_backward or pool_"),
])
def test_a_file_that_does_not_load_is_reported_in_a_line(check, text,
                                                         message):
    with pytest.raises(SystemExit) as stopped:
        check(text)
    assert message in str(stopped.value)
    assert "\n" not in str(stopped.value)


def test_a_missing_file_is_reported_in_a_line(tmp_path):
    with pytest.raises(SystemExit, match="none.py: does not load: FileNotFo"):
        check_gradient.main([str(tmp_path / "none.py")])


@pytest.mark.parametrize("body, message", [
    ("raise ValueError('oh')", "conv_backward raises ValueError: oh"),
    ("return dZ", "must return dA_prev, dW, db"),
    ("return None", "must return dA_prev, dW, db"),
    ("return None, W, b", r"shape \(\), expected"),
    ("return 'a', 'b', 'c'", r"shape \(\), expected"),
    ("np = __import__('numpy'); return [np.full(a.shape, 'a') for a in "
     "(A_prev, W, b)]", "not an array of numbers"),
])
def test_what_raises_or_returns_nonsense_fails_its_cases(check, body,
                                                         message):
    status, printed = check("def conv_backward(dZ, A_prev, W, b, padding="
                            f"'same', stride=(1, 1)):\n    {body}\n")
    assert status == 1
    assert re.search(message, printed), printed
    assert "Traceback" not in printed and "\n0 of " in printed
