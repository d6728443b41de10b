#!/usr/bin/env python3
"""Check your own conv_forward, pool_forward, conv_backward, pool_backward or
lenet5: is it right, and if not, where and why?

The student's code runs in a process of its own; this is no sandbox.
"""
import argparse
import csv
import functools
import inspect
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import causes
import child
import naive
from checks import CONV_CHECKS, POOL_CHECKS
from explain import explain, number, where_from    # noqa: F401
from common import put

FILES = {"conv_forward": "0-conv_forward.py",
         "pool_forward": "1-pool_forward.py",
         "conv_backward": "2-conv_backward.py",
         "pool_backward": "3-pool_backward.py", "lenet5": "5-lenet5.py"}
SIGNATURES = {
    "conv_forward": 'A_prev, W, b, activation, padding="same", stride=(1, 1)',
    "pool_forward": "A_prev, kernel_shape, stride=(1, 1), mode='max'",
    "conv_backward": 'dZ, A_prev, W, b, padding="same", stride=(1, 1)',
    "pool_backward": "dA, A_prev, kernel_shape, stride=(1, 1), mode='max'",
    "lenet5": "X"}
OUTPUTS = {"conv_forward": ["A"], "pool_forward": ["A"],
           "conv_backward": ["dA_prev", "dW", "db"],
           "pool_backward": ["dA_prev"]}
OTHERS = {  # signatures from elsewhere, and what to do
    ("A_prev", "W", "b", "hparameters"): "deeplearning.ai: pass padding=(pad, "
    "pad) and stride=(stride, stride) as arguments, and an activation.",
    ("A_prev", "hparameters", "mode"): "deeplearning.ai: pass kernel_shape="
    "(f, f) and stride=(stride, stride) as arguments.",
    ("dZ", "cache"): "deeplearning.ai: unpack the cache into arguments: dZ, "
    "A_prev, W, b, padding, stride.",
    ("dA", "cache", "mode"): "deeplearning.ai: unpack the cache into "
    "arguments: dA, A_prev, kernel_shape, stride, mode.",
    ("dout", "cache"): "CS231n: arrays are NHWC here; unpack the cache into "
    "arguments, and transpose (0, 2, 3, 1).",
    ("x", "w", "b", "conv_param"): "CS231n: arrays are NHWC here, W is (kh, "
    "kw, c_prev, c_new); pass padding and stride as arguments.",
    ("x", "pool_param"): "CS231n: arrays are NHWC here; pass kernel_shape, "
    "stride and mode as arguments."}
RULES = {
    "keras": 'Keras\' rule of "same"',
    "size": 'the course\'s rule of "same"',
    "floor": 'the rule of "same" that rounds down'}
REMARKS = {"integer arrays": "arrays of integers as input",
           "lists": "lists as input"}
SAID = {     # the same message in every wrong case
    "returned None: is there a return?": "Nothing is returned.",
    "work on a copy": "An input is changed in place: work on a copy."}
PRINTED = 2**23     # bytes that a student's code may print


# What is expected

def rules_of(name, accepted):
    """Return the rules that a right function may follow."""
    return {"conv": accepted, "pool": ["all", "first"]
            if name == "pool_backward" else ["keras"]}[name[:4]]


@functools.lru_cache(maxsize=None)
def function_of(name, rule, cause):
    """Return the definition under a rule, with a fault if there is one."""
    function = causes.variant(name, rule, cause)
    if function and rule in ("all", "first"):
        return functools.partial(function, ties=rule)
    return function


@functools.lru_cache(maxsize=None)
def calls_of(name):
    """Return the calls that are made: {case name: arguments}."""
    calls = {}
    for case in CONV_CHECKS if name[:4] == "conv" else POOL_CHECKS:
        if name[:4] == "pool":
            arguments = {"A_prev": case.pixels(), "kernel_shape": case.kernel,
                         "stride": case.stride, "mode": case.mode}
            if name == "pool_backward":
                shape = naive.pool_forward(*arguments.values()).shape
                dA, = case.draw(shape, what="dA")
                arguments = {"dA": dA, **arguments}
            calls[case.name] = case, arguments
            continue
        A_prev, W, b = case.draw(case.A_prev, case.kernel,
                                 (1, 1, 1, case.kernel[-1]))
        options = {"padding": case.padding, "stride": case.stride}
        if name == "conv_forward":
            calls[case.name] = case, {
                "A_prev": A_prev, "W": W, "b": b,
                "activation": getattr(child, case.activation), **options}
            continue
        shapes = {rule: function_of("conv_forward", rule, None)(
            A_prev, W, b, child.same_Z, **options).shape
            for rule in causes.RULES}
        for rule, shape in shapes.items():
            label = case.name
            if shape != shapes["keras"]:
                label += f", dZ {shape[1]}x{shape[2]}"
            dZ, = case.draw(shape, what="dZ")
            calls[label] = case, {"dZ": dZ, "A_prev": A_prev, "W": W, "b": b,
                                  **options}
    return calls


@functools.lru_cache(maxsize=None)
def results_of(name, rule, cause, label):
    """Return the definition's arrays for a call, None where it raises.

    A call whose dZ has another rule's shape is not for this rule: ().
    """
    case, arguments = calls_of(name)[label]
    if name == "conv_backward":
        expected = function_of("conv_forward", rule, None)(
            arguments["A_prev"], arguments["W"], arguments["b"],
            child.same_Z, arguments["padding"], arguments["stride"])
        if expected.shape != arguments["dZ"].shape:
            return ()
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function_of(name, rule, cause)(**{
                key: value.copy() if isinstance(value, np.ndarray) else value
                for key, value in arguments.items()})
    except (ValueError, IndexError, TypeError):
        return None
    return tuple(result) if isinstance(result, tuple) else (result,)


