"""The camera of a single photo."""

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.similarity import fit_similarity
from headrecon.types import Camera, Portrait

_FEWEST = 8
"""Visible points that fix a similarity; of a photo with fewer, hidden ones count too."""


def portrait_camera(
    portrait: Portrait,
    points: Float[Tensor, "point xyz=3"],
    fiducials: list[int] | None = None,
    nearness: float = 0.0,
) -> Camera:
    """The camera in the portrait's pose that sees points at its fiducials.

        min over s, roll, t of  sum over the visible of rho(|s m R(roll) R x + t - p|)

    with m = 1 / (1 - nearness (R x)_z), by which perspective magnifies what is nearer; 1 for weak
    perspective.

    Azimuth and elevation are those that were found in the photo, so that heads of different shape
    are looked at from the same side. `fiducials` says which of the 468 the points are; all by
    default.
    """
    chosen = fiducials if fiducials is not None else list(range(len(portrait.fiducials)))
    seen, visible = portrait.fiducials[chosen], portrait.visible[chosen]
    rotation = view_from_head(portrait.azimuth, portrait.elevation, portrait.roll).to(points)
    flip = points.new_tensor([1.0, -1.0])
    weights = visible if int(visible.sum()) >= _FEWEST else torch.ones_like(visible)
    turned = points @ rotation.T
    flat = turned[:, :2] / (1.0 - nearness * turned[:, 2:]) * flip
    matrix, origin = fit_similarity(flat, seen, weights.to(points))
    scale = float(torch.linalg.det(matrix).abs().sqrt())
    about_z = torch.eye(3).to(points)
    about_z[:2, :2] = flip[:, None] * matrix * flip / scale
    height, width = portrait.mask.shape
    return Camera(about_z @ rotation, scale, origin, height, width, nearness)
