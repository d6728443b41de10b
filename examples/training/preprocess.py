"""Bring a picture of one digit to 28x28, much as the training digits are.

Find the ground, the ink and the digit; then take out some of its slant, and
bring it to the size and the width of stroke that the network was trained
with.
"""
import numpy as np
from PIL import Image, ImageOps

SIDE = 160          # pixels of the longer side while the digit is looked for
PLAIN = 0.1         # least contrast of ink and ground; black and white have 1
MANY = 99           # pieces of ink that are looked at, the largest first
# Nine versions of each picture: rows, and the part of the slant that is taken
# out: not all, because some digits lean by themselves.
VERSIONS = [(rows, part) for rows in (20, 22, 24) for part in (0.2, 0.5, 0.8)]
NARROW = 0.85       # columns per row of what is as wide as high: the training
#                     digits are narrower than most people's
PEN = 1.2           # pixels, the deviation of the blur that widens strokes


def read_digit(path):
    """Return a digit in nine versions, (9, 28, 28, 1), and doubts about it.

    They differ in size and slant: a network that reads them differently does
    not know the digit. The doubts are a list of texts.
    """
    grey, pixel = read_grey(path)
    ink = grey - ground_of(grey)
    ink *= np.sign((ink * abs(ink)).sum())      # the ink is now positive
    if ink.max() < PLAIN:
        raise ValueError("expected a digit, got a picture of one color")
    threshold, separation = otsu(ink)
    digit, doubts = find_digit(ink > threshold)
    if digit.height < max(SIDE / 8, 6 * pixel):
        doubts.append("very small")
    if separation < 0.8:
        doubts.append("ink and ground differ little")
    ink = (ink / np.median(ink[digit.mask])).clip(0, 1) * grown(digit.mask, 3)
    return np.stack([as_training_digit(upright(ink, digit, part), rows)
                     for rows, part in VERSIONS]), doubts


def read_grey(path):
    """Return brightness from 0 to 1, of one size whatever the picture's.

    And how many pixels one of the picture's has become, along each side. Of
    red, green, blue and opacity, the one with most contrast is taken.
    """
    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file)
            if picture.mode[0] in "IF":         # 16 bits, whole or real
                values = np.nan_to_num(np.asarray(picture, float),
                                       posinf=0, neginf=0)
                values = 255 * (values - values.min()) / (
                    np.ptp(values) or 1)
                picture = Image.fromarray(np.uint8(values))
            picture = picture.convert("RGBA")
    except Exception as error:      # Pillow's own have many types
        raise ValueError(error) from error
    h, w = (max(round(SIDE * size / max(picture.size)), 1)
            for size in picture.size[::-1])
    white = Image.new("RGBA", picture.size, "white")
    channels = [*Image.alpha_composite(white, picture).split()[:3],
                picture.getchannel("A")]
    channels = [np.asarray(channel.resize((w, h)), float) / 255
                for channel in channels]
    return max(channels, key=np.var), SIDE / max(picture.size)


def ground_of(grey):
    """Return the ground: the plane nearest to most pixels.

    It minimises the sum of distances, by least squares with weights, in which
    ink counts little; a plane, because light often falls from one side.
    """
    y, x = np.indices(grey.shape).reshape(2, -1)
    A = np.stack((np.ones(grey.size), x, y), axis=1)
    weights = np.ones(grey.size)
    for _ in range(30):
        weighted = A * weights[:, None]
        # (Not solve: a picture of one column has no slope in x.)
        plane = A @ np.linalg.lstsq(A.T @ weighted, grey.ravel() @ weighted,
                                    rcond=None)[0]
        weights = 1 / np.maximum(abs(grey.ravel() - plane), 1e-3)
    return plane.reshape(grey.shape)


def otsu(ink):
    """Return the threshold that separates best, and how well it does.

    That is the variance between the two classes, as a part of the whole
    (Otsu, 1979).
    """
    counts, edges = np.histogram(ink, 256)
    middle = (edges[:-1] + edges[1:]) / 2
    below = counts.cumsum()[:-1]
    above = counts.sum() - below
    total = (counts * middle).cumsum()
    difference = total[:-1] / below - (total[-1] - total[:-1]) / above
    between = below * above * difference**2 / counts.sum()**2
    best = between.argmax()
    return edges[best + 1], between[best] / ink.var()


