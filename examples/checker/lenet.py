"""The verdict on a LeNet-5, from what the student's process measured."""
import difflib
import re

import numpy as np

from .judge import new, reason

SHAPES = [[28, 28, 6], [14, 14, 6], [10, 10, 16], [5, 5, 16], [400], [120],
          [84], [10]]
WORDS = ["kernel_initializer", "activation", "padding", "strides", "units",
         "pool_size", "filters", "kernel_size", "optimizer", "metrics", "loss"]


def judged(seen):
    """Return rows: name, right or None where it cannot be read, message, why.

    An entry that is missing raises KeyError.
    """
    shapes, ranges, kernels = seen["shapes"], seen["ranges"], seen["kernels"]
    entropy, loss, before = seen["before"]
    entropy_later, loss_later, after = seen["after"]
    shape, off = seen["predicted"]
    wanted = iter(shapes or [])
    relu = {tuple(one): low_high for one, low_high in zip(
        shapes or [], ranges or []) if one in SHAPES[0:3:2] + SHAPES[5:7]}
    return [
        ("shapes", shapes and all(one in wanted for one in SHAPES),
         f"layer outputs: {shapes}",
         "The layers do not give the shapes of LeNet-5."),
        ("parameters", seen["parameters"] and seen["parameters"] == 61706,
         f"{seen['parameters']} parameters, expected 61706",
         "The number of parameters is not 61,706."),
        ("relu", ranges and all(low == 0 and high > 6
                                for low, high in relu.values()),
         f"lowest and highest outputs of the layers: {relu}",
         "A layer has another activation than relu."),
        ("pooling", seen["pooled"] and max(seen["pooled"]) < 1e-5,
         f"difference from the maximum of 2x2 windows: {seen['pooled']}",
         "A pooling is not that of the maximum."),
        ("probabilities", shape == [10] and off < 1e-3,
         "predictions are not 10 probabilities that sum to 1",
         "The last layer has no softmax."),
        ("he_normal", kernels and all(
            abs(spread - 1) < 4 / np.sqrt(2 * size) and largest > 1.8
            for size, spread, largest in kernels),
         "numbers of the kernels, their spread over he_normal's, the largest: "
         f"{kernels}", "The kernels are not drawn by he_normal."),
        ("Adam", seen["optimizer"] and seen["optimizer"] == "Adam",
         f"compiled with {seen['optimizer']}", "The optimizer is not Adam."),
        ("loss", max(abs(loss - entropy), abs(loss_later - entropy_later)
                     ) < 1e-2 * max(1, entropy),
         f"the loss is {loss:.6g}, cross-entropy {entropy:.6g}",
         "The loss is not categorical cross-entropy."),
        ("accuracy", any(one < 1e-3 > other
                         for one, other in zip(before, after)),
         "no metric equals the accuracy before and after the training",
         "accuracy is not measured."),
        ("learning", loss_later < 0.7 * loss,
         f"loss before {loss:.3g}, after six epochs {loss_later:.3g}",
         "It does not learn.")]


def judge_lenet5(outcome, data=b""):
    """Return everything that the report says of a LeNet-5.

    data: the file; advice on its lines was not tried, and is not said to be.
    """
    check = new(function="lenet5")
    if outcome.get("error") == "NoTensorFlow":
        return {**check, "verdict": "skipped", "cause":
                f"TensorFlow does not load ({outcome['message']})."}
    try:
        rows = judged(outcome["seen"]) if outcome["result"] == "ok" else []
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
    last = ""
    for i, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        if re.search(r"Dense\(\s*(units\s*=\s*)?10\b", line):
            new_line = re.sub(r"activation\s*=\s*[\w.'\"]+",
                              "activation='softmax'", line)
            if "activation" not in line:
                new_line = re.sub(r"(Dense\(\s*(units\s*=\s*)?10)",
                                  r"\1, activation='softmax'", line)
            last = f" Line {i}, write: {new_line.strip()}" * (
                new_line != line)
    return last
