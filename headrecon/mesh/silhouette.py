"""Distance of a mesh's outline to the outline of the photos."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.surface import vertex_normals
from headrecon.geometry.warp import inside, sample
from headrecon.types import Camera


def signed_distance(mask: Bool[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """Pixels to the outline of the mask, positive outside."""
    m = mask.cpu().numpy()
    if m.all() or not m.any():
        return torch.zeros(mask.shape, device=mask.device)
    distance = np.where(m, 0.5 - distance_transform_edt(m), distance_transform_edt(~m) - 0.5)
    return torch.from_numpy(distance).to(mask.device, torch.float32)


def outline_error(
    vertices: Float[Tensor, "vertex xyz=3"],
    faces: Int[Tensor, "face 3"],
    camera: Camera,
    distance: Float[Tensor, "h w"],
    band: float,
    reach: float,
) -> Float[Tensor, ""]:
    """Mean robust squared distance of the outline's vertices to the outline of the mask, in pixels.

    Outline vertices are those whose normal is nearly perpendicular to the line of sight
    (|n_z| < band) and that no part of the head hides, which is so when they lie on the rim of what
    is drawn: their distance is small or positive. A vertex further than `reach` inside the mask
    belongs to an inner contour, a nostril or an ear, and does not count.
    """
    xyz = project(vertices, camera)
    n_z = vertex_normals(vertices, faces).detach() @ camera.view_from_head[2]
    found = sample(distance[None, None], xyz[None, None, :, :2])[0, 0, 0]
    visible = inside(xyz[:, :2].detach(), camera.height - 1, camera.width - 1)
    weight = visible * (n_z.abs() < band) * (found.detach() > -reach)
    robust = found**2 / (1.0 + (found / reach) ** 2)
    return (weight * robust).sum() / weight.sum().clamp_min(1.0)
