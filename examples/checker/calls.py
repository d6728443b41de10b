"""Load a student's file and call its functions, in this process."""
import ast
import importlib.util
import inspect
import os
import signal
import sys
import traceback
import warnings
from copy import deepcopy

import numpy as np
from numpy import array, asarray, integer

_open, _timer = open, getattr(signal, "setitimer", None)
LARGEST = 10**6     # numbers in a result
EVENTS = 30000      # lines that are followed in one call
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


def outcome(path, call, *arguments):
    """Return the report on a call and its arrays, or what it raised where."""
    try:
        return call(*arguments)
    except (Exception, SystemExit) as error:
        try:
            message = " ".join(str(getattr(error, "msg", error)).split())[:300]
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
    """Run the student's file as a module; return it and remarks on lines.

    The text is compiled, whatever __pycache__ holds; source: another text,
    to run in its place; of a cell, without its own calls, as check(f).
    """
    if source is None:
        with _open(path, "rb") as file:
            source = file.read()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        tree = ast.parse(source, path)
        if os.path.basename(path)[0] == "<":
            tree.body = [node for node in tree.body
                         if not isinstance(node, ast.Expr)]
        code = compile(tree, path, "exec")
    sys.path.insert(0, os.path.dirname(path))
    sys.argv = [path]
    name = os.path.splitext(os.path.basename(path))[0]
    sys.modules[name] = module = importlib.util.module_from_spec(
        importlib.util.spec_from_file_location(name, path))
    exec(code, module.__dict__)
    return module, [    # once: what stands in a `finally` is compiled twice
        f"line {number} compares a value with `is`: write `==`"
        for number in sorted({one.lineno for one in found
                              if str(one.message)[:3] == '"is'})]


def signature(function):
    """Return [name, has a default, is no star] of the parameters, or None."""
    try:
        parameters = inspect.signature(function).parameters.values()
        return [[str(p.name), p.default is not p.empty, p.kind not in (
            p.VAR_POSITIONAL, p.VAR_KEYWORD)] for p in parameters]
    except Exception:
        return None


def arguments_of(arguments):
    """Return the arguments of a call, each of them new."""
    return {key: sys.intern(value) if isinstance(value, str) else
            deepcopy(value) for key, value in arguments.items()}


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
    arrays = [asarray(part) for part in result]
    for part, values in zip(result, arrays):
        if values.dtype.kind not in "biuf":
            raise NoResult(f"returned {type(part).__name__} of dtype "
                           f"{values.dtype}, expected an array of numbers")
        if values.size > LARGEST:
            raise NoResult(f"returned an array of shape {values.shape}")
    return [array(values, order="C") for values in arrays]


def run(function, job):
    """Return a report that names the inputs that changed, and the results."""
    arguments = arguments_of(job["arguments"])
    results = as_arrays(call(function, arguments), job["outputs"])
    return {"result": "ok", "changed": [
        key for key, value in arguments_of(job["arguments"]).items()
        if isinstance(value, np.ndarray)
        and [value.shape, value.dtype, value.tobytes()] != [
            arguments[key].shape, arguments[key].dtype,
            arguments[key].tobytes()]]}, results


def differs(ours, expected):
    """Return where two arrays differ, by 1e-6 of the largest number."""
    if np.isnan(expected).any():
        return ~np.isclose(ours, expected, 1e-6, 1e-6, equal_nan=True)
    close = 1e-6 * (np.abs(expected).max(initial=0) or 1.0)
    with np.errstate(all="ignore"):
        return ~(np.abs(ours.astype(float) - expected) <= close)


def equal(ours, expected):
    """Tell whether two arrays agree in shape and numbers."""
    return ours.shape == expected.shape and not differs(ours, expected).any()


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


def traced(function, arguments, path):
    """Call a function; return {line: {name: [value, lowest, highest]}}.

    The value is that before the line runs for the first time; lowest and
    highest are those of a whole number, else None.
    """
    seen, left = {}, [EVENTS]

    def local(frame, event, _):
        if event == "line" and left[0] > 0:
            left[0] -= 1
            known = seen.setdefault(frame.f_lineno, {})
            for name, value in frame.f_locals.items():
                whole = isinstance(value, (int, integer))
                one = known.setdefault(name, [value, *[
                    value if whole else None] * 2])
                if whole and one[1] is not None:
                    one[1:] = min(one[1], value), max(one[2], value)
        return local

    before = sys.gettrace()
    sys.settrace(lambda frame, *_: local if (
        frame.f_code.co_filename == path) else None)
    try:
        call(function, arguments)
    except (Exception, SystemExit):
        pass        # the lines before it are known
    finally:
        sys.settrace(before)
    return seen
