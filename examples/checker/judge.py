"""The verdict on one function: rules, cases and outputs."""
import inspect

import numpy as np

import naive

from .calls import differs, equal
from .expected import (OUTPUTS, RULES, calls_of, judged_labels, results_of,
                       rules_of, total_to_keep)

PARAMETERS = {name: {       # of ties nobody is asked
    key: one for key, one in inspect.signature(
        getattr(naive, name)).parameters.items() if key != "ties"}
    for name in OUTPUTS}
RULE_NAMES = {
    "keras": 'Keras\' rule of "same"',
    "size": 'the rule of "same" that rounds up',
    "floor": 'the rule of "same" that rounds down',
    "all": "the rule that all equal maxima get the gradient",
    "first": "the rule that the first of equal maxima gets the gradient"}


def new(**entries):
    """Return what is known of a function or file: a check."""
    return {"student": None, "function": None, "verdict": "wrong",
            "same": None, "rule": None, "rules": [], "outputs": {},
            "cause": None, "mended": [], "mended_by": [],
            "job": None, "shared": None, "ending": None, "partial": False,
            "empty": False, "together": None, "printed": "", "remarks": [],
            "integers": False, "cases": [], **entries}


def failures(check):
    """Return the cases of a check that are not right."""
    return [case for case in check["cases"] if case["result"] != "pass"]


def number(value):
    """Return a number as a person writes it."""
    return f"{float(value) + 0.0:.6g}"      # no -0


def wrong_signature(name, parameters):
    """Return what the main programs of courses cannot call, or None."""
    if not parameters or not all(usual for _, _, usual in parameters):
        return None     # not a Python function, or *args: the calls will tell
    names, expected = [key for key, *_ in parameters], [*PARAMETERS[name]]
    if names[:len(expected)] != expected:
        return f"The parameters are {', '.join(names)}; {expected_of(name)}"
    for key, default, _ in parameters[len(expected):]:
        if not default:
            return f"{key} needs a default; {expected_of(name)}"


def expected_of(name):
    """Return the signature that is expected, as the end of a sentence."""
    parameters = ", ".join(map(str, PARAMETERS[name].values()))
    return f"expected def {name}({parameters})."


def judge_case(name, rule, label, outcome, seed=None):
    """Return a case: pass, fail, error, timeout or exit, and a message."""
    result, message = outcome["result"], reason(outcome)
    if result == "ok":
        message = (f"{', '.join(outcome['changed'])} was changed: work on a "
                   "copy" if outcome["changed"] else None)
        for output, ours, exact in compared(name, rule, label, outcome, seed):
            if not message and ours.shape != exact.shape:
                message = f"{output}: shape {ours.shape}, expected " + str(
                    exact.shape)
            elif not message and not equal(ours, exact):
                place = first_difference(ours, exact)
                message = (f"{output}{list(place)} is {number(ours[place])}, "
                           f"expected {number(exact[place])}")
        result = "fail" if message else "pass"
    return {"name": label, "result": result, "message": message}


def reason(outcome):
    """Return why there is no result, in a line."""
    message, error = str(outcome.get("message", "")), outcome.get("error")
    if error and error != "NoResult":
        message = f"{error}: {message}".rstrip(": ")
    if outcome.get("lineno"):
        message += f", line {outcome['lineno']}: {outcome.get('line')}"
    return message


def first_difference(ours, expected):
    """Return the index of the first number that differs."""
    return tuple(int(i) for i in np.argwhere(differs(ours, expected))[0])


def compared(name, rule, label, outcome, seed=None):
    """Return the name of each output, what was returned, and what is right."""
    return zip(OUTPUTS[name], outcome.get("arrays", ()),
               results_of(name, rule, label, seed))


