"""examples/check.py as a program: verdicts, limits, reports, classes."""
import contextlib
import io
import json
import linecache
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

import check
from checker import files, process
from checker.files import FILES, has_tensorflow
from checker.lenet import SHAPES, judge_lenet5
from common import ROOT, load
from planted import (CB, CF, HOSTILE, PB, PF, made, plant, rows,
                     written)

SCRIPT = ROOT / "examples" / "check.py"
LINUX = sys.platform.startswith("linux")


def run(*arguments):
    """Run check.py in this process, which shows colors."""
    with contextlib.redirect_stdout(io.StringIO()) as out, (
            contextlib.redirect_stderr(io.StringIO())) as err:
        out.isatty = lambda: True
        status = check.main([*map(str, arguments)])
    printed, problem = re.sub("\033.*?m", "", out.getvalue()), err.getvalue()
    assert "Traceback" not in problem, problem
    return SimpleNamespace(
        status=status, printed=printed, said=" ".join(printed.split()),
        problem=" ".join(problem.split()))


def write(path, text=""):
    """Write a student's file, with its folder; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def checks_of(path, *arguments):
    """Return what check.py did, and what it found in each file."""
    out = path.parent / "new" / "out.json"
    done = run(*arguments, path, "--json", out)
    return done, [one for one in json.loads(out.read_text(encoding="utf-8"))[
        "checks"] if one["verdict"] != "missing"]


def like(words, text):
    """Tell whether words are in a text: ~ is anything, and $ the end."""
    return re.search(re.escape(words).replace(r"\~", ".*").replace(
        r"\$", "$"), text)


FORWARD, BACKWARD, POOL = plant(CF), plant(CB), plant(PF)


# The exit status, the command line, what is printed (with anything for each ~,
# up to its end before a $), and what m.py is.
ANSWERS = r"""
0 | m.py | RIGHT$ | CF | tion(Z) -> tion(Z).astype('f').tolist()\n
 if __name__ == '__main__': raise SystemExit | = stride -> = stride or (1, 1) |
 =(1, 1) -> =None, more=0
0 | m.py | RIGHT Remark: line 3 compares a value with `is`: write `==`.
  Remark: line 11 compares a value with `is`: write `==`.$ | CF | == "same" ->
 is "same" | import numpy as np -> import numpy as np\ntry: pass\nfinally:
  'a' is np
0 | m.py | RIGHT$ | from helper import *  # not pool_forward
0 | helper.py m.py | helper.py: RIGHT m.py: conv_backward: right, with DOWN$ |
 CB floor
0 | m.py | RIGHT$ | CF | c_new)) -> c_new), A_prev.dtype)
0 | m.py --verbose | RIGHT Remark: arrays of integers raise | CF | c_new)) ->
 c_new), A_prev.dtype)
0 | m.py --case 'one window' | : right in this case pass one window$ | CB
1 | m.py --case 'max, one window' | Printed: hello | PF | return A ->
 print('hello'); return A + 1
2 | m.py --same keras --case 'same, 2x2, dZ 4x5' | conv_backward: skipped | CB
1 | m.py | 39 of 40 cases are right. Wrong: "max, nearly equal pixels". |
 tolerance
1 | m.py --verbose | fail max, a kernel that is not square, overlap: ~fail avg,
  a kernel that is not square, overlap:  | kh for kw
1 | m.py | (judged by DOWN)~ dA_prev right, dW right, db wrong. | CB floor |
 dW, db\n -> dW, db / m\n
1 | m.py | All wrong cases have this, no right one has it: several channels of
  A_prev. | CF | tion(Z) -> tion(Z * (c_prev < 2))
1 | m.py --same keras,size | It follows DOWN, which --same does not accept. |
 CF floor
2 | m.py | No function ~ in it (found: other).$ | def other(): pass
1 | m.py | The file does not load: no result after 1 s$ | while True: pass
1 | utf.py | The file is saved as UTF-16: save it as UTF-8.$
1 | m.py | Nothing is returned. | PB | return dA_prev -> dA_prev
1 | m.py | The parameters are dZ, A_prev, W, _, pad, stride; expected def~.
  The values are right in all 33 cases. | CB | b, padding -> _, pad |
 if padding -> if pad
