"""Text over a photo, as publishers put it there."""

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image, ImageDraw, ImageFont

WORDS = (
    *("NEWS", "LIVE", "PRESS", "DAILY", "WORLD", "FESTIVAL", "PREMIERE", "AWARDS", "OFFICIAL"),
    *("Exclusive", "Interview", "Tonight", "Gala", "Summit", "Stock", "Photo", "Archive", "Studio"),
)


def banner(
    picture: UInt8[np.ndarray, "h w rgb=3"], random: np.random.Generator
) -> tuple[UInt8[np.ndarray, "h w rgb=3"], Bool[np.ndarray, "h w"]]:
    """The picture with a lower third, a title, a watermark or a date, and what they cover."""
    kind = random.choice(["lower third", "title", "watermark", "date"])
    layer = Image.new("RGBA", picture.shape[1::-1])
    draw = ImageDraw.Draw(layer)
    width, height = layer.size
    color = tuple(int(value) for value in random.integers(0, 256, 3))
    text = phrase(random)
    if kind == "lower third":
        top = int(height * random.uniform(0.8, 0.9))
        draw.rectangle((0, top, width, height), fill=(*color, 235))
        write(draw, (0.04 * width, top + 0.01 * height), text, 0.05 * height, _ink(color))
    elif kind == "title":
        write(draw, (0.05 * width, 0.02 * height), text, 0.09 * height, (*color, 255))
    elif kind == "date":
        day, month, year = random.integers((1, 1, 0), (29, 13, 25))
        date = f"{day:02d}.{month:02d}.{year:02d}"
        write(draw, (0.72 * width, 0.92 * height), date, 0.04 * height, (255, 150, 40, 255))
    else:
        place = random.uniform(0.1, 0.4, 2) * (width, height)
        write(draw, tuple(place.tolist()), text, 0.08 * height, (255, 255, 255, 90))
    result = Image.alpha_composite(Image.fromarray(picture).convert("RGBA"), layer)
    return np.array(result.convert("RGB")), np.array(layer)[..., 3] > 128


def phrase(random: np.random.Generator) -> str:
    """A few words."""
    return " ".join(random.choice(WORDS, size=int(random.integers(1, 4))))


def write(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    size: float,
    color: tuple[int, ...],
) -> None:
    """Put text with its upper left corner at a place; the size is the letters' height."""
    draw.text(place, text, fill=color, font=ImageFont.load_default(size=max(6.0, size)))


def _ink(paper: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Black on light paper, white on dark."""
    return (20, 20, 20, 255) if sum(paper) > 380 else (245, 245, 245, 255)
