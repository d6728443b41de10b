"""A student's file in a process of its own: start, follow, stop, read.

Nothing that comes from there is believed, unpickled, imported or evaluated:
it is .npy arrays and JSON of limited size, and every entry is checked.
"""
import contextlib
import io
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from . import child

HERE = Path(__file__).resolve().parent
OURS = [HERE, HERE.parent, HERE.parent.parent, HERE.parent.parent / "tests"]
PRINTED = 2**23         # bytes that a student's code may print
REPORT = 2**25          # bytes of a report with its arrays
STARTING = 120          # seconds until Python, NumPy and TensorFlow are there
DAMAGED = {"result": "error", "error": "NoResult",
           "message": "what was written is damaged"}
ENDING = threading.Event()      # all processes are to end


def start(folder, printed):
    """Start the child on the job in a folder."""
    for name in ("child.py", "look.py"):
        shutil.copy(HERE / name, folder / name)
    work = folder / "work"
    work.mkdir()
    known = {key: value for key, value in os.environ.items() if key not in (
        "PWD", "OLDPWD", "VIRTUAL_ENV", "PYTHONSAFEPATH")}
    paths = [Path(path).resolve() for path in known.get(
        "PYTHONPATH", "").split(os.pathsep) if path]
    return subprocess.Popen(
        [sys.executable, str(folder / "child.py"), str(folder)],
        stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, cwd=work,
        start_new_session=os.name == "posix", env={
            **known, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(work)),
            **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS",
                             "MKL_NUM_THREADS", "PYTHONDONTWRITEBYTECODE"),
                            "1"),
            "PYTHONPATH": os.pathsep.join(str(path) for path in paths
                                          if path not in OURS),
            "PYTHONIOENCODING": "utf-8", "TF_CPP_MIN_LOG_LEVEL": "3"})


def closed(path):
    """Return [device, inode] of our files: a student may not open them."""
    ours = [*HERE.parent.parent.glob("[0-9]-*.py"), *[
        file for place in (HERE, HERE.parent)
        for pattern in ("*.py", "__pycache__/*.pyc")
        for file in place.glob(pattern)]]
    return [[file.stat().st_dev, file.stat().st_ino] for file in ours
            if file.exists() and not file.samefile(path)]


def stop(process, folder):
    """End the child and what it started."""
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
    for path in Path("/proc").glob("[0-9]*/environ"):   # what left its group
        with contextlib.suppress(OSError):
            if os.fsencode(f"={folder}/work\0") in path.read_bytes():
                os.kill(int(path.parent.name), signal.SIGKILL)


def follow(process, path, seconds, printed):
    """Wait for a report; return why it does not come, or None."""
    deadline = time.monotonic() + seconds
    while not os.path.lexists(path):
        ended = process.poll() is not None
        for result, wrong, message in (
                ("exit", ended and not os.path.lexists(path),
                 f"the process ended ({process.returncode})"),
                ("timeout", time.monotonic() > deadline,
                 f"no result after {seconds:g} s"),
                ("exit", os.fstat(printed.fileno()).st_size > PRINTED,
                 "printed more than 8 MB"),
                ("exit", ENDING.is_set(), "the check was stopped")):
            if wrong:
                return {"result": result, "message": message}
        time.sleep(0.004)
    return None


