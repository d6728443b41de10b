"""Pictures of the digits that training holds out: plain and awkward ones."""
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from training.data import load_data

*_, IMAGES, LABELS = load_data("digits", seed=1)


def draw(i, rng, size=(120, 120), height=0.6, centre=(0.5, 0.5), ink=0,
         ground=255, mode="L"):
    """Draw held-out digit i with smooth strokes, thick or thin."""
    tall = round(height * min(size))
    small = Image.fromarray(IMAGES[i, 3:26:3, 3:26:3, 0])
    smooth = np.pad(small.resize((tall, tall), Image.Resampling.BICUBIC), 2)
    picture = Image.fromarray(np.uint8(255 * (
        smooth > rng.uniform(.3, .6) * smooth.max())))
    left, top = (round(c * side - tall / 2) - 2
                 for c, side in zip(centre, size))
    mask = Image.new("L", size, 0)
    mask.paste(picture, (left, top))
    return Image.composite(Image.new(mode, size, ink),
                           Image.new(mode, size, ground), mask)


def plain(count, rng):
    """Yield digits and pictures: all sizes, places and polarities."""
    sizes = (28, 28), (60, 60), (120, 90), (300, 400), (64, 200)
    for i in range(count):
        ink, ground = rng.permutation([0, 255]).tolist()
        yield LABELS[i], draw(i, rng, sizes[rng.integers(5)],
                              rng.uniform(.5, .8), rng.uniform(.4, .6, 2),
                              ink, ground)


def added(picture, shape, *box, **how):
    """Draw a shape on a picture, in black."""
    getattr(ImageDraw.Draw(picture), shape)(box, **{"fill": 0, **how})
    return picture


def blank(size, grey=255):
    """Return a picture of one grey."""
    return Image.new("L", size, grey)


def awkward(i, rng):
    """Yield a name, whether a digit is to be read, and a picture of it."""
    def clipped(values, kind=np.uint8):
        return Image.fromarray(kind(np.clip(values, 0, np.iinfo(kind).max)))

    def noisy(picture, deviation, blur):
        return clipped(rng.normal(picture.filter(
            ImageFilter.GaussianBlur(blur)), deviation))

    clear, light = np.asarray(draw(i, rng), float), np.linspace(1, .45, 120)
    grey = draw(i, rng, ink=60, ground=180)
    frame = {"fill": None, "outline": 0, "width": 4}
    alpha = [Image.new("RGB", (120, 120), (c, c, c)) for c in (0, 255)]
    for picture in alpha:
        picture.putalpha(draw(i, rng, ink=255, ground=0))
    pair, scribble = blank((200, 120)), blank((120, 120))
    for j in 0, 1:
        pair.paste(draw(i + j, rng, (100, 120)), (100 * j, 0))
    for start, end in rng.uniform(0, 120, (6, 2)):
        added(scribble, "line", 0, start, 119, end, width=4)
    yield from [
        (name, True, picture) for name, picture in {
            "frame": added(draw(i, rng), "rectangle", 0, 0, 119, 119, **frame),
            "frame inside": added(draw(i, rng, height=.5), "rectangle",
                                  8, 8, 111, 111, **frame),
            "light from above": clipped(clear * light[:, None]),
            "light from the left": clipped(clear * light),
            "dot": added(draw(i, rng), "ellipse", 6, 20, 18, 32),
            "noise": noisy(grey, 20, 1), "much noise": noisy(grey, 50, 1),
            "out of focus": noisy(grey, 10, 4),
            "transparent": alpha[0], "white on transparent": alpha[1],
            "palette": draw(i, rng, ink=(200, 30, 30), mode="RGB",
                            ground=(240, 230, 90)).convert("P"),
            "16 bits, dark": clipped(100 + 3 * clear, np.uint16)}.items()]
    yield from [
        (name, False, picture) for name, picture in {
            "cut off": draw(i, rng, centre=(.15, .5)), "two digits": pair,
            "scribble": scribble, "empty": blank((100, 80), 200),
            "noise alone": noisy(blank((120, 120), 180), 20, 0),
            "one pixel": blank((1, 1), 99),
            "dark pixel": added(blank((28, 28)), "point", 9, 9),
            "two dark pixels": added(blank((3, 9)), "line", 1, 4, 1, 5),
            "blot": added(blank((28, 28)), "ellipse", 8, 8, 16, 16)}.items()]
