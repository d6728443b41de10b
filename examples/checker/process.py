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
INSIDE = ["__init__", "inside", "child", "look", "mend", "scene",
          "tracing", "source",
          *[f"edits_{part}" for part in (
              "padding", "windows", "names", "terms", "results")]]
START = ("import sys; sys.path.insert(0, sys.argv[1])\n"
         "from checker import inside; inside.main(sys.argv.pop())")
PRINTED = 2**23         # bytes that a student's code may print
REPORT = 2**25          # bytes of a report with its arrays
STARTING = 30           # seconds until Python, NumPy and TensorFlow are there
WALL = 5                # seconds of wall time for one of processor time
DAMAGED = {"result": "error", "error": "NoResult",
           "message": "what was written is damaged"}
ENDING = threading.Event()      # all processes are to end


def start(folder, printed):
    """Start the child on the job in a folder."""
    (folder / "checker").mkdir()
    for name in INSIDE:
        shutil.copy(HERE / f"{name}.py", folder / "checker")
    work = folder / "work"
    work.mkdir()
    known = {key: value for key, value in os.environ.items() if key not in (
        "PWD", "OLDPWD", "VIRTUAL_ENV", "PYTHONSAFEPATH")}
    paths = [Path(path).resolve() for path in known.get(
        "PYTHONPATH", "").split(os.pathsep) if path]
    return subprocess.Popen(
        [sys.executable, "-c", START, str(folder)],
        stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, cwd=work,
        start_new_session=os.name == "posix", env={
            **known, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(work)),
            **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS",
                             "MKL_NUM_THREADS", "PYTHONDONTWRITEBYTECODE"),
                            "1"),
            "PYTHONPATH": os.pathsep.join(str(path) for path in paths
                                          if path not in OURS),
            "PYTHONIOENCODING": "utf-8", "TF_CPP_MIN_LOG_LEVEL": "3"})


@contextlib.contextmanager
def started(job, log=b""):
    """Start a job; give its folder and process; end and remove both."""
    folder = tempfile.TemporaryDirectory(prefix="check-")
    place = Path(folder.name).resolve()
    try:
        with tempfile.TemporaryFile() as printed:
            (place / "job.json").write_text(json.dumps(job), encoding="utf-8")
            (place / "trials.log").write_bytes(log)
            process = start(place, printed)
            try:
                yield place, process, printed
            finally:        # and what it started
                with contextlib.suppress(OSError):
                    if os.name == "posix":
                        os.killpg(process.pid, signal.SIGKILL)
                    else:
                        process.kill()
                process.wait()
    finally:
        for _ in range(3):      # something may still be written there
            with contextlib.suppress(OSError, RecursionError):
                folder.cleanup()


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
               for array in arrays[1:]):
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
    if "seen" in report:        # of a LeNet-5: judged with care
        known["seen"] = dict(report["seen"])
    if "mended" in report:
        known["mended"] = [(str(one["text"]), [*map(str, one["rules"])], [
            clean(sentence)[:300] for sentence in one["sentences"]])
            for one in report["mended"][:9]]
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
