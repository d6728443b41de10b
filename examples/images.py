"""The images that the examples train on, checked and brought to 28x28."""
import os
import zipfile
from pathlib import Path

import numpy as np


class Refused(Exception):
    """Something in the input is wrong; the message says what."""


def digits(seed):
    """Return scikit-learn's 8x8 digits, enlarged and framed to 28x28."""
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
            raise Refused(f"--data mnist: cannot be downloaded "
                          f"({str(error).splitlines()[0]}); pass --data "
                          "digits, or --data FILE.npz with a copy")
        return x, y, x_test, y_test
    home = os.environ.get("KERAS_HOME", Path.home() / ".keras")
    path = Path(home) / "datasets" / "mnist.npz"
    if not path.exists():
        raise Refused(f"--data mnist: {path} is not there yet; --engine keras "
                      "downloads it once, or pass --data digits")
    return from_npz(path)


def from_npz(path):
    """Return the four arrays of an npz, under Keras' or the courses' keys."""
    try:
        with np.load(path, allow_pickle=False) as file:
            for keys in (("x_train", "y_train", "x_test", "y_test"),
                         ("X_train", "Y_train", "X_valid", "Y_valid")):
                if set(keys) <= set(file):
                    return tuple(file[key] for key in keys)
            found = ", ".join(file) or "none"
    except FileNotFoundError:
        raise Refused(f"--data {path}: no such file; expected digits, mnist "
                      "or the path of an .npz")
    except (OSError, ValueError, AttributeError, TypeError, EOFError,
            zipfile.BadZipFile):
        raise Refused(f"--data {path}: cannot be read as an .npz of plain "
                      "numeric arrays")
    raise Refused(f"--data {path}: expected the keys x_train, y_train, x_test,"
                  f" y_test or X_train, Y_train, X_valid, Y_valid; "
                  f"found {found}")


def prepared(name, images, labels):
    """Return images as (m, 28, 28, 1) in 0..1, labels as integers."""
    images, labels = np.asarray(images), np.asarray(labels)
    shape = images.shape
    if (images.dtype.kind not in "biuf" or len(shape) not in (3, 4)
            or shape[1:] not in ((28, 28), (28, 28, 1))):
        raise Refused(f"{name} images: expected numbers of shape (m, 28, 28) "
                      f"or (m, 28, 28, 1), got {images.dtype} {shape}")
    if labels.shape != shape[:1] or not len(labels):
        raise Refused(f"{name} labels: expected one for each of {shape[0]} "
                      f"images (and at least one), got shape {labels.shape}")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > 9:
        raise Refused(f"{name} labels: expected integers from 0 to 9, got "
                      f"{labels.dtype} from {labels.min()} to {labels.max()}")
    images = np.float32(images).reshape(-1, 28, 28, 1)
    if not np.isfinite(images).all():
        raise Refused(f"{name} images: expected finite numbers, got NaN or "
                      "infinity")
    return images / 255 if images.max() > 1 else images, labels


def load_data(data, engine="numpy", seed=0, limit=None):
    """Return training images and labels, test images and labels."""
    if data == "digits":
        x, y, x_test, y_test = digits(seed)
    elif data == "mnist":
        x, y, x_test, y_test = mnist(with_keras=engine != "numpy")
    else:
        x, y, x_test, y_test = from_npz(data)
    x, y = prepared("training", x, y)
    return x[:limit], y[:limit], *prepared("test", x_test, y_test)
