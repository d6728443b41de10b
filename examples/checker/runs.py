"""What is run in a process: the cases of a function, or edits of it."""
import functools
import os
import time

import numpy as np

from .expected import OUTPUTS, calls_of, passed
from .process import (DAMAGED, ENDING, REPORT, STARTING, WALL, follow, read,
                      started)


def as_json(arguments):
    """Return the arguments of a call as JSON for the child."""
    return {key: {"array": value.tolist(), "dtype": value.dtype.name}
            if isinstance(value, np.ndarray) else value.__name__
            if callable(value) else value for key, value in arguments.items()}


@functools.lru_cache(maxsize=64)
def jobs_of(name, only=None, timeout=10, seed=None):
    """Return the calls of a function as JSON for the child."""
    if name == "lenet5":
        return [{"id": name, "function": name, "label": name, "outputs": 0,
                 "arguments": {}, "timeout": 12 * max(timeout, 20)}]
    return [{"id": f"{name}-{seed or ''}{i}", "function": name, "label": label,
             "outputs": len(OUTPUTS[name]), "timeout": timeout,
             "arguments": as_json(passed(name, label, seed))}
            for i, label in enumerate(calls_of(name, seed))
            if only in (None, label)]


def outcome_of(job, report, arrays):
    """Put the arrays of a case into its report."""
    if report["result"] == "ok" and (len(arrays) != job["outputs"] or (
            arrays and "changed" not in report)):
        return DAMAGED
    return {**report, "arrays": arrays}


def attempt(job):
    """Run calls until one gives no result.

    Return the report of loading, the calls of functions that are there, the
    outcomes by id, why it ended (or None), and what was printed.
    """
    with started(job) as (folder, process, printed):
        mine, found = [], {}
        end = follow(process, folder / "started.npy", STARTING, printed
                     ) or follow(process, folder / "loading.npy",
                                 job["timeout"], printed)
        loading = end or read(folder / "loading.npy")[0]
        for one in job["jobs"]:
            if one["function"] in loading.get("functions", {}):
                mine.append(one)
                file = folder / f"{one['id']}.npy"
                end = end or follow(process, file, one["timeout"], printed)
        for one in mine:
            file = folder / f"{one['id']}.npy"
            if os.path.lexists(file):
                found[one["id"]] = outcome_of(one, *read(file))
            else:
                end = end or {"result": "exit",
                              "message": "a report was taken away"}
        printed.seek(0)
        return loading, mine, found, end, printed.read(4000).decode(
            "utf-8", "replace")


def run_file(job):
    """Run the calls, in a new process after each one that gave no result.

    Return the report of loading, the outcomes by id, and what was printed.
    """
    outcomes, printed, lost, first, calls = {}, "", [], None, job["jobs"]
    while True:
        loading, mine, found, end, text = attempt({**job, "jobs": calls})
        first = first or loading
        if loading["result"] != "ok":       # the second time, perhaps
            found = {one["id"]: loading for one in calls}
        outcomes.update(found)
        printed = (printed + text)[:4000]
        calls = [one for one in mine if one["id"] not in outcomes]
        if calls and end:
            outcomes[calls[0]["id"]] = end
            lost.append(calls.pop(0)["function"])
            twice = [one for one in calls if lost.count(one["function"]) > 1]
            outcomes.update({one["id"]: {
                **end, "message": "not run: two cases of this function gave "
                "no result"} for one in twice})
            calls = [one for one in calls if one not in twice]
        if not calls or not end or ENDING.is_set():
            return first, outcomes, printed


def try_edits(job):
    """Return what mends a function: [(text, rules, sentences)].

    A process whose trial hangs is ended; the next one goes on behind it.
    """
    log, name = b"", job["jobs"][0]["id"]
    for _ in range(6):
        with started(job, log) as (folder, process, printed):
            if follow(process, folder / "started.npy", STARTING, printed
                      ) or follow(process, folder / "loading.npy",
                                  job["timeout"], printed):
                return []
            before, since = -1, time.monotonic()
            while not os.path.lexists(folder / f"{name}.npy") and (
                    process.poll() is None and not ENDING.is_set()
                    and time.monotonic() - since < WALL):
                size = os.path.getsize(folder / "trials.log")
                if size != before:
                    before, since = size, time.monotonic()
                time.sleep(0.01)
            if os.path.lexists(folder / f"{name}.npy"):
                return read(folder / f"{name}.npy")[0].get("mended", [])
            try:
                new = (folder / "trials.log").read_bytes()[:REPORT]
            except OSError:
                return []
        if new == log or ENDING.is_set():
            return []
        log = new
    return []
