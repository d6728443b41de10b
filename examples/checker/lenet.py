"""The verdict on a LeNet-5, from what the student's process measured."""
import difflib
import re

import numpy as np

from .judge import new, reason

SHAPES = [[28, 28, 6], [14, 14, 6], [10, 10, 16], [5, 5, 16], [400], [120],
          [84], [10]]
WORDS = ["kernel_initializer", "activation", "padding", "strides", "units",
         "pool_size", "filters", "kernel_size", "optimizer", "metrics", "loss"]
BOTH = ["before training", "after training"]
CHECKS = [      # name, what is measured, whether it is right, and what is said
    ("shapes", ["output shapes"], lambda shapes: in_order(SHAPES, shapes),
     "The layers do not give the shapes of LeNet-5."),
    ("parameters", ["parameters"], lambda count: count == 61706,
     "The number of parameters is not 61,706."),
    ("relu", ["output shapes", "output ranges"], lambda shapes, ranges:
     ranges and all(low == 0 and high > 6 for shape, (low, high) in zip(
         shapes, ranges) if shape in SHAPES[:3:2] + SHAPES[5:7]),
     "A layer has another activation than relu."),
    ("pooling", ["off the maximum"], lambda off: max(off, default=1) < 1e-5,
     "A pooling is not that of the maximum."),
    ("probabilities", ["prediction"], lambda one: one["shape"] == [10] and (
        one["sum - 1"] < 1e-3), "The last layer has no softmax."),
    ("he_normal", ["kernels"], lambda kernels: kernels and all(
        abs(one["spread / he_normal's"] - 1) < 4 / np.sqrt(2 * one["size"])
        and one["largest / spread"] > 1.8 for one in kernels),
     "The kernels are not drawn by he_normal."),
    ("Adam", ["optimizer"], lambda name: name == "Adam",
     "The optimizer is not Adam."),
    ("loss", BOTH, lambda *both: all(
        abs(one["loss"] - one["cross-entropy"])
        < 1e-2 * max(1, both[0]["cross-entropy"]) for one in both),
     "The loss is not categorical cross-entropy."),
    ("accuracy", BOTH, lambda *both: any(
        max(pair) < 1e-3 for pair in zip(*[
            one["metrics - accuracy"] for one in both])),
     "accuracy is not measured."),
    ("learning", BOTH, lambda before, after: after["loss"] < 0.7 * before[
        "loss"], "It does not learn.")]


def in_order(some, every):
    """Tell whether some things are among all, in that order."""
    left = iter(every)
    return all(one in left for one in some)


def judge_lenet5(outcome, data=b""):
    """Return everything that the report says of a LeNet-5.

    data: the file; advice on its lines was not tried, and is not said to be.
    """
    check = new(function="lenet5")
    if outcome.get("error") == "NoTensorFlow":
        return {**check, "verdict": "skipped", "cause":
                f"TensorFlow does not load ({outcome['message']})."}
    rows = []
    try:
        for name, keys, right, cause in CHECKS * (outcome["result"] == "ok"):
            found = [outcome["seen"][key] for key in keys]
            rows.append((name, None if None in found else bool(right(*found)),
                         "; ".join(map("{}: {}".format, keys, found)), cause))
    except Exception:       # it may hold anything
        outcome, rows = {"result": "error", "message": "what was measured is "
                         "damaged"}, []
    if not rows:
        return {**check, "cause": misspelt(outcome), "cases": [{
            "name": "building", "result": outcome["result"],
            "message": reason(outcome)}]}
    for name, right, message, cause in rows:
        if right is None:
            check["remarks"].append(f"{name} cannot be read from this model "
                                    "and was not checked")
            continue
        check["cases"].append({
            "name": name, "result": "pass" if right else "fail",
            "message": None if right else message})
        if not right:
            cause += softmax(data) if name == "probabilities" else ""
            check["cause"] = check["cause"] or cause
    if outcome["seen"].get("uses X") is False:
        check["remarks"].append("the model does not use X, the input that it "
                                "is given")
    return {**check, "verdict": "wrong" if check["cause"] else "right"}


def misspelt(outcome):
    """Return a line to write where a keyword is misspelt, or None."""
    found = re.search(r"(?:unexpected keyword argument |passed to \w+: .*?)"
                      r"'(\w+)'", str(outcome.get("message")))
    word, line = found and found.group(1), outcome.get("line")
    close = word and difflib.get_close_matches(word, WORDS, 1)
    if close and line and word in line:
        return (f"There is no {word}. Line {outcome['lineno']}, write: "
                f"{line.replace(word, close[0])}")


def softmax(data):
    """Return a line to write for the last layer, or nothing."""
    last, ten = "", r"(Dense\(\s*(units\s*=\s*)?10)\b"
    for i, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        new = re.sub(ten, r"\1, activation='softmax'", re.sub(
            r",\s*activation\s*=\s*[\w.'\"]+", "", line))
        if re.search(ten, line) and new != line:
            last = f" Line {i}, write: {new.strip()}"
    return last
