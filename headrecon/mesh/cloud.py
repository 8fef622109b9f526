"""Oriented points gathered from all views, and what they say about a mesh."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from scipy.spatial import KDTree
from torch import Tensor

from headrecon.geometry.camera import pixel_centres, unproject
from headrecon.types import Head, Surface


@dataclass(frozen=True)
class Cloud:
    """Points of the head frame with outward normals and weights."""

    points: Float[Tensor, "point xyz=3"]
    normals: Float[Tensor, "point xyz=3"]
    weights: Float[Tensor, " point"]
    """Share of a fully supported pixel that looks straight at the viewer."""


def gather(head: Head, grazing: float, rim: int) -> Cloud:
    """One point for each believed pixel of each surface.

    The weight is the pixel's support, relative to the view's median, times n_z^2: depth errors grow
    with the slope. Pixels within `rim` of the edge of the mask are left out, since the masks of
    photos cut hair and ears more or less wide.
    """
    clouds = [_points(surface, grazing, rim) for surface in head.surfaces]
    return Cloud(
        torch.cat([c.points for c in clouds]),
        torch.cat([c.normals for c in clouds]),
        torch.cat([c.weights for c in clouds]),
    )


def _points(surface: Surface, grazing: float, rim: int) -> Cloud:
    field, depth = surface.normals, surface.depth
    outside = F.max_pool2d(1.0 - depth.mask.float()[None, None], 2 * rim + 1, 1, rim)[0, 0]
    used = (outside < 0.5) & (field.normals[2] > grazing)
    xy = pixel_centres(*depth.z.shape, like=depth.z)
    xyz = torch.cat([xy, depth.z[..., None]], dim=-1)[used]
    normals = field.normals[:, used].T @ depth.camera.view_from_head
    support = field.support[used]
    relative = (support / support.median().clamp_min(1e-6)).clamp_max(1.0)
    return Cloud(unproject(xyz, depth.camera), normals, relative * field.normals[2, used] ** 2)


def attract(
    vertices: Float[Tensor, "vertex xyz=3"],
    normals: Float[Tensor, "vertex xyz=3"],
    cloud: Cloud,
    reach: float,
    neighbours: int,
    agreement: float,
) -> tuple[Float[Tensor, "vertex xyz=3"], Float[Tensor, " vertex"]]:
    """Where the cloud wants each vertex, and how much.

    Among the nearest points those count that are within `reach` millimetres and whose normal makes
    a cosine of at least `agreement` with the vertex's; the vertex is asked to move onto their mean
    tangent plane, v + n n . (p - v), and remains free to slide along it.
    """
    tree = KDTree(cloud.points.cpu().numpy())
    distances, indices = tree.query(vertices.detach().cpu().numpy(), k=neighbours, workers=-1)
    distance = torch.from_numpy(np.asarray(distances)).to(vertices)
    index = torch.from_numpy(np.asarray(indices)).to(vertices.device)
    # A vertex with fewer neighbours than asked for gets the index one past the end.
    found = index < len(cloud.points)
    index = index.clamp_max(len(cloud.points) - 1)

    alike = (cloud.normals[index] * normals[:, None]).sum(dim=-1)
    weight = cloud.weights[index] * alike.clamp_min(0.0)
    weight = weight * (found & (distance < reach) & (alike > agreement))
    # Near points say more than far ones; half the reach is where the weight starts to fall off.
    weight = weight / (1.0 + (2.0 * distance / reach) ** 2)
    total = weight.sum(dim=1)
    share = weight / total.clamp_min(1e-9)[:, None]
    point = (share[..., None] * cloud.points[index]).sum(dim=1)
    normal = F.normalize((share[..., None] * cloud.normals[index]).sum(dim=1), dim=-1)
    offset = ((point - vertices) * normal).sum(dim=-1, keepdim=True)
    return vertices + normal * offset, total / neighbours