class Piece:
    """Ink that hangs together, and the box around it."""

    def __init__(self, mask):
        """Measure a mask."""
        self.mask, self.area = mask, mask.sum()
        rows, cols = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        self.top, self.bottom = rows[0], rows[-1] + 1
        self.left, self.right = cols[0], cols[-1] + 1
        self.height = self.bottom - self.top
        self.width = self.right - self.left
        self.edges = ((self.top == 0) + (self.bottom == mask.shape[0])
                      + (self.left == 0) + (self.right == mask.shape[1]))

    def encloses(self, other):
        """Return whether another piece lies inside the box of this one."""
        return (self.top < other.top and other.bottom < self.bottom
                and self.left < other.left and other.right < self.right)


def grown(values, steps=1):
    """Give each pixel the largest value within so many rows and columns."""
    h, w = values.shape
    padded, span = np.pad(values, steps), range(2 * steps + 1)
    return np.max([padded[y:y + h, x:x + w] for y in span for x in span],
                  axis=0)


def pieces_of(mask):
    """Return the pieces, the largest first; neighbours touch at corners too.

    Every pixel has a number and takes the largest of its neighbours, until
    each piece has one.
    """
    labels = mask * np.arange(1, mask.size + 1).reshape(mask.shape)
    while ((spread := mask * grown(labels)) != labels).any():
        labels = spread
    numbers, areas = np.unique(labels[mask], return_counts=True)
    return [Piece(labels == number)
            for number in numbers[np.argsort(-areas)][:MANY]]


def find_digit(mask):
    """Return the digit as a piece, and a list of doubts.

    A piece that encloses another, or touches two edges of the picture, is a
    frame or a shadow, if the other is at least a quarter as high. Of the
    rest, what has less than a tenth of the largest piece is a dot.
    """
    pieces, doubts = pieces_of(mask), []
    inner = [piece for piece in pieces if piece.edges < 2 and not any(
        piece.encloses(other) and other.height >= piece.height / 4
        for other in pieces)]
    if inner and (max(piece.height for piece in inner)
                  >= max(piece.height for piece in pieces) / 4):
        pieces = inner
    rest = sum(piece.area for piece in pieces)
    parts = [piece for piece in pieces if piece.area >= pieces[0].area / 10]
    digit = Piece(np.any([piece.mask for piece in parts], axis=0))
    if len(parts) > 1:
        doubts.append(f"{len(parts)} separate pieces of ink")
    if digit.edges:
        doubts.append("the ink touches the edge of the picture")
    if digit.width > 1.2 * digit.height:
        doubts.append("wider than high")
    if (digit.height < 2 * digit.width
            and digit.area > 0.7 * digit.height * digit.width):
        doubts.append("a blot, not strokes")
    if rest > 1.5 * digit.area:
        doubts.append("much other ink")
    return digit, doubts


def upright(ink, digit, part):
    """Take a part of the slant out, and cut out the digit."""
    y, x = np.nonzero(digit.mask)
    middle = y.mean()
    slant = part * ((y - middle) * x).sum() / max(
        ((y - middle)**2).sum(), 1)
    picture = Image.fromarray(np.pad(np.float32(ink), SIDE // 2))
    picture = picture.transform(
        picture.size, Image.Transform.AFFINE,
        (1, slant, -slant * (middle + SIDE // 2), 0, 1, 0),
        Image.Resampling.BILINEAR)
    ink = np.asarray(picture)
    box = Piece(ink > 0.5 * ink.max())
    return ink[box.top:box.bottom, box.left:box.right]


def as_training_digit(ink, rows):
    """Return ink as a digit of 28x28, with strokes as wide as in training."""
    h, w = ink.shape
    fit = min(1, 24 * h / (NARROW * w * rows))      # at most 24 columns
    rows, columns = (max(round(fit * size), 1)
                     for size in (rows, NARROW * rows * w / h))
    ink = np.asarray(Image.fromarray(ink).resize(
        (columns, rows), Image.Resampling.BOX))
    top, left = (28 - rows) // 2, (28 - columns) // 2
    ink = np.pad(ink, ((top, 28 - rows - top), (left, 28 - columns - left)))
    # Where blurred ink is at least half as dark as along the strokes, there
    # is the digit: thin strokes become as wide as the blur, wide ones stay.
    distance = np.subtract.outer(np.arange(28), np.arange(28))
    blur = np.exp(-distance**2 / (2 * PEN**2))
    blurred = blur @ ink @ blur
    blurred /= np.median(blurred[ink > 0.5 * ink.max()])
    return np.float32((4 * blurred - 1.5).clip(0, 1))[:, :, None]
