"""The verdict on a LeNet-5, from what it does."""
from .judge import new, reason

SHAPES = [[28, 28, 6], [14, 14, 6], [10, 10, 16], [5, 5, 16], [400], [120],
          [84], [10]]


def judge_lenet5(outcome):
    """Return everything that the report says of a LeNet-5."""
    check = new(function="lenet5")
    if outcome["result"] != "ok":
        check["cases"] = [{"name": "building", "result": outcome["result"],
                           "message": reason(outcome)}]
        return check
    for name, right, message, cause in looks(outcome["seen"]):
        check["cases"].append({
            "name": name, "result": "pass" if right else "fail",
            "message": None if right else message})
        if right is None:
            check["cases"].pop()
            check["remarks"].append(f"{name} cannot be read from this model "
                                    "and was not checked")
        elif not right:
            check["cause"] = check["cause"] or cause
    check["verdict"] = "wrong" if check["cause"] else "right"
    return check


def looks(seen):
    """Yield (name, right or None where it cannot be read, message, cause)."""
    shapes, before, after = seen["shapes"], seen["before"], seen["after"]
    wanted = iter(shapes or [])
    yield ("shapes", shapes and all(shape in wanted for shape in SHAPES),
           f"layer outputs: {shapes}",
           "The layers do not give the shapes of LeNet-5.")
    count = seen["parameters"]
    yield ("parameters", count and count == 61706,
           f"{count} parameters, expected 61706",
           "The number of parameters is not 61,706.")
    lowest = seen["lowest"]
    yield ("relu", lowest and min(lowest) >= 0,
           f"lowest outputs of the layers: {lowest}",
           "A layer has another activation than relu.")
    pooled = seen["pooled"]
    yield ("pooling", pooled and max(pooled) < 1e-5,
           f"difference from the maximum of 2x2 windows: {pooled}",
           "A pooling is not that of the maximum.")
    yield ("probabilities", before["width"] == 10 and all(
        abs(total - 1) < 1e-3 for total in before["sums"]),
           "predictions are not 10 probabilities that sum to 1",
           "The last layer has no softmax.")
    spreads = seen["spreads"]
    yield ("he_normal", spreads and all(
        0.75 < spread < 1.25 for spread, _ in spreads) and max(
            largest for _, largest in spreads) > 1.9,
           f"spread of the kernels over he_normal's, largest: {spreads}",
           "The kernels are not drawn by he_normal.")
    yield ("Adam", seen["optimizer"] and "Adam" in seen["optimizer"],
           f"compiled with {(seen['optimizer'] or [''])[0]}",
           "The optimizer is not Adam.")
    yield ("loss", abs(before["loss"] - before["entropy"]) < 1e-2 * max(
        1, before["entropy"]),
           f"the loss is {before['loss']:.6g}, cross-entropy "
           f"{before['entropy']:.6g}",
           "The loss is not categorical cross-entropy.")
    yield ("accuracy", any(abs(metric - after["accuracy"]) < 1e-3
                           for metric in after["metrics"]),
           f"metrics: {after['metrics']}, accuracy {after['accuracy']:.6g}",
           "accuracy is not measured.")
    yield ("learning", after["loss"] < 0.7 * before["loss"],
           f"loss before {before['loss']:.3g}, after six epochs "
           f"{after['loss']:.3g}", "It does not learn.")
