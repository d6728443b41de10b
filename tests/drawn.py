"""Pictures of digits, drawn from strokes of our own: plain and awkward ones.

Run as a program, this prints the tables of how many are read right:

    python tests/drawn.py out/lenet5_numpy.npz
"""
import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def curve(*points, steps=12):
    """Return a smooth line through points (Catmull-Rom)."""
    P = np.array([points[0], *points, points[-1]], float)
    t = np.linspace(0, 1, steps)[:, None]
    parts = [(2*b + (c - a)*t + (2*a - 5*b + 4*c - d)*t**2
              + (3*b - a - 3*c + d)*t**3) / 2
             for a, b, c, d in zip(P, P[1:], P[2:], P[3:])]
    return np.concatenate(parts)


def line(*points):
    """Return straight lines through points."""
    return np.array(points, float)


def ring(x, y, rx, ry, start=-90, turn=360):
    """Return an arc of an ellipse; degrees, clockwise from the right."""
    angle = np.radians(np.linspace(start, start + turn, 40))
    return np.stack((x + rx*np.cos(angle), y + ry*np.sin(angle)), axis=1)


# Each digit in ways that people write it: strokes in a box 1 wide, 1.5 high.
WAYS = {
    0: [[ring(.5, .75, .48, .75)], [ring(.5, .75, .38, .75, -60, -355)],
        [ring(.5, .75, .6, .72)]],
    1: [[line((.5, 0), (.5, 1.5))], [line((.2, .35), (.55, 0), (.55, 1.5))],
        [line((.2, .3), (.55, 0), (.55, 1.5)), line((.2, 1.5), (.9, 1.5))]],
    2: [[curve((.05, .35), (.25, .03), (.7, .05), (.9, .4), (.6, .85),
               (.0, 1.5)), line((0, 1.5), (1, 1.5))],
        [curve((.1, .3), (.5, 0), (.88, .35), (.55, .9), (.1, 1.45)),
         curve((.1, 1.45), (.4, 1.35), (.7, 1.5), (1, 1.4))]],
    3: [[curve((.05, .2), (.5, 0), (.9, .35), (.7, .65), (.35, .72)),
         curve((.35, .72), (.8, .8), (.95, 1.15), (.5, 1.5), (0, 1.3))],
        [line((.05, 0), (.9, 0), (.4, .6)),
         curve((.4, .6), (.85, .75), (.9, 1.2), (.5, 1.5), (.05, 1.35))]],
    4: [[line((.7, 1.5), (.7, 0), (0, 1), (1, 1))],
        [line((.15, 0), (.1, .8), (.95, .8)), line((.75, .1), (.7, 1.5))],
        [line((.5, 0), (.0, .95), (1, .95)), line((.7, .5), (.65, 1.5))]],
    5: [[line((.9, 0), (.15, 0), (.1, .65)),
         curve((.1, .65), (.55, .5), (.95, .95), (.6, 1.45), (.0, 1.35))],
        [curve((.2, .05), (.12, .6), (.6, .55), (.9, 1), (.6, 1.45),
               (.05, 1.4)), line((.2, .05), (.95, .0))]],
    6: [[curve((.75, 0), (.3, .4), (.05, 1), (.3, 1.48), (.75, 1.4),
               (.9, 1.05), (.6, .75), (.15, .95))],
        [curve((.85, .1), (.45, .05), (.1, .6), (.1, 1.2), (.5, 1.5),
               (.9, 1.15), (.6, .75), (.15, 1))]],
    7: [[line((0, 0), (.95, 0), (.35, 1.5))],
        [line((0, 0), (.95, 0), (.4, 1.5)), line((.25, .75), (.9, .75))],
        [curve((.05, .1), (.5, .05), (.95, .0), (.6, .7), (.4, 1.5))]],
    8: [[ring(.5, .36, .38, .36), ring(.5, 1.1, .47, .39)],
        [curve((.85, .2), (.5, 0), (.15, .3), (.5, .7), (.9, 1.15), (.5, 1.5),
               (.1, 1.15), (.5, .7), (.85, .2))]],
    9: [[ring(.45, .42, .42, .42), line((.87, .42), (.8, 1.5))],
        [curve((.88, .35), (.5, 0), (.08, .4), (.45, .8), (.88, .35),
               (.85, 1), (.4, 1.5), (.1, 1.35))]],
}


