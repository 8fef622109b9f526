"""Distance of a mesh's outline to the outline of the photos."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.signed_distance import signed_distance
from headrecon.geometry.warp import sample
from headrecon.types import Camera


@dataclass(frozen=True)
class Outline:
    """The outline of a view's head."""

    distance: Float[Tensor, "h w"]
    """Signed distance in pixels, positive outside."""
    bottom: float
    """Canvas y from which on the mask ends because the neck is cut, not because the head does."""


def outline(mask: Bool[Tensor, "h w"], margin: float) -> Outline:
    """The outline of a mask; its lowest `margin` pixels are taken as cut off."""
    rows = mask.any(dim=1).nonzero()
    lowest = float(rows.max()) + 1.0 if len(rows) else 0.0
    return Outline(signed_distance(mask), lowest - margin)


def outline_error(
    vertices: Float[Tensor, "vertex xyz=3"],
    rim: tuple[Bool[Tensor, " vertex"], Float[Tensor, " vertex"]],
    camera: Camera,
    goal: Outline,
    reach: float,
    free: Float[Tensor, " vertex"],
) -> Float[Tensor, ""]:
    """Mean robust squared distance of the outline's vertices to the outline of the mask, in pixels.

        mean of d^2 / (1 + (d / reach)^2),    d = d_mask(v) - d_drawn(v)

    over vertices v on the outline as it is drawn, with d_mask and d_drawn their signed distances
    from the two outlines. `rim` says which these are, and d_drawn (`render/rim.py`); no slope goes
    through it. What is nearly on the outline is some way within it, and is to stay there. A vertex
    further than `reach` inside the mask belongs to another contour, and does not count. Others
    count by `free`.
    """
    counts, drawn = rim
    xyz = project(vertices, camera)
    found = sample(goal.distance[None, None], xyz[None, None, :, :2])[0, 0, 0]
    counts = counts & (xyz[:, 1].detach() < goal.bottom) & (found.detach() > -reach)
    weight, off = free * counts, found - drawn
    robust = off**2 / (1.0 + (off / reach) ** 2)
    return (weight * robust).sum() / weight.sum().clamp_min(1.0)
