"""Run a student's functions in this process, for check.py, and exit.

    python child.py JOB     JOB: a folder that holds job.json and inputs

Writes, for each case, one file of .npy arrays and one of JSON, each moved
into place when complete. check.py reads them, and nothing else.
"""
import importlib.util
import inspect
import json
import os
import sys
import traceback

import numpy as np

# Kept here, for the student's code may replace them.
_write, _exit, _replace, _open, _dumps, _asarray, _copy = (
    np.lib.format.write_array, os._exit, os.replace, open, json.dumps,
    np.asarray, np.copy)
LARGEST = 10**6     # numbers in a result


def same_Z(Z):
    """The activation that leaves Z as it is."""
    return Z


def relu(Z):
    """An activation for arrays and for single numbers."""
    return np.maximum(Z, 0)


def save(folder, name, report, arrays=()):
    """Write the arrays, then the report that says they are complete."""
    with _open(os.path.join(folder, name + ".tmp"), "wb") as file:
        for array in arrays:
            _write(file, array, allow_pickle=False)
    _replace(os.path.join(folder, name + ".tmp"),
             os.path.join(folder, name + ".npy"))
    with _open(os.path.join(folder, name + ".tmp"), "w",
               encoding="utf-8") as file:
        file.write(_dumps(report))
    _replace(os.path.join(folder, name + ".tmp"),
             os.path.join(folder, name + ".json"))


def failure(error, path):
    """Describe an exception, and the line of the student's file it is from."""
    report = {"error": type(error).__name__,
              "message": " ".join(str(error).split())[:300]}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if os.path.abspath(frame.filename) == os.path.abspath(path)]
    if isinstance(error, SyntaxError) and error.lineno:
        report.update(lineno=error.lineno, line=(error.text or "").strip())
    elif frames:
        report.update(lineno=frames[-1].lineno, line=frames[-1].line)
    return report


def load(path):
    """Run the student's file as an imported module."""
    folder = os.path.dirname(os.path.abspath(path))
    sys.path.insert(0, folder)
    sys.argv = [path]
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def signature(function):
    """Return [name, default as text or None] of each parameter, or None."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[str(p.name), None if p.default is p.empty else repr(p.default),
             p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
            for p in parameters]


def as_arrays(result, count):
    """Return a result as arrays of numbers, or raise what is wrong with it."""
    if count > 1 and (isinstance(result, np.ndarray)
                      or not isinstance(result, (tuple, list))
                      or len(result) != count):
        raise TypeError(f"returned {type(result).__name__}, expected "
                        f"{count} arrays: dA_prev, dW, db")
    arrays = []
    for part in result if count > 1 else [result]:
        if part is None:
            raise TypeError("returned None: is there a return?")
        array = _asarray(part)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"returned {type(part).__name__} of dtype "
                            f"{array.dtype}, expected an array of numbers")
        if array.size > LARGEST:
            raise ValueError(f"returned an array of shape {array.shape}")
        arrays.append(_copy(array, order="C"))
    return arrays


def run(function, case, folder, path):
    """Call the function on the inputs of a case; write what came of it."""
    with _open(os.path.join(folder, case["id"] + ".in"), "rb") as file:
        inputs = [np.lib.format.read_array(file, allow_pickle=False)
                  for _ in case["inputs"]]
    if case["lists"]:
        inputs = [array.tolist() for array in inputs]
    arguments = dict(zip(case["inputs"], inputs), **{
        name: tuple(value) if isinstance(value, list) else value
        for name, value in case["options"].items()})
    if "activation" in arguments:
        arguments["activation"] = {"relu": relu, "same_Z": same_Z}[
            arguments["activation"]]
    try:
        results = as_arrays(function(**arguments), case["outputs"])
        after = [_copy(_asarray(array), order="C") for array in inputs]
        save(folder, case["id"], {"result": "ok"}, results + after)
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        kind = "exit" if not isinstance(error, Exception) else "error"
        save(folder, case["id"], {"result": kind, **failure(error, path)})


def run_lenet5(function, folder, path):
    """Build, look at and train the student's LeNet-5; write what was seen."""
    try:
        from tensorflow import keras as K
        model = function(K.Input(shape=(28, 28, 1)))
        rng = np.random.default_rng(0)
        digits = rng.random((10, 28, 28, 1), dtype=np.float32)
        labels = np.arange(320) % 10
        images = digits[labels] + rng.normal(
            0, 0.1, (320, 28, 28, 1)).astype(np.float32)
        targets = np.eye(10, dtype=np.float32)[labels]
        shapes = [list(layer.output.shape[1:]) for layer in model.layers]
        kernels = [w for w in model.get_weights() if w.ndim > 1]
        spread = [float(w.std() / np.sqrt(2 / np.prod(w.shape[:-1])))
                  for w in kernels]
        Y = np.asarray(model.predict(images[:20], verbose=0))
        report = {
            "result": "ok", "parameters": int(model.count_params()),
            "shapes": shapes, "spread": spread,
            "optimizer": type(model.optimizer).__name__,
            "loss": getattr(model.loss, "__name__", str(model.loss)),
            "probabilities": bool(Y.shape == (20, 10) and (Y >= 0).all()
                                  and np.allclose(Y.sum(axis=1), 1, 1e-3))}
        before = model.evaluate(images, targets, verbose=0, return_dict=True)
        report["metrics"] = sorted(map(str, before))
        model.fit(images, targets, 32, epochs=6, verbose=0)
        after = model.evaluate(images, targets, verbose=0, return_dict=True)
        report["losses"] = [float(before["loss"]), float(after["loss"])]
        save(folder, "lenet5", report)
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        kind = "exit" if not isinstance(error, Exception) else "error"
        save(folder, "lenet5", {"result": kind, **failure(error, path)})


def limit_memory(gigabytes):
    """On Linux, let nobody take more."""
    if sys.platform.startswith("linux"):
        import resource
        most = gigabytes * 2**30
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main(folder):
    with _open(os.path.join(folder, "job.json"), encoding="utf-8") as file:
        job = json.load(file)
    path = job["path"]
    if job["memory"]:
        limit_memory(job["memory"])
    try:
        module = load(path)
        found = {name: getattr(module, name) for name in job["names"]
                 if callable(getattr(module, name, None))}
        save(folder, "loading", {
            "result": "ok", "functions": {
                name: signature(function) for name, function in found.items()},
            "others": sorted(name for name, value in vars(module).items()
                             if inspect.isfunction(value))[:20]})
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        kind = "exit" if not isinstance(error, Exception) else "error"
        save(folder, "loading", {"result": kind, **failure(error, path)})
        _exit(0)
    for case in job["cases"]:
        if case["function"] not in found:
            continue
        if case["function"] == "lenet5":
            run_lenet5(found["lenet5"], folder, path)
        else:
            run(found[case["function"]], case, folder, path)
    _exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
