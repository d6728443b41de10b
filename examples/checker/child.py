"""The process in which a student's code runs: main(FOLDER of a job).

Nothing of this collection is on its path. A report is a file of .npy arrays,
the first of which holds JSON, and is moved into place when it is complete.
"""
import importlib
import pickle
import sys
# By their names, for the student's code may replace them where they are from.
from json import dumps
from os import _exit, replace
from os.path import join

from numpy import frombuffer
from numpy.lib.format import write_array

from . import look, mend
from .calls import allow, load, outcome, run, signature

_open = open


def save(folder, name, report, arrays=()):
    """Write a report and arrays, and move them into place."""
    with _open(join(folder, name + ".tmp"), "wb") as file:
        for part in [frombuffer(dumps(report).encode(), "uint8"), *arrays]:
            write_array(file, part, allow_pickle=False)
    replace(join(folder, name + ".tmp"), join(folder, name + ".npy"))


def loaded(job, space):
    """Put the functions of a file into space; return their signatures."""
    module, remarks = load(job["path"], job["source"])
    found = {name: getattr(module, name) for name in job["names"]
             if callable(getattr(module, name, None))}
    space.update(found, module=module)
    return {"result": "ok", "remarks": remarks, "functions": {
        name: signature(function) for name, function in found.items()}}, []


def limit(gigabytes, seconds):
    """Let nobody take more memory (on Linux), more time or a large file.

    Each limit is set by itself: one of them may be narrower already.
    """
    try:
        import resource
    except ImportError:     # Windows
        return
    for name, most in (("FSIZE", 2**28), ("CPU", seconds), ("AS", (
            gigabytes * 2**30 * sys.platform.startswith("linux")))):
        try:
            which = getattr(resource, f"RLIMIT_{name}")
            hard = resource.getrlimit(which)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            if most:
                resource.setrlimit(which, (most, most))
        except (OSError, OverflowError, ValueError):
            pass


def prepare():
    """Import TensorFlow, whatever the user's keras.json says."""
    importlib.import_module("tensorflow")
    K = importlib.import_module("tensorflow.keras.backend")
    K.set_image_data_format("channels_last")
    K.set_floatx("float32")
    return {}, []


def main(folder):
    """Run the job in a folder."""
    with open(join(folder, "job"), "rb") as file:
        job = pickle.load(file)
    path, space, broken = job["path"], {}, {}
    limit(0 if job["tensorflow"] else 2, 300 + int(sum(
        one["timeout"] for one in job["jobs"])))
    sys.path[:] = filter(None, sys.path)
    for name in [name for name in sys.modules if name[:7] == "checker"]:
        del sys.modules[name]       # the student may have a look.py too
    if job["tensorflow"]:
        broken, _ = outcome(path, prepare)
    save(folder, "started", {"result": "ok"})
    allow(job["timeout"])
    save(folder, "loading", *outcome(path, loaded, job, space))
    for one in job["jobs"]:
        allow(one["timeout"])
        name = one["function"]
        if name in space and name == "lenet5":
            save(folder, name, *([{**broken, "error": "NoTensorFlow"}, []]
                                 if broken else outcome(
                                     path, look.look, space[name])))
        elif name in space and "cases" in one:
            save(folder, one["id"], mend.search(
                space["module"], one, join(folder, "trials.log")))
        elif name in space:
            save(folder, one["id"], *outcome(path, run, space[name], one))
    _exit(0)
