"""What a person reads: the report on a function, and on a class."""
import os
import re
import sys
import textwrap

import numpy as np

from .cases import calls_of, labels_of, results_of
from .causes import LETTERS, equal
from .child import relu
from .definition import OUTPUTS
from .explain import where_from
from .judge import RULE_NAMES, first_difference, number
from .process import clean

WIDTH = 79


def colored(text, color):
    """Color text on a terminal, unless NO_COLOR is set."""
    if sys.stdout and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return f"\033[{color}m{text}\033[0m"
    return text


def paragraph(text, indent="  "):
    """Wrap a text, with an indent."""
    return textwrap.fill(text, WIDTH, initial_indent=indent,
                         subsequent_indent=indent, break_long_words=False,
                         break_on_hyphens=False)


def headline(check):
    """Return the answer in one line."""
    verdict, rule = check["verdict"], check["rule"]
    color = {"right": 32, "wrong": 31}.get(verdict, 33)
    line = (f"{check['function'] or clean(check['path'])}: "
            f"{colored(verdict, color)}")
    if verdict == "right" and check.get("partial"):
        return f"{line} in this case"
    if verdict == "right" and check["same"] not in (None, "keras"):
        return f"{line}, with {RULE_NAMES[rule]}"
    if verdict == "wrong" and rule:
        return f"{line} (judged by {RULE_NAMES[rule]})"
    return line


def describe(check, verbose=False):
    """Return the report on one function: answer, cause, smallest case."""
    lines = [headline(check)]
    if check["cause"]:
        lines.append(paragraph(check["cause"]))
    for starts, write in zip(("Write:", "Or:", "Or:"), check["write"]):
        lines += [f"  {start:8}{line}" for start, line in zip(
            [starts, *[""] * len(write)], write)]
    used = set(re.findall(r"[A-Za-z_]+", " ".join(sum(check["write"], []))))
    legend = [text for letter, text in LETTERS.items() if letter in used]
    if legend:
        lines.append(paragraph(f"({'; '.join(legend)}.)", " " * 10))
    if check["verdict"] == "right" or verbose:
        lines += [paragraph(f"Remark: {remark}.")
                  for remark in check["remarks"]]
    if check["verdict"] == "right" and check["same"] not in (None, "keras"):
        name, labels = check["function"], [case["name"]
                                           for case in check["cases"]]
        other = sum(label not in labels_of(name, "keras") or not all(map(
            equal, results_of(name, check["same"], label),
            results_of(name, "keras", label))) for label in labels)
        lines.append(f"  Differs from Keras in {other} of the {len(labels)} "
                     "cases.")
    if check["verdict"] == "wrong" and check["cases"]:
        lines += counts(check) + smallest(check)
    if verbose:
        lines += [f"  {case['result']:8}{case['name']}"
                  + (f": {case['message']}" if case["message"] else "")
                  for case in check["cases"]]
        lines += ["  Printed: " + clean(line)
                  for line in check.get("printed", "").splitlines()[:20]]
    return lines


def counts(check):
    """Say how many cases are right, which outputs, and what is shared."""
    failed = [case for case in check["cases"] if case["result"] != "pass"]
    right = len(check["cases"]) - len(failed)
    if not failed:
        return [f"  The values are right in all {right} cases."]
    lines = [f"  {right} of {len(check['cases'])} cases "
             f"{'is' if right == 1 else 'are'} right."]
    returned = check.get("returned", {})
    if len(returned) > 1:
        raised = right and any(case["result"] != "fail" for case in failed)
        lines.append("  " + ", ".join(
            f"{output} {verdict}" for output, verdict in returned.items())
            + (", where it returns." if raised else "."))
    if check.get("shared"):
        lines.append(paragraph("All wrong cases, and no right one, have: "
                               f"{'; '.join(check['shared'])}."))
    return lines


