"""One file, one folder, one class of students."""
import functools
import importlib.util
import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from . import child
from .cases import calls_of, passed
from .definition import OUTPUTS
from .judge import judge, judge_lenet5, new, reason
from .process import DAMAGED, ENDING, clean, complain, outcome_of, run_file

FILES = {"conv_forward": "0-conv_forward.py",
         "pool_forward": "1-pool_forward.py",
         "conv_backward": "2-conv_backward.py",
         "pool_backward": "3-pool_backward.py", "lenet5": "5-lenet5.py"}


@functools.lru_cache(maxsize=None)
def jobs_of(name, only=None, timeout=10):
    """Return the calls of a function as JSON for the child."""
    if name == "lenet5":
        return [{"id": name, "function": name, "label": name, "outputs": 0,
                 "arguments": {}, "timeout": max(timeout, 120)}]
    return [{"id": f"{name}-{i}", "function": name, "label": label,
             "outputs": len(OUTPUTS[name]), "timeout": timeout, "arguments": {
                 key: {"array": value.tolist(), "dtype": value.dtype.name}
                 if isinstance(value, np.ndarray) else value.__name__
                 if callable(value) else value
                 for key, value in passed(name, label).items()}}
            for i, label in enumerate(calls_of(name))
            if only in (None, label)]


def run_here(function, jobs):
    """Run jobs in this process; return the outcomes by label."""
    path = getattr(getattr(function, "__code__", None), "co_filename", "")
    return {job["label"]: outcome_of(job, *child.outcome(
        path, child.run, function, job)) for job in jobs}


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


def check_file(path, options):
    """Return the checks of a file; what happens there stays with it."""
    names = [name for name, file in FILES.items() if path.name == file
             ] or list(FILES)
    base = {"path": str(path), "verdict": "unreadable",
            "function": names[0] if len(names) == 1 else None}
    try:
        return functions_in(path, names, options, base)
    except Exception as error:
        return [new(**base, cause=f"It cannot be checked "
                    f"({type(error).__name__}: {error}).")]


def functions_in(path, names, options, base):
    """Return the checks of the functions, of those named, in a file."""
    source = source_of(path)
    if isinstance(source, str):
        return [new(**base, cause=source)]
    starred = re.search(rb"import\s+\*", source)    # may bring any of four
    names = [name for name in names if name.encode() in source or (
        starred and name != "lenet5")] or names[:4]
    if names == ["lenet5"] and not has_tensorflow():
        return [new(**{**base, "verdict": "skipped"},
                    cause="TensorFlow is not installed.")]
    names = [name for name in names if name != "lenet5" or has_tensorflow()]
    tensorflow = "lenet5" in names or has_tensorflow() and re.search(
        rb"^\s*(import|from) .*(tensorflow|keras)", source, re.M) is not None
    jobs = [job for name in names
            for job in jobs_of(name, options.case, options.timeout)]
    loading, outcomes, printed = run_file(
        path.resolve(), names, jobs, options.timeout, tensorflow)
    if loading["result"] != "ok":
        return [new(**base, cause="The file does not load: "
                    + reason(loading))]
    checks = []
    for name in [name for name in names if name in loading["functions"]]:
        mine = {job["label"]: outcomes.get(job["id"], DAMAGED)
                for job in jobs if job["function"] == name}
        check = judge_lenet5(mine["lenet5"]) if name == "lenet5" else judge(
            name, loading["functions"][name], mine, options.same)
        check.update(path=str(path), printed=printed)
        printed = ""        # once is enough
        check["remarks"] += [
            f"line {line} compares a text with `is`: write `==`"
            for line in loading["compared"]]
        checks.append(check)
    others = ", ".join(loading["others"]) or "none"
    return checks or [new(**base, empty=True, cause="No function "
                          f"{' or '.join(names)} in it (found: {others}).")]


def check_folder(folder, options, student=None):
    """Return the checks of the five files of a folder, missing ones too."""
    checks = []
    try:
        os.scandir(folder).close()
    except OSError as error:
        return [new(path=str(folder), verdict="unreadable", student=student,
                    cause=f"The folder cannot be read ({error.strerror}).")]
    for name, filename in FILES.items():
        if os.path.lexists(folder / filename):
            checks += check_file(folder / filename, options)
        else:
            checks.append(new(path=str(folder / filename), function=name,
                              verdict="missing", cause=renamed(folder, name)))
    for check in checks:
        check["student"] = student
    return checks


def compare_rules(checks):
    """Say where one student's functions follow different rules of "same".

    The five files of a folder are one student's, and so is any other file.
    """
    found = {}
    for check in checks:
        if check["same"]:
            path = os.path.realpath(check["path"])
            folder, name = os.path.split(path)
            found.setdefault(folder if name in FILES.values() else path, []
                             ).append(check)
    for several in found.values():
        if all(len({check[key] for check in several}) > 1
               for key in ("same", "function")):
            for check in several:
                check["together"] = True
                check["remarks"].append(
                    "conv_forward and conv_backward follow different rules "
                    'of "same": together they are wrong')


def renamed(folder, name):
    """Return a question about files that hold a function, or None."""
    start = re.compile(rb"^def %s\(" % name.encode(), re.M)
    others = [path for path in sorted(folder.glob("*.py"))[:200]
              if path.name not in FILES.values()]
    return " ".join(f"{clean(path.name)}: call it {FILES[name]}?"
                    for path in others for source in [source_of(path)]
                    if isinstance(source, bytes) and start.search(source)
                    ) or None


def check_all(paths, options):
    """Check files and folders, some at a time; a class with a progress bar.

    Return the checks of those that are done, and the exit status where it was
    stopped (Ctrl-C, or a signal), else None.
    """
    status, pool = None, ThreadPoolExecutor(os.cpu_count() or 1)
    futures = [pool.submit(check_folder, path, options, path.name)
               if options.folder else pool.submit(
                   check_folder if path.is_dir() else check_file,
                   path, options) for path in paths]
    try:
        for future in progress(futures) if options.folder else futures:
            future.result()
    except (KeyboardInterrupt, SystemExit) as error:
        status = getattr(error, "code", 130)
        complain("Stopped: the others were not checked.")
    complete = [future for future in futures if future.done()]
    if status is not None:
        ENDING.set()
    pool.shutdown(cancel_futures=True)
    checks = [check for future in complete for check in future.result()]
    compare_rules(checks)
    return checks, status


def progress(futures):
    """Yield them with a bar, by tqdm where it is installed, if it can be."""
    try:
        from tqdm import tqdm
        with tqdm(total=len(futures), unit="student") as bar:
            for future in futures:
                yield future
                bar.update()
    except (ImportError, OSError, ValueError, AttributeError):
        yield from futures


def students_of(folder):
    """Return the folders of the students of a class."""
    return sorted(path for path in folder.iterdir() if path.is_dir()
                  and not path.name.startswith((".", "__")))
