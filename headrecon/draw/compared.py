"""Several heads beside the same photos."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Bool, Float
from PIL import Image
from torch import Tensor

from headrecon.draw.panel import colormapped, on_paper, picture, sheet, stacked
from headrecon.draw.turntable import FIVE_SIDES, framing, plaster
from headrecon.types import HeadMesh, Portrait

_SIDE = 220
"""Of the pictures, in pixels."""


@dataclass(frozen=True)
class Rendering:
    """A head in the light of a photo, and how far off it is."""

    rendered: Float[Tensor, "rgb=3 h w"]
    """Linear."""
    seen: Bool[Tensor, "h w"]
    """Where there is a head."""
    error: Float[Tensor, "h w"]
    """Grey levels."""
    mean: float


def residuals(
    portrait: Portrait,
    head: Bool[Tensor, "h w"],
    renderings: Mapping[str, Rendering],
    brightest: float,
) -> Image.Image:
    """A photo, and of each head its rendering and below it its error.

    Errors are in grey levels, bright from `brightest` on, the same for all.
    """
    shape = (_SIDE, _SIDE)
    above = [picture(portrait.image).resize(shape)]
    below = [picture(on_paper(portrait.image, head)).resize(shape)]
    labels = [f"{portrait.name}, {portrait.azimuth:+.0f} degrees"]
    for name, one in renderings.items():
        above.append(picture(on_paper(one.rendered, one.seen)).resize(shape))
        below.append(colormapped(one.error, head, 0.0, brightest, "magma").resize(shape))
        labels.append(f"{name}: {one.mean:.1f}")
    return stacked([sheet(above, [""] * len(above)), sheet(below, labels)])


def from_five_sides(heads: Mapping[str, HeadMesh]) -> Image.Image:
    """Each head as plaster, in a row of its own."""
    rows = []
    for name, mesh in heads.items():
        cameras = [framing(mesh.vertices, azimuth, _SIDE) for azimuth in FIVE_SIDES]
        rows.append(sheet([plaster(mesh.vertices, mesh.faces, cameras)], [name]))
    return stacked(rows)
