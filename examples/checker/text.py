"""What a person reads: the report on a function, and on a class."""
import os
import sys
import textwrap

import numpy as np

from .calls import equal, half_relu
from .expected import calls_of, judged_labels, passed, results_of
from .explain import where_from
from .files import FILES
from .judge import RULE_NAMES, compared, failures, first_difference
from .process import clean

WIDTH = 79


def paragraph(text, indent="  "):
    """Wrap a text, with an indent."""
    return textwrap.fill(text, WIDTH, initial_indent=indent,
                         subsequent_indent=indent, break_long_words=False,
                         break_on_hyphens=False)


def headline(check, colors):
    """Return the answer in one line, colored on a terminal."""
    verdict, rule, colored = check["verdict"], check["rule"], check["verdict"]
    if colors and sys.stdout and sys.stdout.isatty() and (
            not os.environ.get("NO_COLOR")):
        color = {"right": 32, "wrong": 31}.get(verdict, 33)
        colored = f"\033[{color}m{verdict}\033[0m"
    line = f"{check['function'] or clean(check['path'])}: {colored}"
    if verdict == "right" and check["partial"]:
        return f"{line} in this case"
    if verdict == "right" and check["same"] not in (None, "keras"):
        return f"{line}, with {RULE_NAMES[rule]}"
    if verdict == "wrong" and rule and not check["partial"]:
        return f"{line} (judged by {RULE_NAMES[rule]})"
    return line


def describe(check, hint=3, verbose=False, colors=False):
    """Return the report on one function: answer, advice, simplest case."""
    lines, remarks = [headline(check, colors)], [*check["remarks"], *[
        "arrays of integers raise, or give a wrong result: compute with "
        "float64"] * bool(check["integers"] and verbose)]
    if check["cause"]:
        lines.append(paragraph(check["cause"]))
    lines += [paragraph(f"Remark: {remark}.") for remark in remarks]
    if check["verdict"] == "wrong" and check["cases"]:
        lines += [] if check["partial"] else counts(check, hint)
        if hint > 1 and not check["mended"] or check["partial"]:
            lines += simplest(check)
        if check["job"] and not check["mended"]:
            lines.append("  No small change that was tried mends it.")
    lines += mended(check, hint) if hint > 1 else []
    if verbose:
        lines += [f"  {case['result']:8}{case['name']}"
                  + (f": {case['message']}" if case["message"] else "")
                  for case in check["cases"]
                  if not check["partial"] or case["result"] == "pass"]
        lines += ["  Printed: " + clean(line)
                  for line in check["printed"].splitlines()[:20]]
    return lines


def mended(check, hint):
    """Return the lines that mend a function, with their numbers."""
    lines = []
    for changes, rule in zip(check["mended"], check["mended_by"]):
        count = len(judged_labels(check["function"], rule))
        by = f", by {RULE_NAMES.get(rule)}" * (rule != check["rule"])
        said = dict.fromkeys(change["sentence"] for change in changes)
        one = sum(len(change["after"].splitlines() or [0])
                  for change in changes) == 1
        where = f" (line{'s' * (not one)} " + ", ".join(
            str(change["line"]) for change in changes) + ")"
        lines.append(paragraph("Or: " * bool(lines) + " And: ".join(said)
                               + where * (hint == 2)))
        for change in changes * (hint > 2):
            line, new = change["line"], not change["before"].strip()
            if not new:
                lines += [f"  Line {line}:", *block(change["before"])]
            lines += [f"  Before line {line}, write:" if new else "  Write:",
                      *(block(change["after"]) or ["    (nothing)"])]
        lines += [f"  With {'this line' if one else 'these lines'} all "
                  f"{count} cases are right{by} (tried)."] * (hint > 2)
    return lines


def block(text):
    """Return the lines of a student's text, as a terminal can show them."""
    return [f"    {clean(line)}".rstrip() for line in textwrap.dedent(
        text.replace("\t", "    ")).splitlines()]


def counts(check, hint):
    """Say how many cases are right, which outputs, and what is shared."""
    failed = failures(check)
    right = len(check["cases"]) - len(failed)
    if not failed:
        return [f"  The values are right in all {right} cases."]
    lines = [f"  {right} of {len(check['cases'])} cases "
             f"{'is' if right == 1 else 'are'} right."]
    if len(check["outputs"]) > 1:
        raised = right and any(case["result"] != "fail" for case in failed)
        lines.append("  " + ", ".join(map(" ".join, check["outputs"].items()))
                     + (", in the cases that return." if raised else "."))
    if check["function"] != "lenet5" and (hint == 1 or not check["mended"]):
        few = [f'"{case["name"]}"' for case in failed[:4]]
        more = f" and {len(failed) - 4} more" * (len(failed) > 4)
        lines.append(paragraph(f"Wrong: {', '.join(few)}{more}."))
    if check["shared"]:
        lines.append(paragraph(check["shared"]))
    return lines


