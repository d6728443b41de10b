"""What a LeNet-5 does, measured in the process of the student's file.

Numbers and lists of them, nothing that is judged: that is done by lenet.py.
"""
import numpy as np


def seen(read):
    """Return what is read of a model, or None where that cannot be done."""
    try:
        return read()
    except Exception:
        return None


def look(function):
    """Build the student's LeNet-5; return what was measured, and no array."""
    from tensorflow import keras as K
    X = K.Input(shape=(28, 28, 1))
    model = function(X)
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
        """Return predictions, and the loss and metrics beside what they are.
        """
        Y = model.predict(images, verbose=0)
        found = {key: float(value) for key, value in model.evaluate(
            images, targets, verbose=0, return_dict=True).items()}
        entropy = -np.log(np.clip(Y, 1e-7, 1)[targets == 1]).mean()
        accuracy = float((Y.argmax(axis=1) == labels).mean())
        return Y, {"cross-entropy": float(entropy), "loss": found.pop("loss"),
                   "metrics - accuracy": [abs(value - accuracy) for _, value
                                          in sorted(found.items())]}

    Y = model.predict(images[:1], verbose=0)    # builds what has no weights
    hidden = seen(outputs)
    pooled = hidden and [float(np.abs(small - large.reshape(
        20, h // 2, 2, h // 2, 2, -1).max(axis=(2, 4))).max())
        for h, large, small in ((Y.shape[1], Y, Z) for Y, Z in zip(
            hidden, hidden[1:]) if Y.ndim == 4 == Z.ndim
            and Y.shape[1] == 2 * Z.shape[1])]
    found = {
        "uses X": seen(lambda: any(one is X for one in model.inputs)),
        "output shapes": hidden and [list(Y.shape[1:]) for Y in hidden],
        "output ranges": hidden and [[float(Y.min()), float(Y.max())]
                                     for Y in hidden],
        "parameters": seen(lambda: int(model.count_params())),
        "off the maximum": pooled, "kernels": seen(lambda: [
            {"size": w.size, "largest / spread": float(
                np.abs(w).max() / w.std()), "spread / he_normal's": float(
                w.std() / np.sqrt(2 / np.prod(w.shape[:-1])))}
            for w in model.get_weights() if w.ndim > 1]),
        "optimizer": seen(lambda: type(getattr(
            model.optimizer, "inner_optimizer", model.optimizer)).__name__)}
    Y, found["before training"] = measured()
    found["prediction"] = {"shape": list(Y.shape[1:]), "sum - 1": float(
        np.abs(Y.sum(axis=-1) - 1).max())}
    model.fit(images, targets, 32, epochs=6, verbose=0)
    _, found["after training"] = measured()
    return {"result": "ok", "seen": found}, []
