"""A folder with some of the five files, and a class of students."""
import contextlib
import os
import re
from concurrent.futures import ThreadPoolExecutor, as_completed

from .files import FILES, check_file, source_of
from .judge import new
from .process import ENDING, clean, complain


def check_folder(folder, options, student=None):
    """Return the checks of the five files of a folder, missing ones too."""
    checks, rule = [], None
    try:
        os.scandir(folder).close()
    except OSError as error:
        return [new(path=str(folder), verdict="unreadable", student=student,
                    cause=f"The folder cannot be read ({error.strerror}).")]
    for name in options.functions:
        filename = FILES[name]
        if os.path.lexists(folder / filename):
            checks += check_file(folder / filename, options, rule)
            if name == "conv_forward":
                rule = checks[-1]["same"]
        else:
            checks.append(new(path=str(folder / filename), function=name,
                              verdict="missing", cause=elsewhere(folder,
                                                                 name)))
    for check in checks:
        check["student"] = student
    return checks


def elsewhere(folder, name):
    """Return where a missing file may be, or None."""
    start = re.compile(rb"^def %s\(" % name.encode(), re.M)
    found = [f"{clean(path.name)}: call it {FILES[name]}?"
             for path in sorted(folder.glob("*.py"))[:200]
             if path.name not in FILES.values()
             for source in [source_of(path)]
             if isinstance(source, bytes) and start.search(source)]
    found += [f"It lies in {clean(path.parent.name)}: move it up."
              for path in sorted(folder.glob(f"*/{FILES[name]}"))[:3]]
    found += [f"{clean(path.name)}: call it {FILES[name]}."
              for path in sorted(folder.glob(f"{FILES[name]}.*"))[:3]]
    found += [f"Perhaps it is in {clean(path.name)}: unpack that first."
              for path in sorted(folder.glob("*.zip"))[:3]]
    return " ".join(found) or None


def compare_rules(checks):
    """Say where one student's functions follow different rules of "same".

    The five files of a folder are one student's, and so is any other file.
    """
    found = {}
    for check in checks:
        if check["same"]:
            path = os.path.realpath(check["path"])
            folder, name = os.path.split(path)
            found.setdefault(folder if name in FILES.values() else path, []
                             ).append(check)
    for several in found.values():
        if all(len({check[key] for check in several}) > 1
               for key in ("same", "function")):
            for check in several:
                check["together"] = True
                check["remarks"].append(
                    "conv_forward and conv_backward follow different rules "
                    'of "same": together they are wrong')


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
        complain("Stopped: the others were not checked.")
    complete = [future for future in futures if future.done()]
    if status is not None:
        ENDING.set()
    pool.shutdown(cancel_futures=True)
    checks = [check for future in complete for check in future.result()]
    compare_rules(checks)
    return checks, status


def progress(futures):
    """Yield those that are done, with a bar if there can be one."""
    try:
        from tqdm import tqdm
        bar = tqdm(total=len(futures), unit="student")
    except (ImportError, OSError, ValueError, AttributeError):
        bar = None      # there is no terminal, or it has gone
    for future in as_completed(futures):
        yield future
        with contextlib.suppress(OSError, ValueError, AttributeError):
            bar.update()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        bar.close()


def students_of(folder):
    """Return the folders of the students of a class."""
    return sorted(path for path in folder.iterdir() if path.is_dir()
                  and not path.name.startswith((".", "__")))
