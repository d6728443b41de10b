"""The command line of check.py."""
import argparse
import os
from pathlib import Path

from common import Parser, UserError

from . import reports
from .expected import OUTPUTS, RULES, calls_of
from .files import FILES


def existing(text):
    """Return a path that exists."""
    if not text or not os.path.exists(text):
        raise argparse.ArgumentTypeError(f"no such file or folder: {text!r}")
    return Path(text)


def arguments(argv, description):
    """Read the command line; raise UserError where something is wrong."""
    parser = Parser(
        description=description, epilog="Gradescope's run_autograder: python3 "
        "examples/check.py submission --gradescope results/results.json",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    for option, text, keys in (
            ("paths", "a file, or a folder with some of the five files",
             {"nargs": "*", "type": existing, "metavar": "PATH"}),
            ("--class", "every subfolder is one student",
             {"dest": "folder", "type": existing, "metavar": "FOLDER"}),
            ("--same", 'accepted rules of "same" (default: %(default)s)',
             {"default": ",".join(RULES), "metavar": "RULES"}),
            ("--functions", "those that the course asks for (default: "
             "%(default)s)", {"default": ",".join(FILES), "metavar": "NAMES"}),
            ("--timeout", "seconds for each case (default: %(default)s)",
             {"type": float, "default": 10, "metavar": "SECONDS"}),
            ("--case", "run this case alone, and show it",
             {"metavar": "NAME"}),
            *[(f"--{kind}", report.__doc__, {"metavar": "FILE"})
              for kind, report in reports.KINDS.items()],
            ("--hint", "1: what is wrong; 2: why, and in which line; 3 "
             "(default): the line to write",
             {"type": int, "default": 3, "choices": (1, 2, 3)}),
            ("--patch", "write a copy of PATH in which the lines that mend it "
             "are written", {"metavar": "FILE"}),
            ("--verbose", "every case, and what the student's code printed",
             {"action": "store_true"})):
        parser.add_argument(option, help=text, **keys)
    options = parser.parse_args(argv)
    options.same = options.same.split(",")
    options.functions = options.functions.split(",")
    targets = {f"--{kind}": vars(options)[kind] for kind in reports.KINDS
               if vars(options)[kind] is not None}
    real = [*map(os.path.realpath, targets.values())]
    for wrong, message in [
            (not set(options.same) <= set(RULES), "--same: expected some of "
             f"{', '.join(RULES)}, got {','.join(options.same)}"),
            (not set(options.functions) <= set(FILES), "--functions: expected "
             f"some of {', '.join(FILES)}, got {','.join(options.functions)}"),
            (options.patch is not None and (
                options.folder or len(options.paths) != 1
                or not options.paths[0].is_file() or options.hint == 1),
             "--patch: expected one PATH that is a file, and no --hint 1"),
            (options.patch is not None and (
                not options.patch or os.path.lexists(options.patch)
                or not os.path.isdir(os.path.dirname(options.patch) or ".")),
             f"--patch {options.patch}: expected a new file in a folder that "
             "is there"),
            (not 0 < options.timeout <= 86400, "--timeout: expected seconds "
             f"above 0, up to 86400, got {options.timeout:g}"),
            (options.case is not None and ("integer" in options.case or all(
                options.case not in calls_of(name) for name in OUTPUTS)),
             f"--case: no case {options.case!r}; --verbose lists them"),
            (bool(options.paths) == bool(options.folder),
             "expected a PATH, or --class FOLDER"),
            (options.gradescope and (options.folder or options.case),
             "--gradescope: expected one submission and all cases, got "
             "--class or --case"),
            (options.folder and not options.folder.is_dir(),
             f"--class {options.folder}: expected a folder"),
            (len({*real}) < len(real) or {*real} & {
                *map(os.path.realpath, options.paths)},
             f"{', '.join(targets)}: expected different files, none of them "
             "one that is checked"),
            *[(problem, f"{option} {target}: {problem}")
              for option, target in targets.items()
              for problem in [reports.problem_at(target)]]]:
        if wrong:
            raise UserError(message)
    if options.folder:
        options.paths = sorted(
            path for path in options.folder.iterdir() if path.is_dir()
            and not path.name.startswith((".", "__")))
    return options