def strokes(digit, rng):
    """Return one way to write a digit, a little different each time."""
    way = WAYS[digit][rng.integers(len(WAYS[digit]))]
    angle, slant = rng.uniform(-0.12, 0.12), rng.uniform(-0.1, 0.3)
    turn = np.array([[np.cos(angle), -np.sin(angle)],
                     [np.sin(angle), np.cos(angle)]])
    shear = np.array([[rng.uniform(0.8, 1.2), -slant], [0, 1]])
    return [(stroke - (.5, .75)) @ (turn @ shear).T for stroke in way]


def draw(digit, rng, size=(120, 120), height=0.6, pen=0.1, centre=(0.5, 0.5),
         ink=0, ground=255, mode="L"):
    """Return a picture; pen and centre are relative to height and size."""
    fine = 4        # drawn larger, for smooth edges
    picture = Image.new("L", (size[0] * fine, size[1] * fine), 0)
    canvas = ImageDraw.Draw(picture)
    tall = height * min(size) * fine
    radius = max(pen * tall / 2, fine / 2)
    for stroke in strokes(digit, rng):
        points = stroke * tall / 1.5 + np.multiply(centre, size) * fine
        canvas.line([tuple(p) for p in points], fill=255,
                    width=round(2 * radius))
        for x, y in points:
            canvas.ellipse((x - radius, y - radius, x + radius, y + radius),
                           fill=255)
    mask = picture.resize(size, Image.Resampling.BOX)
    return Image.composite(Image.new(mode, size, ink),
                           Image.new(mode, size, ground), mask)


def plain(count, seed, centred=True):
    """Yield digits and pictures: all sizes, pens and both polarities."""
    rng = np.random.default_rng(seed)
    sizes = (28, 28), (60, 60), (120, 90), (300, 400), (64, 200)
    for i in range(count):
        size = sizes[rng.integers(len(sizes))]
        height = rng.uniform(.55, .85) if centred else rng.uniform(.4, .7)
        centre = (.5, .5) if centred else tuple(rng.uniform(.36, .64, 2))
        ink, ground = rng.permutation([0, 255]).tolist()
        yield i % 10, draw(i % 10, rng, size, height, rng.uniform(.03, .2),
                           centre, ink, ground)


# Awkward pictures: each function gets a digit and a generator.

def framed(digit, rng, width=3, inset=0):
    """Draw a frame around it."""
    picture = draw(digit, rng, height=.5)
    w, h = picture.size
    ImageDraw.Draw(picture).rectangle(
        (inset, inset, w - 1 - inset, h - 1 - inset), outline=0, width=width)
    return picture


def shaded(digit, rng, dark=0.5, down=True):
    """Let the light fall from one side."""
    picture = np.asarray(draw(digit, rng), float)
    light = np.linspace(1, dark, len(picture))
    return Image.fromarray(np.uint8(
        picture * (light[:, None] if down else light)))


def dotted(digit, rng, count=5, radius=2):
    """Put dots beside it."""
    picture = draw(digit, rng)
    canvas = ImageDraw.Draw(picture)
    for x, y in rng.uniform((4, 4), (20, 116), (count, 2)):
        canvas.ellipse((x - radius, y - radius, x + radius, y + radius),
                       fill=0)
    return picture


def noisy(digit, rng, deviation=20, blur=1.0):
    """Take a photograph in poor light."""
    picture = draw(digit, rng, ink=60, ground=180).filter(
        ImageFilter.GaussianBlur(blur))
    noise = rng.normal(0, deviation, (120, 120))
    return Image.fromarray(np.uint8(np.clip(picture + noise, 0, 255)))


def transparent(digit, rng, ink=0):
    """Draw on a ground that is transparent."""
    mask = draw(digit, rng, ink=255, ground=0)
    picture = Image.new("RGBA", mask.size, (ink, ink, ink, 0))
    picture.putalpha(mask)
    return picture


def palette(digit, rng):
    """Draw with colors of a palette."""
    return draw(digit, rng, ink=(200, 30, 30), ground=(240, 230, 90),
                mode="RGB").convert("P")


