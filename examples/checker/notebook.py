"""check(function), for notebooks: in this process, without a time limit."""
import ast
import linecache
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

from . import calls
from .expected import RULES, jobs_of
from .explain import name_of
from .files import check_file
from .judge import judge
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
    if found["verdict"] == "wrong":
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
    with tempfile.TemporaryDirectory() as folder:
        file = Path(path)
        if not os.path.isfile(path):
            file = Path(folder, "cell.py")
            file.write_text(without_calls(text), encoding="utf-8")
        checks = check_file(file, SimpleNamespace(
            hint=3, case=None, timeout=10, same=list(RULES), folder=True))
    for check in checks:
        if check["function"] == name and check["verdict"] == "wrong":
            other = [case["message"] for case, ours in zip(
                check["cases"], found["cases"])
                if case["result"] != ours["result"]]
            if other:       # an import, say, is in another cell
                return f"the cell does not run alone ({other[0]})"
            found.update({key: check[key]
                          for key in ("mended", "mended_by", "job")})
            return ""
    return f"the cell does not run alone ({checks[0]['cause']})"


def without_calls(text):
    """Blank a cell's own calls, as check(function): they are not to be run."""
    lines = text.splitlines(keepends=True)
    try:
        body = ast.parse(text).body
    except SyntaxError:     # a command of IPython's
        return text
    for node in body:
        if isinstance(node, ast.Expr):
            count = node.end_lineno - node.lineno + 1
            lines[node.lineno - 1:node.end_lineno] = ["\n"] * count
    return "".join(lines)
