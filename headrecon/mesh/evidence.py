"""What surfaces of views and outlines of photos say about the vertices of a mesh."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.signed_distance import signed_distance
from headrecon.geometry.surface import vertex_normals
from headrecon.geometry.warp import inside, sample
from headrecon.mesh.deform import laplacian, smoothed
from headrecon.mesh.silhouette import outline
from headrecon.types import Head, HeadMesh, Stack

_ONE_SIGMA = 0.16
"""Share of a normal distribution that lies beyond one standard deviation, to one side."""
_CUT = 4.0
"""Reaches above the lowest pixel of a mask within which it ends because the neck is cut."""
_SMOOTHNESS = 20.0
"""Of the variance, of which a vertex has a handful of samples."""


def on_surfaces(
    mesh: HeadMesh, head: Head, tolerance: float
) -> tuple[Bool[Tensor, " vertex"], Float[Tensor, " vertex"]]:
    """Vertices that a view holds, and how far the surfaces of the views are from them.

    A view holds a vertex that faces it and lies within `tolerance` millimetres of its depth map.
    The distance is the root mean square, in millimetres along the normal, over all views that see
    the vertex and, since these are few, over the vertices around it.
    """
    normals = vertex_normals(mesh.vertices, mesh.faces)
    offsets, weights = [], []
    for surface in head.surfaces:
        camera, depth = surface.depth.camera, surface.depth
        xyz = project(mesh.vertices, camera)
        layers = torch.stack([depth.z, depth.mask.to(depth.z)])
        seen = sample(layers[None], xyz[None, None, :, :2])[0, :, 0]
        n_z = normals @ camera.view_from_head[2]
        whole = inside(xyz[:, :2], camera.height, camera.width) * (seen[1] > 0.999) * (n_z > 0.0)
        # A step along the line of sight moves the surface by n_z as much along its normal.
        offset = (seen[0] - xyz[:, 2]) / camera.scale * n_z
        # What is far behind or before is another part of the head.
        whole = whole * (offset.abs() < 3.0 * tolerance)
        offsets.append(torch.where(whole > 0, offset, torch.zeros_like(offset)))
        weights.append(whole * n_z**2)
    if not offsets:
        nothing = torch.zeros_like(mesh.support)
        return nothing.bool(), nothing
    offset, weight = torch.stack(offsets), torch.stack(weights)
    held = ((weight > 0) & (offset.abs() < tolerance)).any(dim=0)
    total = weight.sum(dim=0)
    spread = (weight * offset**2).sum(dim=0) / total.clamp_min(1e-6)
    smoothness = _SMOOTHNESS * laplacian(mesh.vertices, mesh.faces)
    variance = smoothed(smoothness, spread[:, None], total)
    return held, variance[:, 0].clamp_min(0.0).sqrt()


def on_outlines(
    mesh: HeadMesh, stacks: tuple[Stack, ...], band: float, reach: float
) -> tuple[Bool[Tensor, " vertex"], Float[Tensor, " vertex"]]:
    """Vertices on the outline of a view, and how far the outlines of its photos are apart there.

    The vertex is seen edge-on, |n_z| < `band`, within `reach` pixels of where half of the photos
    have the person. The distance is half of that from where few photos have the person to where
    nearly all have, one standard deviation to either side, in millimetres.
    """
    normals = vertex_normals(mesh.vertices, mesh.faces)
    held = torch.zeros_like(mesh.support, dtype=torch.bool)
    least = torch.full_like(mesh.support, torch.inf)
    for stack in stacks:
        share = stack.masks.mean(dim=0)
        goal = outline(share > 0.5, _CUT * reach)
        few, most = signed_distance(share > _ONE_SIGMA), signed_distance(share > 1 - _ONE_SIGMA)
        levels = torch.stack([goal.distance, few, most])
        xyz = project(mesh.vertices, stack.camera)
        at, wide, narrow = sample(levels[None], xyz[None, None, :, :2])[0, :, 0]
        edge_on = (normals @ stack.camera.view_from_head[2]).abs() < band
        edge_on = edge_on & (xyz[:, 1] < goal.bottom)
        # What touches the border of the canvas was cut there.
        whole = inside(xyz[:, :2], stack.camera.height - 1, stack.camera.width - 1) > 0
        here = edge_on & whole & (at.abs() < reach)
        apart = ((narrow - wide) / 2.0).clamp_min(0.5) / stack.camera.scale
        held |= here
        least = torch.where(here, torch.minimum(least, apart), least)
    return held, torch.where(held, least, torch.zeros_like(least))
