"""The command line of check.py."""
import argparse
import os
from pathlib import Path

from common import Parser, UserError

from . import reports
from .expected import OUTPUTS, RULES, calls_of
from .files import FILES
from .folders import students_of


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
    parser.add_argument("paths", nargs="*", type=existing, metavar="PATH",
                        help="a file, or a folder with some of the five files")
    parser.add_argument("--class", dest="folder", type=existing,
                        metavar="FOLDER",
                        help="every subfolder is one student")
    parser.add_argument("--same", default=",".join(RULES), metavar="RULES",
                        help='accepted rules of "same" (default: %(default)s)')
    parser.add_argument("--timeout", type=float, default=10, metavar="SECONDS",
                        help="per case (default: %(default)s)")
    parser.add_argument("--case", metavar="NAME",
                        help="run this case alone, and show it")
    for kind, report in reports.KINDS.items():
        parser.add_argument(f"--{kind}", metavar="FILE", help=report.__doc__)
    parser.add_argument("--hint", type=int, default=3, choices=(1, 2, 3),
                        help="1: what is wrong; 2: why, and in which line; 3 "
                        "(default): the line to write")
    parser.add_argument("--patch", metavar="FILE", help="write a copy of PATH "
                        "in which the lines that mend it are written")
    parser.add_argument("--functions", default=",".join(FILES),
                        metavar="NAMES", help="those that the course asks for "
                        "(default: %(default)s)")
    parser.add_argument("--verbose", action="store_true",
                        help="every case, and what the student's code printed")
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
             "one that is checked")]:
        if wrong:
            raise UserError(message)
    if options.folder:
        options.paths = students_of(options.folder)
    for option, target in targets.items():
        problem = reports.problem_at(target)
        if problem:
            raise UserError(f"{option} {target}: {problem}")
    return options
