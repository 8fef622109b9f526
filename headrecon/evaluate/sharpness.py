"""How well the photos of a view agree, seen in their average."""

from headrecon.geometry.color import luminance
from headrecon.geometry.mean import mean_photo
from headrecon.types import Stack


def sharpness(stack: Stack) -> float:
    """Mean gradient of the average photo over the face, relative to its mean luminance, per pixel.

    Photos that do not lie on each other blur their average, so its gradient is small.
    """
    grey = luminance(mean_photo(stack.images))
    down = grey.diff(dim=0)[:, :-1]
    right = grey.diff(dim=1)[:-1]
    inside = stack.face[:-1, :-1]
    if not bool(inside.any()):
        return 0.0
    gradient = (right.square() + down.square()).sqrt()[inside].mean()
    return float(gradient / grey[stack.face].mean().clamp_min(1e-6))
