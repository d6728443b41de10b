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
POOLING = "pass kernel_shape=(f, f), stride=(stride, stride) and mode."
CONVOLUTION = "pass padding=(pad, pad), stride=(stride, stride), activation"
CACHE = "unpack the cache into arguments, in this order:"
NHWC = "CS231n: arrays are NHWC here, W is (kh, kw, c_prev, c_new);"
ELSEWHERE = {   # signatures of other courses, and what to do
    "A_prev, W, b, hparameters": f"deeplearning.ai: {CONVOLUTION}.",
    "A_prev, hparameters, mode": f"deeplearning.ai: {POOLING}",
    "dZ, cache": f"deeplearning.ai: {CACHE} dZ, A_prev, W, b, padding, "
    "stride.",
    "dA, cache, mode": f"deeplearning.ai: {CACHE} dA, A_prev, kernel_shape, "
    "stride, mode.",
    "dout, cache": f"{NHWC} unpack the cache into arguments.",
    "x, w, b, conv_param": f"{NHWC} {CONVOLUTION}.",
    "x, pool_param": f"{NHWC} {POOLING}"}
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
    names = ", ".join(key for key, _, _ in parameters)
    if names in ELSEWHERE:
        return f"This is the signature of {ELSEWHERE[names]}"
    if name == "lenet5" or not all(usual for _, _, usual in parameters):
        return None
    right = f"expected def {name}({SIGNATURES[name]})."
    if names.split(", ")[:len(expected)] != list(expected):
        return f"The parameters are {names}; {right}"
    for (key, default, _), wanted in zip(parameters, expected.values()):
        if wanted.default is not wanted.empty and default not in (
                repr(wanted.default), repr(list(wanted.default))):
            return f"The default of {key} is {default or 'missing'}; {right}"
    for key, default, _ in parameters[len(expected):]:
        if default is None:
            return f"{key} needs a default; {right}"
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


def right_arrays(name, rule, outcomes, i=slice(None)):
    """Return which arrays that were returned are right under a rule."""
    return [equal(ours, exact) for label in labels_of(name, rule)
            if outcomes.get(label, {}).get("arrays") and "integer" not in label
            for ours, exact in zip(outcomes[label]["arrays"][i],
                                   results_of(name, rule, label)[i])]


def right_shapes(name, rule, outcomes):
    """Return how many arrays have the shape of a rule."""
    return sum(ours.shape == exact.shape for label in labels_of(name, rule)
               for ours, exact in zip(
                   outcomes.get(label, {}).get("arrays", ()),
                   results_of(name, rule, label)))


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
             "write": [], "outcomes": outcomes, "shared": []}
    if signature and "This is the signature" in signature:
        return check
    results, remarks = {}, {}
    for rule in rules_of(name):
        cases = {label: judge_case(name, rule, label, outcomes[label])
                 for label in labels_of(name, rule) if label in outcomes}
        remarks[rule] = {label: cases.pop(label) for label in list(cases)
                         if "integer" in label}
        if cases:
            results[rule] = cases
    wrong = {rule: [label for label, (result, _) in cases.items()
                    if result != "pass"] for rule, cases in results.items()}
    allowed = sorted(
        [rule for rule in results if rule not in RULES or rule in accepted],
        key=lambda rule: (sum(right_arrays(name, rule, outcomes)),
                          right_shapes(name, rule, outcomes)), reverse=True)
    if not allowed:
        return {**check, "verdict": "skipped",
                "cause": "It has no such case under the accepted rules."}
    rule = allowed[0]
    if wrong[rule]:
        found, sets = find(name, allowed, wrong, outcomes)
        rule = found or rule
        explain_wrong(check, rule, sets, wrong, results)
    elif not signature:
        check["verdict"] = "right"
    check["rule"] = rule
    check["partial"] = len(outcomes) == 1
    check["cases"] = [{"name": label, "result": result, "message": message}
                      for label, (result, message) in results[rule].items()]
    if name[:4] == "conv" and not check["partial"] and not wrong[rule]:
        check["same"] = rule
    returned = all(outcomes[label].get("arrays") for label in results[rule])
    for i, output in enumerate(OUTPUTS[name]):
        right = right_arrays(name, rule, outcomes, slice(i, i + 1))
        check["outputs"][output] = "right" if all(right) and returned else (
            "wrong" if right else "not returned")
        check.setdefault("returned", {})[output] = "not returned" if (
            not right) else "right" if all(right) else "wrong"
    if any(result == "fail" for result, _ in remarks[rule].values()):
        check["remarks"].append("arrays of integers give a wrong result: "
                                "collect it in an array of float64")
    return check


def explain_wrong(check, rule, sets, wrong, results):
    """Put the causes of what is wrong into a check."""
    name, failed = check["function"], wrong[rule]
    sentences = [" Or: ".join(" And: ".join(one.sentence for one in causes)
                              for causes in sets)]
    check["write"] = [lines_to_write(name, causes, rule) for causes in sets]
    other = [one for one in wrong if not wrong[one]]
    if not sets and other:
        sentences = [f"It follows {RULE_NAMES[other[0]]}, which --same does "
                     "not accept."]
    messages = {str(results[rule][label][1]) for label in failed}
    if any("was changed" in message for message in messages):
        sentences.append("An input is changed in place: work on a copy.")
    if messages == {"returned None: is there a return?"}:
        sentences = ["Nothing is returned."]
    check["cause"] = " And: ".join(
        filter(None, [check["cause"], *sentences])) or None
    kinds = {results[rule][label][0] for label in failed}
    if len(kinds) == 1:
        check["kind"] = {
            "error": "raises " + " or ".join(sorted({
                str(check["outcomes"][label].get("error"))
                for label in failed})),
            "timeout": "an endless loop, or too slow", "exit": "ends Python",
            "fail": None}[kinds.pop()]
    right = [label for label in results[rule] if label not in failed]
    if right:   # what all wrong cases have and no right one has
        check["shared"] = sorted(
            set.intersection(*(features(name, rule, one) for one in failed))
            - set.union(*(features(name, rule, one) for one in right)))


def features(name, rule, label):
    """Return what is special in a case."""
    case, _ = calls_of(name)[label]
    (m, h, w, c), (sh, sw), conv = case.A_prev, case.stride, name[:4] == "conv"
    (kh, kw), same = case.kernel[:2], case.padding == "same"
    axes = (h, kh, sh), (w, kw, sw)
    sides = [RULES[rule](*axis) for axis in axes] if same else [(0, 0)]
    totals = [total_to_keep(*axis) for axis in axes] if same else []
    found = {
        "several images": m > 1, "several channels of A_prev": c > 1,
        "several kernels": conv and case.kernel[-1] > 1,
        "a kernel that is not square": kh != kw,
        "an image that is not square": h != w,
        "windows that overlap": kh > sh or kw > sw,
        "a stride above 1": (sh, sw) != (1, 1),
        "different strides of the two axes": sh != sw,
        'padding "same"': conv and same, 'padding "valid"': conv and not same,
        "a padding of 0 on an axis": conv and 0 in sum(sides, ()),
        "an even total of zeros": any(t % 2 == 0 for t in totals),
        "an odd total of zeros": any(t % 2 for t in totals),
        "mode 'max'": case.mode == "max", "mode 'avg'": case.mode == "avg",
        "ties": case.draw == "ties", "numbers that are not whole":
            case.draw == "real",
        "an activation": case.activation != "same_Z"
        and name == "conv_forward"}
    return {feature for feature, holds in found.items() if holds}
