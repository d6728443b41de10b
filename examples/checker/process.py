"""A student's file in a process of its own: start, follow, stop, read.

Nothing that comes from there is believed, unpickled, imported or evaluated:
it is .npy arrays and JSON of limited size, and texts in it are cleaned.
"""
import contextlib
import io
import json
import os
import pickle
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

from .calls import LARGEST

HERE = Path(__file__).resolve().parent
OURS = [HERE, HERE.parent, HERE.parent.parent, HERE.parent.parent / "tests"]
START = ("import sys; sys.path.insert(0, sys.argv[1])\n"
         "from checker import child; sys.path.remove(sys.argv[1])\n"
         "child.main(sys.argv.pop())")
PRINTED = 2**23         # bytes that a student's code may print
REPORT = 2**25          # bytes of a report with its arrays
STARTING = 30           # seconds until Python, NumPy and TensorFlow are there
WALL = 5                # seconds of wall time for one of processor time
DAMAGED = {"result": "error", "error": "NoResult",
           "message": "what was written is damaged", "mended": []}
ENDING = threading.Event()      # all processes are to end


@contextlib.contextmanager
def started(job, log=b""):
    """Start a job; end it, and remove its folder, in the end.

    Yield the folder, the process, what it prints, and why it does not load.
    """
    place, process = Path(tempfile.mkdtemp(prefix="check-")).resolve(), None
    printed = tempfile.TemporaryFile()
    try:
        (place / "work").mkdir()
        (place / "job").write_bytes(pickle.dumps(job))
        (place / "trials.log").write_bytes(log)
        known = {key: value for key, value in os.environ.items() if key not in
                 ("PWD", "OLDPWD", "VIRTUAL_ENV", "PYTHONSAFEPATH")}
        paths = [Path(path).resolve() for path in known.get(
            "PYTHONPATH", "").split(os.pathsep) if path]
        process = subprocess.Popen(
            [sys.executable, "-c", START, HERE.parent, place],
            cwd=place / "work", stdin=subprocess.DEVNULL,
            stdout=printed, stderr=printed,
            start_new_session=os.name == "posix", env={
                **known, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"),
                                         str(place / "work")),
                **dict.fromkeys((
                    "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS",
                    "MKL_NUM_THREADS", "PYTHONDONTWRITEBYTECODE"), "1"),
                "PYTHONPATH": os.pathsep.join(
                    str(path) for path in paths if path not in OURS),
                "PYTHONIOENCODING": "utf-8", "TF_CPP_MIN_LOG_LEVEL": "3"})
        yield place, process, printed, follow(
            process, place / "started.npy", STARTING, printed) or follow(
            process, place / "loading.npy", job["timeout"], printed)
    finally:
        if process:
            with contextlib.suppress(OSError):      # and what it started
                if os.name == "posix":
                    os.killpg(process.pid, signal.SIGKILL)
                process.kill()
            process.wait()
        printed.close()
        for _ in range(3):      # something may still be written there
            shutil.rmtree(place, ignore_errors=True)


def follow(process, path, seconds, printed):
    """Wait for a report; return why it does not come, or None.

    The child ends itself after so many seconds of processor time.
    """
    deadline, slow = time.monotonic() + WALL * seconds, {
        "result": "timeout", "message": f"no result after {seconds:g} s"}
    while not os.path.lexists(path):
        status = process.poll()
        if status is not None and not os.path.lexists(path):
            return slow if -status in (getattr(signal, "SIGPROF", 0), getattr(
                signal, "SIGXCPU", 0)) and status else {
                "result": "exit", "message": f"the process ended ({status})"}
        if time.monotonic() > deadline:
            return slow
        if os.fstat(printed.fileno()).st_size > PRINTED:
            return {"result": "exit", "message": "printed more than 8 MB"}
        if ENDING.is_set():
            return {"result": "exit", "message": "the check was stopped"}
        time.sleep(0.004)


