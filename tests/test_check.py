"""examples/check.py as a program: verdicts, limits, reports, classes."""
import contextlib
import csv
import io
import json
import linecache
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

import check
import planted
from checker import files, process
from checker.files import FILES, has_tensorflow
from checker.lenet import judge_lenet5
from common import ROOT, load

SCRIPT = ROOT / "examples" / "check.py"
CF, PF, CB, PB = planted.CF, planted.PF, planted.CB, planted.PB
LINUX = sys.platform.startswith("linux")


def run(*arguments, **options):
    """Run check.py: in this process, or in another one if it has options."""
    arguments = [*map(str, arguments)]
    if options:
        return subprocess.run(
            [sys.executable, str(SCRIPT), *arguments], text=True,
            capture_output=True, encoding="utf-8", errors="replace", **{
                "timeout": 100, **options, "env": {
                    **os.environ, "PYTHONIOENCODING": "utf-8",
                    **options.get("env", {})}})
    with contextlib.redirect_stdout(io.StringIO()) as out, (
            contextlib.redirect_stderr(io.StringIO())) as err:
        try:
            status = check.main(arguments)
        except SystemExit as error:
            status = error.code
    return SimpleNamespace(returncode=status, stdout=out.getvalue(),
                           stderr=err.getvalue())


def write(path, text):
    """Write a student's file, with its folder; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def result(path, *arguments):
    """Return what check.py did, and the check of one file."""
    out = path.parent / "out.json"
    done = run(path, "--json", out, *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    return done, json.loads(out.read_text(encoding="utf-8"))["checks"][0]


def judged(text, tmp_path):
    """Return the check of a text, without a search for what mends it."""
    return result(write(tmp_path / "mine.py", text), "--hint", 1)[1]


# The verdict.

def test_our_own_folder_is_right():
    done = run(*[ROOT / FILES[name] for name in (CF, PF, CB, PB)])
    assert done.returncode == 0
    assert done.stdout.splitlines() == [line for name in (
        CF, PF, CB, PB) for line in (f"{ROOT / FILES[name]}:",
                                     f"{name}: right")]


@pytest.mark.parametrize("rule", planted.RULES)
def test_a_right_file_is_right_by_the_rule_that_it_follows(rule, tmp_path):
    for name in (CF, CB):
        found = judged(planted.solution(name, rule), tmp_path)
        assert found["verdict"] == "right" and found["same"] == rule


@pytest.mark.parametrize("mask", [
    "np.isclose(A_prev[window], np.max(A_prev[window]))",
    "A_prev[window] >= np.max(A_prev[window]) - 1e-6",
    "A_prev[window].astype('f') == np.max(A_prev[window]).astype('f')"])
def test_a_mask_by_tolerance_is_wrong(mask, tmp_path):
    found = judged(planted.plant(PB, [(
        "A_prev[window] == np.max(A_prev[window])", mask)]), tmp_path)
    assert [case["name"] for case in found["cases"] if case["result"] !=
            "pass"] == ["max, nearly equal pixels"]


def test_kh_for_kw_in_a_pooling_is_seen_without_a_stride(tmp_path):
    found = judged(planted.planted("kh for kw")[1], tmp_path)
    wrong = [case["name"] for case in found["cases"]
             if case["result"] != "pass"]
    assert {"max, a kernel that is not square, overlap",
            "avg, a kernel that is not square, overlap"} <= {*wrong}


def test_the_rule_is_that_of_most_arrays(tmp_path):
    text = planted.plant(CB, [("dW, db\n", "dW, db / m\n")], "floor")
    found = judged(text, tmp_path)
    assert found["rule"] == "floor" and found["same"] is None
    assert found["outputs"] == {"dA_prev": "right", "dW": "right",
                                "db": "wrong"}


def test_what_all_wrong_cases_share_is_said(tmp_path):
    text = planted.plant(CF, [("A = activation(Z + b)", "if c_prev > 1:\n"
                               "        Z[0, 0] = 7\n    "
                               "A = activation(Z + b)")])
    done = run(write(tmp_path / "mine.py", text), "--hint", 1)
    assert ("All wrong cases have this, no right one has it: several channels "
            "of A_prev." in " ".join(done.stdout.split()))


def test_one_case_can_be_run_and_one_that_is_not_there_is_not_passed(tmp_path):
    path = write(tmp_path / "mine.py", planted.solution(CB))
    for arguments in (["--case", "max, one window"], [
            "--same", "keras", "--case", "same, 2x2, dZ 4x5"]):
        done = run(path, *arguments)
        assert done.returncode == 2 and "right" not in done.stdout
    done = run(path, "--case", "one window")
    assert done.returncode == 0
    assert done.stdout.startswith("conv_backward: right in this case\n")


def test_a_rule_that_is_not_accepted_is_named(tmp_path):
    path = write(tmp_path / "mine.py", planted.solution(CF, "floor"))
    _, found = result(path, "--same", "keras,size", "--hint", 1)
    assert found["verdict"] == "wrong" and found["cause"].startswith(
        'It follows the rule of "same" that rounds down')


def test_two_rules_in_one_folder_are_wrong_together(tmp_path):
    write(tmp_path / "a" / FILES[CF], planted.solution(CF, "floor"))
    write(tmp_path / "a" / FILES[CB], planted.solution(CB, "size"))
    for done in (run(tmp_path / "a"), run("--class", tmp_path)):
        assert done.returncode == 1
        assert "together they are wrong" in " ".join(done.stdout.split())
    assert run(tmp_path / "a" / FILES[CF]).returncode == 0


def test_other_right_forms_are_right(tmp_path):
    text = planted.solution(CF)
    write(tmp_path / "helper.py", text)
    for name, variant in {
            "lists": text.replace("return A\n", "return A.tolist()\n"),
            "crlf": text.replace("\n", "\r\n"),
            "is": text.replace('== "same"', 'is "same"'),
            "default": text.replace("=(1, 1)):", "=None):").replace(
                "= stride", "= stride or (1, 1)"),
            "main": text + "\nif __name__ == '__main__':\n    raise "
            "SystemExit\n", "more": text.replace("(1, 1)):", "(1, 1), d=1):"),
            "star": "from helper import *\n"}.items():
        path = tmp_path / f"{name} ü.py"
        path.write_bytes(variant.encode())
        assert run(path).returncode == 0, name
    assert "line 10 compares a text with `is`" in run(
        tmp_path / "is ü.py").stdout


def test_integers_are_a_remark_only_where_it_is_asked_for(tmp_path):
    path = write(tmp_path / "mine.py", planted.plant(
        CF, [("c_new))\n", "c_new), A_prev.dtype)\n")]))
    assert "integers" not in run(path).stdout
    assert "arrays of integers raise" in run(path, "--verbose").stdout


@pytest.mark.parametrize("name, content, status, sentence", [
    ("a.ipynb", "{}", 1, "A notebook: copy the function"),
    ("a.txt", "hello", 1, "does not end in .py"),
    ("a.py", "def other(): pass", 2, "found: other"),
    ("a.py", "while True: pass", 1, "no result after 1 s"),
    ("a.py", planted.plant(PB, [("return dA_prev", "dA_prev")]), 1,
     "Nothing is returned."),
    ("a.py", planted.plant(CB, [("b, padding=", "_, pad="),
                                ("if padding", "if pad")]), 1,
     "The parameters are dZ, A_prev, W, _, pad, stride; expected def"),
    ("a.py", planted.plant(CB, [("return", "A_prev *= 2\n    return")]), 1,
     "An input is changed in place: work on a copy."),
    ("a.py", planted.solution(CF).replace('="same", stride=(1, 1)',
                                          ", stride"), 1,
     "A default is missing or wrong")])
def test_what_is_no_solution_is_said_in_a_sentence(name, content, status,
                                                   sentence, tmp_path):
    done = run(write(tmp_path / name, content), "--hint", 1, "--timeout", 1)
    assert done.returncode == status and "Traceback" not in done.stderr
    assert sentence in " ".join(done.stdout.split())


def test_utf_16_is_named(tmp_path):
    (tmp_path / "a.py").write_bytes(planted.solution(PF).encode("utf-16"))
    assert "saved as UTF-16" in run(tmp_path / "a.py").stdout


def test_a_submission_that_lies_elsewhere_is_found(tmp_path):
    write(tmp_path / "sub" / FILES[PF], planted.solution(PF))
    write(tmp_path / f"{FILES[CF]}.txt", planted.solution(CF))
    write(tmp_path / "mine.py", planted.solution(PB))
    zipfile.ZipFile(tmp_path / "all.zip", "w").close()
    printed = " ".join(run(tmp_path).stdout.split())
    for sentence in ("It lies in sub: move it up.",
                     "0-conv_forward.py.txt: call it 0-conv_forward.py.",
                     "mine.py: call it 3-pool_backward.py?",
                     "Perhaps it is in all.zip: unpack that first."):
        assert sentence in printed


# What one student does stays with that student.

def test_nothing_of_ours_can_be_imported_and_their_modules_can(tmp_path):
    for name in ("data", "utils", "child", "look"):
        write(tmp_path / f"{name}.py", f"{name} = 1\n")
    text = f"""
