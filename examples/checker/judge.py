"""The verdict on one function: rules, cases, outputs and causes."""
import inspect

import numpy as np

from .cases import calls_of, labels_of, results_of
from .causes import differs, equal, find, lines_to_write
from .definition import OUTPUTS, RULES, total_to_keep

SIGNATURES = {
    "conv_forward": 'A_prev, W, b, activation, padding="same", stride=(1, 1)',
    "pool_forward": "A_prev, kernel_shape, stride=(1, 1), mode='max'",
    "conv_backward": 'dZ, A_prev, W, b, padding="same", stride=(1, 1)',
    "pool_backward": "dA, A_prev, kernel_shape, stride=(1, 1), mode='max'",
    "lenet5": "X"}
ELSEWHERE = {   # signatures of other courses, and what to do
    ("A_prev", "W", "b", "hparameters"): "deeplearning.ai: pass padding=(pad, "
    "pad) and stride=(stride, stride) as arguments, and an activation.",
    ("A_prev", "hparameters", "mode"): "deeplearning.ai: pass kernel_shape="
    "(f, f) and stride=(stride, stride) as arguments.",
    ("dZ", "cache"): "deeplearning.ai: unpack the cache into arguments: dZ, "
    "A_prev, W, b, padding, stride.",
    ("dA", "cache", "mode"): "deeplearning.ai: unpack the cache into "
    "arguments: dA, A_prev, kernel_shape, stride, mode.",
    ("dout", "cache"): "CS231n: arrays are NHWC here; unpack the cache into "
    "arguments, and transpose (0, 2, 3, 1).",
    ("x", "w", "b", "conv_param"): "CS231n: arrays are NHWC here, W is (kh, "
    "kw, c_prev, c_new); pass padding and stride as arguments.",
    ("x", "pool_param"): "CS231n: arrays are NHWC here; pass kernel_shape, "
    "stride and mode as arguments."}
RULE_NAMES = {
    "keras": 'Keras\' rule of "same"',
    "size": 'the rule of "same" that rounds up',
    "floor": 'the rule of "same" that rounds down',
    "all": "all elements that tie", "first": "the first of those that tie"}


def number(value):
    """Return a number as a person writes it."""
    return f"{float(value):.6g}"


def wrong_signature(name, parameters):
    """Return what the main programs of courses cannot call, or None."""
    if parameters is None:
        return None     # not a Python function: the calls will tell
    expected = inspect.signature(eval(     # of our own text above
        f"lambda {SIGNATURES[name]}: 0")).parameters
    names = tuple(one[0] for one in parameters)
    if names in ELSEWHERE:
        return f"This is the signature of {ELSEWHERE[names]}"
    if name == "lenet5" or not all(usual for _, _, usual in parameters):
        return None
    right = f"def {name}({SIGNATURES[name]}):"
    if names[:len(expected)] != tuple(expected):
        return f"The parameters are {', '.join(names)}; expected {right}"
    for (key, default, _), wanted in zip(parameters, expected.values()):
        if wanted.default is not wanted.empty and default not in (
                repr(wanted.default), repr(list(wanted.default))):
            return (f"The default of {key} is {default or 'missing'}; "
                    f"expected {right}")
    for key, default, _ in parameters[len(expected):]:
        if default is None:
            return f"{key} needs a default; expected {right}"
    return None


def judge_case(name, rule, label, outcome):
    """Return pass, fail, error, timeout or exit, and a message."""
    if outcome["result"] != "ok":
        return outcome["result"], reason(outcome)
    _, arguments = calls_of(name)[label]
    for key, after in outcome["inputs"].items():
        if not np.array_equal(after, arguments[key]):
            return "fail", f"{key} was changed: work on a copy"
    for output, ours, exact in zip(OUTPUTS[name], outcome["arrays"],
                                   results_of(name, rule, label)):
        if ours.shape != exact.shape:
            return "fail", (f"{output}: shape {ours.shape}, expected "
                            f"{exact.shape}")
        if not equal(ours, exact):
            place = first_difference(ours, exact)
            return "fail", (f"{output}{list(place)} is {number(ours[place])}, "
                            f"expected {number(exact[place])}")
    return "pass", None


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


def score(name, rule, outcomes):
    """Return how many arrays are right under a rule, and how many shapes."""
    pairs = [(ours, exact) for label in labels_of(name, rule)
             if label in outcomes for ours, exact in zip(
                 outcomes[label].get("arrays", ()),
                 results_of(name, rule, label))]
    return (sum(equal(*pair) for pair in pairs),
            sum(ours.shape == exact.shape for ours, exact in pairs))


def rules_of(name):
    """Return the rules that a function may follow."""
    return list(RULES) if name[:4] == "conv" else ["all", "first"] if (
        name == "pool_backward") else [None]


