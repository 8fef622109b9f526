"""Integration of what is seen in perspective, by the solvers of weak perspective."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.depth.boundary import Anchor
from headrecon.geometry.camera import pixel_centres
from headrecon.types import Camera, DepthMap, NormalField

_GRAZING = 0.05
"""Least cosine to the line of sight: a pixel whose slopes weigh nothing would have any depth."""
_FURTHEST = 0.7
"""Of |k u|: nothing is nearer than half the distance, or as far again."""
Solver = Callable[
    [Float[Tensor, "xyz=3 h w"], Bool[Tensor, "h w"], Anchor],
    Float[Tensor, "h w"],
]


def in_perspective(field: NormalField, anchor: Anchor, solve: Solver) -> DepthMap:
    """The depth map of a field of normals, by a solver that knows of no perspective.

    With k the camera's nearness per pixel, x and y pixels from its origin, y up, the surface is
    P = ((1 - k z) x, (1 - k z) y, z), and n . P_x = n . P_y = 0 is for u = -log(1 - k z) / k

        m u_x = -n_x,   m u_y = -n_y,   m = n_z - k (x n_x + y n_y)

    which are the equations of weak perspective for other normals, and linear. Known depth becomes
    known u. Reference: Queau, Durou and Aujol, "Normal integration: a survey", JMIV 2018.
    """
    k = field.camera.nearness / field.camera.scale
    if k == 0.0:
        z = solve(field.normals, field.mask, anchor)
        return DepthMap(field.label, field.camera, z, field.mask)
    known = Anchor(-torch.log1p(-k * anchor.z) / k, anchor.weight)
    u = solve(_tipped(field.normals, field.camera, k), field.mask, known)
    far = (k * u).clamp(-_FURTHEST, _FURTHEST)
    return DepthMap(field.label, field.camera, -torch.expm1(-far) / k, field.mask)


def _tipped(
    normals: Float[Tensor, "xyz=3 h w"], camera: Camera, k: float
) -> Float[Tensor, "xyz=3 h w"]:
    """Normals whose last component is along the line of sight, which is not z but at the origin."""
    x, y = (pixel_centres(*normals.shape[1:], like=normals) - camera.origin.to(normals)).unbind(-1)
    along = normals[2] - k * (x * normals[0] - y * normals[1])
    return torch.stack([normals[0], normals[1], along.clamp_min(_GRAZING)])