def read(path, outputs=0):
    """Return the report in a file, without trusting it."""
    flags = [getattr(os, name, 0) for name in (
        "O_BINARY", "O_NOFOLLOW", "O_NONBLOCK")]
    try:
        with open(os.open(path, os.O_RDONLY | sum(flags)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > REPORT:
                return DAMAGED
            stream, arrays = io.BytesIO(file.read(REPORT)), []
        while stream.tell() < stream.getbuffer().nbytes:
            arrays.append(np.lib.format.read_array(stream,
                                                   allow_pickle=False))
        found = json.loads(arrays.pop(0).tobytes())
        report = {**tidy(found), "arrays": arrays, "mended": [
            (str(text), tidy([*map(str, rules)]), tidy([*map(str, sentences)]))
            for text, rules, sentences in found.get("mended", ())]}
        if report["result"] in ("error", "exit") or (
                report["result"] == "ok" and len(arrays) == outputs
                and (not outputs or isinstance(report["changed"], list))
                and all(array.dtype.kind in "biuf" and array.size <=
                        LARGEST for array in arrays)):
            return report
    except Exception:   # it may hold anything
        pass
    return DAMAGED


def clean(text):
    """Return a text without what would move the cursor of a terminal."""
    return "".join(c if c.isprintable() else "?" for c in str(text))


def tidy(value):
    """Return what JSON gave, with clean and short texts and lists."""
    if isinstance(value, dict):
        return {clean(key)[:60]: tidy(one) for key, one in value.items()}
    if isinstance(value, list):
        return [tidy(one) for one in value[:40]]
    return clean(value)[:300] if isinstance(value, str) else value


def run_file(job):
    """Run the calls, in a new process after each one that gave no result.

    Return the report of loading, the outcomes by id, and what was printed.
    """
    outcomes, text, lost, first, calls = {}, "", [], None, job["jobs"]
    while True:
        with started({**job, "jobs": calls}) as (folder, process, out, end):
            loading = end or read(folder / "loading.npy")
            first, known = first or loading, loading.get("functions", {})
            for one in calls:
                if not end and one["function"] in known:
                    file = folder / f"{one['id']}.npy"
                    end = follow(process, file, one["timeout"], out)
                    if not end:
                        outcomes[one["id"]] = read(file, one["outputs"])
            out.seek(0)
            text += out.read(4000 - len(text)).decode("utf-8", "replace")
        if loading["result"] != "ok":       # the second time, perhaps
            outcomes.update({one["id"]: loading for one in calls})
        calls = [one for one in calls if one["id"] not in outcomes
                 and one["function"] in known]
        if not calls or not end or ENDING.is_set():
            return first, outcomes, text
        lost.append(calls[0]["function"])
        outcomes[calls.pop(0)["id"]] = end
        if lost.count(lost[-1]) > 1:
            outcomes.update({one["id"]: {
                **end, "message": "not run: two cases of this function gave "
                "no result"} for one in calls if one["function"] == lost[-1]})
            calls = [one for one in calls if one["id"] not in outcomes]


def try_edits(job):
    """Return what mends a function: [(text, rules, sentences)].

    A process whose trial hangs is ended; the next one goes on behind it. The
    last one tries nothing, but tells what was found.
    """
    log, before, left = b"", None, 6
    while log != before and left and not ENDING.is_set():
        before, left = log, left - 1
        job["jobs"][0]["budget"] *= left > 0
        with contextlib.suppress(OSError), started(job, log) as (
                folder, process, printed, end):
            report, trials, size = (folder / f"{job['jobs'][0]['id']}.npy",
                                    folder / "trials.log", -1)
            while not end:
                end = follow(process, report, 1, printed)
                if not end:
                    return read(report)["mended"]
                if process.poll() is None and end["result"] == "timeout" and (
                        os.path.getsize(trials) > size):
                    end, size = None, os.path.getsize(trials)
            log = trials.read_bytes()[:REPORT]
    return []
