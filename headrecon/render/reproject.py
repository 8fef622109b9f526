"""What a new camera sees of surfaces that are already solved, and of the template."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from headrecon.geometry.camera import pixel_centres, unproject
from headrecon.geometry.surface import vertex_normals
from headrecon.geometry.warp import sample
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.types import REGIONS, Camera, Surface, Template


@dataclass(frozen=True)
class Seen:
    """A surface as a camera sees it."""

    normals: Float[Tensor, "xyz=3 h w"]
    """Unit normals in the frame of that camera; 0 outside the mask."""
    z: Float[Tensor, "h w"]
    """Height in pixels; 0 outside the mask."""
    weight: Float[Tensor, "h w"]
    """Cosine to the new viewer times cosine to the old one: how well both look at it."""
    mask: Bool[Tensor, "h w"]


def see_surface(surface: Surface, camera: Camera, grazing: float) -> Seen:
    """The surface's depth map as a mesh of pixels, turned to another camera.

    Pixels that the surface's own camera saw at a cosine below `grazing` are left out: their depth
    is the sum of many steep and uncertain steps.
    """
    depth, normals = surface.depth, surface.normals.normals
    trusted = depth.mask & (normals[2] > grazing)
    faces = pixel_faces(trusted)
    if len(faces) == 0:
        return _nothing(depth.z, camera)
    xy = pixel_centres(*depth.z.shape, like=depth.z)
    points = unproject(torch.cat([xy, depth.z[..., None]], dim=-1).flatten(0, 1), depth.camera)
    new_from_old = camera.view_from_head @ depth.camera.view_from_head.T
    old = normals.flatten(1).T
    return _seen(points, faces, old @ new_from_old.T, old[:, 2], camera)


def lift(
    surface: Surface, xy: Float[Tensor, "point xy=2"]
) -> tuple[
    Float[Tensor, "point xyz=3"],  # places in the head frame
    Float[Tensor, "point xyz=3"],  # normals in the head frame
    Bool[Tensor, " point"],  # whether the point lies well inside the surface
]:
    """Points of the surface's canvas, raised to its depth map."""
    field, depth = surface.normals, surface.depth
    layers = torch.cat([depth.z[None], field.normals, depth.mask[None].to(depth.z)])
    seen = sample(layers[None], xy[None, None])[0, :, 0].T
    normals = torch.nn.functional.normalize(seen[:, 1:4], dim=-1)
    places = unproject(torch.cat([xy, seen[:, :1]], dim=1), depth.camera)
    return places, normals @ depth.camera.view_from_head, seen[:, 4] > 0.999


def see_template(template: Template, camera: Camera, parts: Sequence[str] = REGIONS) -> Seen:
    """Some parts of the template, in front of which are its others, seen by a camera."""
    normals = vertex_normals(template.vertices, template.faces) @ camera.view_from_head.T
    chosen = template.region.new_tensor([REGIONS.index(name) for name in parts])
    shown = torch.isin(template.region, chosen).to(normals)
    seen = _seen(template.vertices, template.faces, normals, shown, camera)
    # Half way to a vertex of another part a pixel still shows this one.
    mask = seen.mask & (seen.weight > 0.5 * seen.normals[2])
    return Seen(seen.normals * mask, seen.z * mask, seen.normals[2] * mask, mask)


def pixel_faces(mask: Bool[Tensor, "h w"]) -> Int[Tensor, "face 3"]:
    """Two triangles for each square of four masked pixels, counter-clockwise seen by the viewer.

    Corners are indices into the flattened canvas.
    """
    index = torch.arange(mask.numel(), device=mask.device).reshape(mask.shape)
    square = mask[:-1, :-1] & mask[1:, :-1] & mask[:-1, 1:] & mask[1:, 1:]
    top_left, top_right = index[:-1, :-1][square], index[:-1, 1:][square]
    bottom_left, bottom_right = index[1:, :-1][square], index[1:, 1:][square]
    lower = torch.stack([top_left, bottom_left, bottom_right], dim=1)
    upper = torch.stack([top_left, bottom_right, top_right], dim=1)
    return torch.cat([lower, upper])


def _seen(
    points: Float[Tensor, "vertex 3"],
    faces: Int[Tensor, "face 3"],
    normals: Float[Tensor, "vertex 3"],
    old_cosine: Float[Tensor, " vertex"],
    camera: Camera,
) -> Seen:
    fragments = rasterize(points, faces, camera)
    layers = interpolate(fragments, faces, torch.cat([normals, old_cosine[:, None]], dim=1))
    unit = torch.nn.functional.normalize(layers[:3], dim=0)
    # A surface is seen from its outside only; holes would otherwise show it from within.
    mask = (fragments.face >= 0) & (unit[2] > 0.0)
    cosines = unit[2].clamp_min(0.0) * layers[3].clamp_min(0.0)
    return Seen(normals=unit * mask, z=fragments.z * mask, weight=cosines * mask, mask=mask)


def _nothing(like: Float[Tensor, "h w"], camera: Camera) -> Seen:
    empty = like.new_zeros(camera.height, camera.width)
    return Seen(
        normals=empty.expand(3, -1, -1).clone(),
        z=empty,
        weight=empty.clone(),
        mask=empty.bool(),
    )
