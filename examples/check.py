#!/usr/bin/env python3
"""Check your own conv_forward, pool_forward, conv_backward, pool_backward or
lenet5: is it right, and if not, where and why?

The student's code runs in a process of its own; this is no sandbox.
"""
import argparse
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from checker import child, files, judge, reports, text  # noqa: E402
from checker.cases import calls_of  # noqa: E402
from checker.definition import OUTPUTS, RULES  # noqa: E402
from checker.explain import explain  # noqa: E402, F401


def check(function, name=None):
    """Check a function object, in this process; print and return the verdict.

    For notebooks: without isolation and without a time limit.
    """
    name = name or getattr(function, "__name__", None)
    if name not in OUTPUTS:
        raise ValueError(f"name: expected one of {', '.join(OUTPUTS)}, got "
                         f"{name!r}")
    found = judge.judge(name, child.signature(function), files.run_here(
        function, files.jobs_of(name)), list(RULES))
    print("\n".join(text.describe(found)))
    print("(Run in this process: without isolation or time limit.)")
    return found["verdict"] == "right"


def arguments(argv):
    """Read the command line; end with 2 where something is wrong in it."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="Gradescope's run_autograder: python3 "
        "examples/check.py submission --gradescope results/results.json",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help=(
        "a file, or a folder that holds some of the five files"))
    parser.add_argument("--class", dest="folder", type=Path, metavar="FOLDER",
                        help="every subfolder is one student")
    parser.add_argument("--same", default=",".join(RULES), metavar="RULES",
                        help='accepted rules of "same" (default: %(default)s)')
    parser.add_argument("--timeout", type=float, default=10, metavar="SECONDS",
                        help="per case (default: %(default)s)")
    parser.add_argument("--case", metavar="NAME",
                        help="run this case alone, and show it")
    for kind, report in reports.KINDS.items():
        parser.add_argument(f"--{kind}", metavar="FILE", help=report.__doc__)
    parser.add_argument("--verbose", action="store_true",
                        help="every case, and what the student's code printed")
    options = parser.parse_args(argv)
    options.same = options.same.split(",")
    targets = {f"--{kind}": vars(options)[kind] for kind in reports.KINDS
               if vars(options)[kind] is not None}
    for wrong, message in [
            (not set(options.same) <= set(RULES), "--same: expected some of "
             f"{', '.join(RULES)}, got {','.join(options.same)}"),
            (not 0 < options.timeout < float("inf"), "--timeout: expected "
             f"seconds above 0, got {options.timeout:g}"),
            (options.case and not any(
                options.case in calls_of(name) for name in OUTPUTS),
             f"--case: no case {options.case!r}; --verbose lists them"),
            (bool(options.paths) == bool(options.folder),
             "expected a PATH, or --class FOLDER"),
            (options.folder and options.gradescope, "--gradescope: expected "
             "one submission, got --class"),
            *[(not os.path.exists(path), f"{path}: no such file or folder")
              for path in [*options.paths, options.folder] if path],
            (options.folder and not os.path.isdir(options.folder),
             f"--class {options.folder}: expected a folder"),
            (len(set(map(os.path.realpath, targets.values()))) < len(targets),
             f"{', '.join(targets)}: expected different files")]:
        if wrong:
            parser.error(message)
    for option, target in targets.items():
        problem = reports.problem_with(target)
        if problem:
            parser.error(f"{option} {target}: {problem}")
    return options


def main(argv=None):
    """Run, write the reports, then print; return the exit status."""
    options = arguments(argv)
    if options.folder:
        found, status = files.check_class(options.folder, options)
        lines = text.summary(found)
    else:
        found, status = [one for path in options.paths for one in (
            files.check_folder if path.is_dir() else files.check_file)(
                path, options)], None
        lines = [line for one in found for line in text.describe(
            one, options.verbose or options.case)]
    for kind, report in reports.KINDS.items():
        try:
            if vars(options)[kind] is not None:
                reports.write(vars(options)[kind], report(found))
        except OSError as error:    # the disk is full, or the folder has gone
            print(f"--{kind}: cannot be written ({error})", file=sys.stderr)
            status = status or 2
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    verdicts = {one["verdict"] for one in found}
    if "wrong" in verdicts and not options.verbose and not options.folder:
        lines.append("(--verbose shows every case.)")
    print("\n".join(lines), flush=True)
    if verdicts <= {"missing", "skipped"} or all(
            "No function" in (one["cause"] or "") for one in found):
        print("Nothing to check: none of the five functions was found.",
              file=sys.stderr)
        status = status or 2
    return status or int(bool(verdicts & {"wrong", "unreadable"}) or any(
        one.get("together") for one in found))


def end(number, frame):
    """End at a signal as at an exception: children and folders go."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    for name in ("SIGTERM", "SIGHUP"):      # Windows has no SIGHUP
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)
    try:
        status = main()
    except OSError as error:    # the reader, as in `| head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 1 if isinstance(error, BrokenPipeError) else 2
    sys.exit(status)
