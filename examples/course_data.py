#!/usr/bin/env python3
"""Write MNIST.npz, the data set that the course's main files read.

    python examples/course_data.py ../data

It holds X_train, Y_train, X_valid and Y_valid: images of 28x28 pixels,
float32 from 0 to 1, and their digits. They are Keras' MNIST (50,000 and
10,000 of its training images, downloaded once) or, where that cannot be
loaded, scikit-learn's digits, enlarged to 28x28 (1,437 and 360).
"""
import argparse
import os
import sys
from pathlib import Path

import numpy as np

from common import Parser, UserError, problem_with, put
from training.data import load_data

NAME = "MNIST.npz"


def loaded():
    """Return training images and labels, then validation ones; say which."""
    for engine in ("numpy", "keras"):       # an earlier download, or a new one
        try:
            x, y, _, _ = load_data("mnist", engine)
            print("Keras' MNIST:", end=" ")
            return x[:50000], y[:50000], x[50000:], y[50000:]
        except (UserError, ImportError):
            pass
    print("Keras' MNIST cannot be loaded (offline, or TensorFlow is not "
          "installed).\nscikit-learn's digits, enlarged:", end=" ")
    return load_data("digits")


def main(argv=None):
    """Write the file; return the exit status."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = Parser(description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", type=Path,
                        help="to write into; it is made if it is missing")
    try:
        folder = parser.parse_args(argv).folder
        if problem := problem_with(folder, [NAME]):
            parser.error(f"{folder}: {problem}")
        if (folder / NAME).exists():
            parser.error(f"{folder / NAME} is there already; remove it first")
        x, y, x_valid, y_valid = loaded()
        print(f"{len(x):,} images to train, {len(x_valid):,} to validate.")
        put(folder / NAME, lambda path: np.savez_compressed(
            path, X_train=x[..., 0], Y_train=y, X_valid=x_valid[..., 0],
            Y_valid=y_valid))
    except (UserError, OSError, KeyboardInterrupt) as error:
        print(f"course_data.py: {str(error) or 'stopped'}", file=sys.stderr)
        return 2
    print(f"Written: {folder / NAME}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
