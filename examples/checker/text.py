"""What a person reads: the report on a function, and on a class."""
import os
import re
import sys
import textwrap

import numpy as np

from .advice import LETTERS
from .cases import calls_of, passed
from .causes import differs, equal
from .child import half_relu
from .explain import where_from
from .files import FILES
from .judge import RULE_NAMES, compared, first_difference, number
from .process import clean

WIDTH = 79


def paragraph(text, indent="  "):
    """Wrap a text, with an indent."""
    return textwrap.fill(text, WIDTH, initial_indent=indent,
                         subsequent_indent=indent, break_long_words=False,
                         break_on_hyphens=False)


def headline(check):
    """Return the answer in one line, colored on a terminal."""
    verdict, rule, colored = check["verdict"], check["rule"], check["verdict"]
    if sys.stdout and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        color = {"right": 32, "wrong": 31}.get(verdict, 33)
        colored = f"\033[{color}m{verdict}\033[0m"
    line = f"{check['function'] or clean(check['path'])}: {colored}"
    if verdict == "right" and check["partial"]:
        return f"{line} in this case"
    if verdict == "right" and check["same"] not in (None, "keras"):
        return f"{line}, with {RULE_NAMES[rule]}"
    if verdict == "wrong" and rule:
        return f"{line} (judged by {RULE_NAMES[rule]})"
    return line


def describe(check, verbose=False):
    """Return the report on one function: answer, cause, simplest case."""
    lines = [headline(check)]
    said = check["said"] if check["write"] else [check["cause"]]
    lines += [paragraph(sentence) for sentence in said if sentence]
    advised = []
    for i, causes in enumerate(check["write"]):
        for j, (sentence, write) in enumerate(causes):
            start = "And: " if j else "Or: " if i else ""
            lines.append(paragraph(start + sentence))
            lines += [f"  {first:8}{line}" for first, line in zip(
                ["Write:", *[""] * len(write)], write)]
            advised += write
    used = set(re.findall(r"[A-Za-z_]+", " ".join(advised)))
    legend = [text for letter, text in LETTERS.items() if letter in used]
    if legend:
        lines.append(paragraph(f"({'; '.join(legend)}.)", " " * 10))
    if check["verdict"] == "right" or verbose:
        lines += [paragraph(f"Remark: {remark}.")
                  for remark in check["remarks"]]
    if check["verdict"] == "wrong" and check["cases"]:
        lines += counts(check) + simplest(check)
    if verbose:
        lines += [f"  {case['result']:8}{case['name']}"
                  + (f": {case['message']}" if case["message"] else "")
                  for case in check["cases"]]
        lines += ["  Printed: " + clean(line)
                  for line in check["printed"].splitlines()[:20]]
    return lines


def counts(check):
    """Say how many cases are right, which outputs, and what is shared."""
    failed = [case for case in check["cases"] if case["result"] != "pass"]
    right = len(check["cases"]) - len(failed)
    if not failed:
        return [f"  The values are right in all {right} cases."]
    lines = [f"  {right} of {len(check['cases'])} cases "
             f"{'is' if right == 1 else 'are'} right."]
    if len(check["outputs"]) > 1:
        raised = right and any(case["result"] != "fail" for case in failed)
        lines.append("  " + ", ".join(map(" ".join, check["outputs"].items()))
                     + (", in the cases that return." if raised else "."))
    if check["shared"]:
        lines.append(paragraph(check["shared"]))
    return lines


def simplest(check):
    """Show the simplest case that is wrong, with its numbers."""
    name = check["function"]
    failed = [case for case in check["cases"] if case["result"] != "pass"]
    if name == "lenet5" or not failed:
        return [paragraph(f"{case['name']}: {case['message']}")
                for case in failed]
    label, message = failed[0]["name"], failed[0]["message"]
    lines = [f'  The simplest wrong case, "{label}":', *call_text(name, label),
             paragraph(message, "    ")]
    outcome, (_, arguments) = check["outcomes"][label], calls_of(name)[label]
    for output, ours, exact in compared(name, check["rule"], label, outcome):
        if not equal(ours, exact):
            if ours.shape == exact.shape:
                place = first_difference(ours, exact)
                lines += side_by_side(output, ours, exact, place) + where_from(
                    name, arguments, output, place, check["rule"], exact)
            break
    return lines


