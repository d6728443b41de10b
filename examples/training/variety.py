"""Training images that are never twice the same: as other people write.

Each is turned, leant, resized, moved and bent, and its strokes become
thinner or thicker.
"""
import numpy as np

UNTOUCHED = 0.1             # part of the images that stays as it is
# At most, to both sides: radians; columns per row; logarithm; pixels.
TURN, LEAN, SIZE, MOVE = 0.2, 0.3, 0.12, 1.5
BEND = 1.5                  # pixels, the deviation of each of the 16 pulls
LEVELS = 0.35, 0.6          # of ink: what is darker is the new stroke

GRID = np.float32(np.indices((28, 28)).reshape(2, -1) - 13.5)
# Sixteen places pull at the pixels around them.
PLACES = np.float32(np.indices((4, 4)).reshape(2, -1, 1) - 1.5) * 28 / 3
PULLS = np.exp(-((GRID[:, None] - PLACES)**2).sum(axis=0) / 63)


def varied(images, rng):
    """Return images (m, 28, 28, 1), each a little different."""
    return np.concatenate([varied_together(images[i:i + 500], rng)
                           for i in range(0, len(images), 500)])


def varied_together(images, rng):
    """Do it for so few images that memory stays small."""
    m = len(images)
    angle, lean, h, w = (rng.uniform(-most, most, m).astype(np.float32)
                         for most in (TURN, LEAN, SIZE, SIZE))
    cos, sin = np.cos(angle), np.sin(angle)
    # Where each pixel comes from.
    turn = np.array([[cos, -sin], [sin + lean * cos, cos - lean * sin]])
    turn *= np.exp([[h], [w]])
    pulls = rng.normal(0, BEND, (m, 2, 16)).astype(np.float32)
    place = (turn.transpose(2, 0, 1) @ GRID + pulls @ PULLS
             + rng.uniform(-MOVE, MOVE, (m, 2, 1)).astype(np.float32))
    # The mean of each 3x3 pixels makes stairs smooth; then what is darker
    # than the level is ink, with an edge of a few greys.
    padded = np.pad(images[..., 0], ((0, 0), (3, 3), (3, 3)), "edge")
    smooth = sum(padded[:, y:y + 32, x:x + 32]
                 for y in range(3) for x in range(3)) / 9
    values = between(smooth, place + 15.5)
    level = rng.uniform(*LEVELS, (m, 1))
    values = (4 * (scaled(values) - level) + 0.5).clip(0, 1)
    low, high = images.min(axis=(1, 2, 3)), images.max(axis=(1, 2, 3))
    values = low[:, None] + values * (high - low)[:, None]
    untouched = rng.random((m, 1, 1, 1)) < UNTOUCHED
    return np.where(untouched, images, values.reshape(images.shape)).astype(
        np.float32)


def scaled(values):
    """Bring each row to 0 to 1 (a row of equal numbers to 0)."""
    values = values - values.min(axis=1, keepdims=True)
    return values / np.maximum(values.max(axis=1, keepdims=True), 1e-9)


def between(images, place):
    """Return what images have at places between their pixels (bilinear)."""
    place = place.clip(0, images.shape[1] - 1.001)
    (y, x), (dy, dx) = (part.transpose(1, 0, 2) for part in (
        place.astype(int), place % 1))
    n = np.arange(len(images))[:, None]
    above, below = (images[n, row, x] * (1 - dx) + images[n, row, x + 1] * dx
                    for row in (y, y + 1))
    return above * (1 - dy) + below * dy
