"""What mends a function: tried in one process, confirmed in another."""
import zlib

from .cases import Case
from .expected import (by_definition, calls_of, judged_labels,
                       results_of, shape_of_Z)
from .judge import judge, judge_case
from .runs import as_json, jobs_of, run_file, try_edits
from .source import compared

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
        arguments = {"A_prev": case.draw("A_prev", A_prev)}
        if conv:
            roles["c_new"], shape = kernel[3], shape_of_Z(case, rule)
            arguments.update(W=case.draw("W", kernel),
                             b=case.draw("b", (1, 1, 1, kernel[3])))
            if name == "conv_forward":
                arguments["activation"] = "half_relu"
            arguments.update(padding=kind, stride=stride)
        else:
            arguments.update(kernel_shape=kernel, stride=stride, mode=kind)
            shape = by_definition("pool_forward", None, arguments)[0].shape
        if name != "conv_forward" or kind == "valid" or stride == (1, 1):
            roles.update(h_new=shape[1], w_new=shape[2])    # under each rule
        if name[5:] == "backward":
            loss = "dZ" if conv else "dA"
            arguments = {loss: case.draw(loss, shape), **arguments}
        found.append({"kind": kind, "roles": roles,
                      "arguments": as_json(arguments)})
    return found


def trial_cases(name, rules, outcomes, jobs):
    """Return the cases for trials, small wrong ones first, and how many.

    So many of them are run in any trial, to see whether it is a progress.
    """
    found = []
    for job in jobs:
        label = job["label"]
        fits = [rule for rule in rules if label in judged_labels(name, rule)]
        if fits:
            wrong = judge_case(name, fits[0], label, outcomes[label])[
                "result"] != "pass"
            case, arguments = calls_of(name)[label]
            loss = arguments.get("dZ", arguments.get(
                "dA", results_of(name, fits[0], label)[0]))
            found.append((not wrong, loss.size, case.kind, {
                **job, "expected": answers(name, fits, label)}))
    found.sort(key=lambda one: one[:2])
    probes = []
    for rule in map(str, rules):
        for kind in dict.fromkeys(one[2] for one in found):
            probes += [one for one in found if one[2] == kind and not one[0]
                       and rule in one[3]["expected"]][:4]
    probes = [one for one in found if one in probes]
    new = [{**job, "expected": answers(name, fits, job["label"], 1)}
           for job in jobs_of(name, None, jobs[0]["timeout"], 1)
           for fits in [[rule for rule in rules if job["label"] in
                         judged_labels(name, rule, 1)]] if fits]
    return [case for *_, case in probes + [
        one for one in found if one not in probes]] + new, len(probes)


def answers(name, rules, label, seed=None):
    """Return what is right in a case under each rule, as JSON."""
    return {str(rule): [{"array": part.ravel().tolist(), "shape": part.shape,
                         "dtype": part.dtype.name}
                        for part in results_of(name, rule, label, seed)]
            for rule in rules}


def mend(check, job, source, rules):
    """Put what mends a function into its check; source: the student's text.

    Each way was right in all judged cases and in as many new ones, under one
    rule, in a process that has no answers.
    """
    name, timeout = check["function"], job["timeout"]
    jobs = jobs_of(name, None, timeout)
    cases, probes = trial_cases(name, rules, check["outcomes"], jobs)
    found = try_edits({**job, "names": [name], "jobs": [{
        "id": f"{name}-mended", "function": name, "path": job["path"],
        "text": source, "cases": cases, "probes": probes, "budget": SECONDS,
        "rules": [str(rule) for rule in rules], "timeout": timeout,
        "telling": telling(name, rules[0]), "parameters": USUAL[name]}]})
    for text, by, sentences in found:
        rule = next((rule for rule in rules if str(rule) in by), None)
        changes = compared(source, text)
        places = [line for line, *_ in changes]
        said = [[one["line"] for one in other] for other in check["mended"]]
        if len(said) < SHOWN and places not in said and len(
                sentences) == len(changes) and confirmed(
                    name, job, text, rule):
            check["mended"].append([
                {"line": line, "before": before, "after": after,
                 "sentence": sentence} for (line, before, after, *_), sentence
                in zip(changes, sentences)])
            check["texts"].append(text)
            check["mended_by"] = check["mended_by"] or rule


USUAL = {"conv_forward": ["A_prev", "W", "b", "activation", "padding",
                          "stride"],
         "pool_forward": ["A_prev", "kernel_shape", "stride", "mode"],
         "conv_backward": ["dZ", "A_prev", "W", "b", "padding", "stride"],
         "pool_backward": ["dA", "A_prev", "kernel_shape", "stride", "mode"]}


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