def call_text(name, label):
    """Return the call as it can be pasted, if it is not too long."""
    lines, values = [], []
    for key, value in passed(name, label).items():
        if isinstance(value, np.ndarray):
            numbers = "[" + ", ".join(f"{v:.6g}" for v in value.ravel()) + "]"
            text = f"{key} = np.array({numbers}).reshape{value.shape}"
            if value.size == 1:
                text = f"{key} = np.full({value.shape}, {value.item():.6g})"
            lines += textwrap.wrap(text, 75, subsequent_indent="    ")
            values.append(key)
        elif callable(value):
            values.append("lambda Z: np.maximum(Z, 0) / 2"
                          if value is half_relu else "lambda Z: Z")
        else:
            values.append(f"{key}={value!r}")
    lines += textwrap.wrap(f"{name}({', '.join(values)})", 75,
                           subsequent_indent="    ")
    return ["    " + line for line in lines[:14]] + (
        ["    ..."] if len(lines) > 14 else [])


def side_by_side(output, ours, expected, place):
    """Return the image or kernel around a place of both, differences marked.

    At most eight rows and columns of it.
    """
    # Kernels are (kh, kw, c_prev, c_new), images (m, h, w, c).
    shown = [":", ":", *place[2:]] if output in ("dW", "db") else [
        place[0], ":", ":", place[3]]
    part = tuple(slice(8) if i == ":" else i for i in shown)
    marked = [[number(v) + ("*" if wrong else " ") for v, wrong in zip(*row)]
              for row in zip(ours[part], differs(ours, expected)[part])]
    plain = [[number(v) for v in row] for row in expected[part]]
    width = max(len(cell) for row in marked + plain for cell in row) + 1
    left, right = ([start, *("    " + "".join(
        f"{cell:>{width}}" for cell in row) for row in rows)]
        for start, rows in (("    yours (* is wrong)", marked),
                            ("    expected", plain)))
    half = max(map(len, left)) + 7
    title = f"    {output}[{', '.join(map(str, shown))}]"
    if half + max(map(len, right)) > WIDTH:     # not beside each other
        return [title, *left, *right]
    return [title, *(f"{mine:{half}}{exact}"
                     for mine, exact in zip(left, right))]


def summary(checks):
    """Return a table of students by functions, and who has what cause."""
    students = list(dict.fromkeys(check["student"] for check in checks))
    width = max([len(str(student)) for student in students] + [7])
    lines = ["student".ljust(width) + "".join(f"  {name:15}"
                                              for name in FILES)]
    for student in students:
        found = {check["function"]: check["verdict"] + (
            f" ({check['same']})" if check["same"] else "")
            for check in checks if check["student"] == student}
        lines.append(clean(student).ljust(width) + "".join(
            f"  {found.get(name, '-'):15}" for name in FILES))
    causes = {}
    for check in checks:
        together = check["together"] and check["remarks"][-1]
        if check["verdict"] in ("wrong", "unreadable") or together or (
                check["cause"]):
            cause = check["cause"] or check["ending"] or together or (
                "no cause found")
            causes.setdefault((check["function"] or "a file", cause),
                              []).append(clean(check["student"]))
    lines.append("")
    for (name, cause), names in sorted(causes.items(),
                                       key=lambda item: -len(item[1])):
        lines.append(paragraph(f"{len(names):4} {name}: {cause} "
                               f"({', '.join(names)})", ""))
    return [line.rstrip() for line in lines]
