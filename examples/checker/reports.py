"""What a program reads: JSON, CSV and Gradescope's results."""
import contextlib
import csv
import io
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from common import put

from .files import FILES
from .text import describe

COLUMNS = ["path", "student", "function", "verdict", "same", "rule",
           "outputs", "cause", "remarks", "cases"]


def problem_at(path):
    """Return why a report cannot be written to a path, or None.

    Folders that are missing are made.
    """
    try:
        path = Path(path)
        if Path(os.path.realpath(path)).suffix.lower() in (".py", ".ipynb"):
            return "expected a report, got a program"
        if path.is_dir():
            return "expected a file, got a folder"
        if path.is_file() or not path.exists():     # no device, no pipe
            path = path.resolve()
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        if path.is_file():
            with open(path, "ab"):
                pass
    except (OSError, RuntimeError) as error:
        return f"cannot be written ({getattr(error, 'strerror', error)})"


def write(path, text):
    """Write a file as a whole; a link or a device keeps being one."""
    path, data = Path(path), text.encode("utf-8", "backslashreplace")

    def write_new(new):
        new.write_bytes(data)
        if path.exists():
            shutil.copymode(path, new)

    stdout = False
    with contextlib.suppress(OSError, AttributeError, ValueError):
        stdout = os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    if stdout:      # as in --json /dev/stdout > file
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
    elif path.exists() and not path.is_file():
        path.write_bytes(data)
    else:
        put(path.resolve(), write_new)


def as_json(checks):
    """Everything that was found."""
    return json.dumps({"checks": [{key: check[key] for key in COLUMNS}
                                  for check in checks]}, indent=1) + "\n"


def as_csv(checks):
    """A row for each student and function."""
    table = io.StringIO()
    rows = csv.DictWriter(table, [
        "student", "function", "verdict", "same", "rule", "cause",
        "right cases", "cases", "path", "remarks"], extrasaction="ignore")
    rows.writeheader()
    for check in checks:    # no cell is a formula of a spreadsheet
        rows.writerow({**{key: re.sub("^(?=[=+@-])", "'", value) if isinstance(
            value, str) else value for key, value in check.items()},
            "remarks": "; ".join(check["remarks"]),
            "cases": len(check["cases"]), "right cases": sum(
                case["result"] == "pass" for case in check["cases"])})
    return table.getvalue()


def as_gradescope(checks):
    """The results.json of one submission: a point for each function."""
    tests = []
    for name in FILES:
        found = [check for check in checks if check["function"] == name]
        if found and all(check["verdict"] == "skipped" for check in found):
            continue        # TensorFlow is not there: no student's fault
        right = bool(found) and all(check["verdict"] == "right"
                                    for check in found)
        text = "\n".join(line for check in found for line in describe(check))
        tests.append({"name": name, "score": int(right), "max_score": 1,
                      "status": "passed" if right else "failed",
                      "output": text or f"{name}: missing"})
    return json.dumps({
        "score": sum(test["score"] for test in tests), "tests": tests,
        "output": "\n".join(line for check in checks if not check["function"]
                            for line in describe(check))}, indent=1) + "\n"


KINDS = {"json": as_json, "csv": as_csv, "gradescope": as_gradescope}
