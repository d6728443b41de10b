"""What mends a function: tried in one process, confirmed in another."""
import math
import zlib
from collections import Counter
from pathlib import Path

from common import put

from .expected import calls_of, jobs_of, judged_labels, results_of
from .judge import PARAMETERS, judge, judge_case
from .process import run_file, try_edits
from .source import compared, decoded, lines_of

SECONDS = 20        # of processor time, for all trials of a function
SHOWN = 2           # ways to mend that are confirmed and shown


def trial_cases(name, rules, outcomes, jobs):
    """Return the cases for trials, small wrong ones first, and how many.

    So many of them are run in any trial, to see whether it is a progress: for
    each rule and kind, the four smallest wrong ones.
    """
    found, counts = [], Counter()
    for seed, several in ((None, jobs), (1, jobs_of(
            name, None, jobs[0]["timeout"], 1))):
        for job in several:
            label = job["label"]
            expected = {rule: results_of(name, rule, label, seed)
                        for rule in rules
                        if label in judged_labels(name, rule, seed)}
            case, _ = calls_of(name, seed)[label]
            for rule in [*expected][:1]:
                right = bool(seed) or judge_case(
                    name, rule, label, outcomes[label])["result"] == "pass"
                found.append((right, math.prod(case.A_prev), {
                    **job, "kind": case.kind, "judged": not seed, "expected": {
                        str(rule): parts for rule, parts in expected.items()
                        }}))
    found.sort(key=lambda one: one[:2])     # the smallest have few windows
    probes, others = [], []
    for right, _, job in found:
        keys = {(rule, job["kind"]) for rule in job["expected"]}
        if not right and min(counts[key] for key in keys) < 4:
            counts.update(keys)
            probes.append(job)
        else:
            others.append(job)
    return probes + others, len(probes)


def mend(check, job, source, rules):
    """Put what mends a function into its check; source: the student's text.

    Each way was right in all judged cases and in as many new ones, under one
    rule, in a process that has no answers.
    """
    name, timeout = check["function"], job["timeout"]
    check["job"] = job      # what mends it is looked for
    cases, probes = trial_cases(name, rules, check["outcomes"],
                                jobs_of(name, None, timeout))
    for text, by, sentences in try_edits({**job, "names": [name], "jobs": [{
            "id": f"{name}-mended", "function": name, "path": job["path"],
            "text": source, "cases": cases, "probes": probes,
            "budget": SECONDS, "rules": [str(rule) for rule in rules],
            "timeout": timeout,
            "parameters": [*PARAMETERS[name]]}]}):
        rule = next((rule for rule in rules if str(rule) in by), None)
        changes = compared(source, text)
        lines = {line for line, *_ in changes}
        if len(check["mended"]) < SHOWN and len(sentences) == len(
                changes) and not any(
                lines >= {one["line"] for one in other}
                for other in check["mended"]) and confirmed(
                name, job, text, rule):
            check["mended"].append([
                {"line": line, "before": before, "after": after,
                 "sentence": sentence} for (line, before, after), sentence
                in zip(changes, sentences)])
            check["mended_by"].append(rule)


def confirmed(name, job, text, rule):
    """Tell whether a text is right in the judged cases and in new ones."""
    seed = zlib.crc32(text.encode())
    calls = jobs_of(name, None, job["timeout"])
    new = jobs_of(name, None, job["timeout"], seed)
    loading, outcomes, _ = run_file({**job, "names": [name], "source": text,
                                     "jobs": calls + new})
    if loading["result"] != "ok" or name not in loading["functions"]:
        return False
    mine = {one["label"]: outcomes[one["id"]] for one in calls + new}
    found = judge(name, loading["functions"][name], mine, [rule])
    return found["verdict"] == "right" and all(judge_case(
        name, rule, label, mine[label], seed)["result"] == "pass"
        for label in judged_labels(name, rule, seed))


def patched(options, checks):
    """Write the mended copy; return a line that says what is in it.

    Each function in it is right with the changes of all of them.
    """
    text, encoding = decoded(options.paths[0].read_bytes())
    new, changes, rules, left = text, set(), {}, []
    for check in checks:
        if check["verdict"] != "wrong":
            continue
        name = check["function"]
        more = {*changes, *[(one["line"], one["before"], one["after"])
                            for one in (check["mended"] or [[]])[0]]}
        lines, names = lines_of(text), {**rules, name: (
            *check["mended_by"], None)[0]}
        for line, before, after in sorted(more, reverse=True):
            lines[line - 1:line - 1 + len(lines_of(before))] = [after]
        trial = "".join(lines)
        if check["mended"] and all(confirmed(one, check["job"], trial, rule)
                                   for one, rule in names.items()):
            new, changes, rules = trial, more, names
        else:
            left.append(name)
    if not rules:
        return "--patch: not written, for nothing is known that mends it."
    put(Path(options.patch), lambda file: file.write_bytes(
        new.encode(encoding)))
    return (f"{options.patch}: a copy with {', '.join(rules)} mended"
            + f"; not {', '.join(left)}" * bool(left) + ".")
