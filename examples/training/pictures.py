"""What train.py shows at the end: a table and two pictures.

A history holds for each engine one row per epoch: the loss of each batch, the
mean loss, the accuracy and the seconds.
"""
import numpy as np

TITLES = {"numpy": "NumPy", "keras": "Keras"}


def table(history):
    """Return epoch, loss, validation accuracy and seconds of each engine."""
    lines = ["", "epoch" + "".join(f"{TITLES[name] + ' loss':>13}  accuracy  "
                                   "seconds" for name in history)]
    for number, rows in enumerate(zip(*history.values()), 1):
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
    """Show the first 50 images with what was read; mark what is wrong."""
    from matplotlib.figure import Figure
    figure = Figure(figsize=(7, 4.4), layout="constrained")
    for axes in figure.subplots(5, 10).flat:
        axes.axis("off")
    for axes, image, label, digit in zip(figure.axes, images, labels, read):
        axes.imshow(image[:, :, 0], cmap="gray_r")
        right = digit == label
        axes.set_title(f"{digit}" if right else f"{digit}, not {label}",
                       fontsize=9, color="black" if right else "red")
        if not right:
            axes.axis("on")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(color="red", linewidth=2)
    return figure
