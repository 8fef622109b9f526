"""How far photos are from renderings of a mesh, as something to descend on."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from headrecon.geometry.lighting import basis, fit_columns, reflected
from headrecon.mesh.expression import Expressions, pulled
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.types import Stack


def photometric_error(
    vertices: Float[Tensor, "vertex xyz=3"],
    normals: Float[Tensor, "vertex xyz=3"],
    albedo: Float[Tensor, "vertex rgb=3"],
    faces: Int[Tensor, "face 3"],
    stack: Stack,
    chosen: Int[Tensor, " photo"],
    light_order: int,
    glossy: bool,
    robust: float,
    expressions: Expressions | None = None,
) -> Float[Tensor, ""]:
    """Mean Geman-McClure error between the chosen photos and their renderings, at unit exposure.

    The light of each photo is its best one, and the gradient goes through its fit. Pixels that are
    clipped, or whose surface turns away, do not count. `robust` is the error from which on a pixel
    pulls no more. Normals are given beside the vertices, since a slope through them may be worth
    less than one through what is seen where. `glossy` adds what a rough mirror shows of the
    surroundings, first-order harmonics in the direction r = 2 n_z n - v that is reflected to the
    viewer v, without albedo:

        I = albedo l . Y(n) + m . Y(r)

    With `expressions` each photo has normals of its own, those of the face that it pulls, which the
    gradient takes as given.

    Reference: Ramamoorthi and Hanrahan, "A signal-processing framework for inverse rendering",
    SIGGRAPH 2001.
    """
    fragments = rasterize(vertices, faces, stack.camera)
    facing = normals @ stack.camera.view_from_head.T
    layers = interpolate(fragments, faces, torch.cat([albedo, facing], dim=1))
    seen = fragments.mask & (layers[5].detach() > 0.2)
    color = layers[:3, seen]
    unit = torch.nn.functional.normalize(layers[3:, seen], dim=0)

    photos = stack.images[chosen][:, :, seen].to(color)
    weights = stack.masks[chosen][:, seen].to(color) * (photos.amax(dim=1) < 0.98)
    exposure = (photos.mean(dim=1) * weights).sum(1) / weights.sum(1).clamp_min(1.0)
    photos = photos / exposure.clamp_min(1e-3)[:, None, None]

    def rendered(some: slice, normals: Tensor) -> Tensor:
        columns = color[:, None] * basis(normals, light_order)
        if glossy:
            columns = torch.cat([columns, basis(reflected(normals)).expand(3, -1, -1)], dim=1)
        light = fit_columns(photos[some], columns, weights[some])
        return torch.einsum("pck,ckj->pcj", light, columns)

    if expressions is None:
        made = rendered(slice(None), unit)
    else:
        turns = expressions.turns @ stack.camera.view_from_head.T
        turned = torch.stack([interpolate(fragments, faces, turn)[:, seen] for turn in turns])
        found = _coefficients(
            expressions, photos, color, unit, turned, weights, light_order, robust
        )
        made = torch.cat(
            [
                rendered(
                    slice(index, index + 1), pulled(unit, torch.einsum("d,dxj->xj", e, turned))
                )
                for index, e in enumerate(found)
            ]
        )
    squared = ((made - photos) ** 2).sum(dim=1)
    bounded = squared / (1.0 + squared / robust**2)
    return (weights * bounded).sum() / weights.sum().clamp_min(1.0)


@torch.no_grad()
def _coefficients(
    expressions: Expressions,
    photos: Float[Tensor, "photo rgb=3 pixel"],
    color: Float[Tensor, "rgb=3 pixel"],
    normals: Float[Tensor, "xyz=3 pixel"],
    turned: Float[Tensor, "direction xyz=3 pixel"],
    weights: Float[Tensor, "photo pixel"],
    light_order: int,
    robust: float,
) -> Float[Tensor, "photo direction"]:
    """Of each photo's expression, in the light that explains the face at rest best."""
    light = fit_columns(photos, color[:, None] * basis(normals, light_order), weights)
    return expressions.coefficients(photos, light, color, normals, turned, weights, robust)
