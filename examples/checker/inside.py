"""The process in which a student's code runs: main(JOB), a folder.

A copy of this file and of its neighbours runs in the folder of the job, so
that nothing of this collection can be imported.
"""
import importlib
import inspect
import json
import sys
from os import _exit
from os.path import join

from . import child, look, mend
from .child import allow, failure, outcome, save, signature


def limit(gigabytes, seconds):
    """Let nobody take more memory (on Linux), more time or a large file.

    Each limit is set by itself: one of them may be narrower already.
    """
    try:
        import resource
    except ImportError:     # Windows
        return
    for name, most in (("FSIZE", 2**28), ("CPU", seconds),
                       ("AS", gigabytes * 2**30)):
        if most and (name != "AS" or sys.platform.startswith("linux")):
            which = getattr(resource, f"RLIMIT_{name}")
            hard = resource.getrlimit(which)[1]
            if hard != resource.RLIM_INFINITY:
                most = min(most, hard)
            try:
                resource.setrlimit(which, (most, most))
            except (OSError, OverflowError, ValueError):
                pass


def prepare(tensorflow):
    """Import TensorFlow where it is asked for; return why it fails, or None.

    A keras.json of the user changes nothing.
    """
    try:
        if tensorflow:
            importlib.import_module("tensorflow")
            K = importlib.import_module("tensorflow.keras.backend")
            K.set_image_data_format("channels_last")
            K.set_floatx("float32")
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:200]
    return None


def main(folder):
    """Run the job in a folder."""
    with open(join(folder, "job.json"), encoding="utf-8") as file:
        job = json.load(file)
    path, jobs = job["path"], job["jobs"]
    limit(0 if job["tensorflow"] else 2, 300 + int(sum(
        one["timeout"] for one in jobs)))
    sys.path[:] = [place for place in sys.path if place not in ("", folder)]
    for name in [name for name in sys.modules if name[:7] == "checker"]:
        del sys.modules[name]       # the student may have a look.py too
    broken = prepare(job["tensorflow"])
    save(folder, "started", {"result": "ok"})
    allow(job["timeout"])
    try:
        module, compared = child.load(path, job["source"])
        found = {name: getattr(module, name) for name in job["names"]
                 if callable(getattr(module, name, None))}
        save(folder, "loading", {
            "result": "ok", "compared": compared, "functions": {
                name: signature(function) for name, function in found.items()},
            "others": sorted(name for name, value in vars(module).items()
                             if inspect.isfunction(value))[:20]})
    except BaseException as error:
        save(folder, "loading", failure(error, path))
        _exit(0)
    for one in jobs:
        allow(one["timeout"])
        if one["function"] not in found:
            continue
        if one["function"] == "lenet5":
            save(folder, "lenet5", *(
                ({"result": "error", "error": "NoTensorFlow",
                  "message": broken}, []) if broken else outcome(
                      path, look.look, found["lenet5"])))
        elif "cases" in one:
            save(folder, one["id"], mend.search(module, one, folder), [])
        else:
            save(folder, one["id"], *outcome(
                path, child.run, found[one["function"]], one))
    _exit(0)