def equal(ours, expected):
    """Tell whether two arrays agree, to 1e-6 of the largest number."""
    if ours.shape != expected.shape:
        return False
    if not ours.size:
        return True
    scale = np.abs(expected).max() or 1.0
    with np.errstate(all="ignore"):
        return bool((np.abs(ours.astype(float) - expected)
                     <= 1e-6 * scale).all())


def all_equal(ours, expected):
    if ours is None or expected is None:
        return ours is expected
    return len(ours) == len(expected) and all(map(equal, ours, expected))


# The student's code, in a process of its own

def start(folder):
    """Start the child on the job in a folder."""
    single = {name: "1" for name in (
        "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    environment = {**os.environ, **single, "PYTHONIOENCODING": "utf-8",
                   "PYTHONDONTWRITEBYTECODE": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    (folder / "work").mkdir(exist_ok=True)
    printed = folder / "printed"
    more = printed.exists() and printed.stat().st_size < PRINTED
    with open(printed, "ab" if more else "wb") as printed:
        return subprocess.Popen(
            [sys.executable, child.__file__, str(folder)],
            stdin=subprocess.DEVNULL, stdout=printed, stderr=printed,
            cwd=folder / "work", env=environment,
            start_new_session=os.name == "posix")


def stop(process):
    """End the child and, where the system knows groups, what it started."""
    try:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (OSError, PermissionError):
        pass
    process.wait()


def follow(process, folder, waiting, timeout, loading):
    """Wait for the reports of the cases; return why the rest has none."""
    limit = loading
    while waiting:
        deadline = time.monotonic() + limit
        while not (folder / f"{waiting[0]}.json").exists():
            ended = process.poll() is not None
            if ended and not (folder / f"{waiting[0]}.json").exists():
                return "exit", f"the process ended ({process.returncode})"
            if time.monotonic() > deadline:
                return "timeout", f"no result after {limit:g} s"
            if (folder / "printed").stat().st_size > PRINTED:
                return "exit", "printed more than 8 MB"
            time.sleep(0.005)
        waiting.pop(0)
        limit = timeout
    return None


def read_report(folder, name):
    """Read the report of a case, of which nothing is believed."""
    path = folder / f"{name}.json"
    if not path.exists() or path.stat().st_size > 10**5:
        return {"result": "error", "error": "no result", "message": ""}
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        if report["result"] in ("ok", "error", "exit", "timeout"):
            return report
    except (ValueError, TypeError, KeyError):
        pass
    return {"result": "error", "error": "unreadable result", "message": ""}


def read_arrays(folder, name):
    """Read the arrays that a case wrote, without unpickling anything."""
    path, arrays = folder / f"{name}.npy", []
    if not path.exists() or path.stat().st_size > 2**25:
        return arrays
    data = io.BytesIO(path.read_bytes())
    try:
        while data.tell() < path.stat().st_size:
            arrays.append(np.lib.format.read_array(data, allow_pickle=False))
    except (ValueError, EOFError, OSError, TypeError):
        return []
    return arrays


def run_file(path, names, timeout, selected=None, calls=None):
    """Run all cases of a file; return the loading report, the outcomes by
    (function, case), and what was printed.

    An outcome is a report with the arrays of the result and of the inputs.
    """
    jobs, outcomes = [], {}
    folder = Path(tempfile.mkdtemp(prefix="check-"))
    (folder / "work").mkdir()
    try:
        for name in names:
            if name == "lenet5":
                jobs.append({"id": "lenet5", "function": name})
                continue
            for label, (case, arguments) in (calls or calls_of(name)).items():
                if selected and label != selected:
                    continue
                inputs = [key for key, value in arguments.items()
                          if isinstance(value, np.ndarray)]
                options = {key: value for key, value in arguments.items()
                           if key not in inputs}
                if "activation" in options:
                    options["activation"] = options["activation"].__name__
                jobs.append({"id": str(len(jobs)), "function": name,
                             "label": label, "inputs": inputs,
                             "options": options, "lists": case.lists,
                             "outputs": len(OUTPUTS[name])})
                with open(folder / f"{jobs[-1]['id']}.in", "wb") as file:
                    for key in inputs:
                        np.lib.format.write_array(file, arguments[key],
                                                  allow_pickle=False)
        loading = run_jobs(path, names, jobs, folder, timeout)
        for job in jobs:
            report = read_report(folder, job["id"])
            if report["result"] == "ok" and job["id"] != "lenet5":
                arrays = read_arrays(folder, job["id"])
                count = job["outputs"]
                if len(arrays) != count + len(job["inputs"]):
                    report = {"result": "error", "error": "no result",
                              "message": "what was written is damaged"}
                report["arrays"] = arrays[:count]
                report["inputs"] = dict(zip(job["inputs"], arrays[count:]))
            outcomes[job["function"], job.get("label", "lenet5")] = report
        printed = (folder / "printed").read_bytes()[:4000].decode(
            "utf-8", "replace")
        return loading, outcomes, printed
    except FileNotFoundError:
        return {"result": "exit", "message": "The files of the check were "
                "removed."}, {}, ""
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_jobs(path, names, jobs, folder, timeout):
    """Run the jobs, in a new process after each one that ended or hung."""
    waiting, lost = [job["id"] for job in jobs], {}
    function = {job["id"]: job["function"] for job in jobs}
    slow = "lenet5" in names
    while True:
        text = json.dumps({
            "path": str(Path(path).resolve()), "names": names,
            "memory": 0 if slow else 2,
            "cases": [job for job in jobs if job["id"] in waiting]})
        (folder / "job.json").write_text(text, encoding="utf-8")
        for old in ("loading.json", "loading.npy"):
            (folder / old).unlink(missing_ok=True)
        process = start(folder)
        try:
            loading_time = max(timeout, 10) if not slow else 60
            end = follow(process, folder, ["loading"], timeout, loading_time)
            if end:
                return dict(zip(("result", "message"), end))
            loading = read_report(folder, "loading")
            if loading["result"] != "ok" or not isinstance(
                    loading.get("functions"), dict):
                return loading
            waiting = [i for i in waiting
                       if function[i] in loading["functions"]]
            end = follow(process, folder, waiting, timeout, 60 if slow
                         else timeout)
        finally:
            stop(process)
        if not end:
            return loading
        (folder / f"{waiting[0]}.json").write_text(
            json.dumps(dict(zip(("result", "message"), end))),
            encoding="utf-8")
        name = function[waiting.pop(0)]
        lost[name] = lost.get(name, 0) + 1
        if lost[name] >= 2:     # the others would go the same way
            for i in [i for i in waiting if function[i] == name]:
                (folder / f"{i}.json").write_text(json.dumps({
                    "result": end[0], "message": "not run: two cases of this "
                    "function gave no result"}), encoding="utf-8")
                waiting.remove(i)
        if not waiting:
            return loading


# The verdict

def judge(name, parameters, outcomes, accepted):
    """Return everything that the report says of one function."""
    check = {"function": name, "same": None, "outputs": {}, "cause": None,
             "remarks": [], "cases": [], "verdict": "wrong"}
    wrong = wrong_signature(name, parameters)
    if wrong:
        check.update(cause=wrong, details=[])
        return check
    rules = rules_of(name, accepted)
    results = {rule: {label: judge_case(name, rule, label, outcomes[label])
                      for label in calls_of(name)
                      if label in outcomes and results_of(
                          name, rule, None, label) != ()}
               for rule in rules}
    best = min(rules, key=lambda rule: [sum(counts) for counts in zip(*(
        (result[0] != "pass", differing(name, rule, label, outcomes[label]))
        for label, result in results[rule].items()
        if not is_remark(name, label)))])
    cases = {label: result for label, result in results[best].items()
             if not is_remark(name, label)}
    check["remarks"] += remarks(name, results[best], outcomes)
    check["cases"] = [{"name": label, "result": result, "message": message}
                      for label, (result, message) in cases.items()]
    failed = [label for label, (result, _) in cases.items()
              if result != "pass"]
    returned = check["returned"] = {}
    for i, output in enumerate(OUTPUTS[name]):
        pairs = [(outcomes[label]["arrays"][i],
                  results_of(name, best, None, label)[i])
                 for label in cases if outcomes[label].get("arrays")]
        right = all(equal(*pair) for pair in pairs)
        check["outputs"][output] = (
            "right" if right and len(pairs) == len(cases) else "wrong")
        returned[output] = ("not returned" if not pairs else
                            "right" if right else "wrong")
    if not failed:
        check["verdict"] = "right"
        check["same"] = best if name[:4] == "conv" else None
        return check
    check["rule"], check["failed"] = best, failed
    found = diagnose(name, rules, results, outcomes)
    check["cause"] = " Or: ".join(one.sentence for one in found) or None
    messages = {case["message"].split(": ", 1)[-1] for case in check["cases"]
                if case["result"] != "pass"}
    if len(messages) == 1 and not found and not messages.isdisjoint(SAID):
        check["cause"] = SAID[messages.pop()]
    check["write"] = [one.write for one in found]
    return check


def differing(name, rule, label, outcome):
    """Return how many of the arrays that were returned are not the rule's."""
    return sum(not equal(*pair) for pair in zip(
        outcome.get("arrays", []), results_of(name, rule, None, label)))


def is_remark(name, label):
    case, _ = calls_of(name)[label]
    return case.lists or case.dtype != "float64"


def judge_case(name, rule, label, outcome):
    """Return pass, fail, error, timeout or exit, and a message."""
    if outcome["result"] != "ok":
        line = ""
        if outcome.get("lineno"):
            line = f", line {outcome['lineno']}: {outcome.get('line')}"
        error = outcome.get("error")
        message = str(outcome.get("message", ""))
        return outcome["result"], (
            f"{error}: {message}{line}" if error else message)
    _, arguments = calls_of(name)[label]
    for key, after in outcome["inputs"].items():
        if not np.array_equal(after, arguments[key]):
            return "fail", f"{key} was changed: work on a copy"
    expected = results_of(name, rule, None, label)
    for output, ours, exact in zip(OUTPUTS[name], outcome["arrays"],
                                   expected):
        if ours.shape != exact.shape:
            return "fail", (f"{output}: shape {ours.shape}, expected "
                            f"{exact.shape}")
        if not equal(ours, exact):
            place = first_difference(ours, exact)
            return "fail", (f"{output}{list(place)} is {number(ours[place])}, "
                            f"expected {number(exact[place])}")
    return "pass", None


def first_difference(ours, expected):
    """Return the index of the first number that differs."""
    scale = np.abs(expected).max() or 1.0
    with np.errstate(all="ignore"):
        apart = ~(np.abs(ours.astype(float) - expected) <= 1e-6 * scale)
    return tuple(int(i) for i in np.argwhere(apart)[0])


def remarks(name, results, outcomes):
    """Return what is no fault, but good to know."""
    found = []
    for label, (result, message) in results.items():
        if is_remark(name, label) and result != "pass":
            found.append(f"{REMARKS[label.split(', ')[-1]]} "
                         + ("raise an exception" if result == "error"
                            else "give a wrong result"))
    if any(array.dtype == np.float32 for outcome in outcomes.values()
           for array in outcome.get("arrays", [])):
        found.append("float64 in gives float32 out")
    return list(dict.fromkeys(found))


def diagnose(name, rules, results, outcomes):
    """Return the causes that reproduce the numbers of every wrong case."""
    for rule in sorted(rules, key=lambda rule: sum(
            result != "pass" for result, _ in results[rule].values())):
        wrong = [label for label, (result, _) in results[rule].items()
                 if result != "pass" and not is_remark(name, label)]
        if any(outcomes[label]["result"] not in ("ok", "error")
               for label in wrong):
            return []
        found = [one for one in causes.CAUSES if name in one.functions
                 and reproduces(name, rule, one, wrong, outcomes)]
        # Among these, those that are right where the student is.
        everywhere = [label for label in results[rule]
                      if not is_remark(name, label)]
        found = [one for one in found if reproduces(
            name, rule, one, everywhere, outcomes)] or found
        if found:
            return list({one.sentence: one for one in found}.values())[:3]
    return []


def reproduces(name, rule, cause, labels, outcomes):
    """Tell whether a fault gives the student's numbers in these cases."""
    return function_of(name, rule, cause) is not None and all(
        all_equal(outcomes[label].get("arrays"),
                  results_of(name, rule, cause, label)) for label in labels)


def wrong_signature(name, parameters):
    """Return None if the main programs of courses can call the function."""
    if parameters is None:
        return None     # not a Python function: the calls will tell
    expected = inspect.signature(eval(     # of our own text above
        f"lambda {SIGNATURES[name]}: 0")).parameters
    names = [str(one[0]) for one in parameters]
    if tuple(names) in OTHERS and names != list(expected):
        return f"This is the signature of {OTHERS[tuple(names)]}"
    if name == "lenet5":
        return None
    right = f"def {name}({SIGNATURES[name]}):"
    for place, (key, parameter) in enumerate(expected.items()):
        if place >= len(names) or names[place] != key:
            if not any(not one[2] for one in parameters):
                return (f"The parameters are {', '.join(names)}; expected "
                        f"{right}")
        elif parameter.default is not parameter.empty and parameters[place][
                1] not in (repr(parameter.default),
                           repr(list(parameter.default))):
            default = parameters[place][1] or "missing"
            return f"The default of {key} is {default}; expected {right}"
    for one in parameters[len(expected):]:
        if one[1] is None and one[2]:
            return f"{one[0]} needs a default; expected {right}"
    return None


def judge_lenet5(report):
    """Return the verdict on a LeNet-5, from what it did."""
    check = {"function": "lenet5", "same": None, "outputs": {},
             "remarks": [], "cases": [], "verdict": "wrong", "cause": None}
    if report["result"] != "ok":
        result, message = judge_case("lenet5", None, None, report)
        check["cases"] = [{"name": "building", "result": result,
                           "message": message}]
        return check
    wanted = [[28, 28, 6], [14, 14, 6], [10, 10, 16], [5, 5, 16], [400],
              [120], [84], [10]]
    shapes = iter(report.get("shapes", []))
    losses = report.get("losses", [0, 1])
    spread = report.get("spread", [])
    cases = [
        ("shapes", all(shape in shapes for shape in wanted),
         "layer outputs: " + " ".join(map(str, report.get("shapes"))),
         "The layers do not give the shapes of LeNet-5."),
        ("parameters", report.get("parameters") == 61706,
         f"{report.get('parameters')} parameters, expected 61706",
         "The number of parameters is not 61,706."),
        ("probabilities", report.get("probabilities") is True,
         "predictions are not 10 probabilities that sum to 1",
         "The last layer has no softmax."),
        ("he_normal", bool(spread) and all(0.75 < s < 1.25 for s in spread),
         f"spread of the kernels over he_normal's: {spread}",
         "The kernels are not drawn by he_normal."),
        ("Adam", report.get("optimizer") == "Adam",
         f"compiled with {report.get('optimizer')}",
         "The optimizer is not Adam."),
        ("loss", report.get("loss") == "categorical_crossentropy"
         or "CategoricalCrossentropy" in str(report.get("loss")),
         f"compiled with loss {report.get('loss')}",
         "The loss is not categorical cross-entropy."),
        ("accuracy", any("acc" in m for m in report.get("metrics", [])),
         f"metrics: {report.get('metrics')}", "accuracy is not measured."),
        ("learning", losses[1] < 0.7 * losses[0],
         f"loss before {losses[0]:.3g}, after six epochs {losses[1]:.3g}",
         "It does not learn."),
    ]
    check["cases"] = [{"name": name, "result": "pass" if right else "fail",
                       "message": None if right else message}
                      for name, right, message, _ in cases]
    wrong = [cause for _, right, _, cause in cases if not right]
    check["verdict"] = "wrong" if wrong else "right"
    check["cause"] = wrong[0] if wrong else None
    return check


def own_forward_agrees(folder, timeout):
    """Tell whether conv_backward is the gradient of the folder's own forward.

    A convolution is linear: convolve images (and kernels) that are 1 in one
    place and 0 elsewhere, and the gradient is the sum of dZ times the result.
    """
    case, h, w, kh, kw = CONV_CHECKS[0], 4, 5, 3, 2
    options = {"padding": "same", "stride": (2, 1)}
    zero = np.zeros((1, 1, 1, 1))
    A_prev, W, dZ_large = case.draw((1, h, w, 1), (kh, kw, 1, 1),
                                    (1, 3 * h, 3 * w, 1))
    pixels = np.eye(h * w).reshape(h * w, h, w, 1)
    weights = np.eye(kh * kw).reshape(kh, kw, 1, kh * kw)
    forward = {"activation": child.same_Z, **options}
    path = folder / FILES["conv_forward"]
    _, found, _ = run_file(path, ["conv_forward"], timeout, calls={
        "pixels": (case, {"A_prev": pixels, "W": W, "b": zero, **forward}),
        "weights": (case, {"A_prev": A_prev, "W": weights,
                           "b": np.zeros((1, 1, 1, kh * kw)), **forward})})
    arrays = [outcome.get("arrays") for outcome in found.values()]
    if len(arrays) != 2 or not all(arrays) or any(
            array[0].ndim != 4 for array in arrays):
        return False
    (by_pixel,), (by_weight,) = arrays
    dZ = dZ_large[:, :by_pixel.shape[1], :by_pixel.shape[2]]
    if dZ.shape[1:3] != by_weight.shape[1:3] or (
            dZ.shape[1:3] != by_pixel.shape[1:3]):
        return False
    _, found, _ = run_file(
        folder / FILES["conv_backward"], ["conv_backward"], timeout, calls={
            "own": (case, {"dZ": dZ, "A_prev": A_prev, "W": W, "b": zero,
                           **options})})
    (outcome,) = found.values() if found else ({},)
    expected = ((by_pixel * dZ).sum(axis=(1, 2, 3)).reshape(1, h, w, 1),
                (by_weight * dZ).sum(axis=(0, 1, 2)).reshape(kh, kw, 1, 1))
    return all_equal(tuple(outcome.get("arrays", ()))[:2], expected)


# One file, one folder, one class

def check_file(path, names, options):
    """Return the checks of all functions that a file holds."""
    base = {"path": str(path), "student": None, "same": None, "outputs": {},
            "cause": None, "remarks": [], "cases": []}
    problem = unreadable(path)
    if problem:
        return [{**base, "function": name, "verdict": "unreadable",
                 "cause": problem} for name in names[:1]]
    if "lenet5" in names and len(names) == 1 and not has_tensorflow():
        return [{**base, "function": "lenet5", "verdict": "skipped",
                 "cause": "TensorFlow is not installed"}]
    loading, outcomes, printed = run_file(path, names, options.timeout,
                                          options.case)
    if loading["result"] != "ok":
        _, message = judge_case("", None, None, loading)
        return [{**base, "function": name, "verdict": "unreadable",
                 "cause": f"The file does not load: {message}"}
                for name in names[:1]]
    checks = []
    for name in names:
        if name not in loading["functions"]:
            continue
        mine = {label: outcome for (function, label), outcome
                in outcomes.items() if function == name}
        if name == "lenet5":
            check = judge_lenet5(mine["lenet5"])
        else:
            check = judge(name, loading["functions"][name], mine,
                          options.same)
            check["outcomes"] = mine
        checks.append({**base, **check, "printed": printed})
    if not checks:
        others = ", ".join(map(str, loading.get("others", []))) or "none"
        return [{**base, "function": names[0], "verdict": "unreadable",
                 "cause": f"No function {' or '.join(names)} in it (found: "
                          f"{others})."}]
    return checks


def unreadable(path):
    """Return a sentence if a file cannot be Python source."""
    if path.suffix == ".ipynb":
        return ("A notebook: copy the function into a .py file, or call "
                "check(function) in the notebook.")
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"The file cannot be read ({error.strerror})."
    if b"\0" in data or len(data) > 10**7:
        return "This is not a Python file, but binary data."
    if path.suffix != ".py":
        return "This is not a Python file: its name does not end in .py."
    return None


@functools.lru_cache(maxsize=None)
def has_tensorflow():
    import importlib.util
    return importlib.util.find_spec("tensorflow") is not None


def check_folder(folder, options, student=None):
    """Return the checks of the five files of a folder, missing ones too."""
    checks = []
    for name, filename in FILES.items():
        path = folder / filename
        if path.exists():
            checks += check_file(path, [name], options)
        else:
            checks.append({"path": str(path), "function": name, "same": None,
                           "verdict": "missing", "outputs": {}, "cause": None,
                           "remarks": [], "cases": []})
    for check in checks:
        if check["function"] == "conv_backward" and check["verdict"] == (
                "wrong") and check["cases"] and not check["cause"] and (
                folder / FILES["conv_forward"]).exists() and (
                own_forward_agrees(folder, options.timeout)):
            check["cause"] = (
                "Consistent with your own conv_forward, but with no rule of "
                '"same" that we know: look at the padding.')
    same = {check["same"] for check in checks
            if check["verdict"] == "right" and check["same"]}
    if len(same) > 1:
        for check in checks:
            if check["same"]:
                check["remarks"].append(
                    "conv_forward and conv_backward follow different rules "
                    'of "same": together they are wrong')
                check["together"] = "wrong"
    return [{**check, "student": student} for check in checks]


def checks_of(path, options):
    """Return the checks of a file or of a folder."""
    if path.is_dir():
        return check_folder(path, options)
    known = [name for name, file in FILES.items() if path.name == file]
    if known == ["lenet5"]:
        return check_file(path, known, options)
    names = [name for name in FILES if name != "lenet5"]
    try:
        if "def lenet5" in path.read_text(encoding="utf-8"):
            names.append("lenet5")
    except (OSError, UnicodeDecodeError):
        pass
    return check_file(path, names, options)


def check_class(folder, options):
    """Check every subfolder, two at a time, with a progress bar."""
    students = sorted(path for path in folder.iterdir() if path.is_dir()
                      and not path.name.startswith((".", "__")))

    def one(path):
        return check_folder(path, options, path.name)

    with ThreadPoolExecutor(2) as pool:
        return [check for checks in progress(pool.map(one, students),
                                             len(students))
                for check in checks]


def progress(iterable, total):
    """Show how many students are done, with tqdm where it is installed."""
    try:
        from tqdm import tqdm
        yield from tqdm(iterable, total=total, unit="student")
    except ImportError:
        for done, item in enumerate(iterable, 1):
            print(f"\r{done}/{total} students", end="", file=sys.stderr)
            yield item
        print(file=sys.stderr)


# What a person reads

def colored(text, color):
    """Color text on a terminal, unless NO_COLOR is set."""
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return f"\033[{color}m{text}\033[0m"
    return text


def paragraph(text, indent):
    return textwrap.fill(text, 79, initial_indent=indent,
                         subsequent_indent=indent, break_long_words=False,
                         break_on_hyphens=False)


def headline(check):
    """Return the answer in one line."""
    name, verdict = check["function"], check["verdict"]
    if verdict == "right":
        rule = RULES.get(check["same"], "")
        if check["same"] == "keras":
            rule = ""
        return f"{name}: " + colored("right", 32) + (rule and f", with {rule}")
    return f"{name}: " + colored(verdict, 31 if verdict == "wrong" else 33)


def describe(check, options):
    """Return the report on one function: answer, cause, smallest case."""
    lines = [headline(check)]
    if check["verdict"] == "missing":
        return lines
    if check["cause"]:
        lines.append(paragraph(check["cause"], "  "))
    for line in check.get("write", []):
        lines.append(f"  Write:  {line}")
    if check["verdict"] == "right" or options.verbose:
        lines += [paragraph(f"Remark: {remark}.", "  ")
                  for remark in check["remarks"]]
    if check["verdict"] == "right" and check["same"] not in (None, "keras"):
        lines += differs_from_keras(check)
    if check["verdict"] == "wrong" and check["cases"]:
        lines += smallest(check, options)
    if options.verbose or options.case:
        lines += [f"  {case['result']:8}{case['name']}"
                  + (f": {case['message']}" if case["message"] else "")
                  for case in check["cases"]]
        printed = check.get("printed", "").splitlines()[:20]
        lines += ["  It printed:"] * bool(printed) + [
            "    " + line for line in printed]
    return lines


def differs_from_keras(check):
    """Say in which cases another rule of same is not Keras'."""
    name, labels = check["function"], []
    for label in (case["name"] for case in check["cases"]):
        theirs = results_of(name, "keras", None, label)
        if theirs == () or not all_equal(
                theirs, results_of(name, check["same"], None, label)):
            labels.append(label)
    return [paragraph("Differs from Keras in: " + "; ".join(labels) + ".",
                      "  ")]


def smallest(check, options):
    """Show the smallest case that is wrong, with its numbers."""
    name = check["function"]
    failed = [case for case in check["cases"] if case["result"] != "pass"]
    right = len(check["cases"]) - len(failed)
    lines = [f"  {right} of {len(check['cases'])} cases "
             f"{'is' if right == 1 else 'are'} right."]
    if len(check["outputs"]) > 1:
        lines.append("  " + ", ".join(f"{output} {verdict}" for output, verdict
                                      in check["returned"].items()) + (
            ", where it returns." if any(
                case["result"] in ("error", "timeout", "exit")
                for case in failed) and right else "."))
    if name == "lenet5":
        return lines + [paragraph(f"{case['name']}: {case['message']}", "  ")
                        for case in failed]
    case = min(failed, key=lambda case: (
        calls_of(name)[case["name"]][0].real, sum(
            value.size for value in calls_of(name)[case["name"]][1].values()
            if isinstance(value, np.ndarray))))
    label = case["name"]
    lines.append(f'  The smallest wrong case, "{label}":')
    lines += call_text(name, label)
    outcome = check["outcomes"][label]
    if outcome["result"] != "ok":
        lines.append(paragraph(case["message"], "    "))
        return lines
    lines.append(f"    {case['message']}")
    expected = results_of(name, check["rule"], None, label)
    for output, ours, exact in zip(OUTPUTS[name], outcome["arrays"],
                                   expected):
        if ours.shape != exact.shape or equal(ours, exact):
            continue
        lines += side_by_side(output, ours, exact)
        _, arguments = calls_of(name)[label]
        function = function_of("conv_forward", check["rule"], None) if (
            name[:4] == "conv") else None
        same = function.__globals__["same"] if function else None
        lines += where_from(name, arguments, output,
                            first_difference(ours, exact), ours, same)
        break
    return lines


def call_text(name, label):
    """Return the call as it can be pasted, if it is not too long."""
    _, arguments = calls_of(name)[label]
    lines = []
    for key, value in arguments.items():
        if isinstance(value, np.ndarray):
            numbers = "[" + ", ".join(f"{v:.6g}" for v in value.ravel()) + "]"
            text = f"{key} = np.array({numbers}).reshape{value.shape}"
            if value.size == 1:
                text = f"{key} = np.full({value.shape}, {value.item():.6g})"
            lines += textwrap.wrap(text, 75, subsequent_indent="    ")
    activations = {child.relu: "lambda Z: np.maximum(Z, 0)",
                   child.same_Z: "lambda Z: Z"}
    values = ", ".join(
        key if isinstance(value, np.ndarray) else
        activations[value] if callable(value) else f"{key}={value!r}"
        for key, value in arguments.items())
    lines += textwrap.wrap(f"{name}({values})", 75, subsequent_indent="    ")
    return ["    " + line for line in lines[:14]] + (
        ["    ..."] if len(lines) > 14 else [])


def side_by_side(output, ours, expected):
    """Return the first image and channel of both, differences marked."""
    if expected.ndim != 4:
        return []
    place = first_difference(ours, expected)
    # Kernels are (kh, kw, c_prev, c_new), images (m, h, w, c).
    index = np.s_[:, :, place[2], place[3]] if output in ("dW", "db") else (
        np.s_[place[0], :, :, place[3]])
    mine, exact = ours[index], expected[index]
    scale = np.abs(expected).max() or 1.0
    rows = []
    for row in range(min(len(mine), 8)):
        cells = [f"{number(v)}" + (" " if abs(float(v) - e) <= 1e-6 * scale
                                   else "*")
                 for v, e in zip(mine[row][:8], exact[row][:8])]
        wanted = [number(e) for e in exact[row][:8]]
        rows.append((cells, wanted))
    width = max(len(cell) for row in rows for part in row for cell in part) + 1
    title = f"{output}[{', '.join(map(str, _named(index)))}]"
    half = width * len(rows[0][0])
    lines = [f"    {title}", f"    {'got (* differs)':{max(half, 16)}}   "
             "expected"]
    for cells, wanted in rows:
        left = "".join(f"{cell:>{width}}" for cell in cells)
        right = "".join(f"{cell:>{width}}" for cell in wanted)
        lines.append(f"    {left:{max(half, 16)}}   {right}"[:79].rstrip())
    return lines


def _named(index):
    """Return an index with colons for slices."""
    return [":" if isinstance(part, slice) else part for part in index]


def summary(checks):
    """Return a table of students by functions, and how many have what."""
    students = list(dict.fromkeys(check["student"] for check in checks))
    width = max([len(str(s)) for s in students] + [7])
    lines = ["student".ljust(width) + "".join(f"  {name:13}"
                                              for name in FILES)]
    for student in students:
        found = {check["function"]: check for check in checks
                 if check["student"] == student}
        lines.append(str(student).ljust(width) + "".join(
            "  " + (found[name]["verdict"] + (
                f" ({found[name]['same']})" if found[name]["same"] else "")
                    if name in found else "-").ljust(13) for name in FILES))
    counts = {}
    for check in checks:
        if check["verdict"] in ("wrong", "unreadable"):
            key = check["function"], check["cause"] or "no single cause found"
            counts[key] = counts.get(key, 0) + 1
    lines.append("")
    for (name, cause), count in sorted(counts.items(), key=lambda c: -c[1]):
        lines.append(paragraph(f"{count:4} {name}: {cause}", "")[:400])
    return [line.rstrip() for line in lines]


# What a program reads

def public(check):
    """Return a check as the JSON has it."""
    return {key: check.get(key) for key in (
        "path", "student", "function", "verdict", "same", "outputs", "cause",
        "remarks", "cases")}


def write_text(path, text):
    """Write a text as a whole."""
    put(Path(path), lambda new: new.write_bytes(text.encode()))


def write_reports(checks, options):
    if options.json:
        write_text(options.json, json.dumps(
            {"checks": [public(check) for check in checks]}, indent=1) + "\n")
    if options.csv:
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(["student", "function", "verdict", "same", "cause",
                         "right cases", "cases", "path"])
        for check in checks:
            passed = sum(c["result"] == "pass" for c in check["cases"])
            writer.writerow([check["student"], check["function"],
                             check["verdict"], check["same"], check["cause"],
                             passed, len(check["cases"]), check["path"]])
        write_text(options.csv, table.getvalue())
    if options.gradescope:
        tests = []
        for name in FILES:
            found = [c for c in checks if c["function"] == name]
            right = bool(found) and all(c["verdict"] == "right" for c in found)
            text = "\n".join(line for c in found
                             for line in describe(c, options))
            tests.append({"name": name, "score": int(right), "max_score": 1,
                          "status": "passed" if right else "failed",
                          "output": text or f"{name}: missing"})
        write_text(options.gradescope, json.dumps(
            {"score": sum(t["score"] for t in tests), "tests": tests},
            indent=1) + "\n")


class LocalOptions:
    """What the command line would say, for a call from a notebook."""

    timeout, case, verbose, same = 10, None, False, list(causes.RULES)


def check(function, name=None):
    """Check a function object, in this process; print and return the verdict.

    For notebooks: without isolation and without a time limit.
    """
    name = name or function.__name__
    if name not in OUTPUTS:
        raise ValueError(f"name: expected one of {', '.join(OUTPUTS)}, got "
                         f"{name!r}")
    outcomes = {}
    for label, (case, arguments) in calls_of(name).items():
        inputs = {key: value.copy() for key, value in arguments.items()
                  if isinstance(value, np.ndarray)}
        given = {key: value.tolist() if case.lists else value
                 for key, value in inputs.items()}
        try:
            arrays = child.as_arrays(function(**{**arguments, **given}),
                                     len(OUTPUTS[name]))
            outcomes[label] = {"result": "ok", "arrays": arrays,
                               "inputs": inputs}
        except Exception as error:
            outcomes[label] = {"result": "error", "message": str(error),
                               "error": type(error).__name__}
    result = judge(name, child.signature(function), outcomes,
                   LocalOptions.same)
    result["outcomes"] = outcomes
    print("\n".join(describe(result, LocalOptions)))
    print("(Run in this process: without isolation or time limit.)")
    return result["verdict"] == "right"


def arguments(argv):
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="Gradescope's run_autograder: python3 "
        "examples/check.py submission --gradescope results/results.json",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help=(
        "a file, or a folder that holds some of the five files"))
    parser.add_argument("--class", dest="folder", type=Path, metavar="FOLDER",
                        help="every subfolder is one student")
    parser.add_argument("--same", default=",".join(causes.RULES), help=(
        'rules of "same" that are accepted (default: %(default)s)'))
    parser.add_argument("--timeout", type=float, default=10, metavar="SECONDS",
                        help="per case (default: %(default)s)")
    parser.add_argument("--case", help="run this case alone, and show it")
    parser.add_argument("--at", metavar="OUTPUT,INDEX", help=(
        "with --case: where that number comes from, as dA_prev,0,1,1,0"))
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--csv", metavar="FILE",
                        help="one row per student and function")
    parser.add_argument("--gradescope", metavar="FILE",
                        help="results.json for one submission")
    parser.add_argument("--verbose", action="store_true",
                        help="every case, and what the student's code printed")
    options = parser.parse_args(argv)
    options.same = options.same.split(",")
    if not set(options.same) <= set(causes.RULES):
        parser.error(f"--same: expected some of {', '.join(causes.RULES)}, "
                     f"got {','.join(options.same)}")
    if not 0 < options.timeout < float("inf"):
        parser.error("--timeout: expected seconds above 0, got "
                     f"{options.timeout:g}")
    labels = [label for name in OUTPUTS for label in calls_of(name)]
    if options.case and options.case not in labels:
        parser.error(f"--case: no case {options.case!r}; --verbose lists them")
    if bool(options.paths) == bool(options.folder):
        parser.error("expected a PATH, or --class FOLDER")
    for path in [*options.paths, *([options.folder] if options.folder
                                   else [])]:
        if not path.exists():
            parser.error(f"{path}: no such file or folder")
    if options.folder and not options.folder.is_dir():
        parser.error(f"--class {options.folder}: expected a folder")
    if options.at:
        if not options.case:
            parser.error("--at: expected --case NAME with it")
        try:
            output, *index = options.at.split(",")
            options.at = output, tuple(map(int, index))
        except ValueError:
            parser.error(f"--at {options.at}: expected OUTPUT,INDEX, as "
                         "dA_prev,0,1,1,0")
    return options


