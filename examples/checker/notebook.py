"""check(function), for notebooks: in this process, without a time limit."""
import linecache
import os

from . import calls
from .expected import RULES, jobs_of
from .explain import name_of
from .judge import failures, judge, judge_case, reason
from .mending import mend
from .process import run_file
from .text import describe


def check(function, name=None):
    """Check a function object, in this process; print and return the verdict.

    What mends it is tried in a process of its own, and only if the text that
    it comes from, a cell or a file, can run alone.
    """
    name = name_of(function, name)
    path = getattr(getattr(function, "__code__", None), "co_filename", "")
    outcomes = {}
    for job in jobs_of(name):
        report, arrays = calls.outcome(path, calls.run, function, job)
        outcomes[job["label"]] = {**report, "arrays": arrays}
    found, why = judge(name, calls.signature(function), outcomes,
                       list(RULES)), ""
    if failures(found):
        why = mended_alone(found, path, name)
    print("\n".join(describe(found)))
    if why:
        print(f"(No line to write is tried: {why})")
    print("(Run in this process: without isolation or time limit.)")
    return found["verdict"] == "right"


def mended_alone(found, path, name):
    """Put what mends a function into its check, or return why it cannot."""
    text = "".join(linecache.getlines(path))
    if f"def {name}" not in text:
        return "the text of the function is not known."
    if not os.path.isfile(path):
        path = "<cell>.py"
    job = {"path": os.path.abspath(path), "names": [name], "source": text,
           "timeout": 10, "tensorflow": "tensorflow" in text,
           "jobs": jobs_of(name)}
    loading, outcomes, _ = run_file(job)
    if loading["result"] != "ok" or name not in loading["functions"]:
        return f"it does not run alone ({reason(loading) or 'not found'})"
    mine = {one["label"]: outcomes[one["id"]] for one in job["jobs"]}
    for case in found["cases"]:
        alone = judge_case(name, found["rule"], case["name"],
                           mine[case["name"]])
        if alone["result"] != case["result"]:   # an import in another cell
            return f"it does not run alone ({alone['message']})"
    mend(found, job, text, found["rules"])
