"""The images that the examples train on, checked and brought to 28x28."""
import os
from pathlib import Path

import numpy as np

from common import UserError, require

KEYS = (("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "Y_train", "X_valid", "Y_valid"))


def digits(seed):
    """Return scikit-learn's 8x8 digits, enlarged and padded to 28x28."""
    require("sklearn", "scikit-learn", ", or pass --data FILE.npz")
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    images, labels = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8) / 16
    images = images.repeat(3, axis=1).repeat(3, axis=2)
    images = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    x, x_test, y, y_test = train_test_split(
        images, labels, test_size=0.2, stratify=labels, random_state=seed)
    return x, y, x_test, y_test


def mnist(with_keras):
    """Return MNIST from Keras' cache, where Keras puts it if it may."""
    if with_keras:
        from tensorflow import keras as K
        try:
            (x, y), (x_test, y_test) = K.datasets.mnist.load_data()
        except Exception as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise UserError(f"--data mnist: cannot be downloaded ({reason}); "
                            "pass --data digits, or --data FILE.npz with a "
                            "copy")
        return x, y, x_test, y_test
    try:
        home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    except RuntimeError:
        raise UserError("--data mnist: no home folder, and KERAS_HOME is not "
                        "set; pass --data FILE.npz or --data digits")
    path = home / "datasets" / "mnist.npz"
    if not path.exists():
        raise UserError(f"--data mnist: {path} is not there yet; --engine "
                        "keras downloads it once, or pass --data digits")
    return from_npz(path)


def from_npz(path):
    """Return the four arrays of an npz, under Keras' or the courses' keys."""
    try:
        with np.load(path, allow_pickle=False) as file:
            for keys in KEYS:
                if set(keys) <= set(file):
                    return tuple(file[key] for key in keys)
            found = ", ".join(file) or "none"
    except FileNotFoundError:
        raise UserError(f"--data {path}: no such file; expected digits, mnist "
                        "or the path of an .npz")
    except Exception:       # damaged files raise anything
        raise UserError(f"--data {path}: cannot be read as an .npz of plain "
                        "numeric arrays")
    raise UserError(f"--data {path}: expected the keys x_train, y_train, "
                    "x_test, y_test or X_train, Y_train, X_valid, Y_valid; "
                    f"found {found}")


def checked_images(name, images):
    """Return images as (m, 28, 28, 1), of finite numbers."""
    images = np.asarray(images)
    shape = images.shape
    if (images.dtype.kind not in "biuf" or len(shape) not in (3, 4)
            or shape[1:] not in ((28, 28), (28, 28, 1)) or not shape[0]):
        raise UserError(f"{name} images: expected numbers of shape (m, 28, 28)"
                        " or (m, 28, 28, 1), m at least 1, got "
                        f"{images.dtype} {shape}")
    if not np.isfinite(images).all():
        raise UserError(f"{name} images: expected finite numbers, got NaN or "
                        "infinity")
    return images.reshape(-1, 28, 28, 1)


def checked_labels(name, labels, count):
    """Return labels as integers from 0 to 9; one-hot rows are read too."""
    labels = np.asarray(labels)
    numeric = labels.dtype.kind in "biuf"
    if numeric and labels.shape == (count, 10) and np.isin(
            labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all():
        return labels.argmax(axis=1)
    if numeric and labels.shape == (count, 1):
        labels = labels[:, 0]
    if labels.shape != (count,):
        raise UserError(f"{name} labels: expected one for each of {count} "
                        f"images, got shape {labels.shape}")
    if not numeric or not np.isin(labels, range(10)).all():
        example = labels[0] if not numeric else labels[
            ~np.isin(labels, range(10))][0]
        raise UserError(f"{name} labels: expected whole numbers from 0 to 9, "
                        f"got {labels.dtype}, such as {str(example)[:40]!r}")
    return labels.astype(int)


def scale_of(low, high):
    """Return what to divide pixels by, and a sentence that says so."""
    between = f"Pixels from {low:g} to {high:g}"
    if 0 <= low and high <= 1.1:
        return 1, f"{between}: used as they are."
    if 0 <= low and high <= 255:
        return 255, f"{between}: divided by 255."
    if -20 <= low < 0 and high <= 20:
        return 1, f"{between}: standardised, used as they are."
    raise UserError(f"images: expected pixels from 0 to 1, from 0 to 255 or "
                    f"standardised, got {low:g} to {high:g}")


def load_data(data, engine="numpy", seed=0, limit=None, say=lambda line:
              None):
    """Return training images and labels, test images and labels.

    The scale is decided once, from all images; `say` gets a line about it.
    """
    if data == "digits":
        x, y, x_test, y_test = digits(seed)
    elif data == "mnist":
        x, y, x_test, y_test = mnist(with_keras=engine != "numpy")
    else:
        x, y, x_test, y_test = from_npz(data)
    x, x_test = checked_images("training", x), checked_images("test", x_test)
    y = checked_labels("training", y, len(x))
    y_test = checked_labels("test", y_test, len(x_test))
    scale, sentence = scale_of(float(min(x.min(), x_test.min())),
                               float(max(x.max(), x_test.max())))
    say(sentence)
    return (np.float32(x[:limit]) / np.float32(scale), y[:limit],
            np.float32(x_test) / np.float32(scale), y_test)
