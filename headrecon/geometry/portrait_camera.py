"""The camera of a single photo."""

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.similarity import fit_similarity
from headrecon.types import Camera, Portrait

NEARNESS = 1.0 / 3000.0
"""Per millimetre, of a portrait whose distance nobody knows."""
_FEWEST = 8
"""Visible points that fix a similarity; of a photo with fewer, hidden ones count too."""


def portrait_camera(
    portrait: Portrait,
    points: Float[Tensor, "point xyz=3"],
    fiducials: list[int] | None = None,
) -> Camera:
    """The camera in the portrait's pose that sees points at its fiducials, from a usual distance.

        min over s, roll, t of  sum over the visible of rho(|s R(roll) m (R x)_xy + t - p|)

    with m the magnification of what is nearer than the origin of the head frame.

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
    flat = turned[:, :2] / (1.0 - NEARNESS * turned[:, 2:])
    matrix, origin = fit_similarity(flat * flip, seen, weights.to(points))
    scale = float(torch.linalg.det(matrix).abs().sqrt())
    about_z = torch.eye(3).to(points)
    about_z[:2, :2] = flip[:, None] * matrix * flip / scale
    height, width = portrait.mask.shape
    return Camera(about_z @ rotation, scale, origin, height, width, NEARNESS)
