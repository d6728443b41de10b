"""The process in which a student's code runs: main(FOLDER of a job).

A copy of this file and its neighbours runs in the folder of the job, so that
nothing of this collection can be imported. A report is a file of .npy arrays,
the first of which holds JSON, and is moved into place when it is complete.
"""
import importlib
import importlib.util
import inspect
import json
import os
import signal
import sys
import traceback
import warnings
# By their names, for the student's code may replace them where they are from.
from json import dumps
from os import _exit, replace
from os.path import join

import numpy as np
from numpy import array, asarray, frombuffer
from numpy.lib.format import write_array

_open, _timer = open, getattr(signal, "setitimer", None)
LARGEST = 10**6     # numbers in a result
OPTIONS = {"padding", "stride", "mode"}     # passed by name where possible


class NoResult(Exception):
    """What is returned is not what was asked for."""


class Slow(BaseException):
    """A trial takes too long."""


def same_Z(Z):
    """Return Z unchanged: an activation."""
    return Z


def half_relu(Z):
    """Return half of the positive part: twice is not the same as once."""
    return np.maximum(Z, 0) / 2


ACTIVATIONS = {"same_Z": same_Z, "half_relu": half_relu}


def save(folder, name, report, arrays=()):
    """Write a report and arrays, and move them into place."""
    with _open(join(folder, name + ".tmp"), "wb") as file:
        for part in [frombuffer(dumps(report).encode(), "uint8"), *arrays]:
            write_array(file, part, allow_pickle=False)
    replace(join(folder, name + ".tmp"), join(folder, name + ".npy"))


def outcome(path, call, *arguments):
    """Return the report on a call and its arrays, or what it raised where."""
    try:
        return call(*arguments)
    except (Exception, SystemExit) as error:
        try:
            message = " ".join(str(error).split())[:300]
        except Exception:
            message = ""
        report = {"result": "error" if isinstance(error, Exception) else
                  "exit", "error": type(error).__name__, "message": message}
        frames = [frame for frame in traceback.extract_tb(error.__traceback__)
                  if frame.filename == path]
        if isinstance(error, SyntaxError) and error.lineno:
            report.update(lineno=error.lineno, line=(error.text or "").strip())
        elif frames:
            report.update(lineno=frames[-1].lineno, line=frames[-1].line)
        return report, []


def load(path, source=None):
    """Run the student's file as a module, and return it.

    The text is compiled, whatever __pycache__ holds; source: another text,
    to run in its place.
    """
    if source is None:
        with _open(path, "rb") as file:
            source = file.read()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = compile(source, path, "exec")
    sys.path.insert(0, os.path.dirname(path))
    sys.argv = [path]
    name = os.path.splitext(os.path.basename(path))[0]
    sys.modules[name] = module = importlib.util.module_from_spec(
        importlib.util.spec_from_file_location(name, path))
    exec(code, module.__dict__)
    return module


def loaded(job, space):
    """Put the functions of a file into space; return their signatures."""
    module = load(job["path"], job["source"])
    space.update({name: getattr(module, name) for name in job["names"]
                  if callable(getattr(module, name, None))}, module=module)
    return {"result": "ok", "functions": {
        name: signature(space[name]) for name in job["names"] if name in space
    }}, []


def signature(function):
    """Return [name, has a default, is no star] of the parameters, or None."""
    try:
        parameters = inspect.signature(function).parameters.values()
        return [[str(p.name), p.default is not p.empty, p.kind not in (
            p.VAR_POSITIONAL, p.VAR_KEYWORD)] for p in parameters]
    except Exception:
        return None


def decoded(arguments):
    """Return the arguments of a call, each of them new."""
    return {key: array(value["array"], value["dtype"]) if isinstance(
        value, dict) else ACTIVATIONS[value] if key == "activation" else
        sys.intern(value) if isinstance(value, str) else tuple(value)
        for key, value in arguments.items()}


def call(function, arguments):
    """Call as the main programs of courses do: options by name.

    Where the parameters have other names, all go by position.
    """
    known = signature(function)
    options = {key: value for key, value in arguments.items()
               if key in OPTIONS}
    if known and all(usual for _, _, usual in known) and not (
            options.keys() <= {name for name, _, _ in known}):
        return function(*arguments.values())
    return function(*(value for key, value in arguments.items()
                      if key not in options), **options)


def as_arrays(result, count):
    """Return a result as arrays of numbers, or raise what is wrong with it."""
    if result is None:
        raise NoResult("returned None: is there a return?")
    if count == 1:
        result = [result]
    elif not isinstance(result, (tuple, list)) or len(result) != count:
        raise NoResult(f"returned {type(result).__name__}, expected {count} "
                       "arrays: dA_prev, dW, db")
    for part, values in [(part, asarray(part)) for part in result]:
        if values.dtype.kind not in "biuf":
            raise NoResult(f"returned {type(part).__name__} of dtype "
                           f"{values.dtype}, expected an array of numbers")
        if values.size > LARGEST:
            raise NoResult(f"returned an array of shape {values.shape}")
    return [array(part, order="C", subok=False) for part in result]


def run(function, job):
    """Return a report that names the inputs that changed, and the results."""
    arguments = decoded(job["arguments"])
    results = as_arrays(call(function, arguments), job["outputs"])
    return {"result": "ok", "changed": [
        key for key, value in decoded(job["arguments"]).items()
        if isinstance(value, np.ndarray) and repr([
            value.shape, value.dtype, value.tobytes()]) != repr([
                arguments[key].shape, arguments[key].dtype,
                arguments[key].tobytes()])]}, results


def allow(seconds, soft=None):
    """Let the system end this process after that much processor time.

    soft: seconds after which Slow is raised, or 0 to take that back.
    """
    def too_slow(*_):
        raise Slow

    if _timer:      # not on Windows; the parent has a limit of wall time
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        _timer(signal.ITIMER_PROF, seconds)
        if soft is not None:
            signal.signal(signal.SIGVTALRM, too_slow)
            _timer(signal.ITIMER_VIRTUAL, soft)


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
    from . import look, mend
    with open(join(folder, "job.json"), encoding="utf-8") as file:
        job = json.load(file)
    path, space, broken = job["path"], {}, {}
    limit(0 if job["tensorflow"] else 2, 300 + int(sum(
        one["timeout"] for one in job["jobs"])))
    sys.path[:] = [place for place in sys.path if place not in ("", folder)]
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