def sixteen_bits(digit, rng, low=0, high=65535):
    """Use sixteen bits a pixel."""
    values = np.asarray(draw(digit, rng), float) / 255
    return Image.fromarray(np.uint16(low + values * (high - low)))


def two_digits(digit, rng):
    """Write two digits side by side."""
    picture = Image.new("L", (200, 120), 255)
    for i in range(2):
        picture.paste(draw(int(rng.integers(10)), rng, (100, 120)),
                      (100 * i, 0))
    return picture


def nothing(digit, rng, noise=0):
    """Draw nothing."""
    return Image.fromarray(np.uint8(rng.normal(200, noise, (100, 80))))


def one_pixel(digit, rng):
    """Return a picture of a single pixel."""
    return Image.new("L", (1, 1), int(rng.integers(256)))


def scribble(digit, rng):
    """Draw lines from edge to edge."""
    picture = Image.new("L", (120, 120), 255)
    for x, y in rng.uniform(0, 120, (6, 2)):
        ImageDraw.Draw(picture).line((0, x, 119, y), fill=0, width=4)
    return picture


# Name: how it is drawn, and whether there is a digit to be read.
AWKWARD = {
    "thin frame": (framed, True),
    "frame inside": (lambda d, rng: framed(d, rng, 2, 8), True),
    "thick frame": (lambda d, rng: framed(d, rng, 10), True),
    "light from above": (shaded, True),
    "light from the left": (lambda d, rng: shaded(d, rng, .4, False), True),
    "dots": (dotted, True),
    "one large dot": (lambda d, rng: dotted(d, rng, 1, 6), True),
    "noise": (noisy, True),
    "much noise": (lambda d, rng: noisy(d, rng, 50), True),
    "out of focus": (lambda d, rng: noisy(d, rng, 10, 4), True),
    "transparent": (transparent, True),
    "white on transparent": (lambda d, rng: transparent(d, rng, 255), True),
    "palette": (palette, True),
    "16 bits": (sixteen_bits, True),
    "16 bits, dark": (lambda d, rng: sixteen_bits(d, rng, 100, 900), True),
    "cut off": (lambda d, rng: draw(d, rng, centre=(.15, .5)), False),
    "two digits": (two_digits, False),
    "empty": (nothing, False),
    "noise alone": (lambda d, rng: nothing(d, rng, 20), False),
    "one pixel": (one_pixel, False),
    "scribble": (scribble, False),
}


def awkward(count, seed):
    """Yield a name, the digit or None, and a picture."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        name = list(AWKWARD)[i % len(AWKWARD)]
        drawn, readable = AWKWARD[name]
        digit = int(rng.integers(10))
        yield name, digit if readable else None, drawn(digit, rng)


def main(path):
    """Print the tables for the weights in a file."""
    from tempfile import TemporaryDirectory
    from lenet5_numpy import SURE, load_weights, predict
    from training.preprocess import read_digit
    weights = load_weights(path)

    def answer(picture):
        """Return what is read, or None, and whether it is sure."""
        with TemporaryDirectory() as folder:
            picture.save(f"{folder}/digit.png")
            try:
                versions, doubts = read_digit(f"{folder}/digit.png")
            except ValueError:
                return None, False
        Y = predict(versions, weights).mean(axis=0)
        return Y.argmax(), not doubts and Y.max() >= SURE

    print("500 drawn digits       right  not sure  wrong and sure")
    for name, centred in ("centred", True), ("off the centre", False):
        right, sure = np.transpose([
            (digit == (found := answer(picture))[0], found[1])
            for digit, picture in plain(500, 1, centred)]).astype(bool)
        print(f"{name:20}{right.mean():8.1%}{1 - sure.mean():10.1%}"
              f"{(sure & ~right).mean():16.1%}")
    print("\n50 awkward pictures: what is there, what is said")
    for name, digit, picture in awkward(50, 1):
        found, sure = answer(picture)
        said = "refused" if found is None else (
            f"{found}{'' if sure else ', not sure'}")
        wrong = "   WRONG AND SURE" if sure and found != digit else ""
        print(f"{name:22}{'none' if digit is None else digit:>5}  "
              f"{said}{wrong}")


if __name__ == "__main__":
    import sys
    from pathlib import Path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent
                           / "examples"))
    main(sys.argv[1])
