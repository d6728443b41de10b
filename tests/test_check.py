"""examples/check.py as a program: verdicts, limits, reports, classes."""
import contextlib
import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

import check
import planted
from checker.files import FILES, has_tensorflow
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
    """Return the exit status and the check of one file."""
    out = path.parent / "out.json"
    done = run(path, "--json", out, *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    return done, json.loads(out.read_text(encoding="utf-8"))["checks"][0]


# The ten faults that are to be impossible.

def test_1_texts_compared_with_is_are_right_with_a_remark(tmp_path):
    text = planted.plant(CF, [('if padding == "same"',
                               'if padding is "same"')])
    done, found = result(write(tmp_path / "mine.py", text))
    assert found["verdict"] == "right" and done.returncode == 0
    assert found["remarks"] == [
        "line 10 compares a text with `is`: write `==`"]
    text = planted.plant(PB, [("mode == ", "mode is ")])
    assert result(write(tmp_path / "mine.py", text))[0].returncode == 0


def test_2_two_calls_that_raise_are_no_evidence(tmp_path):
    text = planted.plant(CB, [
        (f"dA_prev = {planted.CROP}", "dA_prev = np.zeros(A_prev.shape)\n"
         "    for n in range(m):\n        dA_prev[n] = "
         "dA_pad[n, top:-bottom, left:-right]")])
    _, found = result(write(tmp_path / "mine.py", text))
    assert found["cause"] == "The crop p:-p is empty where p is 0."
    text = planted.plant(CB, [("    return", "    raise ValueError('no')\n"
                               "    return")])
    assert result(write(tmp_path / "mine.py", text))[1]["cause"] is None


def test_3_a_case_that_is_not_there_is_not_passed(tmp_path):
    path = write(tmp_path / "mine.py", planted.solution(CB))
    for arguments in (["--case", "max, one window"], [
            "--same", "keras", "--case", "same, 2x2, dZ 4x5"]):
        done = run(path, *arguments)
        assert done.returncode == 2 and "right" not in done.stdout
    done = run(path, "--case", "one window")
    assert done.returncode == 0
    assert done.stdout.startswith("conv_backward: right in this case\n")


def test_4_the_rule_is_that_of_most_arrays(tmp_path):
    text = planted.plant(CB, [("return dA_prev, dW, db",
                               "return dA_prev, dW, db / m")], "floor")
    done, found = result(write(tmp_path / "mine.py", text))
    assert found["rule"] == "floor" and found["same"] is None
    assert found["outputs"] == {"dA_prev": "right", "dW": "right",
                                "db": "wrong"}
    assert found["cause"] == "db is divided by m."
    assert 'judged by the rule of "same" that rounds down' in done.stdout


def test_5_nothing_of_ours_can_be_imported(tmp_path):
    text = f"""
import importlib
for name in ["naive", "common", "check", "checker", "cases", "judge", "causes",
             "child", "training", "training.data", "planted", "figures"]:
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


def test_5_the_students_own_modules_can_be_imported(tmp_path):
    for name in ("data", "utils", "naive", "common", "child"):
        write(tmp_path / f"{name}.py", f"{name} = 1\n")
    text = "".join(f"from {name} import {name}\n" for name in (
        "data", "utils", "naive", "common", "child"))
    assert run(write(tmp_path / "mine.py", text + planted.solution(
        PF))).returncode == 0


def test_7_reports_are_tried_before_the_first_check(tmp_path):
    path = write(tmp_path / "mine.py", planted.solution(PF))
    (tmp_path / "folder").mkdir()
    for option in ("--json", "--csv", "--gradescope"):
        started = time.monotonic()
        done = run(path, option, tmp_path / "folder")
        assert done.returncode == 2 and f"{option} {tmp_path}" in done.stderr
        done = run(path, option, path / "out")
        assert done.returncode == 2 and "cannot be written" in done.stderr
        assert time.monotonic() - started < 60
    assert run(path, "--gradescope",
               tmp_path / "new" / "results.json").returncode == 0
    assert (tmp_path / "new" / "results.json").is_file()
    assert run("--class", tmp_path, "--gradescope", "x").returncode == 2
    assert run(path, "--json", "x", "--csv", "./x").returncode == 2


@pytest.mark.skipif(os.name != "posix", reason="links and devices of POSIX")
def test_7_a_link_or_a_device_keeps_being_one(tmp_path):
    path = write(tmp_path / "mine.py", planted.solution(PF))
    (tmp_path / "link").symlink_to(tmp_path / "target.json")
    done = run(path, "--json", tmp_path / "link", "--csv", "/dev/stdout",
               timeout=60)
    assert done.returncode == 0 and "student,function" in done.stdout
    assert (tmp_path / "link").is_symlink()
    assert json.loads((tmp_path / "target.json").read_text())["checks"]


def test_7_a_report_takes_the_place_of_no_program(tmp_path):
    path = write(tmp_path / FILES[PF], planted.solution(PF))
    done = run(tmp_path, "--csv", path)
    assert done.returncode == 2 and "got a program" in done.stderr
    assert path.read_text(encoding="utf-8") == planted.solution(PF)
    assert run(path, "--json", "").returncode == 2


def test_7_a_file_that_is_checked_is_no_target(tmp_path):
    path = write(tmp_path / "notes.txt", planted.solution(PF))
    done = run(path, "--json", path)
    assert done.returncode == 2 and "one that is checked" in done.stderr
    assert path.read_text(encoding="utf-8") == planted.solution(PF)


@pytest.mark.skipif(os.name != "posix", reason="devices and modes of POSIX")
def test_7_a_report_may_go_where_the_text_goes(tmp_path):
    path, out = write(tmp_path / "mine.py", planted.solution(PF)), (
        tmp_path / "out.json")
    with open(out, "w") as file:
        subprocess.run([sys.executable, str(SCRIPT), str(path), "--csv",
                        "/dev/stdout"], stdout=file, timeout=60)
    assert out.read_text().startswith("student,function")
    assert out.read_text().endswith("pool_forward: right\n")
    out.chmod(0o600)
    assert run(path, "--json", out).returncode == 0
    assert out.stat().st_mode & 0o777 == 0o600 and json.loads(out.read_text())


@pytest.mark.skipif(not LINUX, reason="/dev/full")
def test_7_a_class_needs_no_stderr(tmp_path):
    write(tmp_path / "class" / "a" / FILES[PF], planted.solution(PF))
    with open("/dev/full", "w") as full:
        status = subprocess.call(
            [sys.executable, str(SCRIPT), "--class", str(tmp_path / "class"),
             "--csv", str(tmp_path / "out.csv")], stderr=full,
            stdout=subprocess.DEVNULL, timeout=60)
    assert status == 0 and "right" in (tmp_path / "out.csv").read_text()


@pytest.mark.skipif(not LINUX, reason="/dev/full")
def test_7_a_full_disk_or_terminal_loses_no_other_report(tmp_path):
    path, out = write(tmp_path / "mine.py", planted.solution(PF)), (
        tmp_path / "out.csv")
    done = run(path, "--json", "/dev/full", "--csv", out)
    assert done.returncode == 2 and out.is_file() and "right" in done.stdout
    out.unlink()
    with open("/dev/full", "w") as full:
        status = subprocess.call([sys.executable, str(SCRIPT), str(path),
                                  "--csv", str(out)], stdout=full, timeout=60)
    assert status == 2 and out.is_file()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_7_a_class_that_is_stopped_reports_who_is_done(number, tmp_path):
    write(tmp_path / "class" / "a" / FILES[PF], planted.solution(PF))
    write(tmp_path / "class" / "b" / FILES[PF], "import time\ntime.sleep(3)\n"
          f"open({str(tmp_path / 'marker')!r}, 'w')\nwhile True: pass\n")
    (tmp_path / "temporary").mkdir()
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), "--class", str(tmp_path / "class"),
         "--timeout", "60", "--json", str(tmp_path / "out.json")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
        # What was started in the background ignores it, and so its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
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


def test_8_explain_knows_ties_and_rules(capsys):
    dA, A_prev = np.full((1, 1, 1, 1), 3.), np.ones((1, 2, 2, 1))
    module = load("3-pool_backward.py")
    check.explain(module, dA, A_prev, (2, 2), (2, 2), 'max', 'first',
                  at=("dA_prev", 0, 1, 1, 0))
    check.explain(module, dA, A_prev, (2, 2), (2, 2), ties='all',
                  at=("dA_prev", 0, 1, 1, 0))

    def pool_backward(dA, A_prev, kernel_shape, stride=(1, 1), mode='max'):
        return module(dA, A_prev, kernel_shape, stride, mode, 'first')
    check.explain(pool_backward, dA, A_prev, (2, 2), (2, 2),
                  at=("dA_prev", 0, 1, 1, 0))
    printed = capsys.readouterr().out
    assert printed.count("dA_prev[0, 1, 1, 0] = 0 = 0 (nothing is added") == 2
    assert printed.count("dA_prev[0, 1, 1, 0] = 3 = dA[0,0,0,0]") == 1
    assert "You have" not in printed
    space = {}
    exec(planted.solution(CF, "floor"), space)
    check.explain(space[CF], np.ones((1, 3, 3, 1)), np.ones((2, 2, 1, 1)),
                  np.zeros(1), lambda Z: Z, at=("A", 0, 1, 1, 0))
    assert "A_prev[0,2,2,0]*W[1,1,0,0]" in capsys.readouterr().out
    exec(planted.solution(CB, "size"), space)   # dZ fits this rule alone
    check.explain(space[CB], np.ones((1, 4, 4, 1)), np.ones((1, 3, 3, 1)),
                  np.ones((2, 2, 1, 1)), np.zeros(1), at=("dW", 0, 0, 0, 0))
    assert "= 9 = A_prev[0,0,0,0]*dZ[0,1,1,0]" in capsys.readouterr().out
    for at in (("dW", 2, 0, 0, 0), ("A", 0), "dW"):
        with pytest.raises(ValueError, match="at: expected an output"):
            check.explain(space[CB], np.ones((1, 4, 4, 1)), np.ones(
                (1, 3, 3, 1)), np.ones((2, 2, 1, 1)), np.zeros(1), at=at)


keras = pytest.mark.skipif(not has_tensorflow(),
                           reason="TensorFlow is not installed")
LENET5 = (ROOT / "5-lenet5.py").read_text(encoding="utf-8")


@keras
def test_9_a_lenet5_is_judged_by_what_it_does(tmp_path):
    # Objects, and a model inside of another: what cannot be read is no fault.
    old, new = re.search(r"\.compile\((.*?)\)\n", LENET5, re.S).group(1), (
        "optimizer=K.optimizers.Adam(), loss=K.losses.CategoricalCrossentropy"
        "(), metrics=[K.metrics.CategoricalAccuracy()]")
    write(tmp_path / "class" / "objects" / FILES["lenet5"], LENET5.replace(
        old, new).replace("model.compile", "model = K.Model(X, model(X))\n"
                          "    model.compile"))
    write(tmp_path / "class" / "wrong" / FILES["lenet5"],
          LENET5.replace("Dense(84", "Dense(85"))
    run("--class", tmp_path / "class", "--json", tmp_path / "out.json")
    checks = json.loads((tmp_path / "out.json").read_text())["checks"]
    objects, wrong = [one for one in checks if one["function"] == "lenet5"]
    assert objects["verdict"] == "right", objects
    assert any("cannot be read" in remark for remark in objects["remarks"])
    assert wrong["verdict"] == "wrong"
    assert wrong["cause"] == "The layers do not give the shapes of LeNet-5."


def test_10_other_names_are_a_fault_and_the_values_are_judged(tmp_path):
    text = planted.plant(CB, [("A_prev, W, b, padding=", "A_prev, W, _, pad="),
                              ("if padding", "if pad")])
    done, found = result(write(tmp_path / "mine.py", text))
    assert found["verdict"] == "wrong" and "The parameters are" in (
        found["cause"])
    assert all(case["result"] == "pass" for case in found["cases"])
    text = text.replace(", keepdims=True", "")
    _, found = result(write(tmp_path / "mine.py", text))
    assert "The parameters are" in found["cause"]
    assert "db has lost its axes" in found["cause"]


# A class survives whatever one student does (6).

@pytest.fixture(scope="module")
def hostile_class(tmp_path_factory):
    """Check hostile files, and other oddities, as one class."""
    folder = tmp_path_factory.mktemp("class of ümlauts")
    for name in planted.HOSTILE:
        write(folder / name / FILES[PF], planted.hostile(name))
    for name in ("good.py", "=1+1"):
        write(folder / name / FILES[PF], planted.solution(PF))
    (folder / "folder" / FILES[PF]).mkdir(parents=True)
    write(folder / "latin" / FILES[PF], "").write_bytes(b"# \xe9\nx = 1\n")
    write(folder / "binary" / FILES[PF], "\0")
    write(folder / "large" / FILES[PF], "#" * 10**7)
    write(folder / "renamed" / "pool_forward.py", planted.solution(PF))
    write(folder / "deep" / FILES[PF], "(" * 10**5)
    if os.name == "posix":
        (folder / "loop").mkdir()
        (folder / "loop" / FILES[PF]).symlink_to(FILES[PF])
        (folder / "pipe").mkdir()
        os.mkfifo(folder / "pipe" / FILES[PF])
    out = folder.parent / "new" / "checks.json"
    done = run("--class", folder, "--timeout", 1, "--json", out, "--csv",
               out.with_suffix(".csv"), timeout=300)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    checks = json.loads(out.read_text(encoding="utf-8"))["checks"]
    with open(out.with_suffix(".csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == len(checks) + 1
    assert "'=1+1" in [row[0] for row in rows]      # no formula
    return {one["student"]: one for one in checks
            if one["function"] == PF}, done.stdout, folder


@pytest.mark.parametrize("name", planted.HOSTILE)
def test_6_what_one_student_does_stays_with_that_student(name, hostile_class):
    found = hostile_class[0][name]
    assert found["verdict"] in ("wrong", "unreadable")
    said = [found["cause"] or "", *(str(case["message"])
                                    for case in found["cases"])]
    assert any(planted.HOSTILE[name][1] in text for text in said), said


def test_6_the_others_are_checked(hostile_class):
    found, printed, _ = hostile_class
    assert found["good.py"]["verdict"] == "right"
    assert {found[name]["verdict"] for name in ("folder", "latin", "binary",
                                                "large", "deep")} == {
        "unreadable"}
    assert found["renamed"]["cause"] == (
        "pool_forward.py: call it 1-pool_forward.py?")
    text = " ".join(printed.split())
    assert "pool_forward: an endless loop, or too slow (" in text
    assert "pool_forward: ends Python (" in text
    assert "raises KeyError (raises)" in text


@pytest.mark.skipif(not LINUX, reason="it looks into /proc")
def test_6_nothing_is_left_behind(hostile_class):
    left = [path for path in os.listdir("/proc") if path.isdigit()
            and b"time.sleep(60)" in command_of(path)]
    assert left == []


def command_of(process):
    """Return the command line of a process, or nothing."""
    try:
        with open(f"/proc/{process}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


@pytest.mark.slow
def test_a_file_that_hangs_while_loading_takes_the_limit_once(tmp_path):
    path = write(tmp_path / FILES[PF], "while True: pass\n")
    started = time.monotonic()
    done = run(path, "--timeout", 3)
    assert done.returncode == 1 and "no result after 3 s" in done.stdout
    assert time.monotonic() - started < 6


# What it says.

def test_our_own_folder_is_right():
    done = run(*[ROOT / FILES[name] for name in (CF, PF, CB, PB)])
    assert done.returncode == 0
    assert done.stdout.splitlines() == [line for name in (
        CF, PF, CB, PB) for line in (f"{ROOT / FILES[name]}:",
                                     f"{name}: right")]


@pytest.mark.slow
def test_two_rules_in_one_folder_are_wrong_together(tmp_path):
    student = tmp_path / "student"
    write(student / FILES[CF], planted.solution(CF, "floor"))
    write(student / FILES[CB], planted.solution(CB, "size"))
    done = run(student)
    assert done.returncode == 1
    assert done.stdout.count(': right, with the rule of "same" that') == 2
    assert "together they are wrong" in " ".join(done.stdout.split())
    assert run(student, "--same", "floor").returncode == 1
    several = [student / FILES[name] for name in (CF, CB)]
    assert run(*several).returncode == 1 and run(several[0]).returncode == 0
    done = run("--class", tmp_path)
    assert "together they are wrong" in " ".join(done.stdout.split())


def test_files_of_other_names_are_those_of_others(tmp_path):
    one, two = (write(tmp_path / f"{name}.py", planted.solution(CF, rule)
                      + planted.solution(CB, rule))
                for name, rule in (("one", "size"), ("two", "floor")))
    assert run(one, two).returncode == 0


def test_one_case_is_no_evidence_for_a_cause(tmp_path):
    path = write(tmp_path / "mine.py", planted.solution(CB, "floor"))
    done = run(path, "--case", "same, stride 2")
    assert "Write:" not in done.stdout and "padding of" not in done.stdout


def test_a_rule_that_is_not_accepted_is_named(tmp_path):
    path = write(tmp_path / "mine.py", planted.solution(CF, "floor"))
    _, found = result(path, "--same", "keras,size")
    assert found["verdict"] == "wrong"
    assert found["cause"].startswith(
        'It follows the rule of "same" that rounds down')


def test_what_all_wrong_cases_share_is_said(tmp_path):
    text = planted.plant(PF, [("np.mean(window)", "np.mean(window) if m == 1 "
                               "else 5 * np.mean(window)")])
    done = run(write(tmp_path / "mine.py", text))
    assert "no right one has it" not in done.stdout
    text = planted.plant(CF, [("A = activation(Z + b)", "if c_prev > 1:\n"
                               "        Z[0, 0] = 7\n    "
                               "A = activation(Z + b)")])
    done = run(write(tmp_path / "mine.py", text))
    assert ("All wrong cases have this, no right one has it: several channels "
            "of A_prev." in " ".join(done.stdout.split()))
    assert 'The simplest wrong case, "two channels"' in done.stdout


def test_the_simplest_wrong_case_names_what_is_special(tmp_path):
    text = planted.plant(PF, [(planted.WINDOW, "y*sh:y*sh + kh, "
                               "x*sw:x*sw + kh")])
    done = run(write(tmp_path / "mine.py", text))
    assert '"max, a kernel that is not square"' in done.stdout


def test_the_pasted_call_gives_what_the_report_says(tmp_path):
    text = planted.plant(CF, [("activation(Z + b)", "activation(Z)")])
    printed = run(write(tmp_path / "mine.py", text)).stdout.splitlines()
    assert max(map(len, printed)) <= 79 and "\033" not in "".join(printed)
    start = next(i for i, line in enumerate(printed) if "A_prev = " in line)
    end = next(i for i, line in enumerate(printed) if " expected " in line)
    got, wanted = re.search(r"is (\S+), expected (\S+)", printed[end]).groups()
    code = "\n".join(line[4:] for line in printed[start:end]).replace(
        "conv_forward(", "result = conv_forward(")
    for function, value in ((None, got), (load("0-conv_forward.py"), wanted)):
        space = {"np": np}
        exec(text, space)
        space[CF] = function or space[CF]
        exec(code, space)
        assert float(value) == space["result"].ravel()[0]


@pytest.mark.parametrize("name, content, status, sentence", [
    ("a.ipynb", "{}", 1, "A notebook: copy the function"),
    ("a.txt", "hello", 1, "does not end in .py"),
    ("a.py", "def other(): pass", 2, "found: other"),
    ("a.py", planted.plant(PB, [("return dA_prev", "dA_prev")]), 1,
     "Nothing is returned."),
    ("a.py", planted.plant(CB, [("return", "A_prev *= 2\n    return")]), 1,
     "An input is changed in place: work on a copy."),
])
def test_what_is_no_solution_is_said_in_a_sentence(name, content, status,
                                                   sentence, tmp_path):
    done = run(write(tmp_path / name, content))
    assert done.returncode == status and "Traceback" not in done.stderr
    assert sentence in " ".join(done.stdout.split())


def test_defaults_are_judged_by_what_they_do(tmp_path):
    text = planted.solution(CF)
    right = text.replace("stride=(1, 1)):", "stride=None):").replace(
        "sh, sw = stride", "sh, sw = stride or (1, 1)")
    assert run(write(tmp_path / "right.py", right)).returncode == 0
    for old, new in (('="same"', '="valid"'),
                     ('="same", stride=(1, 1)', ", stride"),
                     ("=(1, 1)", "=(2, 2)")):
        done = run(write(tmp_path / "wrong.py", text.replace(old, new, 1)))
        assert done.returncode == 1
        assert "A default is missing or wrong" in done.stdout


def test_functions_that_are_imported_with_a_star_are_judged(tmp_path):
    write(tmp_path / "mine.py", planted.solution(PF) + planted.plant(CF, [
        ("activation(Z + b)", "activation(Z)")]))
    done = run(write(tmp_path / "all.py", "from mine import *\n"))
    assert done.returncode == 1 and "pool_forward: right" in done.stdout
    assert "The bias is forgotten" in done.stdout


def test_other_right_forms_are_right(tmp_path):
    text = planted.solution(CF)
    write(tmp_path / "helper.py", text)
    for name, variant in {
            "lists": text.replace("return A\n", "return A.tolist()\n"),
            "crlf": text.replace("\n", "\r\n"),
            "float32": text.replace("return A\n", "return np.float32(A)\n"),
            "main": text + "\nif __name__ == '__main__':\n    raise "
            "SystemExit\n", "more": text.replace("(1, 1)):", "(1, 1), d=1):"),
            "sibling": "import helper\nconv_forward = helper.conv_forward\n"
            }.items():
        path = tmp_path / f"{name} ü.py"
        path.write_bytes(variant.encode())
        assert run(path).returncode == 0, name


@pytest.mark.parametrize("arguments, message", [
    ([], "expected a PATH, or --class"), (["no such"], "no such file"),
    (["--same", "other", "."], "--same: expected some of keras, size, floor"),
    (["--timeout", "0", "."], "--timeout: expected seconds above 0"),
    (["--case", "none", "."], "--case: no case 'none'"),
    (["--class", __file__], "expected a folder"),
])
def test_wrong_use_ends_with_2(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2 and message in " ".join(done.stderr.split())


def test_nothing_to_check_ends_with_2(tmp_path):
    assert run(tmp_path).returncode == run("--class", tmp_path).returncode == 2


def test_gradescope_gets_a_point_for_each_function(tmp_path):
    write(tmp_path / FILES[PF], planted.solution(PF))
    out = tmp_path / "results.json"
    run(tmp_path, "--gradescope", out)
    results = json.loads(out.read_text(encoding="utf-8"))
    assert results["score"] == 1
    assert [(test["name"], test["score"], test["status"])
            for test in results["tests"]] == [
        (name, int(name == PF), "passed" if name == PF else "failed")
        for name in FILES]


def test_in_a_notebook_a_function_is_checked_in_place(capsys):
    assert check.check(load("2-conv_backward.py"))
    assert not check.check(lambda dA, *rest, **options: dA, PB)
    printed = capsys.readouterr().out
    assert "conv_backward: right" in printed
    assert printed.count("without isolation or time limit") == 2
    with pytest.raises(ValueError, match="name: expected one of"):
        check.check(len)


def test_explain_says_why_50(capsys):
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


def test_a_reader_that_has_gone_is_no_traceback():
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(ROOT / "1-pool_forward.py")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(timeout=100) == 1
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
