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
DAMAGED = {"result": "error", "error": "NoResult",
           "message": "what was written is damaged"}
RUNNING = {}            # folders of the processes that run
ENDING = threading.Event()      # no process is started any more
STARTING = 120          # seconds until Python, NumPy and TensorFlow are there


def start(folder, printed):
    """Start the child on the job in a folder."""
    for name in ("child.py", "look.py"):
        shutil.copy(HERE / name, folder / name)
    (folder / "work").mkdir()
    if ENDING.is_set():
        raise RuntimeError("stopped")
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(
        os.pathsep) if path and Path(path).resolve() not in OURS]
    known = {key: value for key, value in os.environ.items() if key not in (
        "PWD", "OLDPWD", "VIRTUAL_ENV", "PYTHONSAFEPATH")}
    process = subprocess.Popen(
        [sys.executable, str(folder / "child.py"), str(folder)],
        stdin=subprocess.DEVNULL, stdout=printed, stderr=printed,
        cwd=folder / "work", start_new_session=os.name == "posix", env={
            **known, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(
                folder / "work")), **dict.fromkeys((
                    "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS",
                    "MKL_NUM_THREADS", "PYTHONDONTWRITEBYTECODE"), "1"),
            "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8",
            "TF_CPP_MIN_LOG_LEVEL": "3"})
    RUNNING[process] = folder
    return process


def stop_all():
    """End all children, and start none any more."""
    ENDING.set()
    for process, folder in list(RUNNING.items()):
        stop(process, folder)


def closed(path):
    """Return the numbers of our files, which a student may not open."""
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
    RUNNING.pop(process, None)
    for path in Path("/proc").glob("[0-9]*/environ"):   # what left its group
        with contextlib.suppress(OSError):
            if os.fsencode(f"={folder}/work\0") in path.read_bytes():
                os.kill(int(path.parent.name), signal.SIGKILL)


def remove(folder):
    """Remove a folder, whatever its permissions are; follow no link."""
    if os.path.islink(folder):
        return os.unlink(folder)
    for _ in range(5):      # something may still be written there
        with contextlib.suppress(OSError):
            os.chmod(folder, 0o700)
            for parent, names, _ in os.walk(folder):
                for path in [os.path.join(parent, name) for name in names]:
                    if not os.path.islink(path):
                        os.chmod(path, 0o700)
            shutil.rmtree(folder)
            return


def follow(process, folder, waiting, printed):
    """Wait for each report, (name, seconds); return why one does not come."""
    for name, seconds in waiting:
        deadline = time.monotonic() + seconds
        path = folder / f"{name}.npy"
        while not os.path.lexists(path):
            ended = process.poll() is not None
            for result, wrong, message in (
                    ("exit", ended and not os.path.lexists(path),
                     f"the process ended ({process.returncode})"),
                    ("timeout", time.monotonic() > deadline,
                     f"no result after {seconds:g} s"),
                    ("exit", os.fstat(printed.fileno()).st_size > PRINTED,
                     "printed more than 8 MB")):
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


def validated(report):
    """Return a report with the entries that we know, or raise an error."""
    known = {"result": report["result"], **{key: clean(report[key])[:300]
             for key in ("error", "message", "line") if key in report}}
    if report["result"] not in ("ok", "error", "exit"):
        raise ValueError
    if "lineno" in report:
        known["lineno"] = int(report["lineno"])
    if "functions" in report:
        known["functions"] = {name: None if parameters is None else [
            (clean(key)[:60], default and clean(default)[:100], bool(usual))
            for key, default, usual in parameters[:20]]
            for name, parameters in report["functions"].items()}
        known["others"] = [clean(name)[:60] for name in report["others"][:20]]
        known["compared"] = [int(line) for line in report["compared"][:20]]
    return {**known, "seen": report.get("seen")}


def attempt(path, names, jobs, timeout, tensorflow):
    """Run jobs until one gives no result.

    Return the report of loading, the jobs of functions that are there, the
    outcomes by id, why it ended (or None), and what was printed.
    """
    folder = Path(tempfile.mkdtemp(prefix="check-")).resolve()
    try:
        (folder / "job.json").write_text(json.dumps({
            "path": str(path), "closed": closed(path), "names": names,
            "tensorflow": tensorflow,
            "cases": [{key: job[key] for key in job if key != "arguments"}
                      for job in jobs]}), encoding="utf-8")
        with open(folder / "inputs.npy", "wb") as file:
            for array in (job["arguments"][key] for job in jobs
                          for key in job["inputs"]):
                np.lib.format.write_array(file, array, allow_pickle=False)
        with tempfile.TemporaryFile() as printed:
            process, mine = start(folder, printed), []
            try:
                end = follow(process, folder, [
                    ("started", STARTING), ("loading", timeout)], printed)
                loading = end or read(folder / "loading.npy")[0]
                mine = [job for job in jobs if job["function"] in
                        loading.get("functions", {})]
                end = end or follow(process, folder, [
                    (job["id"], job["timeout"]) for job in mine], printed)
            finally:
                stop(process, folder)
            found = {job["id"]: outcome_of(job, *read(
                folder / f"{job['id']}.npy")) for job in mine
                if os.path.lexists(folder / f"{job['id']}.npy")}
            if len(found) < len(mine):
                end = end or {"result": "exit",
                              "message": "a report was taken away"}
            printed.seek(0)
            return loading, mine, found, end, printed.read(4000).decode(
                "utf-8", "replace")
    finally:
        remove(folder)


def outcome_of(job, report, arrays):
    """Put the arrays of a case into its report."""
    count, inputs = job["outputs"], job["inputs"]
    if report["result"] == "ok" and job["function"] != "lenet5":
        if len(arrays) != count + len(inputs):
            return DAMAGED
        report["arrays"] = arrays[:count]
        report["inputs"] = dict(zip(inputs, arrays[count:]))
    return report


def run_file(path, names, jobs, timeout, tensorflow):
    """Run the jobs, in a new process after each one that gave no result.

    Return the report of loading, the outcomes by id, and what was printed.
    """
    outcomes, printed, lost = {}, "", []
    while True:
        loading, mine, found, end, text = attempt(
            path, names, jobs, timeout, tensorflow)
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
        if not jobs or not end:
            return loading, outcomes, printed
