"""What stands behind a person in a photo."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFilter

from headrecon.synthetic.banner import WORDS, write

Canvas = Image.Image
RGB = tuple[int, int, int]
_SIDE = 320
"""Places are drawn at this height, which is enough for what is out of focus."""


def scenery(height: int, width: int, random: np.random.Generator) -> Float[np.ndarray, "h w rgb=3"]:
    """A place of one of many kinds, mostly out of focus; linear RGB."""
    size = (max(32, _SIDE * width // height), _SIDE)
    place = _PLACES[random.integers(len(_PLACES))]
    canvas = place(size, random)
    canvas = canvas.filter(ImageFilter.GaussianBlur(float(random.exponential(2.5) + 0.3)))
    picture = np.array(canvas.resize((width, height), Image.Resampling.BICUBIC)) / 255.0
    grain = fractal(height, width, random)[..., None]
    return (picture * (1.0 + 0.02 * grain)).clip(0.0, 1.0) ** 2.2


def fractal(
    height: int, width: int, random: np.random.Generator, finest: int = 48
) -> Float[np.ndarray, "h w"]:
    """Noise whose details are the weaker the smaller they are, unit variance.

    `finest` is the number of its smallest details along a side.
    """
    total = np.zeros((height, width))
    cells = 3
    while cells <= finest:
        coarse = Image.fromarray(random.standard_normal((cells, cells)).astype(np.float32))
        fine = coarse.resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(fine) / cells**0.7
        cells *= 2
    return total / total.std()


def _wall(
    size: tuple[int, int],
    random: np.random.Generator,
    base: RGB | None = None,
    uneven: float = 0.06,
) -> Canvas:
    """A surface of about one colour, lit unevenly."""
    width, height = size
    color = np.array(base or _color(random))
    light = 1.0 + uneven * fractal(height, width, random)[..., None]
    ramp = 1.0 + random.uniform(-0.35, 0.35) * np.linspace(-1, 1, width)[None, :, None]
    return Image.fromarray((color * light * ramp).clip(0, 255).astype(np.uint8))


def _press_wall(size: tuple[int, int], random: np.random.Generator) -> Canvas:
    """A wall with the same words over and over."""
    canvas = _wall(size, random, uneven=0.04)
    draw = ImageDraw.Draw(canvas)
    words, inks = random.choice(WORDS, 2), [_color(random), _color(random)]
    letter = size[1] * random.uniform(0.05, 0.11)
    for row, y in enumerate(np.arange(0.0, size[1], 2.2 * letter)):
        start = -letter * (row % 2) * 2
        for column, x in enumerate(np.arange(start, size[0], 6.0 * letter)):
            kind = (row + column) % 2
            write(draw, (float(x), float(y)), str(words[kind]), letter, inks[kind])
    return canvas


def _room(size: tuple[int, int], random: np.random.Generator) -> Canvas:
    """A wall with pictures, doors, shelves of books and a lamp."""
    canvas = _wall(size, random)
    draw = ImageDraw.Draw(canvas)
    width, height = size
    for _ in range(random.integers(1, 5)):
        x, y = random.uniform(-0.1, 0.9) * width, random.uniform(-0.1, 0.7) * height
        w, h = random.uniform(0.1, 0.4) * width, random.uniform(0.15, 0.8) * height
        draw.rectangle((x, y, x + w, y + h), fill=_color(random), outline=_color(random), width=4)
    if random.uniform() < 0.5:
        for y in np.arange(random.uniform(0, 0.2), 1.0, random.uniform(0.18, 0.3)) * height:
            x = random.uniform(-0.2, 0.6) * width
            end = x + random.uniform(0.3, 0.8) * width
            while x < end:
                thick, tall = random.uniform(3, 10), random.uniform(0.1, 0.17) * height
                draw.rectangle((x, y - tall, x + thick, y), fill=_color(random, bright=0.6))
                x += thick
            draw.rectangle((0, y, end, y + 4), fill=_color(random))
    if random.uniform() < 0.4:
        x, y, r = random.uniform(0, width), random.uniform(0, 0.5) * height, 0.1 * height
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 240, 205))
    return canvas


def _curtain(size: tuple[int, int], random: np.random.Generator) -> Canvas:
    """Folds of heavy cloth."""
    width, height = size
    x = np.linspace(0.0, 1.0, width) + 0.02 * fractal(height, width, random, 6)
    waves = [np.sin(2 * np.pi * (random.uniform(3, 14) * x + random.uniform())) for _ in range(3)]
    shade = (0.65 + 0.4 * np.mean(waves, axis=0))[..., None]
    return Image.fromarray((np.array(_color(random, 0.8)) * shade).clip(0, 255).astype(np.uint8))


def _outdoors(size: tuple[int, int], random: np.random.Generator) -> Canvas:
    """Sky, houses with windows, and leaves."""
    width, height = size
    top, low = np.array([random.integers(90, 190), 165, 225]), np.array([225, 228, 232])
    ramp = np.linspace(0.0, 1.0, height)[:, None, None]
    sky = (top * (1 - ramp) + low * ramp) * np.ones((1, width, 1))
    canvas = Image.fromarray(sky.astype(np.uint8))
    draw = ImageDraw.Draw(canvas)
    x = random.uniform(-0.2, 0.2) * width
    while x < width:
        w, roof = random.uniform(0.12, 0.35) * width, random.uniform(0.1, 0.7) * height
        draw.rectangle((x, roof, x + w, height), fill=_color(random))
        glass, step = _color(random), random.uniform(0.05, 0.1) * height
        for wy in np.arange(roof + step / 2, height, step):
            for wx in np.arange(x + step / 2, x + w - step / 2, step):
                draw.rectangle((wx, wy, wx + 0.5 * step, wy + 0.6 * step), fill=glass)
        x += w + random.uniform(0.0, 0.25) * width
    green = np.array([random.uniform(20, 90), random.uniform(60, 130), random.uniform(10, 50)])
    leaves = fractal(height, width, random)
    picture = np.array(canvas)
    bush = leaves + 3.0 * (np.linspace(-1, 1, height)[:, None] - random.uniform(-0.6, 0.9)) > 0
    shade = (1.0 + 0.5 * fractal(height, width, random)).clip(0.2)[..., None]
    picture[bush] = (green * shade).clip(0, 255)[bush]
    return Image.fromarray(picture)


def _lights(size: tuple[int, int], random: np.random.Generator) -> Canvas:
    """A dark hall with lights and the shapes of people."""
    canvas = _wall(size, random, _color(random, 0.3, 5, 45), 0.4)
    draw = ImageDraw.Draw(canvas)
    width, height = size
    for _ in range(random.integers(5, 30)):
        x, y = random.uniform(0, width), random.uniform(0, height)
        r = random.uniform(0.01, 0.06) * height
        draw.ellipse((x - r, y - r, x + r, y + r), fill=_color(random, 0.5, 110))
    return _crowd(canvas, random) if random.uniform() < 0.6 else canvas


def _hall(size: tuple[int, int], random: np.random.Generator) -> Canvas:
    """A room with people in the background."""
    return _crowd(_room(size, random), random)


def _studio(size: tuple[int, int], random: np.random.Generator) -> Canvas:
    """Paper behind the person, brighter in the middle."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(x / width - random.uniform(0.3, 0.7), y / height - random.uniform(0.2, 0.6))
    shade = (1.0 - random.uniform(0.2, 0.9) * distance)[..., None].clip(0.1)
    return Image.fromarray((np.array(_color(random)) * shade).clip(0, 255).astype(np.uint8))


