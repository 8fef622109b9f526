"""How far photos are from renderings of a mesh, as something to descend on."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from headrecon.geometry.lighting import basis, fit_columns, reflected
from headrecon.geometry.surface import vertex_normals
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.types import Stack


def photometric_error(
    vertices: Float[Tensor, "vertex xyz=3"],
    albedo: Float[Tensor, "vertex rgb=3"],
    faces: Int[Tensor, "face 3"],
    stack: Stack,
    chosen: Int[Tensor, " photo"],
    light_order: int,
    glossy: bool,
    robust: float,
) -> Float[Tensor, ""]:
    """Mean Geman-McClure error between the chosen photos and their renderings, at unit exposure.

    The light of each photo is its best one, and the gradient goes through its fit. Pixels that are
    clipped, or whose surface turns away, do not count. `robust` is the error from which on a pixel
    pulls no more. `glossy` adds what a rough mirror shows of the surroundings, first-order
    harmonics in the direction r = 2 n_z n - v that is reflected to the viewer v, without albedo:

        I = albedo l . Y(n) + m . Y(r)

    Reference: Ramamoorthi and Hanrahan, "A signal-processing framework for inverse rendering",
    SIGGRAPH 2001.
    """
    fragments = rasterize(vertices, faces, stack.camera)
    normals = vertex_normals(vertices, faces) @ stack.camera.view_from_head.T
    layers = interpolate(fragments, faces, torch.cat([albedo, normals], dim=1))
    seen = fragments.mask & (layers[5].detach() > 0.2)
    color = layers[:3, seen]
    unit = torch.nn.functional.normalize(layers[3:, seen], dim=0)

    photos = stack.images[chosen][:, :, seen].to(color)
    weights = stack.masks[chosen][:, seen].to(color) * (photos.amax(dim=1) < 0.98)
    exposure = (photos.mean(dim=1) * weights).sum(1) / weights.sum(1).clamp_min(1.0)
    photos = photos / exposure.clamp_min(1e-3)[:, None, None]
    columns = color[:, None] * basis(unit, light_order)
    if glossy:
        columns = torch.cat([columns, basis(reflected(unit)).expand(3, -1, -1)], dim=1)
    rendered = torch.einsum("pck,ckj->pcj", fit_columns(photos, columns, weights), columns)
    squared = ((rendered - photos) ** 2).sum(dim=1)
    bounded = squared / (1.0 + squared / robust**2)
    return (weights * bounded).sum() / weights.sum().clamp_min(1.0)
