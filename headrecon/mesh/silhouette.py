"""Distance of a mesh's outline to the outline of the photos."""

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.signed_distance import signed_distance
from headrecon.geometry.surface import vertex_normals
from headrecon.geometry.warp import inside, sample
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
    faces: Int[Tensor, "face 3"],
    camera: Camera,
    goal: Outline,
    band: float,
    reach: float,
    free: Float[Tensor, " vertex"],
) -> Float[Tensor, ""]:
    """Mean robust squared distance of the outline's vertices to the outline of the mask, in pixels.

    Outline vertices are those whose normal is nearly perpendicular to the line of sight
    (|n_z| < band) and that no part of the head hides, which is so when they lie on the rim of what
    is drawn: their distance is small or positive. A vertex further than `reach` inside the mask
    belongs to an inner contour, a nostril or an ear, and does not count. Others count by `free`.
    """
    xyz = project(vertices, camera)
    n_z = vertex_normals(vertices, faces).detach() @ camera.view_from_head[2]
    found = sample(goal.distance[None, None], xyz[None, None, :, :2])[0, 0, 0]
    visible = inside(xyz[:, :2].detach(), camera.height - 1, camera.width - 1)
    visible = visible * (xyz[:, 1].detach() < goal.bottom)
    weight = free * visible * (n_z.abs() < band) * (found.detach() > -reach)
    robust = found**2 / (1.0 + (found / reach) ** 2)
    return (weight * robust).sum() / weight.sum().clamp_min(1.0)