def _flags(size: tuple[int, int], random: np.random.Generator) -> Canvas:
    """Broad stripes of strong colours, as flags and posters have them, waving."""
    width, height = size
    y, x = np.mgrid[:height, :width] / height
    wave = y + random.uniform(-1, 1) * x + 0.05 * fractal(height, width, random, 3)
    colors = np.array([_color(random, 0.8) for _ in range(4)])
    index = np.floor(wave * random.uniform(2, 6)).astype(int) % 4
    shade = (1.0 + 0.2 * fractal(height, width, random, 6))[..., None]
    return Image.fromarray((colors[index] * shade).clip(0, 255).astype(np.uint8))


def _crowd(canvas: Canvas, random: np.random.Generator) -> Canvas:
    """Heads and shoulders of people far behind, without faces."""
    canvas = canvas.filter(ImageFilter.GaussianBlur(1.5))
    draw = ImageDraw.Draw(canvas)
    width, height = canvas.size
    for _ in range(random.integers(2, 8)):
        x, y = random.uniform(0, width), random.uniform(0.2, 0.8) * height
        r = random.uniform(0.05, 0.12) * height
        skin = np.array([205, 160, 135]) * random.uniform(0.35, 1.1)
        hair, coat = _color(random, 0.3, 0, 90), _color(random, 0.3, 0, 160)
        draw.ellipse((x - 2.2 * r, y + 1.0 * r, x + 2.2 * r, y + 6 * r), fill=coat)
        draw.ellipse((x - r, y - 1.4 * r, x + r, y + r), fill=hair)
        face = tuple(int(v) for v in skin.clip(0, 255))
        draw.ellipse((x - 0.8 * r, y - 0.8 * r, x + 0.8 * r, y + 1.3 * r), fill=face)
    return canvas.filter(ImageFilter.GaussianBlur(float(random.uniform(1.0, 4.0))))


def _color(
    random: np.random.Generator, bright: float = 0.25, low: int = 15, high: int = 245
) -> RGB:
    """A colour on a scale to 255; `bright` is how far its channels may be apart."""
    grey = random.uniform(low, high)
    # Most things are warm or cold rather than green or pink.
    warm, green = bright * random.uniform(-1.0, 1.0), 0.35 * bright * random.uniform(-1.0, 1.0)
    red, green, blue = (grey * np.array([1 + warm, 1 + green, 1 - warm])).clip(0, 255)
    return int(red), int(green), int(blue)


_PLACES: tuple[Callable[[tuple[int, int], np.random.Generator], Canvas], ...] = (
    _wall,
    _press_wall,
    _room,
    _room,
    _hall,
    _curtain,
    _outdoors,
    _outdoors,
    _lights,
    _studio,
    _flags,
)
