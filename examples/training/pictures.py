"""What train.py shows at the end: a table and two pictures.

A history holds for each engine one row per epoch: the loss of each batch, the
mean loss, the accuracy and the seconds.
"""
import numpy as np

TITLES = {"numpy": "NumPy", "keras": "Keras"}


def table(history):
    """Return epoch, loss, validation accuracy and seconds of each engine.

    Of many epochs it has every second, third, ..., and the last.
    """
    lines = ["", "epoch" + "".join(f"{TITLES[name] + ' loss':>13}  accuracy  "
                                   "seconds" for name in history)]
    epochs = [*enumerate(zip(*history.values()), 1)]
    for number, rows in epochs[::-len(epochs) // 20 or -1][::-1]:
        lines.append(f"{number:5}" + "".join(
            f"{loss:13.4f}{accuracy:10.4f}{seconds:9.2f}"
            for _, loss, accuracy, seconds in rows))
    return "\n".join(lines)


def curves(history):
    """Draw the loss of each batch, one engine's curve on the other's."""
    from matplotlib.figure import Figure
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    styles = {"numpy": dict(color="#B2D9FF", linewidth=5),
              "keras": dict(color="black", linewidth=1)}
    for name, rows in history.items():
        losses = np.concatenate([losses for losses, *_ in rows])
        epochs = np.arange(len(losses)) * len(rows) / len(losses)
        axes.plot(epochs, losses, label=TITLES[name], **styles[name])
    axes.set(xlabel="epoch", ylabel="loss of each batch", yscale="log")
    axes.legend(frameon=False)
    return figure


def predictions(images, labels, read):
    """Show 50 images with what was read above each; what is wrong is red."""
    from matplotlib.figure import Figure
    figure = Figure(figsize=(7, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(0, 10), ylim=(5, 0), aspect=1.1)
    axes.axis("off")
    for i, (image, label, digit) in enumerate(zip(images, labels, read)):
        y, x = divmod(i, 10)
        right = digit == label
        axes.imshow(image[:, :, 0], cmap="gray_r",
                    extent=(x + 0.1, x + 0.9, y + 1, y + 0.25))
        axes.text(x + 0.5, y + 0.2, digit if right else
                  f"{digit}, not {label}", ha="center",
                  fontsize=9, color="black" if right else "red")
    return figure
