"""What a program reads: JSON, CSV and Gradescope's results."""
import csv
import io
import json
import os
import re
import shutil
from pathlib import Path

from common import problem_with, put

from .text import describe

COLUMNS = ["path", "student", "function", "verdict", "same", "rule",
           "outputs", "cause", "mended", "remarks", "cases"]


def problem_at(path):
    """Return why a report cannot be written to a path, or None.

    Folders that are missing are made.
    """
    path = Path(os.path.realpath(path))
    if path.suffix.lower() in (".py", ".ipynb"):
        return "expected a report, got a program"
    if path.exists() and not path.is_file():
        return "expected a file, got a folder or a device"
    return problem_with(path.parent, [path.name])


def write(path, text):
    """Write a file as a whole, with the mode of the one that was there."""
    path = Path(os.path.realpath(path))

    def write_new(new):
        new.write_bytes(text.encode("utf-8", "backslashreplace"))
        if path.exists():
            shutil.copymode(path, new)

    put(path, write_new)


def as_json(checks, options):
    """Everything that was found."""
    return json.dumps({"checks": [{key: check[key] for key in COLUMNS}
                                  for check in checks]}, indent=1) + "\n"


def as_csv(checks, options):
    """A row for each student and function."""
    table = io.StringIO()
    rows = csv.DictWriter(table, [
        "student", "function", "verdict", "same", "rule", "cause", "mended",
        "right cases", "cases", "path", "remarks"], extrasaction="ignore")
    rows.writeheader()
    for check in checks:    # no cell is a formula of a spreadsheet
        rows.writerow({**{
            key: re.sub(r"^(?=\s*[=+@-])", "'", value)
            if isinstance(value, str) else value
            for key, value in check.items()},
            "remarks": "; ".join(check["remarks"]),
            "mended": " ".join(f"line {change['line']}: {change['sentence']}"
                               for changes in check["mended"][:1]
                               for change in changes),
            "cases": len(check["cases"]), "right cases": sum(
                case["result"] == "pass" for case in check["cases"])})
    return table.getvalue()


def as_gradescope(checks, options):
    """The results.json of one submission: a point for each function."""
    tests = []
    for name in options.functions:
        found = [check for check in checks if check["function"] == name]
        verdicts = {check["verdict"] for check in found}
        if verdicts != {"skipped"}:     # no TensorFlow: no student's fault
            tests.append({
                "name": name, "score": int(verdicts == {"right"}),
                "max_score": 1, "status": "passed" if verdicts == {"right"}
                else "failed", "output": "\n".join(
                    line for check in found for line in describe(
                        check, options.hint)) or f"{name}: missing"})
    return json.dumps({
        "score": sum(test["score"] for test in tests), "tests": tests,
        "output": "\n".join(
            line for check in checks if not check["function"]
            for line in describe(check, options.hint))}, indent=1) + "\n"


KINDS = {"json": as_json, "csv": as_csv, "gradescope": as_gradescope}
