"""examples/check.py: right files pass, wrong ones never, and it says why."""
import csv
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import causes
import check
import planted
from common import ROOT, load, load_module

SCRIPT = ROOT / "examples" / "check.py"
RULE = '''def _same(size, kernel, stride):
    """Zeros before and after an axis so that its size is kept."""
    pad = -(-((size - 1) * stride + kernel - size) // 2)
    return pad, pad


'''


def run(*arguments, cwd=None, **options):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)], cwd=cwd,
        text=True, capture_output=True, timeout=100, encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"}, **options)


def lines(*arguments):
    done = run(*arguments)
    return done.returncode, done.stdout.splitlines()


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Check all planted faults as one class, with a short time limit."""
    folder = tmp_path_factory.mktemp("class of ümlauts")
    for name in planted.PLANTED:
        function, text = planted.planted(name)
        student = folder / name.replace("/", " ")
        student.mkdir()
        (student / check.FILES[function]).write_text(text, encoding="utf-8")
    out = folder.parent / "checks.json"
    done = run("--class", folder, "--timeout", 1, "--json", out,
               "--csv", out.with_suffix(".csv"))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    checks = json.loads(out.read_text(encoding="utf-8"))["checks"]
    with open(out.with_suffix(".csv"), encoding="utf-8", newline="") as file:
        assert len(list(csv.reader(file))) == len(checks) + 1
    assert f"student{' ' * (max(map(len, planted.PLANTED)) - 7)}" in (
        done.stdout)
    return {(one["student"], one["function"]): one for one in checks}


@pytest.mark.parametrize("name", planted.PLANTED)
def test_a_planted_fault_is_wrong_and_its_cause_is_named(name, verdicts):
    function, _, cause = planted.PLANTED[name]
    found = verdicts[name.replace("/", " "), function]
    assert found["verdict"] in ("wrong", "unreadable")
    if cause:
        assert cause in found["cause"]
    elif name != "no default":
        assert found["cause"] is None
        assert any(case["result"] != "pass" and case["message"]
                   for case in found["cases"])


def test_every_cause_can_be_run_and_changes_a_result():
    for cause in causes.CAUSES:
        for name in cause.functions:
            assert causes.source(name, "keras", cause), (name, cause.sentence)
            assert any(not check.all_equal(
                check.results_of(name, rule, cause, label),
                check.results_of(name, rule, None, label))
                for rule in check.rules_of(name, ["keras"])
                for label in check.calls_of(name)), (name, cause.sentence)


def test_our_own_folder_is_right_in_all_five(tf):
    status, printed = lines(ROOT)
    assert status == 0
    assert [line.split(",")[0] for line in printed] == [
        f"{name}: right" for name in check.FILES]


def test_a_plain_solution_is_right_with_the_courses_rule(tmp_path):
    for name, text in planted.SOLUTIONS.items():
        (tmp_path / check.FILES[name]).write_text(text + "\nprint('loaded')\n")
    status, printed = lines(tmp_path)
    assert status == 0
    assert printed[0].startswith(
        'conv_forward: right, with the course\'s rule of "same"')
    assert any(line.startswith("  Differs from Keras in:") for line in printed)
    assert printed[-1] == "lenet5: missing"


def test_copies_with_the_readmes_rule_are_right(tmp_path):
    for filename in ("0-conv_forward.py", "2-conv_backward.py"):
        text = (ROOT / filename).read_text(encoding="utf-8")
        changed, count = re.subn(r"def _same\(.*?\n\n\n", lambda _: RULE,
                                 text, flags=re.S)
        assert count == 1
        (tmp_path / filename).write_text(changed, encoding="utf-8")
    status, printed = lines(tmp_path)
    assert status == 0
    assert sum("right, with the course's rule" in line
               for line in printed) == 2
    assert run("--same", "keras", tmp_path).returncode == 1


def test_other_right_forms_are_right(tmp_path):
    text = planted.SOLUTIONS["conv_forward"]
    variants = {
        "floor": text.replace("int(np.ceil(", "int(np.floor("),
        "lists": text.replace("return activation(output + b)",
                              "return activation(output + b).tolist()"),
        "crlf": text.replace("\n", "\r\n"),
        "float32": text.replace("(output + b)",
                                "(np.float32(output + b))"),
        "main": text + "\nif __name__ == '__main__':\n    raise SystemExit\n",
        "more": text.replace("stride=(1, 1)):", "stride=(1, 1), d=1):"),
        "sibling": "import helper\nconv_forward = helper.conv_forward\n"}
    (tmp_path / "helper.py").write_text(text)
    for name, variant in variants.items():
        path = tmp_path / f"{name} ü.py"
        path.write_bytes(variant.encode())
        status, printed = lines(path)
        assert status == 0, (name, printed)
        assert printed[0].startswith("conv_forward: right, with the ")
        assert ("rounds down" in printed[0]) == (name == "floor")
        assert (name == "float32") == any("float32" in p for p in printed[1:])


def test_two_rules_in_one_folder_are_wrong_together(tmp_path):
    for name, change in (("conv_forward", "np.floor("),
                         ("conv_backward", "np.ceil(")):
        (tmp_path / check.FILES[name]).write_text(
            planted.SOLUTIONS[name].replace("np.ceil(", change))
    status, printed = lines(tmp_path)
    assert status == 1
    assert sum(": right, with" in line for line in printed) == 2
    assert "together they are wrong" in " ".join(" ".join(printed).split())


def test_a_pair_with_a_rule_of_its_own_is_called_consistent(tmp_path):
    for name in ("conv_forward", "conv_backward"):
        (tmp_path / check.FILES[name]).write_text(
            planted.SOLUTIONS[name].replace("- h_prev) / 2))",
                                            "- h_prev) / 2)) + 2"))
    status, printed = lines(tmp_path)
    assert status == 1
    assert "Consistent with your own conv_forward" in " ".join(printed)


@pytest.mark.parametrize("head, advice", [
    ("conv_backward(dZ, cache)", "deeplearning.ai: unpack the cache"),
    ("conv_backward(dout, cache)", "CS231n: arrays are NHWC here"),
    ("conv_forward(A_prev, W, b, hparameters)", "pass padding=(pad, pad)"),
])
def test_signatures_from_elsewhere_are_recognised(head, advice, tmp_path):
    (tmp_path / "mine.py").write_text(f"def {head}:\n    return None\n")
    status, printed = lines(tmp_path / "mine.py")
    assert status == 1 and advice in " ".join(printed)


@pytest.mark.parametrize("name, content, sentence", [
    ("a.ipynb", b"{}", "A notebook: copy the function"),
    ("a.txt", b"hello", "does not end in .py"),
    ("a.py", b"\x00\x01", "binary data"),
    ("a.py", b"def other(): pass", "found: other"),
])
def test_what_is_no_solution_is_said_in_a_sentence(name, content, sentence,
                                                   tmp_path):
    (tmp_path / name).write_bytes(content)
    done = run(tmp_path / name)
    assert done.returncode in (1, 2) and "Traceback" not in done.stderr
    assert sentence in " ".join(done.stdout.split())


@pytest.mark.parametrize("arguments, message", [
    ([], "expected a PATH, or --class"), (["no such"], "no such file"),
    (["--same", "other", "."], "--same: expected some of keras, size, floor"),
    (["--timeout", "0", "."], "--timeout: expected seconds above 0"),
    (["--case", "none", "."], "--case: no case 'none'"),
    (["--at", "dW,0", "."], "--at: expected --case"),
])
def test_wrong_use_ends_with_2(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2 and message in done.stderr


def test_nothing_to_check_ends_with_2(tmp_path):
    assert run(tmp_path).returncode == 2


def test_a_wrong_file_is_explained_to_its_author(tmp_path):
    function, text = planted.planted("plus one, backward")
    path = tmp_path / "2-conv_backward.py"
    path.write_text(text)
    status, printed = lines(path)
    assert status == 1
    assert printed[0] == "conv_backward: wrong"
    assert "// 2 + 1" in printed[1]
    assert printed[3].startswith("  Write:  ph = -(-((h_prev - 1) * sh")
    assert max(map(len, printed)) <= 79
    assert "\033" not in "".join(printed)
    assert any("* differs" in line for line in printed)


def test_the_pasted_call_gives_what_the_report_says(tmp_path):
    function, text = planted.planted("bias forgotten")
    (tmp_path / "mine.py").write_text(text)
    _, printed = lines(tmp_path / "mine.py")
    start = next(i for i, line in enumerate(printed) if "A_prev = " in line)
    end = next(i for i, line in enumerate(printed) if " expected " in line)
    got, wanted = re.search(r"is (\S+), expected (\S+)", printed[end]).groups()
    code = "\n".join(line.strip() for line in printed[start:end])
    code = code.replace("conv_forward(", "result = conv_forward(")
    space = {"np": np}
    exec(text + "\n" + code, space)
    assert float(got) == space["result"].ravel()[0]
    space["conv_forward"] = load("0-conv_forward.py")
    exec(code, space)
    assert float(wanted) == space["result"].ravel()[0]


def test_one_case_runs_alone_and_says_where_a_number_comes_from(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(planted.SOLUTIONS["conv_backward"])
    status, printed = lines(path, "--case", "one image",
                            "--at", "dA_prev,0,1,1,0")
    assert status == 0
    assert "  pass    one image" in printed
    text = " ".join(" ".join(printed).split())
    total, left = re.search(
        r"dA_prev\[0, 1, 1, 0\] = (\S+) = .* = ([-\d*+ ]+)", text).groups()
    assert float(total) == eval(left)


def test_gradescope_gets_a_point_for_each_function(tmp_path):
    (tmp_path / "1-pool_forward.py").write_text(
        planted.SOLUTIONS["pool_forward"])
    out = tmp_path / "results.json"
    run(tmp_path, "--gradescope", out)
    results = json.loads(out.read_text(encoding="utf-8"))
    assert results["score"] == 1
    assert [(t["name"], t["score"], t["max_score"], t["status"])
            for t in results["tests"]] == [
        (name, int(name == "pool_forward"), 1,
         "passed" if name == "pool_forward" else "failed")
        for name in check.FILES]


def test_in_a_notebook_a_function_is_checked_in_place(capsys):
    assert check.check(load("2-conv_backward.py"))
    assert not check.check(lambda dA, *rest, **options: dA, "pool_backward")
    printed = capsys.readouterr().out
    assert "conv_backward: right" in printed
    assert printed.count("without isolation or time limit") == 2


def test_explain_says_why_58(capsys):
    dZ = np.array([1., 2, 3, 4]).reshape(1, 2, 2, 1)
    W = np.array([4., 5, 6, 7]).reshape(2, 2, 1, 1)
    check.explain(load("2-conv_backward.py"), dZ, np.ones((1, 3, 3, 1)), W,
                  np.zeros((1, 1, 1, 1)), padding="valid",
                  at=("dA_prev", 0, 1, 1, 0))
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith(
        "dA_prev[0, 1, 1, 0] = 50 = dZ[0,0,0,0]*W[1,1,0,0] +")
    assert printed.endswith("= 1*7 + 2*6 + 3*5 + 4*4")
    assert 1*7 + 2*6 + 3*5 + 4*4 == 50


LENET5 = (ROOT / "5-lenet5.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("old, new, cause", [
    ("Dense(84", "Dense(85", "shapes of LeNet-5"),
])
def test_a_wrong_lenet5_is_found_by_what_it_does(old, new, cause, tmp_path,
                                                 tf):
    assert LENET5.count(old) == 1
    (tmp_path / "5-lenet5.py").write_text(LENET5.replace(old, new),
                                          encoding="utf-8")
    status, printed = lines(tmp_path / "5-lenet5.py")
    assert status == 1 and printed[0] == "lenet5: wrong"
    assert cause in printed[1]


def test_the_modules_are_used_without_their_folder_on_the_path(tmp_path):
    done = run(ROOT / "1-pool_forward.py", cwd=tmp_path)
    assert done.returncode == 0 and list(tmp_path.iterdir()) == []
    assert load_module(SCRIPT).main([str(ROOT / "3-pool_backward.py")]) == 0


def test_an_output_is_not_blamed_for_another(verdicts):
    assert verdicts["db flat", "conv_backward"]["outputs"] == {
        "dA_prev": "right", "dW": "right", "db": "wrong"}


@pytest.mark.parametrize("function, old, new, says", [
    ("conv_forward", "    return activation(output + b)",
     "    output[0, 0, 0, 0] -= padded[0, 0, 0, 0] * W[0, 0, 0, 0]\n"
     "    return activation(output + b)",
     "the term A_prev[0,0,0,0]*W[0,0,0,0] is missing"),
    ("conv_backward", "    dA_prev =",
     "    dW[0, 0, 0, 0] -= A_pad[0, 0, 0, 0] * dZ[0, 0, 0, 0]\n"
     "    dA_prev =", "the term A_prev[0,0,0,0]*dZ[0,0,0,0] is missing"),
    ("conv_backward", "    for n in range(m):\n",
     "    for n in range(m):\n        dW[:] = 0\n",
     None),     # a whole image is missing; of one number, one term would do
    ("conv_backward", "    dA_prev =",
     "    dA_prev = 1 / len(W[2:3])\n    dA_prev =",
     "dA_prev right, dW right, db right, where it returns.")])
def test_it_claims_only_what_explains_every_number(function, old, new, says,
                                                   tmp_path):
    text = planted.SOLUTIONS[function]
    assert text.count(old) == 1
    (tmp_path / "mine.py").write_text(text.replace(old, new))
    done = run(tmp_path / "mine.py")
    assert done.returncode == 1
    assert says in done.stdout if says else "is missing" not in done.stdout


def test_a_reader_that_has_gone_is_no_traceback():
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(ROOT / "1-pool_forward.py")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(timeout=100) == 1
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