def simplest(check):
    """Show the smallest wrong case: the call, and the first wrong number."""
    name, rule = check["function"], check["rule"]
    failed = failures(check)
    if name == "lenet5" or not failed:
        return [paragraph(f"{case['name']}: {case['message']}")
                for case in failed]
    case = min(failed, key=lambda case: sum(
        part.size for part in results_of(name, rule, case["name"])))
    label, message = case["name"], case["message"]
    outcome, (_, arguments) = check["outcomes"][label], calls_of(name)[label]
    lines = [paragraph(shift) for shift in [moved(check, failed)] if shift]
    lines += [f'  The smallest wrong case, "{label}":',
              *call_text(name, label), paragraph(message, "    ")]
    for output, ours, exact in compared(name, rule, label, outcome):
        if not equal(ours, exact):
            if ours.shape == exact.shape:
                lines += where_from(name, arguments, output, first_difference(
                    ours, exact), rule, exact)
            break
    return lines


def moved(check, failed):
    """Return a sentence where an image is right but moved, or None."""
    ways = {(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)} - {(0, 0)}
    for case in failed:
        found = [(ours, exact) for output, ours, exact in compared(
            check["function"], check["rule"], case["name"],
            check["outcomes"][case["name"]])
            if output in ("A", "dA_prev") and not equal(ours, exact)]
        ways = {(i, j) for i, j in ways if found and all(
            ours.shape == exact.shape and min(exact.shape[1:3]) > 1 and equal(
                np.roll(ours, (-i, -j), (1, 2))[inside], exact[inside])
            for ours, exact in found
            for inside in [np.s_[:, max(-i, 0):exact.shape[1] - max(i, 0),
                                 max(-j, 0):exact.shape[2] - max(j, 0)]])}
    if len(ways) == 1:
        (i, j), = ways
        return "Your result is the right one, moved by " + " and ".join(
            [f"one row {'down' if i > 0 else 'up'}"] * bool(i)
            + [f"one column to the {'right' if j > 0 else 'left'}"] * bool(j)
            ) + "."


def call_text(name, label):
    """Return exactly the call that was made, ready to paste."""
    lines, values = [], []
    for key, value in passed(name, label).items():
        if isinstance(value, np.ndarray):
            text = (f"{key} = np.array({value.ravel().tolist()})"
                    f".reshape{value.shape}")
            lines += textwrap.wrap(text, 75, subsequent_indent="    ",
                                   break_long_words=False)
            values.append(key)
        elif callable(value):
            values.append("lambda Z: np.maximum(Z, 0) / 2"
                          if value is half_relu else "lambda Z: Z")
        else:
            values.append(f"{key}={value!r}")
    lines += textwrap.wrap(f"{name}({', '.join(values)})", 75,
                           subsequent_indent="    ")
    return ["    " + line for line in lines]


def summary(checks):
    """Return a table of students by functions, and who has what cause."""
    students = list(dict.fromkeys(check["student"] for check in checks))
    width = max([len(str(student)) for student in students] + [7])
    rows, causes = [("student", FILES)], {}
    for student in students:
        rows.append((clean(student), [({
            check["function"]: check["verdict"] + (
                f" ({check['same']})" if check["same"] else "")
            for check in checks if check["student"] == student}).get(
                name, "-") for name in FILES]))
    for check in checks:
        if check["verdict"] in ("wrong", "unreadable") or (
                check["together"] or check["cause"]):
            said = [change["sentence"] for change in (
                check["mended"] or [[]])[0]] or [
                check["cause"] or check["ending"] or check["together"]
                or "nothing found that mends it"]
            for cause in dict.fromkeys(said):
                causes.setdefault((check["function"] or "a file", cause),
                                  []).append(clean(check["student"]))
    return [line.rstrip() for line in [
        *[first.ljust(width) + "".join(f"  {cell:15}" for cell in cells)
          for first, cells in rows], "",
        *[paragraph(f"{len(names):4} {name}: {cause} ({', '.join(names)})", "")
          for (name, cause), names in sorted(
              causes.items(), key=lambda item: -len(item[1]))]]]
