#!/usr/bin/env python3
"""Check your own conv_forward, pool_forward, conv_backward, pool_backward or
lenet5: is it right, and if not, where and why, and what would mend it?

The student's code runs in processes of its own; this is no sandbox. padding
is tried as the words "same" and "valid", not as numbers.
"""
import os
import signal
import sys

# PYTHONSAFEPATH may have left it out.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from common import UserError  # noqa: E402
from checker import options, reports, text  # noqa: E402
from checker.explain import explain  # noqa: E402, F401
from checker.files import check_all, complain  # noqa: E402
from checker.mending import patched  # noqa: E402
from checker.notebook import check  # noqa: E402, F401


def say(lines):
    """Print lines that any terminal can show."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    if lines:
        print("\n".join(lines), flush=True)


def told(checks, given, several):
    """Return the lines on checks."""
    return [line for one in checks for line in [
        *[f"{text.clean(one['path'])}:"] * several, *text.describe(
            one, given.hint, given.verbose or given.case, colors=True)]]


def main(argv=None):
    """Run, print, write the reports; return the exit status."""
    try:
        given = options.arguments(argv, __doc__)
        found, status = check_all(
            given.paths, given, lambda checks: say(told(checks, given, True)))
    except (UserError, OSError) as error:
        complain(f"check.py: {error}")
        return 2
    lines = text.summary(found) if given.folder else told(
        found, given, len(given.paths) > 1)
    for kind, report in reports.KINDS.items():
        try:
            if vars(given)[kind] is None:
                continue
            if status and (kind == "gradescope" or not found):
                complain(f"--{kind}: not written")     # it was stopped
            else:
                reports.write(vars(given)[kind], report(found, given))
        except OSError as error:    # the disk is full, or the folder has gone
            complain(f"--{kind}: cannot be written ({error})")
            status = status or 2
    if given.patch and status is None:
        try:
            lines.append(patched(given, found))
        except OSError as error:
            complain(f"--patch: cannot be written ({error})")
            status = 2
    verdicts = {one["verdict"] for one in found}
    if "wrong" in verdicts and not (
            given.verbose or given.folder or given.case):
        lines.append("(--verbose shows every case.)")
    say(lines)
    if status is None and all(one["empty"] or one["verdict"] in (
            "missing", "skipped") for one in found):
        complain("Nothing was checked.")
        status = 2
    return status or int(bool(verdicts & {"wrong", "unreadable"}) or any(
        one["together"] for one in found))


def end(number, frame):
    """End at a signal, once, as at an exception: children and folders go."""
    for known in SIGNALS:
        signal.signal(known, signal.SIG_IGN)
    raise SystemExit(128 + number)


SIGNALS = [getattr(signal, name) for name in (
    "SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name)]
if __name__ == "__main__":
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:      # of nohup
            signal.signal(number, end)
    try:
        status = main()
    except BrokenPipeError:     # the reader, as in `| head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 1
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        complain(f"check.py: {error}")
        status = 2
    sys.exit(status)
