"""The cases of check.py."""
import zlib
from typing import NamedTuple

import numpy as np

# The cases of check.py. Numbers are whole or real, never zero, and negative
# too; m is 1, 2 and 3; the zeros that "same" adds in all are 0 to 4 an axis.

class Check(NamedTuple):
    """One call of a student's function, drawn from a seed of its own."""

    name: str
    A_prev: tuple
    kernel: tuple           # W's shape, or the window of a pooling
    padding: str = "valid"
    stride: tuple = (1, 1)
    mode: str = "max"
    real: bool = False
    ties: bool = False
    activation: str = "same_Z"
    lists: bool = False     # remarks, not faults
    dtype: str = "float64"

    def draw(self, *shapes, what=""):
        """Return an array for each shape, always the same."""
        rng = np.random.default_rng(zlib.crc32((self.name + what).encode()))
        if self.real:
            return [rng.standard_normal(shape) for shape in shapes]
        return [(rng.integers(1, 10, shape) * rng.choice([-1, 1], shape)
                 ).astype(self.dtype) for shape in shapes]

    def pixels(self):
        """Return A_prev of a pooling: all different, or with many ties."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        count = int(np.prod(self.A_prev))
        numbers = rng.integers(-2, 0, count) if self.ties else np.delete(
            np.arange(-count, count + 1), count)[rng.permutation(count)]
        scale = 0.37 if self.real else 1
        return (numbers * scale).reshape(self.A_prev).astype(self.dtype)


CONV_CHECKS = [
    Check("one window", (1, 2, 2, 1), (2, 2, 1, 1)),
    Check("one image", (1, 4, 5, 1), (3, 2, 1, 1)),
    Check("two images", (2, 4, 5, 1), (2, 3, 1, 1)),
    Check("real numbers", (1, 4, 4, 1), (2, 2, 1, 1), real=True),
    Check("activation", (2, 4, 4, 1), (2, 2, 1, 2), activation="relu"),
    Check("channels", (2, 4, 4, 3), (2, 2, 3, 3)),
    Check("three images", (3, 5, 4, 2), (3, 2, 2, 3)),
    Check("wide image", (1, 4, 9, 2), (2, 3, 2, 2)),
    Check("tall image", (1, 9, 4, 2), (3, 2, 2, 2), stride=(2, 1)),
    Check("stride", (2, 8, 7, 1), (2, 3, 1, 2), stride=(2, 3)),
    Check("stride that leaves a remainder", (1, 8, 6, 1), (3, 2, 1, 1),
          stride=(2, 3)),
    Check("stride larger than the kernel", (1, 9, 8, 1), (2, 1, 1, 1),
          stride=(3, 2)),
    Check("same, kernel of one pixel", (1, 3, 4, 1), (1, 1, 1, 1), "same"),
    Check("same, 3x3", (1, 4, 5, 1), (3, 3, 1, 1), "same"),
    Check("same, 3x1", (2, 5, 4, 1), (3, 1, 1, 1), "same"),
    Check("same, 1x3", (1, 4, 5, 1), (1, 3, 1, 1), "same"),
    Check("same, 2x2", (1, 4, 5, 1), (2, 2, 1, 1), "same"),
    Check("same, 2x3", (1, 5, 4, 2), (2, 3, 2, 2), "same"),
    Check("same, 3x2", (2, 4, 6, 2), (3, 2, 2, 2), "same"),
    Check("same, 4x5", (1, 5, 6, 1), (4, 5, 1, 2), "same"),
    Check("same, 5x4, activation", (1, 6, 5, 1), (5, 4, 1, 1), "same",
          activation="relu"),
    Check("same, stride 2", (1, 5, 6, 1), (3, 3, 1, 1), "same", (2, 2)),
    Check("same, stride 2x1", (2, 4, 5, 1), (2, 4, 1, 2), "same", (2, 1)),
    Check("same, stride 3x2", (1, 7, 5, 1), (3, 2, 1, 1), "same", (3, 2)),
    Check("same, stride larger than the kernel", (1, 6, 7, 1), (1, 2, 1, 1),
          "same", (2, 3)),
    Check("integer arrays", (1, 4, 4, 1), (2, 2, 1, 1), dtype="int64"),
    Check("lists", (1, 4, 4, 1), (2, 2, 1, 1), lists=True),
]
POOL_CHECKS = [
    Check(f"{mode}, {name}", shape, kernel, "", stride, mode, **options)
    for mode in ("max", "avg") for name, shape, kernel, stride, options in [
        ("one window", (1, 2, 2, 1), (2, 2), (2, 2), {}),
        ("one image", (1, 4, 4, 1), (2, 2), (2, 2), {}),
        ("two images", (2, 4, 6, 1), (2, 3), (2, 3), {}),
        ("real numbers", (1, 4, 4, 1), (2, 2), (2, 2), {"real": True}),
        ("channels", (3, 4, 4, 2), (2, 2), (2, 2), {}),
        ("windows that overlap", (1, 5, 4, 2), (3, 2), (1, 1), {}),
        ("wide image", (2, 4, 9, 2), (2, 3), (2, 2), {}),
        ("tall image", (2, 9, 4, 2), (3, 2), (3, 1), {}),
        ("stride of two sizes", (1, 7, 8, 1), (2, 2), (3, 2), {}),
        ("stride that leaves a remainder", (1, 6, 7, 2), (3, 2), (2, 2), {}),
        ("ties", (2, 4, 5, 1), (2, 2), (1, 1), {"ties": True}),
        ("integer arrays", (1, 4, 4, 1), (2, 2), (2, 2), {"dtype": "int64"}),
        ("lists", (1, 4, 4, 1), (2, 2), (2, 2), {"lists": True})]]