1 | m.py | d needs a default; expected def | CF | 1)): -> 1), *, d):
1 | m.py | 0 of 35 cases are right. | CF | tion(Z) -> tion(Z) * 1.00001
1 | m.py | An input is changed in place: work on a copy. | in place
1 | m.py | A default is missing or wrong; expected def conv_forward( | CF |
 ="same", stride=(1, 1) -> , stride
0 | m.py | pool_forward: right$ | PF | import numpy as np ->
 import numpy as np\nfrom child import child\nimport importlib.util\n
 assert not any(map(importlib.util.find_spec, ("naive", "common", "check",
 "checker", "cases", "judge", "mend", "training", "planted", "figures")))
0 | m.py | pool_forward: right lenet5: skipped ~libcudart | PF |
 import numpy as np -> import numpy as np\n\n\ndef lenet5(X):\n    return X
2 |  | expected a PATH, or --class
2 | no such | no such file
2 | --same other . | --same: expected some of keras, size, floor
2 | --timeout 0 . | --timeout: expected seconds above 0
2 | --case none . | --case: no case 'none'
2 | --functions x . | --functions: expected some of conv_forward
2 | --class a.py | expected a folder
2 | folder | Nothing was checked
2 | --class folder/sub | Nothing was checked
2 | folder | 0-conv_forward.py.txt: call it 0-conv_forward.py.
2 | folder | It lies in sub: move it up.
2 | folder | mine.py: call it 3-pool_backward.py?
2 | folder | Perhaps it is in all.zip: unpack that first.
1 | folder/0-conv_forward.py.txt | does not end in .py
1 | a.ipynb | A notebook: copy the function
2 | a.py --hint 3 --patch a.py | --patch a.py: expected a new file
2 | a.py --hint 3 --patch no/x | --patch no/x: expected a new file
0 | a.py --hint 3 --patch x | --patch: not written
2 | . --hint 3 --patch x | --patch: expected one PATH
2 | a.py --patch x | --patch: expected one PATH
2 | . --json folder | expected a file, got a folder
2 | . --csv a.py/x | expected a folder that can be written
2 | . --gradescope b.py | expected a report, got a program
2 | x.txt --csv x.txt | none of them one that is checked
2 | . --json x --csv ./x | expected different files
"""


@pytest.mark.parametrize("row", rows(ANSWERS), ids=" | ".join)
def test_what_is_asked_is_answered(row, tmp_path, monkeypatch):
    status, line, words, *content = row
    for name, text in {
            "m.py": made(*content), "a.py": POOL, "a.ipynb": "{}", "x.txt": "",
            f"folder/{FILES[CF]}.txt": FORWARD, "folder/all.zip": "",
            f"folder/sub/{FILES[PF]}": POOL, "folder/mine.py": plant(PB),
            "helper.py": FORWARD, "look.py": "look = child = 1", "child.py":
            "from look import child", "utf.py": POOL.encode("utf-16"),
            "lib/tensorflow.py": "raise ImportError('libcudart')"}.items():
        write(tmp_path / name, text)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (
        tmp_path / "lib", SCRIPT.parent, ROOT / "tests", ROOT))))
    monkeypatch.setattr(files, "has_tensorflow", lambda: True)
    monkeypatch.chdir(tmp_path)
    process.ENDING.set()    # by a check that was stopped
    done = run("--hint", 1, "--timeout", 1, *shlex.split(line))
    process.ENDING.clear()
    assert done.status == int(status)
    assert like(written(words), f"{done.problem} {done.said}"), done
    assert "looking for what mends it" not in done.problem
    assert (tmp_path / "a.py").read_text() == POOL
    assert not (tmp_path / "x").exists()


def test_two_rules_in_one_folder_are_wrong_together(tmp_path):
    for folder in ("a", "\t=b"):
        write(tmp_path / folder / FILES[CF], made("CF floor"))
        write(tmp_path / folder / FILES[CB], BACKWARD)
    done = run("--class", tmp_path, "--hint", 1, "--csv", tmp_path / "csv")
    assert ("2 conv_backward: conv_forward and conv_backward follow different "
            'rules of "same": together they are wrong (?=b, a)') in done.said
    assert "\n'\t=b,conv_forward,right,floor,floor,,,35,35," in (
        tmp_path / "csv").read_text()
    assert done.status == run(tmp_path / "a").status == 1
    assert run(tmp_path / "a" / FILES[CF]).status == 0


# What one student does stays with that student.

@pytest.mark.slow
def test_what_one_student_does_stays_with_that_student(tmp_path):
    folder = tmp_path / "class of ümlauts"
    texts = [*HOSTILE, ("", "#" * 10**7), ("asleep", plant(PF, (
        "    ret", "    import time; A.size < 2 and time.sleep(3)\n    ret")))]
    for i, (_, text) in enumerate(texts):
        write(folder / f"{i}" / FILES[PF], text)
    (folder / "folder" / FILES[PF]).mkdir(parents=True)
    if os.name == "posix":
        (folder / "pipe").mkdir()
        os.mkfifo(folder / "pipe" / FILES[PF])
    done, checks = checks_of(folder, "--timeout", 2, "--hint", 1, "--class")
    found = {one["student"]: one for one in checks}
    assert done.status == 1 and len(texts) + 2 == len(found)
    assert found.pop(f"{len(texts) - 1}")["verdict"] == "right"
    for i, (words, _) in enumerate(HOSTILE):
        one = found.pop(f"{i}")
        assert one["verdict"] != "right" and words in " ".join([
            str(one["cause"]), *(str(case["message"])
                                 for case in one["cases"])]), words
    assert {one["verdict"] for one in found.values()} == {"unreadable"}
    for words in ("an endless loop, or too slow", "ends Python"):
        assert f" pool_forward: {words} (" in done.said
    if LINUX:
        assert b"sleep(60)" not in subprocess.run(
            ["ps", "ax"], capture_output=True).stdout


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_class_that_is_stopped_reports_who_is_done(number, tmp_path):
    write(tmp_path / "class" / "a" / FILES[PF], POOL)
    write(tmp_path / "class" / "b" / FILES[PF], "while True: pass\n")
    (tmp_path / "temporary").mkdir()
    program = subprocess.Popen(
        [sys.executable, SCRIPT, "--class", tmp_path / "class", "--timeout",
         "60", "--json", tmp_path / "out.json"], stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
        stderr=subprocess.DEVNULL, preexec_fn=lambda: [
            signal.signal(*known) for known in zip((1, 2, 15), (
                signal.SIG_IGN, signal.SIG_DFL, signal.SIG_DFL))])
    while b"right" not in program.stdout.readline():
        assert program.poll() is None
    for sent in (1, number, 17 - number):   # nohup; only the first counts
        program.send_signal(sent)
        time.sleep(0.1)
    program.communicate(timeout=60)
    assert program.returncode == 128 + number
    checks = json.loads((tmp_path / "out.json").read_text())["checks"]
    assert {one["student"] for one in checks} == {"a"}
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.skipif(not LINUX, reason="limits and processors of Linux")
def test_one_narrower_limit_drops_no_other_and_workers_are_real(
        tmp_path, monkeypatch):
    path = write(tmp_path / "mine.py", plant(PF, (
        "    return", "    import resource\n    assert resource.getrlimit("
        "resource.RLIMIT_AS)[0] == 2**31\n    return")))
    done = subprocess.run(
        ["sh", "-c", f"ulimit -f 2000; exec {sys.executable} {SCRIPT} {path}"],
        capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "pool_forward: right\n")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 5, 7})
    assert files.workers() == 3


def test_gradescope_gets_a_point_for_each_function_of_the_course(tmp_path):
    write(tmp_path / FILES[PF], POOL)
    write(tmp_path / FILES[PB], plant(PB, ("return dA_prev", "dA_prev")))
    out, four = tmp_path / "results.json", ",".join([CF, PF, CB, PB])
    done = run(tmp_path, "--gradescope", out, "--functions", four, "--hint", 1)
    results = json.loads(out.read_text(encoding="utf-8"))
    assert (done.status, results["score"], "lenet5" in done.said) == (
        1, 1, False)
    assert [(test["name"], test["score"], test["max_score"])
            for test in results["tests"]] == [
        (CF, 0, 1), (PF, 1, 1), (CB, 0, 1), (PB, 0, 1)]
    assert results["tests"][3]["output"].endswith("and 36 more.")
    assert results["tests"][1]["output"] == "pool_forward: right"


def test_a_reader_that_has_gone_is_no_traceback():
    gone, out = os.pipe()
    os.close(gone)
    done = subprocess.run([sys.executable, SCRIPT, ROOT / FILES[PF]],
                          stdout=out, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, b"")


# In a notebook.

def test_in_a_notebook_a_cell_is_checked_and_mended(monkeypatch, capsys):
    text = made("tolerance") + "\n\ncheck(pool_backward)\n"
    monkeypatch.setitem(linecache.cache, "<cell>", (
        len(text), None, text.splitlines(True), "<cell>"))
    exec(compile(text, "<cell>", "exec"), {"check": check.check})
    bare = text.replace("import numpy as np", "# in another cell")
    monkeypatch.setitem(linecache.cache, "<bare>", (
        len(bare), None, bare.splitlines(True), "<bare>"))
    exec(compile(bare, "<bare>", "exec"), {"check": check.check, "np": np})
    assert all(check.check(load(FILES[name])) for name in (CF, PF, CB, PB))
    assert not check.check(lambda dA, *rest, **options: dA, PB)
    printed = capsys.readouterr().out
    assert ("Write:\n    mask = (A_prev[window] == np.max(A_prev[window]))\n"
            "  With this line all 40 cases are right (tried).\n") in printed
    assert printed.count("without isolation or time limit") == 7
    assert printed.count("(No line to write is tried: ") == 2
    assert ("does not run alone (NameError: name 'np' is not defined, line "
            in printed) and "No small change" not in printed
    with pytest.raises(ValueError, match="name: expected one of"):
        check.check(len)


def test_explain_says_why_50_and_knows_ties_and_rules(capsys):
    W = np.array([4., 5, 6, 7]).reshape(2, 2, 1, 1)
    given = np.arange(1., 5).reshape(1, 2, 2, 1), np.ones((1, 3, 3, 1)), W, [0]
    ours, at = load(FILES[CB]), ("dA_prev", 0, 1, 1, 0)
    check.explain(ours, *given, padding="valid", at=at)
    for ties in ("first", "all"):
        check.explain(load(FILES[PB]), np.full((1, 1, 1, 1), 3.), np.ones((
            1, 2, 2, 1)), (2, 2), (2, 2), ties=ties, at=at)
    space = {}
    exec(BACKWARD, space)       # dZ fits its rule alone
    check.explain(space[CB], np.ones((1, 4, 4, 1)), *given[1:],
                  at=("dW", 0, 0, 0, 0))
    assert like(
        "] = 50 = dZ[0,0,0,0]*W[1,1,0,0] + ~ = 1*7 + 2*6 + 3*5 + 4*4 ~] = 0 "
        "= 0 (nothing is added here) ~] = 3 = dA[0,0,0,0] = 3 ~] = 9 = A_prev["
        "0,0,0,0]*dZ[0,1,1,0]", " ".join(capsys.readouterr().out.split()))
    with pytest.raises(ValueError, match="at: expected an output"):
        check.explain(ours, *given, padding="valid", at=("dW", 2, 0, 0, 0))


# LeNet-5.

OURS = (ROOT / "5-lenet5.py").read_text(encoding="utf-8")
LENET = OURS.replace('{"data_format": "channels_last"}', "{}")
LENET_FAULTS = {    # of each check
    "shapes": ("Dense(84", "Dense(85"),
    "parameters": ("Dense(84,", "Dense(84, use_bias=False,"),
    "relu": ('"relu"', '"relu6"'), "pooling": ("MaxPool", "AveragePool"),
    "probabilities": ("10, **softmax", "10"),
    "he_normal": ("he_normal(", "glorot_uniform("), "Adam": (
        "s.Adam", "s.RMSprop"), "loss": ("categorical_crossentropy", "mse"),
    "accuracy": ('"accuracy"', '"mae"'), "learning": ("Adam()", "Adam(1e-9)")}
LENET_RIGHT = {"ours": OURS, "plain": LENET, "sequential": re.sub(
    r"Y = (layers.*)\([XY]\)", r"S.add(\1)", LENET).replace(
    "s = K.layers", "s, S = K.layers, K.Sequential()").replace(
    "K.Model(inputs[0] if len(inputs) == 1 else inputs, Y)", "S")}


@pytest.mark.slow
@pytest.mark.skipif(not has_tensorflow(), reason="TensorFlow is missing")
def test_each_check_of_a_lenet5_has_a_file_that_fails_it(
        tmp_path, monkeypatch):
    for name, text in {
            **{name: LENET.replace(*fault) for name, fault in
               LENET_FAULTS.items()}, **LENET_RIGHT,
            "typo": LENET.replace('padding="same', 'pading="same')}.items():
        write(tmp_path / "all" / name / FILES["lenet5"], text)
    write(tmp_path / "home" / "keras.json", '{"floatx": "float64", "epsilon": '
          '1e-7, "image_data_format": "channels_first"}')
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    _, checks = checks_of(tmp_path / "all", "--functions", "lenet5", "--class")
    found = {one["student"]: one for one in checks}
    for name, one in found.items():
        assert (one["verdict"] == "right") == (name in LENET_RIGHT), one
        assert name not in LENET_FAULTS or name in [
            case["name"] for case in one["cases"] if case["result"] == "fail"]
    assert "does not use X" in found["sequential"]["remarks"][-1]
    assert ("write: Y = layers.Dense(10, activation='softmax')(Y)"
            in found["probabilities"]["cause"])
    assert 'write: Y = layers.Conv2D(6, 5, padding="' in found["typo"]["cause"]


def test_a_lenet5_that_measured_less_than_all_is_not_right():
    seen = {"output shapes": SHAPES, "output ranges": [[0, 7]] * 8,
            "parameters": 61706, "off the maximum": [0], "kernels": [
                {"size": 400, "spread / he_normal's": 1,
                 "largest / spread": 2}], "optimizer": "Adam",
            "prediction": {"shape": [10], "sum - 1": 0}, **{
                when: {"cross-entropy": loss, "loss": loss,
                       "metrics - accuracy": [0]} for when, loss in (
                    ("before training", 2), ("after training", 1))}}
    assert judge_lenet5({"result": "ok", "seen": seen})["verdict"] == "right"
    for less in ([], {}, *({**seen, key: nothing} for key in seen
                           for nothing in ([], {}, "", 0))):
        assert judge_lenet5({"result": "ok", "seen": less})[
            "verdict"] == "wrong", less