import importlib
from child import child
from look import look
from utils import utils
for name in ["naive", "common", "check", "checker", "cases", "expected",
             "judge", "mend", "inside", "training", "planted", "figures"]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        continue
    raise SystemExit(name)
{planted.solution(PF)}"""
    ours = os.pathsep.join(map(str, (SCRIPT.parent, ROOT / "tests", ROOT)))
    done = run(write(tmp_path / "mine.py", text), env={"PYTHONPATH": ours},
               cwd=SCRIPT.parent)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def hostile_class(tmp_path_factory):
    """Check hostile files, and other oddities, as one class."""
    folder = tmp_path_factory.mktemp("class of ümlauts")
    for name in planted.HOSTILE:
        write(folder / name / FILES[PF], planted.hostile(name))
    for name in ("good.py", "\t=1+1"):
        write(folder / name / FILES[PF], planted.solution(PF))
    (folder / "folder" / FILES[PF]).mkdir(parents=True)
    write(folder / "latin" / FILES[PF], "").write_bytes(b"# \xe9\nx = 1\n")
    write(folder / "large" / FILES[PF], "#" * 10**7)
    write(folder / "deep" / FILES[PF], "(" * 10**5)
    if os.name == "posix":
        (folder / "pipe").mkdir()
        os.mkfifo(folder / "pipe" / FILES[PF])
    out = folder.parent / "new" / "checks.json"
    done = run("--class", folder, "--timeout", 1, "--hint", 1, "--json", out,
               "--csv", out.with_suffix(".csv"), timeout=300)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    checks = json.loads(out.read_text(encoding="utf-8"))["checks"]
    with open(out.with_suffix(".csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == len(checks) + 1
    assert "'\t=1+1" in [row[0] for row in rows]      # no formula
    return {one["student"]: one for one in checks
            if one["function"] == PF}, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", planted.HOSTILE)
def test_what_one_student_does_stays_with_that_student(name, hostile_class):
    found = hostile_class[0][name]
    assert found["verdict"] in ("wrong", "unreadable")
    said = [found["cause"] or "", *(str(case["message"])
                                    for case in found["cases"])]
    assert any(planted.HOSTILE[name][1] in text for text in said), said


@pytest.mark.slow
def test_the_others_are_checked_and_nothing_is_left(hostile_class):
    found, printed = hostile_class
    assert found["good.py"]["verdict"] == "right"
    assert {found[name]["verdict"] for name in (
        "folder", "latin", "large", "deep")} == {"unreadable"}
    text = " ".join(printed.split())
    assert "pool_forward: an endless loop, or too slow (" in text
    assert "pool_forward: ends Python (" in text
    if LINUX:
        left = subprocess.run(["ps", "ax"], capture_output=True).stdout
        assert b"time.sleep(60)" not in left


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_class_that_is_stopped_reports_who_is_done(number, tmp_path):
    write(tmp_path / "class" / "a" / FILES[PF], planted.solution(PF))
    write(tmp_path / "class" / "b" / FILES[PF], "import time\ntime.sleep(2)\n"
          f"open({str(tmp_path / 'marker')!r}, 'w')\nwhile True: pass\n")
    (tmp_path / "temporary").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", "import os, signal, sys\nfor known in (2, 1, "
         "15): signal.signal(known, signal.SIG_DFL)\n"
         "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])",
         str(SCRIPT), "--class", str(tmp_path / "class"),
         "--timeout", "60", "--json", str(tmp_path / "out.json")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")})
    deadline = time.monotonic() + 60
    while not (tmp_path / "marker").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for sent in (number, signal.SIGHUP, number):    # only the first counts
        process.send_signal(sent)
        time.sleep(0.05)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number, printed
    checks = json.loads((tmp_path / "out.json").read_text())["checks"]
    assert {one["student"] for one in checks} == {"a"}
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_check_after_one_that_was_stopped_runs(tmp_path):
    process.ENDING.set()
    assert run(write(tmp_path / "a.py", planted.solution(PF))).returncode == 0


@pytest.mark.skipif(not LINUX, reason="limits and processors of Linux")
def test_one_narrower_limit_drops_no_other_and_workers_are_real(tmp_path):
    text = planted.plant(PF, [("    return", "    import resource\n    assert "
                               "resource.getrlimit(resource.RLIMIT_AS)[0] == "
                               "2**31\n    return")])
    path = write(tmp_path / "mine.py", text)
    done = subprocess.run(
        ["sh", "-c", f"ulimit -f 2000; exec {sys.executable} {SCRIPT} {path}"],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert files.workers() == len(os.sched_getaffinity(0))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a timer of POSIX")
def test_the_limit_is_processor_time(tmp_path):
    slow = planted.plant(PF, [("    return", "    import time\n    if A.size "
                               "== 1 and mode == 'max':\n        "
                               "time.sleep(1.5)\n    return")])
    path = write(tmp_path / "mine.py", slow)
    assert run(path, "--timeout", 1).returncode == 0
    path = write(tmp_path / "b.py", slow.replace(
        "time.sleep(1.5)", "\n        while True: pass"))
    assert "no result after 1 s" in run(path, "--timeout", 1, "--case",
                                        "max, one window").stdout


# Reports.

def test_reports_are_tried_before_the_first_check(tmp_path):
    path = write(tmp_path / FILES[PF], planted.solution(PF))
    (tmp_path / "folder").mkdir()
    for option in ("--json", "--csv", "--gradescope"):
        for target, words in ((tmp_path / "folder", "got a folder"), (
                path / "out", "cannot be written"), (path, "program")):
            done = run(tmp_path, option, target)
            assert done.returncode == 2 and words in done.stderr
            assert done.stdout == ""
    text = write(tmp_path / "notes.txt", "hello")
    assert "one that is checked" in run(text, "--json", text).stderr
    assert path.read_text(encoding="utf-8") == planted.solution(PF)
    assert run(path, "--json", "x", "--csv", "./x").returncode == 2
    assert run(path, "--csv", tmp_path / "new" / "a.csv").returncode == 0
    assert "pool_forward,right" in (tmp_path / "new" / "a.csv").read_text()


def test_a_patch_takes_the_place_of_nothing(tmp_path):
    path = write(tmp_path / "mine.py", planted.planted("no bias")[1])
    for arguments in ([path, "--patch", path], [tmp_path, "--patch", "x"],
                      [path, "--patch", tmp_path / "no" / "x"],
                      [path, "--hint", "1", "--patch", tmp_path / "x"]):
        done = run(*arguments)
        assert done.returncode == 2 and done.stdout == ""
        assert "--patch" in done.stderr
    right = write(tmp_path / "right.py", planted.solution(PF))
    assert "not written" in run(right, "--patch", tmp_path / "x").stdout
    assert not (tmp_path / "x").exists()


def test_gradescope_gets_a_point_for_each_function_of_the_course(tmp_path):
    write(tmp_path / FILES[PF], planted.solution(PF))
    write(tmp_path / FILES[PB], planted.planted("tolerance")[1])
    out, four = tmp_path / "results.json", ",".join([CF, PF, CB, PB])
    done = run(tmp_path, "--gradescope", out, "--functions", four)
    results = json.loads(out.read_text(encoding="utf-8"))
    assert done.returncode == 1 and results["score"] == 1
    assert [(test["name"], test["score"], test["max_score"])
            for test in results["tests"]] == [
        (CF, 0, 1), (PF, 1, 1), (CB, 0, 1), (PB, 0, 1)]
    assert "\033" not in out.read_text() and "lenet5" not in done.stdout
    assert "Nearly equal" in results["tests"][3]["output"]
    run(tmp_path, "--gradescope", out, "--hint", 1)
    assert "nearly equal pixels for" not in out.read_text()


@pytest.mark.slow
def test_a_class_names_the_students_beside_each_sentence(tmp_path):
    for name in ("ann", "ben"):
        write(tmp_path / name / FILES[CF], planted.planted("no bias")[1])
    printed = " ".join(run("--class", tmp_path).stdout.split())
    assert "2 conv_forward: The bias is forgotten. (ann, ben)" in printed


@pytest.mark.parametrize("arguments, message", [
    ([], "expected a PATH, or --class"), (["no such"], "no such file"),
    (["--same", "other", "."], "--same: expected some of keras, size, floor"),
    (["--timeout", "0", "."], "--timeout: expected seconds above 0"),
    (["--case", "none", "."], "--case: no case 'none'"),
    (["--functions", "x", "."], "--functions: expected some of conv_forward"),
    (["--class", __file__], "expected a folder")])
def test_wrong_use_ends_with_2(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2 and message in " ".join(done.stderr.split())


def test_nothing_to_check_ends_with_2(tmp_path):
    assert run(tmp_path).returncode == run("--class", tmp_path).returncode == 2


def test_a_reader_that_has_gone_is_no_traceback():
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(ROOT / "1-pool_forward.py")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(timeout=100) == 1
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


# In a notebook.

def test_in_a_notebook_a_function_is_checked_and_mended(tmp_path, capsys):
    assert check.check(load("2-conv_backward.py"))
    path = write(tmp_path / "cell.py", planted.planted("no bias")[1])
    space = {}
    exec(compile(path.read_text(), str(path), "exec"), space)
    assert not check.check(space[CF])
    assert not check.check(lambda dA, *rest, **options: dA, PB)
    printed = capsys.readouterr().out
    assert "A = activation(Z + b)" in printed
    assert printed.count("without isolation or time limit") == 3
    assert printed.count("(No line to write is tried: ") == 1
    with pytest.raises(ValueError, match="name: expected one of"):
        check.check(len)


def test_a_cell_that_ends_in_its_check_is_mended(monkeypatch, capsys):
    text = planted.planted("crop p:-p")[1] + "\n\ncheck(conv_backward)\n"
    monkeypatch.setitem(linecache.cache, "<cell>", (
        len(text), None, text.splitlines(True), "<cell>"))
    exec(compile(text, "<cell>", "exec"), {"check": check.check})
    assert "top:top + h_prev" in capsys.readouterr().out


def test_explain_says_why_50_and_knows_ties_and_rules(capsys):
    dZ = np.array([1., 2, 3, 4]).reshape(1, 2, 2, 1)
    W = np.array([4., 5, 6, 7]).reshape(2, 2, 1, 1)
    module = load("2-conv_backward.py")
    check.explain(module, dZ, np.ones((1, 3, 3, 1)), W, np.zeros(1),
                  padding="valid", at=("dA_prev", 0, 1, 1, 0))
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith(
        "dA_prev[0, 1, 1, 0] = 50 = dZ[0,0,0,0]*W[1,1,0,0] +")
    assert printed.endswith("= 1*7 + 2*6 + 3*5 + 4*4")
    dA, A_prev = np.full((1, 1, 1, 1), 3.), np.ones((1, 2, 2, 1))
    for ties in ("first", "all"):
        check.explain(load("3-pool_backward.py"), dA, A_prev, (2, 2), (2, 2),
                      ties=ties, at=("dA_prev", 0, 1, 1, 0))
    space = {}
    exec(planted.solution(CB, "size"), space)   # dZ fits this rule alone
    check.explain(space[CB], np.ones((1, 4, 4, 1)), np.ones((1, 3, 3, 1)),
                  np.ones((2, 2, 1, 1)), np.zeros(1), at=("dW", 0, 0, 0, 0))
    printed = capsys.readouterr().out
    assert "[0, 1, 1, 0] = 0 = 0 (nothing is added" in printed
    assert "[0, 1, 1, 0] = 3 = dA[0,0,0,0]" in printed
    assert "= 9 = A_prev[0,0,0,0]*dZ[0,1,1,0]" in printed
    with pytest.raises(ValueError, match="at: expected an output"):
        check.explain(module, dZ, np.ones((1, 3, 3, 1)), W, np.zeros(1),
                      padding="valid", at=("dW", 2, 0, 0, 0))


# LeNet-5.

keras = pytest.mark.skipif(not has_tensorflow(),
                           reason="TensorFlow is not installed")
LENET5 = (ROOT / "5-lenet5.py").read_text(encoding="utf-8")
LENET = '''
from tensorflow import keras as K


def lenet5(X):
    k = K.initializers.HeNormal(seed=0)
    c = dict(kernel_initializer=k, activation='relu')
    x = K.layers.Conv2D(6, 5, padding='same', **c)(X)
    x = K.layers.MaxPooling2D(2, 2)(x)
    x = K.layers.Conv2D(16, 5, **c)(x)
    x = K.layers.MaxPooling2D(2, 2)(x)
    x = K.layers.Flatten()(x)
    x = K.layers.Dense(120, **c)(x)
    x = K.layers.Dense(84, **c)(x)
    x = K.layers.Dense(10, kernel_initializer=k, activation='softmax')(x)
    model = K.Model(X, x)
    model.compile('adam', 'categorical_crossentropy',
                  metrics=['accuracy'])
    return model
'''
LENET_FAULTS = {    # a fault of each check
    "shapes": ("Dense(84", "Dense(85"),
    "parameters": ("Dense(84, **c)", "Dense(84, use_bias=False, **c)"),
    "relu": ("activation='relu'", "activation='relu6'"),
    "pooling": ("MaxPooling2D", "AveragePooling2D"),
    "probabilities": (", activation='softmax'", ""),
    "he_normal": ("HeNormal", "GlorotUniform"),
    "Adam": ("'adam'", "'rmsprop'"),
    "loss": ("'categorical_crossentropy'", "'mse'"),
    "accuracy": ("['accuracy']", "['mae']"),
    "learning": ("'adam'", "K.optimizers.Adam(1e-9)")}


@keras
@pytest.mark.slow
def test_each_check_of_a_lenet5_has_a_file_that_fails_it(tmp_path):
    for name, (old, new) in LENET_FAULTS.items():
        assert old in LENET
        write(tmp_path / "all" / name / FILES["lenet5"],
              LENET.replace(old, new))
    sequential = re.sub(r"x = (K.layers.*)\(x\)", r"s.add(\1)", LENET.replace(
        "x = K.layers.Conv2D(6, 5, padding='same', **c)(X)", "s = "
        "K.Sequential([K.layers.Conv2D(6, 5, padding='same', **c)])")).replace(
            "K.Model(X, x)", "s")
    for name, text in {
            "right": LENET, "ours": LENET5, "sequential": sequential,
            "typo": LENET.replace("kernel_initializer=k, activation='s",
                                  "ernel_initializer=k, activation='s"),
            "forged": "import sys\ndef lenet5(X):\n    f = sys._getframe(1)\n"
            "    import os, json, numpy as np\n    with open('../lenet5.npy',"
            " 'wb') as g:\n        np.lib.format.write_array(g, np.frombuffer("
            "json.dumps({'result': 'ok', 'seen': {}}).encode(), 'uint8'))\n"
            "    os._exit(0)\n"}.items():
        write(tmp_path / "all" / name / FILES["lenet5"], text)
    home = tmp_path / "home"
    write(home / "keras.json", '{"image_data_format": "channels_first", '
          '"floatx": "float32", "epsilon": 1e-07, "backend": "tensorflow"}')
    run("--class", tmp_path / "all", "--json", tmp_path / "out.json",
        "--functions", "lenet5", timeout=900, env={"KERAS_HOME": str(home)})
    found = {one["student"]: one for one in json.loads(
        (tmp_path / "out.json").read_text())["checks"]}
    for name in LENET_FAULTS:
        failed = [case["name"] for case in found[name]["cases"]
                  if case["result"] != "pass"]
        assert name in failed and found[name]["verdict"] == "wrong", name
    for name in ("right", "ours", "sequential"):
        assert found[name]["verdict"] == "right", found[name]
    assert "does not use X" in found["sequential"]["remarks"][-1]
    assert "activation='softmax'" in found["probabilities"]["cause"]
    assert "kernel_initializer=k, activation='s" in found["typo"]["cause"]
    assert found["forged"]["verdict"] == "wrong"


def test_a_lenet5_that_measured_nothing_is_not_right():
    for seen in ([], {}, {"shapes": []}):
        found = judge_lenet5({"result": "ok", "seen": seen})
        assert found["verdict"] == "wrong"
        assert "damaged" in found["cases"][0]["message"]


def test_a_tensorflow_that_does_not_load_condemns_no_numpy_file(tmp_path):
    write(tmp_path / "lib" / "tensorflow" / "__init__.py",
          "raise ImportError('libcudart')\n")
    path = write(tmp_path / "mine.py", planted.solution(PF)
                 + "\n\ndef lenet5(X):\n    return X\n")
    done = run(path, env={"PYTHONPATH": str(tmp_path / "lib")})
    assert done.returncode == 0 and "pool_forward: right" in done.stdout
    assert "lenet5: skipped" in done.stdout and "libcudart" in done.stdout
