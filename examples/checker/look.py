"""What a LeNet-5 does, seen in the process of the student's file."""
import numpy as np

SHAPES = [[28, 28, 6], [14, 14, 6], [10, 10, 16], [5, 5, 16], [400], [120],
          [84], [10]]


def seen(read):
    """Return what is read of a model, or None where that cannot be done."""
    try:
        return read()
    except Exception:
        return None


def look(function):
    """Build the student's LeNet-5; report what is right, and why not.

    Return a report with rows: name, right or None where it cannot be read,
    message, cause.
    """
    from tensorflow import keras as K
    model = function(K.Input(shape=(28, 28, 1)))
    rng = np.random.default_rng(0)
    labels = np.arange(320) % 10
    images = (rng.random((10, 28, 28, 1))[labels] + rng.normal(
        0, 0.1, (320, 28, 28, 1))).astype("float32")
    targets = np.eye(10, dtype="float32")[labels]

    def outputs():
        if any(hasattr(layer, "layers") or len(layer._inbound_nodes) > 1
               for layer in model.layers):
            raise ValueError    # a model inside, or a layer used twice
        return K.Model(model.inputs, [
            layer.output for layer in model.layers]).predict(
                8 * images[:20], verbose=0)     # beyond 6: no relu6

    def measured():
        """Return predictions, their cross-entropy, the loss, the metrics."""
        Y = model.predict(images, verbose=0)
        found = {key: float(value) for key, value in model.evaluate(
            images, targets, verbose=0, return_dict=True).items()}
        entropy = -np.log(np.clip(Y, 1e-7, 1)[targets == 1]).mean()
        accuracy = float((Y.argmax(axis=1) == labels).mean())
        return Y, float(entropy), found.pop("loss"), [
            abs(value - accuracy) < 1e-3 for _, value in sorted(found.items())]

    hidden, parameters = seen(outputs), seen(lambda: int(model.count_params()))
    kernels = seen(lambda: [
        [w.size, float(w.std() / np.sqrt(2 / np.prod(w.shape[:-1]))),
         float(np.abs(w).max() / w.std())]
        for w in model.get_weights() if w.ndim > 1])
    optimizer = seen(lambda: type(getattr(
        model.optimizer, "inner_optimizer", model.optimizer)).__name__)
    shapes = hidden and [list(Y.shape[1:]) for Y in hidden]
    ranges = hidden and {     # of the last layer that gives a shape
        Y.shape[1:]: (float(Y.min()), float(Y.max())) for Y in hidden
        if list(Y.shape[1:]) in SHAPES[0:3:2] + SHAPES[5:7]}
    pooled = hidden and [float(np.abs(small - large.reshape(
        20, h // 2, 2, h // 2, 2, -1).max(axis=(2, 4))).max())
        for h, large, small in ((Y.shape[1], Y, Z) for Y, Z in zip(
            hidden, hidden[1:]) if Y.ndim == 4 == Z.ndim
            and Y.shape[1] == 2 * Z.shape[1])]
    Y, entropy, loss, before = measured()
    model.fit(images, targets, 32, epochs=6, verbose=0)
    _, entropy_later, loss_later, after = measured()
    wanted = iter(shapes or [])
    return {"result": "ok", "seen": [
        ["shapes", shapes and all(shape in wanted for shape in SHAPES),
         f"layer outputs: {shapes}",
         "The layers do not give the shapes of LeNet-5."],
        ["parameters", parameters and parameters == 61706,
         f"{parameters} parameters, expected 61706",
         "The number of parameters is not 61,706."],
        ["relu", ranges and all(
            low == 0 and high > 6 for low, high in ranges.values()),
         f"lowest and highest outputs of the layers: {ranges}",
         "A layer has another activation than relu."],
        ["pooling", pooled and max(pooled) < 1e-5,
         f"difference from the maximum of 2x2 windows: {pooled}",
         "A pooling is not that of the maximum."],
        ["probabilities", Y.shape[1:] == (10,)
         and bool(np.abs(Y.sum(axis=1) - 1).max() < 1e-3),
         "predictions are not 10 probabilities that sum to 1",
         "The last layer has no softmax."],
        ["he_normal", kernels and all(
            abs(spread - 1) < 4 / np.sqrt(2 * size) and largest > 1.8
            for size, spread, largest in kernels),
         "numbers of the kernels, their spread over he_normal's, the largest: "
         f"{kernels}",
         "The kernels are not drawn by he_normal."],
        ["Adam", optimizer and optimizer == "Adam",
         f"compiled with {optimizer}", "The optimizer is not Adam."],
        ["loss", max(abs(loss - entropy), abs(loss_later - entropy_later)
                     ) < 1e-2 * max(1, entropy),
         f"the loss is {loss:.6g}, cross-entropy {entropy:.6g}",
         "The loss is not categorical cross-entropy."],
        ["accuracy", any(one and other for one, other in zip(before, after)),
         "no metric equals the accuracy before and after the training",
         "accuracy is not measured."],
        ["learning", loss_later < 0.7 * loss,
         f"loss before {loss:.3g}, after six epochs {loss_later:.3g}",
         "It does not learn."]]}, []