def judge(name, parameters, outcomes, accepted):
    """Return everything that the report says of one function.

    The rule is the one under which most arrays are right, or have the right
    shape where that is a tie.
    """
    check = new(function=name, cause=wrong_signature(name, parameters),
                partial=len(outcomes) == 1, outcomes=outcomes)
    cases, arrays = {}, {}
    for rule in rules_of(name):
        labels = [label for label in judged_labels(name, rule)
                  if label in outcomes]
        cases[rule] = [judge_case(name, rule, label, outcomes[label])
                       for label in labels]
        arrays[rule] = [
            (output, ours.shape == exact.shape, equal(ours, exact))
            for label in labels for output, ours, exact in compared(
                name, rule, label, outcomes[label])]
    failed = {rule: [case for case in found if case["result"] != "pass"]
              for rule, found in cases.items()}
    rules = sorted(
        (rule for rule in cases if cases[rule] and (
            rule not in RULES or rule in accepted)), reverse=True,
        key=lambda rule: (sum(right for *_, right in arrays[rule]),
                          sum(shaped for _, shaped, _ in arrays[rule])))
    if not rules:
        return {**check, "verdict": "skipped",
                "cause": "It has no such case under the accepted rules."}
    rule = rules[0]
    if failed[rule]:
        explain_wrong(check, rule, cases[rule], failed[rule], [
            one for one in cases if cases[one] and not failed[one]])
    elif not check["cause"]:
        check["verdict"] = "right"
        if name[:4] == "conv" and not check["partial"]:
            check["same"] = rule
    check.update(rule=rule, rules=rules, cases=cases[rule])
    for output in OUTPUTS[name]:
        right = [good for one, _, good in arrays[rule] if one == output]
        check["outputs"][output] = "not returned" if not right else (
            "right" if all(right) else "wrong")
    check["integers"] = not failed[rule] and any(judge_case(
        name, rule, label, outcome)["result"] != "pass"
        for label, outcome in outcomes.items() if "integer" in label)
    return check


def explain_wrong(check, rule, cases, failed, right_under):
    """Put what the wrong cases have in common into a check.

    right_under: rules that it follows.
    """
    name, said = check["function"], [check["cause"]] * bool(check["cause"])
    messages = {str(case["message"]) for case in failed}
    for holds, sentence in (
            (right_under, f"It follows {RULE_NAMES.get((*right_under, '')[0])}"
             ", which --same does not accept."),
            (any("was changed" in message for message in messages),
             "An input is changed in place: work on a copy."),
            (not check["partial"] and all("defaults" in case["name"]
                                          for case in failed),
             f"A default is missing or wrong; {expected_of(name)}"),
            (messages == {"returned None: is there a return?"},
             "Nothing is returned.")):
        said += [sentence] * bool(holds)
    check["cause"] = " ".join(said) or None
    kinds = {case["result"] for case in failed}
    if len(kinds) == 1:
        check["ending"] = {
            "error": "raises " + " or ".join(sorted({
                str(check["outcomes"][case["name"]].get("error"))
                for case in failed})),
            "timeout": "an endless loop, or too slow", "exit": "ends Python",
            "fail": None}[kinds.pop()]
    has = {case["name"]: features(name, rule, case["name"]) for case in cases}
    common = set.intersection(*[has.pop(case["name"]) for case in failed])
    for few, most in (("no right one has", 0), ("few right ones have", 0.3)):
        found = sorted(feature for feature in common if sum(
            feature in one for one in has.values()) <= most * len(has))
        if has and found and not check["shared"]:
            check["shared"] = (f"All wrong cases have this, {few} it: "
                               f"{'; '.join(found)}.")


def features(name, rule, label):
    """Return what is special in a case."""
    case, _ = calls_of(name)[label]
    (m, h, w, c), (sh, sw), conv = case.A_prev, case.stride, name[:4] == "conv"
    (kh, kw), same = case.kernel[:2], case.kind == "same"
    axes = ((h, kh, sh), (w, kw, sw)) if same else ()
    sides = [RULES[rule](*axis) for axis in axes]
    odd = [sum(side) % 2 if rule == "keras" else total_to_keep(*axis) % 2
           for side, axis in zip(sides, axes)]
    return {feature for feature, holds in {
        "several images": m > 1, "several channels of A_prev": c > 1,
        "several kernels": conv and case.kernel[-1] > 1,
        "a kernel that is not square": kh != kw,
        "an image that is not square": h != w,
        "windows that overlap": kh > sh or kw > sw,
        "a stride above 1": (sh, sw) != (1, 1),
        "different strides of the two axes": sh != sw,
        'padding "same"': same, 'padding "valid"': case.kind == "valid",
        "a padding of 0 on a side": 0 in sum(sides, ()),
        "an even total of zeros": 0 in odd, "an odd total of zeros": 1 in odd,
        "mode 'max'": case.kind == "max", "mode 'avg'": case.kind == "avg",
        **{word: word in label
           for word in ("ties", "real numbers", "an activation")}
    }.items() if holds}
