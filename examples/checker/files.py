"""Files, folders of the five files, and a class of students."""
import contextlib
import functools
import importlib.util
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed

from .expected import jobs_of
from .judge import failures, judge, new, reason
from .lenet import judge_lenet5
from .mending import mend
from .process import DAMAGED, ENDING, clean, run_file
from .source import decoded, source_of

FILES = {"conv_forward": "0-conv_forward.py",
         "pool_forward": "1-pool_forward.py",
         "conv_backward": "2-conv_backward.py",
         "pool_backward": "3-pool_backward.py", "lenet5": "5-lenet5.py"}


def complain(line):
    """Write a line to stderr, where there is one."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


@functools.lru_cache(maxsize=None)
def has_tensorflow():
    """Tell whether TensorFlow is installed."""
    return importlib.util.find_spec("tensorflow") is not None


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
    job = {"path": str(path.resolve()), "names": names, "source": None,
           "timeout": options.timeout, "jobs": [
               one for name in names
               for one in jobs_of(name, options.case, options.timeout)],
           "tensorflow": "lenet5" in names or has_tensorflow() and bool(
               re.search(rb"^\s*(import|from) .*(tensorflow|keras)", data,
                         re.M))}
    loading, outcomes, printed = run_file(job)
    if loading["result"] != "ok":
        return [new(**base, cause="The file does not load: "
                    + reason(loading))]
    checks = []
    for name in [name for name in names if name in loading["functions"]]:
        mine = {one["label"]: outcomes.get(one["id"], DAMAGED)
                for one in job["jobs"] if one["function"] == name}
        check = judge_lenet5(mine["lenet5"], data) if name == "lenet5" else (
            judge(name, loading["functions"][name], mine, options.same))
        check.update(path=str(path), printed=printed * (not checks))
        check["remarks"] += map(str, loading.get("remarks", ()))
        if name == "conv_forward":
            rule = check["same"]
        if options.hint > 1 and check["rules"] and failures(check) and (
                not check["partial"]):
            if not options.folder:
                complain(f"{name}: {len(failures(check))} of "
                         f"{len(check['cases'])} cases are wrong; looking for "
                         "what mends it, for 20 seconds at most (--hint 1 "
                         "does not look) ...")
            mend(check, job, decoded(data)[0],
                 [rule] if name == "conv_backward" and rule in check["rules"]
                 else check["rules"])
        checks.append(check)
    others = ", ".join(re.findall(r"^def (\w+)", data.decode(
        "utf-8", "replace"), re.M)[:20]) or "none"
    return checks or [new(**base, empty=True, cause="No function "
                          f"{' or '.join(names)} in it (found: {others}).")]


def check_folder(folder, options, student=None):
    """Return the checks of the five files of a folder, missing ones too."""
    checks, rule = [], None
    try:
        os.scandir(folder).close()
    except OSError as error:
        return [new(path=str(folder), verdict="unreadable", student=student,
                    cause=f"The folder cannot be read ({error.strerror}).")]
    for name in options.functions:
        path = folder / FILES[name]
        if os.path.lexists(path):
            checks += check_file(path, options, rule)
            if name == "conv_forward":
                rule = checks[-1]["same"]
        else:
            checks.append(new(path=str(path), function=name, verdict="missing",
                              cause=elsewhere(folder, name)))
    for check in checks:
        check["student"] = student
    return checks


def elsewhere(folder, name):
    """Return where a missing file may be, or None."""
    start, found = re.compile(rb"^def %s\(" % name.encode(), re.M), []
    for path in sorted(folder.glob("*.py"))[:200]:
        source = source_of(path)
        if path.name not in FILES.values() and isinstance(
                source, bytes) and start.search(source):
            found.append(f"{clean(path.name)}: call it {FILES[name]}?")
    for pattern, sentence in (
            (f"*/{FILES[name]}", "It lies in {1}: move it up."),
            (f"{FILES[name]}.*", f"{{0}}: call it {FILES[name]}."),
            ("*.zip", "Perhaps it is in {0}: unpack that first.")):
        found += [sentence.format(clean(path.name), clean(path.parent.name))
                  for path in sorted(folder.glob(pattern))[:3]]
    return " ".join(found) or None


def compare_rules(checks):
    """Say where one student's functions follow different rules of "same".

    The five files of a folder are one student's, and so is any other file.
    """
    found = {}
    for check in checks:
        folder, name = os.path.split(os.path.realpath(check["path"]))
        if check["same"]:
            found.setdefault(folder if name in FILES.values() else check[
                "path"], []).append(check)
    for several in found.values():
        if all(len({check[key] for check in several}) > 1
               for key in ("same", "function")):
            for check in several:
                check["together"] = (
                    "conv_forward and conv_backward follow different rules "
                    'of "same": together they are wrong')
                check["remarks"].append(check["together"])


def workers():
    """Return how many files are checked at a time."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_all(paths, options, report):
    """Check files and folders, some at a time; a class with a progress bar.

    Return the checks of those that are done, and the exit status where it was
    stopped (Ctrl-C, or a signal), else None. report: called with the checks
    of each student of a class that is done.
    """
    ENDING.clear()
    status, pool, futures = None, ThreadPoolExecutor(workers()), []
    try:
        for path in paths:
            futures.append(pool.submit(
                check_folder, path, options, path.name) if options.folder else
                pool.submit(check_folder if path.is_dir() else check_file,
                            path, options))
        for future in progress(futures) if options.folder else futures:
            if options.folder and options.hint > 1:
                report(future.result())
            future.result()
    except (KeyboardInterrupt, SystemExit) as error:
        status = getattr(error, "code", 130)
        complain("Stopped: what is not shown was not checked.")
    complete = [future for future in futures if future.done()]
    if status is not None:
        ENDING.set()
    pool.shutdown(cancel_futures=True)
    checks = [check for future in complete for check in future.result()]
    compare_rules(checks)
    return checks, status


def progress(futures):
    """Yield those that are done, with a bar if there can be one."""
    lost, bar = (OSError, ValueError, AttributeError), None
    with contextlib.suppress(ImportError, *lost):
        from tqdm import tqdm       # there may be no terminal
        bar = tqdm(total=len(futures), unit="student")
    for future in as_completed(futures):
        yield future
        with contextlib.suppress(*lost):
            bar.update()
    with contextlib.suppress(*lost):
        bar.close()