def judge(name, parameters, outcomes, accepted):
    """Return everything that the report says of one function.

    The rule is the one under which most arrays are right.
    """
    signature = wrong_signature(name, parameters)
    check = {"function": name, "verdict": "wrong", "same": None, "rule": None,
             "outputs": {}, "cause": signature, "remarks": [], "cases": [],
             "write": [], "outcomes": outcomes, "signature": signature}
    if signature and "This is the signature" in signature:
        return check
    known = rules_of(name)
    allowed = [rule for rule in known if rule not in RULES or rule in accepted]
    results = {rule: {label: judge_case(name, rule, label, outcomes[label])
                      for label in labels_of(name, rule) if label in outcomes}
               for rule in known}
    remarks = [label for label in outcomes if "integer" in label]
    wrong = {rule: [label for label, (result, _) in cases.items()
                    if result != "pass" and label not in remarks]
             for rule, cases in results.items()}
    allowed = [rule for rule in allowed if results[rule]]
    allowed.sort(key=lambda rule: score(name, rule, outcomes), reverse=True)
    if not allowed:
        return {**check, "verdict": "skipped",
                "cause": "It has no such case under the accepted rules."}
    best = allowed[0]
    if wrong[best]:
        found, sets = find(name, allowed, wrong, outcomes)
        best = found or best
        explain_wrong(check, best, sets, wrong, results, outcomes)
    elif not signature:
        check["verdict"] = "right"
    cases = {label: result for label, result in results[best].items()
             if label not in remarks}
    check["rule"] = best
    check["cases"] = [{"name": label, "result": result, "message": message}
                      for label, (result, message) in cases.items()]
    complete = [rule for rule in known
                if len(results[rule]) == len(labels_of(name, rule))]
    check["partial"] = not complete
    if name[:4] == "conv" and best in complete and not wrong[best]:
        check["same"] = best
    for i, output in enumerate(OUTPUTS[name]):
        verdicts = {equal(outcomes[label]["arrays"][i],
                          results_of(name, best, label)[i]) if outcomes[
                              label].get("arrays") else None
                    for label in cases}
        check["outputs"][output] = "right" if verdicts == {True} else "wrong"
        check.setdefault("returned", {})[output] = (
            "wrong" if False in verdicts else
            "right" if True in verdicts else "not returned")
    if any(outcomes[label].get("arrays") and results[best].get(
            label, ("pass",))[0] != "pass" for label in remarks):
        check["remarks"].append("arrays of integers give a wrong result: "
                                "collect it in an array of float64")
    return check


def explain_wrong(check, rule, sets, wrong, results, outcomes):
    """Put the causes of what is wrong into a check."""
    name, failed = check["function"], wrong[rule]
    sentences = [" And: ".join(one.sentence for one in causes)
                 for causes in sets]
    check["write"] = [lines_to_write(name, causes, rule) for causes in sets]
    other = [one for one in rules_of(name) if not wrong[one]
             and len(results[one]) == len(labels_of(name, one))]
    if not sets and other:
        sentences = [f"It follows {RULE_NAMES[other[0]]}, which --same does "
                     "not accept."]
    messages = {results[rule][label][1] for label in failed}
    if any("was changed" in str(message) for message in messages):
        sentences.append("An input is changed in place: work on a copy.")
    if messages == {"returned None: is there a return?"}:
        sentences = ["Nothing is returned."]
    check["cause"] = " Or: ".join(sentences[:len(sets) or 1]) or None
    if len(sentences) > max(len(sets), 1):
        check["cause"] += " And: " + sentences[-1]
    if check["signature"]:
        check["cause"] = " And: ".join(
            filter(None, [check["signature"], check["cause"]]))
    kinds = {outcomes[label]["result"] for label in failed}
    if len(kinds) == 1 and not check["cause"]:
        check["kind"] = {
            "error": "raises " + " or ".join(sorted({
                str(outcomes[label].get("error")) for label in failed})),
            "timeout": "an endless loop, or too slow", "exit": "ends Python",
            "ok": None}[kinds.pop()]
    shared = shared_by(name, rule, failed, [
        label for label in results[rule] if label not in failed
        and "integer" not in label])
    check["shared"] = shared


def features(name, rule, label):
    """Return what is special in a case."""
    case, arguments = calls_of(name)[label]
    (m, h, w, c), (sh, sw), conv = case.A_prev, case.stride, name[:4] == "conv"
    (kh, kw), same = case.kernel[:2], case.padding == "same"
    sides = [RULES[rule](*axis) for axis in ((h, kh, sh), (w, kw, sw))
             ] if same else [(0, 0), (0, 0)]
    totals = [total_to_keep(*axis) for axis in ((h, kh, sh), (w, kw, sw))]
    found = {
        "several images": m > 1, "several channels of A_prev": c > 1,
        "several kernels": conv and case.kernel[-1] > 1,
        "a kernel that is not square": kh != kw,
        "an image that is not square": h != w,
        "windows that overlap": kh > sh or kw > sw,
        "a stride above 1": (sh, sw) != (1, 1),
        "different strides of the two axes": sh != sw,
        'padding "same"': conv and same, 'padding "valid"': conv and not same,
        "a padding of 0 on an axis": conv and any(
            0 in side for side in sides),
        "an even total of zeros": same and any(t % 2 == 0 for t in totals),
        "an odd total of zeros": same and any(t % 2 for t in totals),
        "mode 'max'": case.mode == "max", "mode 'avg'": case.mode == "avg",
        "ties": case.draw == "ties", "numbers that are not whole":
            case.draw == "real",
        "an activation": case.activation != "same_Z"
        and name == "conv_forward"}
    return {feature for feature, holds in found.items() if holds}


def shared_by(name, rule, wrong, right):
    """Return what all wrong cases have and no right one has."""
    if not wrong or not right:
        return []
    common = set.intersection(*(features(name, rule, one) for one in wrong))
    return sorted(common.difference(*(features(name, rule, one)
                                      for one in right)))
