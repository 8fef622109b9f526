"""What stands behind a person in a photo."""

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageFilter


def scenery(height: int, width: int, random: np.random.Generator) -> Float[np.ndarray, "h w rgb=3"]:
    """A blurred place: uneven walls, a few upright or level bars, and round blobs; linear RGB."""
    base = random.uniform(60.0, 190.0) * random.uniform(0.85, 1.15, 3)
    grey = random.uniform(0.6, 1.4, (5, 5, 1)) * random.uniform(0.93, 1.07, (5, 5, 3))
    coarse = Image.fromarray((base * grey).clip(0, 255).astype(np.uint8))
    image = np.array(coarse.resize((width, height), Image.Resampling.BICUBIC))
    for _ in range(random.integers(2, 6)):
        axis = random.integers(2)
        extent = (height, width)[axis]
        low = random.integers(extent)
        band = slice(low, low + int(extent * random.uniform(0.03, 0.2)))
        index = (band, slice(None)) if axis == 0 else (slice(None), band)
        image[index] = _colour(random)
    y, x = np.mgrid[:height, :width]
    for _ in range(random.integers(0, 5)):
        distance = np.hypot(x - random.uniform(0, width), y - random.uniform(0, height))
        blob = distance < random.uniform(0.03, 0.15) * width
        image[blob] = _colour(random)
    blurred = Image.fromarray(image).filter(ImageFilter.GaussianBlur(random.uniform(0.5, 6.0)))
    return (np.array(blurred) / 255.0) ** 2.2


def _colour(random: np.random.Generator) -> Float[np.ndarray, "rgb=3"]:
    """Mostly greyish, on a scale to 255."""
    spread = random.choice([0.1, 0.1, 0.5])
    return (random.uniform(20.0, 240.0) * random.uniform(1 - spread, 1 + spread, 3)).clip(0, 255)