def smallest(check):
    """Show the simplest case that is wrong, with its numbers."""
    name = check["function"]
    failed = [case for case in check["cases"] if case["result"] != "pass"]
    if name == "lenet5" or not failed:
        return [paragraph(f"{case['name']}: {case['message']}")
                for case in failed]
    case, label = failed[0], failed[0]["name"]
    lines = [f'  The simplest wrong case, "{label}":', *call_text(name, label),
             paragraph(case["message"], "    ")]
    outcome, (_, arguments) = check["outcomes"][label], calls_of(name)[label]
    for output, ours, exact in zip(
            OUTPUTS[name], outcome.get("arrays", ()),
            results_of(name, check["rule"], label)):
        if ours.shape != exact.shape:
            return lines
        if not equal(ours, exact):
            place = first_difference(ours, exact)
            return lines + side_by_side(output, ours, exact, place) + (
                where_from(name, arguments, output, place, check["rule"],
                           None if check["cause"] else ours))
    return lines


def call_text(name, label):
    """Return the call as it can be pasted, if it is not too long."""
    _, arguments = calls_of(name)[label]
    lines, values = [], []
    for key, value in arguments.items():
        if isinstance(value, np.ndarray):
            numbers = "[" + ", ".join(f"{v:.6g}" for v in value.ravel()) + "]"
            text = f"{key} = np.array({numbers}).reshape{value.shape}"
            if value.size == 1:
                text = f"{key} = np.full({value.shape}, {value.item():.6g})"
            lines += textwrap.wrap(text, 75, subsequent_indent="    ")
            values.append(key)
        elif callable(value):
            values.append("lambda Z: np.maximum(Z, 0)" if value is relu
                          else "lambda Z: Z")
        else:
            values.append(f"{key}={value!r}")
    lines += textwrap.wrap(f"{name}({', '.join(values)})", 75,
                           subsequent_indent="    ")
    return ["    " + line for line in lines[:14]] + (
        ["    ..."] if len(lines) > 14 else [])


def side_by_side(output, ours, expected, place):
    """Return the first image and channel of both, differences marked."""
    # Kernels are (kh, kw, c_prev, c_new), images (m, h, w, c).
    index, shown = (np.s_[:, :, place[2], place[3]], (":", ":", *place[2:])
                    ) if output in ("dW", "db") else (
        np.s_[place[0], :, :, place[3]], (place[0], ":", ":", place[3]))
    scale = np.abs(expected).max() or 1.0
    rows = [([number(v) + (" " if abs(float(v) - e) <= 1e-6 * scale else "*")
              for v, e in zip(mine[:8], exact[:8])],
             [number(e) for e in exact[:8]])
            for mine, exact in zip(ours[index][:8], expected[index][:8])]
    width = max(len(cell) for row in rows for part in row for cell in part) + 1
    half = max(width * len(rows[0][0]), 16)
    title = f"    {output}[{', '.join(map(str, shown))}]"
    left, right = ([f"    {''.join(f'{cell:>{width}}' for cell in row[part])}"
                    for row in rows] for part in (0, 1))
    got, expected = "    got (* differs)", "    expected"
    if 2 * half + 8 > WIDTH:    # they do not fit beside each other
        return [title, got, *left, expected, *right]
    return [title] + [f"{mine:{half + 7}}{exact}" for mine, exact in zip(
        [got, *left], [expected, *right])]


def summary(checks, files):
    """Return a table of students by functions, and who has what cause."""
    students = list(dict.fromkeys(check["student"] for check in checks))
    width = max([len(str(student)) for student in students] + [7])
    lines = ["student".ljust(width) + "".join(f"  {name:15}"
                                              for name in files)]
    for student in students:
        found = {check["function"]: check["verdict"] + (
            f" ({check['same']})" if check["same"] else "")
            for check in checks if check["student"] == student}
        lines.append(clean(student).ljust(width) + "".join(
            f"  {found.get(name, '-'):15}" for name in files))
    causes = {}
    for check in checks:
        if check["verdict"] in ("wrong", "unreadable"):
            cause = check["cause"] or check.get("kind") or "no cause found"
            causes.setdefault((check["function"] or "a file", cause),
                              []).append(clean(check["student"]))
    lines.append("")
    for (name, cause), names in sorted(causes.items(),
                                       key=lambda item: -len(item[1])):
        lines.append(paragraph(f"{len(names):4} {name}: {cause} "
                               f"({', '.join(names)})", ""))
    return [line.rstrip() for line in lines]