def read(path):
    """Return the report in a file and its arrays, without trusting it."""
    flags = [getattr(os, name, 0) for name in (
        "O_BINARY", "O_NOFOLLOW", "O_NONBLOCK")]
    try:
        with open(os.open(path, os.O_RDONLY | sum(flags)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > REPORT:
                raise ValueError
            stream = io.BytesIO(file.read(REPORT))
        arrays = []
        while stream.tell() < stream.getbuffer().nbytes:
            arrays.append(np.lib.format.read_array(stream,
                                                   allow_pickle=False))
        report = validated(json.loads(arrays[0].tobytes()))
        if all(array.dtype.kind in "biuf" and array.size <= child.LARGEST
               for array in arrays):
            return report, arrays[1:]
    except Exception:   # it may hold anything
        pass
    return DAMAGED, []


def clean(text):
    """Return a text without what would move the cursor of a terminal."""
    return "".join(c if c.isprintable() else "?" for c in str(text))


def complain(line):
    """Write a line to stderr, where there is one."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def validated(report):
    """Return a report with the entries that we know, or raise an error."""
    known = {"result": report["result"], **{
        key: clean(report[key])[:300]
        for key in ("error", "message", "line") if key in report}}
    if report["result"] not in ("ok", "error", "exit"):
        raise ValueError
    if "lineno" in report:
        known["lineno"] = int(report["lineno"])
    if "seen" in report:
        known["seen"] = [(clean(name)[:60], right if right is None else
                          bool(right), clean(message)[:300], clean(cause))
                         for name, right, message, cause in report["seen"]]
    if "changed" in report:
        known["changed"] = [clean(name)[:60] for name in report["changed"]]
    if "functions" in report:
        known["functions"] = {name: parameters and [
            (clean(key)[:60], bool(default), bool(usual))
            for key, default, usual in parameters[:20]]
            for name, parameters in report["functions"].items()}
        known["others"] = [clean(name)[:60] for name in report["others"][:20]]
        known["compared"] = [int(line) for line in report["compared"][:20]]
    return known


def outcome_of(job, report, arrays):
    """Put the arrays of a case into its report."""
    if report["result"] == "ok" and (len(arrays) != job["outputs"] or (
            arrays and "changed" not in report)):
        return DAMAGED
    return {**report, "arrays": arrays}


@contextlib.contextmanager
def temporary_folder():
    """Give a folder, and remove it whatever was done in it."""
    folder = tempfile.TemporaryDirectory(prefix="check-")
    try:
        yield Path(folder.name).resolve()
    finally:
        for _ in range(3):      # something may still be written there
            with contextlib.suppress(OSError, RecursionError):
                folder.cleanup()


def attempt(path, names, jobs, timeout, tensorflow):
    """Run jobs until one gives no result.

    Return the report of loading, the jobs of functions that are there, the
    outcomes by id, why it ended (or None), and what was printed.
    """
    with temporary_folder() as folder, tempfile.TemporaryFile() as printed:
        (folder / "job.json").write_text(json.dumps({
            "path": str(path), "closed": closed(path), "names": names,
            "tensorflow": tensorflow, "jobs": jobs}), encoding="utf-8")
        process, mine, found = start(folder, printed), [], {}
        try:
            end = follow(process, folder / "started.npy", STARTING, printed
                         ) or follow(process, folder / "loading.npy", timeout,
                                     printed)
            loading = end or read(folder / "loading.npy")[0]
            mine = [job for job in jobs
                    if job["function"] in loading.get("functions", {})]
            for job in mine:
                end = end or follow(process, folder / f"{job['id']}.npy",
                                    job["timeout"], printed)
        finally:
            stop(process, folder)
        for job in mine:
            file = folder / f"{job['id']}.npy"
            if os.path.lexists(file):
                found[job["id"]] = outcome_of(job, *read(file))
            else:
                end = end or {"result": "exit",
                              "message": "a report was taken away"}
        printed.seek(0)
        return loading, mine, found, end, printed.read(4000).decode(
            "utf-8", "replace")


def run_file(path, names, jobs, timeout, tensorflow):
    """Run the jobs, in a new process after each one that gave no result.

    Return the report of loading, the outcomes by id, and what was printed.
    """
    outcomes, printed, lost, first = {}, "", [], None
    while True:
        loading, mine, found, end, text = attempt(
            path, names, jobs, timeout, tensorflow)
        first = first or loading
        if loading["result"] != "ok":       # the second time, perhaps
            found = {job["id"]: loading for job in jobs}
        outcomes.update(found)
        printed = (printed + text)[:4000]
        jobs = [job for job in mine if job["id"] not in outcomes]
        if jobs and end:
            outcomes[jobs[0]["id"]] = end
            lost.append(jobs.pop(0)["function"])
            twice = [job for job in jobs if lost.count(job["function"]) > 1]
            outcomes.update({job["id"]: {
                **end, "message": "not run: two cases of this function gave "
                "no result"} for job in twice})
            jobs = [job for job in jobs if job not in twice]
        if not jobs or not end or ENDING.is_set():
            return first, outcomes, printed
