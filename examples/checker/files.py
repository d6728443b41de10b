"""One file: what it is, the verdict on its functions, and what mends them."""
import functools
import importlib.util
import re
import stat

from .judge import judge, new, reason
from .lenet import judge_lenet5
from .mending import mend
from .process import DAMAGED
from .runs import jobs_of, run_file
from .source import decoded

FILES = {"conv_forward": "0-conv_forward.py",
         "pool_forward": "1-pool_forward.py",
         "conv_backward": "2-conv_backward.py",
         "pool_backward": "3-pool_backward.py", "lenet5": "5-lenet5.py"}


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
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "The file is saved as UTF-16: save it as UTF-8."
    return data if b"\0" not in data else (
        "This is not a Python file, but binary or too long.")


@functools.lru_cache(maxsize=None)
def has_tensorflow():
    """Tell whether TensorFlow is installed."""
    return importlib.util.find_spec("tensorflow") is not None


def job_for(path, options, names, source=None, tensorflow=False, jobs=()):
    """Return what is to be done with a file, for the child."""
    return {"path": str(path.resolve()), "names": names, "jobs": jobs,
            "timeout": options.timeout, "tensorflow": tensorflow,
            "source": source}


def check_file(path, options, rule=None):
    """Return the checks of a file; what happens there stays with it.

    rule: of "same", that the student's forward pass in another file follows.
    """
    names = [name for name, file in FILES.items() if path.name == file
             ] or list(FILES)
    base = {"path": str(path), "verdict": "unreadable",
            "function": names[0] if len(names) == 1 else None}
    try:
        data = source_of(path)
        if isinstance(data, str):
            return [new(**base, cause=data)]
        return functions_in(path, data, names, options, base, rule)
    except Exception as error:
        return [new(**base, cause=f"It cannot be checked "
                    f"({type(error).__name__}: {error}).")]


def functions_in(path, data, names, options, base, rule):
    """Return the checks of the functions, of those named, in a file."""
    starred = re.search(rb"import\s+\*", data)      # may bring any of four
    names = [name for name in names if name.encode() in data or (
        starred and name != "lenet5")] or names[:4]
    if names == ["lenet5"] and not has_tensorflow():
        return [new(**{**base, "verdict": "skipped"},
                    cause="TensorFlow is not installed.")]
    names = [name for name in names if name != "lenet5" or has_tensorflow()]
    tensorflow = "lenet5" in names or has_tensorflow() and re.search(
        rb"^\s*(import|from) .*(tensorflow|keras)", data, re.M) is not None
    jobs = [job for name in names
            for job in jobs_of(name, options.case, options.timeout)]
    job = job_for(path, options, names, tensorflow=tensorflow, jobs=jobs)
    loading, outcomes, printed = run_file(job)
    if loading["result"] != "ok":
        return [new(**base, cause="The file does not load: "
                    + reason(loading))]
    checks = []
    for name in [name for name in names if name in loading["functions"]]:
        mine = {job["label"]: outcomes.get(job["id"], DAMAGED)
                for job in jobs if job["function"] == name}
        check = judge_lenet5(mine["lenet5"], data) if name == "lenet5" else (
            judge(name, loading["functions"][name], mine, options.same))
        check.update(path=str(path), printed=printed)
        printed = ""        # once is enough
        check["remarks"] += [
            f"line {line} compares a text with `is`: write `==`"
            for line in loading["compared"]]
        if name == "conv_forward":
            rule = check["same"]
        if options.hint > 1 and check["rules"] and check["verdict"] == (
                "wrong") and not check["partial"]:
            mend(check, job, decoded(data)[0],
                 [rule] if name == "conv_backward" and rule in check["rules"]
                 else check["rules"])
        checks.append(check)
    others = ", ".join(loading["others"]) or "none"
    return checks or [new(**base, empty=True, cause="No function "
                          f"{' or '.join(names)} in it (found: {others}).")]
