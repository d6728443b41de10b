"""One file, one folder, one class of students."""
import functools
import importlib.util
import os
import re
import signal
import stat
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from . import child
from .cases import calls_of
from .definition import OUTPUTS
from .judge import judge, reason
from .lenet import judge_lenet5
from .process import DAMAGED, outcome_of, run_file, stop_all

FILES = {"conv_forward": "0-conv_forward.py",
         "pool_forward": "1-pool_forward.py",
         "conv_backward": "2-conv_backward.py",
         "pool_backward": "3-pool_backward.py", "lenet5": "5-lenet5.py"}
BASE = {"student": None, "function": None, "same": None, "rule": None,
        "outputs": {}, "cause": None, "remarks": [], "cases": [], "write": []}


@functools.lru_cache(maxsize=None)
def jobs_of(name, only=None, timeout=10):
    """Return the calls of a function as the child reads them."""
    if name == "lenet5":
        return [{"id": name, "function": name, "label": name, "inputs": [],
                 "options": {}, "order": [], "outputs": 0, "arguments": {},
                 "timeout": max(timeout, 120)}]
    jobs = []
    for i, (label, (case, arguments)) in enumerate(calls_of(name).items()):
        inputs = [key for key, value in arguments.items()
                  if isinstance(value, np.ndarray)]
        options = {key: case.activation if key == "activation" else value
                   for key, value in arguments.items() if key not in inputs}
        jobs.append({
            "id": f"{name}-{i}", "function": name, "label": label,
            "inputs": inputs, "options": options, "order": list(arguments),
            "outputs": len(OUTPUTS[name]), "arguments": arguments,
            "timeout": timeout})
    return [job for job in jobs if only in (None, job["label"])]


def run_here(function, jobs):
    """Run jobs in this process; return the outcomes by label."""
    found = {}
    for job in jobs:
        inputs = [job["arguments"][key].copy() for key in job["inputs"]]
        path = getattr(getattr(function, "__code__", None), "co_filename", "")
        found[job["label"]] = outcome_of(job, *child.outcome(
            path, child.run, function, job, inputs))
    return found


def source_of(path):
    """Return the bytes of a Python file, or a sentence why there are none."""
    if path.suffix == ".ipynb":
        return ("A notebook: copy the function into a .py file, or call "
                "check(function) in the notebook.")
    if path.suffix != ".py":
        return "This is not a Python file: its name does not end in .py."
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "This is not a file."
        data = path.read_bytes() if path.stat().st_size <= 10**6 else b"\0"
    except OSError as error:
        return f"The file cannot be read ({error.strerror})."
    return data if b"\0" not in data else (
        "This is not a Python file, but binary or too long.")


@functools.lru_cache(maxsize=None)
def has_tensorflow():
    """Tell whether TensorFlow is installed."""
    return importlib.util.find_spec("tensorflow") is not None


def guarded(check, path, *rest):
    """Return the checks of a file or folder; what happens stays with it."""
    try:
        return check(path, *rest)
    except Exception as error:
        known = [name for name, file in FILES.items() if path.name == file]
        return [{**BASE, "path": str(path), "verdict": "unreadable",
                 "function": known[0] if known else None, "cause":
                 f"It cannot be checked ({type(error).__name__}: {error})."}]


def check_file(path, names, options):
    """Return the checks of the functions, of those named, in a file."""
    base = {**BASE, "path": str(path), "verdict": "unreadable",
            "function": names[0] if len(names) == 1 else None}
    source = source_of(path)
    if isinstance(source, str):
        return [{**base, "cause": source}]
    names = [name for name in names if name.encode() in source] or names[:4]
    if names == ["lenet5"] and not has_tensorflow():
        return [{**base, "verdict": "skipped",
                 "cause": "TensorFlow is not installed."}]
    names = [name for name in names if name != "lenet5" or has_tensorflow()]
    tensorflow = has_tensorflow() and bool(re.search(
        rb"^\s*(import|from) .*(tensorflow|keras)", source, re.M))
    jobs = [job for name in names
            for job in jobs_of(name, options.case, options.timeout)]
    loading, outcomes, printed = run_file(
        path.resolve(), names, jobs, options.timeout,
        tensorflow or "lenet5" in names)
    if loading["result"] != "ok":
        return [{**base, "cause": "The file does not load: "
                 + reason(loading)}]
    checks = []
    for name in [name for name in names if name in loading["functions"]]:
        mine = {job["label"]: outcomes.get(job["id"], DAMAGED)
                for job in jobs
                if job["function"] == name}
        check = judge_lenet5(mine["lenet5"]) if name == "lenet5" else judge(
            name, loading["functions"][name], mine, options.same)
        check["remarks"] += [
            f"line {line} compares a text with `is`: write `==`"
            for line in loading["compared"]]
        checks.append({**base, **check, "printed": printed})
    others = ", ".join(loading["others"]) or "none"
    return checks or [{**base, "cause": f"No function {' or '.join(names)} "
                       f"in it (found: {others})."}]


def check_folder(folder, options, student=None):
    """Return the checks of the five files of a folder, missing ones too."""
    checks = []
    for name, filename in FILES.items():
        path = folder / filename
        if os.path.lexists(path):
            checks += guarded(check_file, path, [name], options)
        else:
            checks.append({**BASE, "path": str(path), "function": name,
                           "verdict": "missing",
                           "cause": renamed(folder, name)})
    same = {check["same"] for check in checks if check["same"]}
    for check in checks:
        check["student"] = student
        if check["same"] and len(same) > 1:
            check["together"] = "wrong"
            check["remarks"].append(
                "conv_forward and conv_backward follow different rules of "
                '"same": together they are wrong')
    return checks


def renamed(folder, name):
    """Return a question about files that hold a function, or None."""
    start = re.compile(rb"^def %s\(" % name.encode(), re.M)
    return " ".join(
        f"{path.name}: call it {FILES[name]}?"
        for path in sorted(folder.glob("*.py"))[:200]
        if path.name not in FILES.values() and start.search(
            b"" if isinstance(source_of(path), str) else source_of(path))
    ) or None


def checks_of(path, options):
    """Return the checks of a file or of a folder."""
    if path.is_dir():
        return check_folder(path, options)
    known = [name for name, file in FILES.items() if path.name == file]
    return guarded(check_file, path, known or list(FILES), options)


def check_class(folder, options):
    """Check every subfolder, some at a time, with a progress bar.

    Return the checks of the students that are done, and the exit status where
    it was stopped (Ctrl-C, or a signal), else None.
    """
    students = sorted(path for path in folder.iterdir() if path.is_dir()
                      and not path.name.startswith((".", "__")))
    status, pool = None, ThreadPoolExecutor(os.cpu_count() or 1)
    futures = [pool.submit(guarded, check_folder, path, options, path.name)
               for path in students]
    try:
        for future in progress(futures):
            future.result()
    except (KeyboardInterrupt, SystemExit) as error:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)   # the reports are written
        print("Stopped: the other students were not checked.",
              file=sys.stderr)
        status = getattr(error, "code", 130)
        done = [future.done() for future in futures]
        for future in futures:
            future.cancel()
        stop_all()
    else:
        done = [True] * len(futures)
    pool.shutdown()
    return [{**check, "student": path.name} for path, future, complete in zip(
        students, futures, done) if complete for check in future.result()
        ], status


def progress(futures):
    """Show how many students are done, with tqdm where it is installed."""
    try:
        from tqdm import tqdm
        return tqdm(futures, unit="student")
    except ImportError:
        print(f"{len(futures)} students ...", file=sys.stderr)
        return futures
