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
        if any(hasattr(layer, "layers") for layer in model.layers):
            raise ValueError    # a model inside: its layers are not seen
        return K.Model(model.inputs, [
            layer.output for layer in model.layers]).predict(
                images[:20], verbose=0)

    def measured():
        """Return predictions, their cross-entropy, the loss, the metrics."""
        Y = model.predict(images, verbose=0)
        found = {key: float(value) for key, value in model.evaluate(
            images, targets, verbose=0, return_dict=True).items()}
        entropy = -np.log(np.clip(Y, 1e-7, 1)[targets == 1]).mean()
        return Y, float(entropy), found.pop("loss"), sorted(found.values())

    hidden, parameters = seen(outputs), seen(lambda: int(model.count_params()))
    kernels = seen(lambda: [[float(w.std() / np.sqrt(2 / np.prod(
        w.shape[:-1]))), float(np.abs(w).max() / w.std())]
        for w in model.get_weights() if w.ndim > 1])
    optimizer = seen(lambda: [kind.__name__ for kind in type(getattr(
        model.optimizer, "inner_optimizer", model.optimizer)).__mro__])
    shapes = hidden and [list(Y.shape[1:]) for Y in hidden]
    lowest = hidden and [float(Y.min()) for Y in hidden
                         if Y.shape[1:] not in ((28, 28, 1), (10,))]
    pooled = hidden and [float(np.abs(small - large.reshape(
        20, h // 2, 2, h // 2, 2, -1).max(axis=(2, 4))).max())
        for h, large, small in ((Y.shape[1], Y, Z) for Y, Z in zip(
            hidden, hidden[1:]) if Y.ndim == 4 == Z.ndim
            and Y.shape[1] == 2 * Z.shape[1])]
    Y, entropy, loss, _ = measured()
    model.fit(images, targets, 32, epochs=6, verbose=0)
    later, _, loss_later, metrics = measured()
    accuracy, wanted = float((later.argmax(axis=1) == labels).mean()), iter(
        shapes or [])
    return {"result": "ok", "seen": [
        ["shapes", shapes and all(shape in wanted for shape in SHAPES),
         f"layer outputs: {shapes}",
         "The layers do not give the shapes of LeNet-5."],
        ["parameters", parameters and parameters == 61706,
         f"{parameters} parameters, expected 61706",
         "The number of parameters is not 61,706."],
        ["relu", lowest and min(lowest) >= 0,
         f"lowest outputs of the layers: {lowest}",
         "A layer has another activation than relu."],
        ["pooling", pooled and max(pooled) < 1e-5,
         f"difference from the maximum of 2x2 windows: {pooled}",
         "A pooling is not that of the maximum."],
        ["probabilities", Y.shape[1:] == (10,)
         and bool(np.abs(Y.sum(axis=1) - 1).max() < 1e-3),
         "predictions are not 10 probabilities that sum to 1",
         "The last layer has no softmax."],
        ["he_normal", kernels and all(
            0.75 < spread < 1.25 for spread, _ in kernels) and max(
                largest for _, largest in kernels) > 1.9,
         f"spread of the kernels over he_normal's, largest: {kernels}",
         "The kernels are not drawn by he_normal."],
        ["Adam", optimizer and "Adam" in optimizer,
         f"compiled with {optimizer}", "The optimizer is not Adam."],
        ["loss", abs(loss - entropy) < 1e-2 * max(1, entropy),
         f"the loss is {loss:.6g}, cross-entropy {entropy:.6g}",
         "The loss is not categorical cross-entropy."],
        ["accuracy", any(abs(one - accuracy) < 1e-3 for one in metrics),
         f"metrics: {metrics}, accuracy {accuracy:.6g}",
         "accuracy is not measured."],
        ["learning", loss_later < 0.7 * loss,
         f"loss before {loss:.3g}, after six epochs {loss_later:.3g}",
         "It does not learn."]]}, []
