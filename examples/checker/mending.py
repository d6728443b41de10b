"""What mends a function: tried in one process, confirmed in another."""
import zlib
from pathlib import Path

from common import put

from .cases import Case
from .expected import (as_json, by_definition, calls_of, jobs_of,
                       judged_labels, results_of, shape_of_Z)
from .judge import PARAMETERS, judge, judge_case
from .process import run_file, try_edits
from .source import compared, decoded, lines_of

SECONDS = 20        # of processor time, for all trials of a function
SHOWN = 2           # ways to mend that are confirmed and shown
TELLING = [         # kind, A_prev, kernel, stride: all sizes different
    ("valid", (2, 14, 29, 5), (8, 9, 5, 3), (1, 4)),
    ("same", (2, 10, 13, 5), (6, 7, 5, 3), (4, 8)),
    ("same", (4, 6, 7, 8), (3, 5, 8, 2), (1, 1)),
    ("max", (2, 14, 29, 5), (8, 9), (1, 4)),
    ("avg", (3, 11, 29, 6), (2, 5), (1, 8))]


def telling(name, rule):
    """Return the calls that tell what a name means, by its values."""
    found, conv = [], name[:4] == "conv"
    for kind, A_prev, kernel, stride in TELLING:
        if conv != (kind in ("valid", "same")):
            continue
        case = Case("telling", A_prev, kernel, stride, kind)
        roles = dict(zip(("m", "h_prev", "w_prev", "c_prev", "kh", "kw", "sh",
                          "sw"), (*A_prev, *kernel[:2], *stride)))
        given = {"A_prev": case.draw("A_prev", A_prev), "stride": stride,
                 "W": case.draw("W", kernel), "kernel_shape": kernel,
                 "b": case.draw("b", (1, 1, 1, kernel[-1])), "mode": kind,
                 "padding": kind, "activation": "half_relu"}
        shape = shape_of_Z(case, rule) if conv else by_definition(
            "pool_forward", None, {key: given[key] for key in PARAMETERS[
                "pool_forward"]})[0].shape
        roles.update({"c_new": kernel[3]} if conv else {})
        if name != "conv_forward" or kind == "valid" or stride == (1, 1):
            roles.update(h_new=shape[1], w_new=shape[2])    # under each rule
        given["dZ"] = given["dA"] = case.draw("dZ", shape)
        found.append({"kind": kind, "roles": roles, "arguments": as_json({
            key: given[key] for key in PARAMETERS[name]})})
    return found


def trial_cases(name, rules, outcomes, jobs):
    """Return the cases for trials, small wrong ones first, and how many.

    So many of them are run in any trial, to see whether it is a progress: for
    each rule and kind, the four smallest wrong ones.
    """
    found, counts = [], {}
    for seed, several in ((None, jobs), (1, jobs_of(
            name, None, jobs[0]["timeout"], 1))):
        for job in several:
            label = job["label"]
            fits = [rule for rule in rules
                    if label in judged_labels(name, rule, seed)]
            if not fits:
                continue
            right = bool(seed) or judge_case(
                name, fits[0], label, outcomes[label])["result"] == "pass"
            case, arguments = calls_of(name, seed)[label]
            loss = arguments.get("dZ", arguments.get(
                "dA", results_of(name, fits[0], label, seed)[0]))
            found.append([bool(seed), right, loss.size, case.kind, fits, {
                **job, "expected": {str(rule): [
                    {"array": part.ravel().tolist(), "shape": part.shape,
                     "dtype": part.dtype.name}
                    for part in results_of(name, rule, label, seed)]
                    for rule in fits}}])
    found.sort(key=lambda one: one[:3])
    for one in found:
        keys = [(rule, one[3]) for rule in one[4]]
        probe = not one[1] and any(counts.get(key, 0) < 4 for key in keys)
        for key in keys * probe:
            counts[key] = counts.get(key, 0) + 1
        one.insert(0, not probe)
    found.sort(key=lambda one: one[0])
    return [one[-1] for one in found], sum(not one[0] for one in found)


def mend(check, job, source, rules):
    """Put what mends a function into its check; source: the student's text.

    Each way was right in all judged cases and in as many new ones, under one
    rule, in a process that has no answers.
    """
    name, timeout = check["function"], job["timeout"]
    cases, probes = trial_cases(name, rules, check["outcomes"],
                                jobs_of(name, None, timeout))
    for text, by, sentences in try_edits({**job, "names": [name], "jobs": [{
            "id": f"{name}-mended", "function": name, "path": job["path"],
            "text": source, "cases": cases, "probes": probes,
            "budget": SECONDS, "rules": [str(rule) for rule in rules],
            "telling": telling(name, rules[0]), "timeout": timeout,
            "parameters": PARAMETERS[name]}]}):
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
            check["texts"].append(text)
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
        more = {*changes, *(compared(text, check["texts"][0])
                            if check["texts"] else ())}
        lines, names = lines_of(text), {**rules, name: (
            *check["mended_by"], None)[0]}
        for line, before, after in sorted(more, reverse=True):
            lines[line - 1:line - 1 + len(lines_of(before))] = [after]
        trial = "".join(lines)
        if check["texts"] and all(confirmed(one, check["job"], trial, rule)
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
