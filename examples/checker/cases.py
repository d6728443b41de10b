"""What is called: cases from the simple to the special.

Numbers are whole or real, and negative too, and never zero but where they tie;
m is 1, 2 and 3. Words of a name decide on the numbers: real, ties, nearly,
integer, activation, far below, defaults.
"""
import zlib
from typing import NamedTuple

import numpy as np

VALID = """
one window                              1x2x2x1 2x2x1x1 1x1
windows that overlap                    1x3x3x1 2x2x1x1 1x1
real numbers                            1x3x3x1 2x2x1x1 1x1
an activation                           1x3x3x1 2x2x1x1 1x1
a wide image                            1x3x5x1 2x2x1x1 1x1
a tall image                            1x5x3x1 2x2x1x1 1x1
a kernel that is not square, 3x2        1x4x4x1 3x2x1x1 1x1
a kernel that is not square, 1x3        1x4x4x1 1x3x1x1 1x1
two images                              2x3x3x1 2x2x1x1 1x1
two kernels                             1x3x3x1 2x2x1x2 1x1
two channels                            1x3x3x2 2x2x2x1 1x1
stride 2                                1x4x4x1 2x2x1x1 2x2
stride 2x1                              1x4x4x1 2x2x1x1 2x1
stride 1x3                              1x5x5x1 2x2x1x1 1x3
a stride that leaves a remainder        1x6x6x1 3x2x1x1 2x3
a stride larger than the kernel         1x6x5x1 2x1x1x1 3x2
three images, channels and kernels      3x5x4x2 3x2x2x3 1x1
three images, a stride, real numbers    3x7x6x3 2x3x3x2 2x3
integer pixels                          1x4x4x1 2x2x1x1 1x1
"""
SAME = """
a kernel of one pixel                   1x2x3x1 1x1x1x1 1x1
3x3                                     1x3x4x1 3x3x1x1 1x1
5x5                                     1x3x4x1 5x5x1x1 1x1
the defaults                            1x3x4x1 3x3x1x1 1x1
3x1                                     2x4x3x1 3x1x1x1 1x1
1x3                                     1x3x4x1 1x3x1x1 1x1
2x2                                     1x3x4x1 2x2x1x1 1x1
2x3                                     1x4x3x2 2x3x2x2 1x1
3x2                                     2x3x5x2 3x2x2x2 1x1
4x5                                     1x3x4x1 4x5x1x2 1x1
5x4, an activation                      1x4x3x1 5x4x1x1 1x1
stride 2                                1x4x5x1 3x3x1x1 2x2
stride 2x1                              2x4x5x1 5x3x1x2 2x1
4x2, stride 2                           1x5x4x1 4x2x1x1 2x2
5x1, stride 2x1                         1x5x3x1 5x1x1x1 2x1
stride 3x2, real numbers                3x5x4x2 3x2x2x3 3x2
a stride larger than the kernel         1x5x6x1 1x2x1x1 2x3
"""
POOL = """
one window                              1x2x2x1 2x2 2x2
four windows                            1x4x4x1 2x2 2x2
real numbers                            1x4x4x1 2x2 2x2
a wide image                            1x2x6x1 2x2 2x2
a tall image                            1x6x2x1 2x2 2x2
a kernel that is not square             1x6x6x1 3x2 3x3
two images                              2x4x4x1 2x2 2x2
two channels                            1x4x4x2 2x2 2x2
a kernel that is not square, overlap    1x4x4x1 3x2 1x1
windows that overlap                    1x3x3x1 2x2 1x1
ties                                    2x3x3x1 2x2 1x1
nearly equal pixels                     1x3x3x1 2x2 1x1
ties, windows of nine pixels            1x3x6x2 3x3 3x3
a stride for each axis                  1x4x4x1 2x2 2x1
a stride that leaves a remainder        1x6x5x2 3x2 2x2
a stride larger than the kernel         1x7x8x1 2x2 3x4
three images, channels                  3x5x4x3 2x3 3x1
three images, overlap, real numbers     3x4x5x2 3x2 1x2
integer arrays                          1x4x4x1 2x2 2x2
the defaults                            1x3x3x1 2x2 1x1
pixels far below zero                   1x4x4x1 2x2 2x2
"""


class Case(NamedTuple):
    """One call of a student's function, drawn from a seed of its own."""

    name: str               # what is special in it
    A_prev: tuple
    kernel: tuple           # W's shape, or the window of a pooling
    stride: tuple
    kind: str               # padding, or mode

    def draw(self, what, shape):
        """Return whole or real numbers for an array, always the same."""
        rng = np.random.default_rng(zlib.crc32((self.name + what).encode()))
        if "real" in self.name:
            return rng.standard_normal(shape)
        if "ties" in self.name and what == "A_prev":
            return rng.integers(-1, 1, shape).astype("float64")
        if "nearly" in self.name and what == "A_prev":
            return 1 + 1e-8 * rng.permutation(int(np.prod(shape))).reshape(
                shape)
        if what == "A_prev" and self.kind in ("max", "avg"):    # no ties
            count = int(np.prod(shape))
            numbers = rng.permutation(np.r_[-count:0, 1:count + 1])[:count]
            numbers = numbers.reshape(shape) - 10**5 * (
                "far below" in self.name)
        else:
            numbers = rng.integers(1, 10, shape) * rng.choice([-1, 1], shape)
        if "integer" not in self.name:
            return numbers.astype("float64")
        return numbers if what == "A_prev" else numbers * 0.37


def table(kind, text):
    """Return the cases of a table; kind: a padding or a mode."""
    cases = []
    for line in text.strip().splitlines():
        *words, A_prev, kernel, stride = line.split()
        name = " ".join(words) if kind == "valid" else (
            f"{kind}, {' '.join(words)}")
        shapes = [tuple(map(int, part.split("x")))
                  for part in (A_prev, kernel, stride)]
        cases.append(Case(name, *shapes, kind))
    return cases


CASES = {"conv": table("valid", VALID) + table("same", SAME),
         "pool": table("max", POOL) + table("avg", POOL.replace(
             "the defaults", "windows of four"))}


def drawn(name, seed):
    """Return as many new, larger cases, all of stride and padding."""
    rng, cases = np.random.default_rng(seed), []
    for i in range(36):
        kh, kw, sh, sw, c, k = (int(n) for n in rng.integers(1, 5, 6))
        h, w = (int(n) for n in rng.integers(4, 10, 2))
        kind = (("valid", "same") if name[:4] == "conv" else (
            "max", "avg"))[i % 2]
        special = "ties" if i % 3 == 0 else "real numbers"
        cases.append(Case(
            f"{kind}, drawn {i} of {seed}, {special}", (1 + i % 3, h, w, c),
            (kh, kw, c, k) if name[:4] == "conv" else (kh, kw), (sh, sw),
            kind))
    return cases