def explain_at(options):
    """Say where one number of a case comes from."""
    output, index = options.at
    for name in OUTPUTS:
        if options.case not in calls_of(name) or output not in OUTPUTS[name]:
            continue
        _, arguments = calls_of(name)[options.case]
        for rule in options.same if name[:4] == "conv" else ["keras"]:
            same = None
            if name[:4] == "conv":
                if results_of(name, rule, None, options.case) == ():
                    continue
                same = function_of("conv_forward", rule,
                                   None).__globals__["same"]
            yield f"{name}, {RULES[rule] if same else 'by definition'}:"
            try:
                yield from where_from(name, arguments, output, index,
                                      same=same)
            except IndexError:
                yield f"    --at: {output} has no place {index}"


def main(argv=None):
    """Run; return the exit status."""
    options = arguments(argv)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    if options.folder:
        checks = check_class(options.folder, options)
    else:
        checks = [check for path in options.paths
                  for check in checks_of(path, options)]
    write_reports(checks, options)
    if options.folder:
        print("\n".join(summary(checks)))
    else:
        for one in checks:
            print("\n".join(describe(one, options)))
        if options.at:
            print("\n".join(explain_at(options)))
    verdicts = {one["verdict"] for one in checks}
    if verdicts <= {"missing", "skipped"}:
        print("Nothing to check: none of the five functions was found.",
              file=sys.stderr)
        return 2
    if any("No function" in (one["cause"] or "") for one in checks) and (
            verdicts == {"unreadable"}):
        return 2
    return 1 if verdicts & {"wrong", "unreadable"} or any(
        one.get("together") for one in checks) else 0


if __name__ == "__main__":
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:     # its reader, as in `| head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 1
    sys.exit(status)
