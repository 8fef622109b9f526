"""How well a mesh renders into the photos."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from kornia.color import linear_rgb_to_rgb
from torch import Tensor

from headrecon.geometry.color import luminance
from headrecon.geometry.lighting import basis, fit_lighting
from headrecon.geometry.surface import vertex_normals
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.types import HeadMesh, Stack


@dataclass(frozen=True)
class Reprojection:
    """|photo - render| of one view in grey levels 0..255."""

    label: str
    error: Float[Tensor, "h w"]
    """Mean over the photos that show the pixel."""
    mask: Bool[Tensor, "h w"]
    mean: float
    """Over all pixels of all photos, each pixel counted by its mask."""


def reproject(mesh: HeadMesh, stack: Stack) -> Reprojection:
    """Render the mesh into every photo of a view, each with its own fitted light.

    The error is taken over the pixels that most photos of the view give to the person, whatever the
    mesh covers of them: where it has nothing to show, its rendering is black. The mesh and its
    albedo are the same for all photos; light is first-order spherical harmonics for each channel.
    Photos and renderings are compared as displays show them, sRGB-coded.
    """
    fragments = rasterize(mesh.vertices, mesh.faces, stack.camera)
    normals = vertex_normals(mesh.vertices, mesh.faces) @ stack.camera.view_from_head.T
    layers = interpolate(fragments, mesh.faces, torch.cat([mesh.albedo, normals], dim=1))
    mask = stack.masks.mean(dim=0) > 0.5
    albedo, normals = layers[:3, mask], torch.nn.functional.normalize(layers[3:, mask], dim=0)
    photos, weights = stack.images[:, :, mask], stack.masks[:, mask]
    lighting = fit_lighting(photos, albedo, normals, weights)
    rendered = albedo * torch.einsum("pck,kj->pcj", lighting, basis(normals))
    difference = (_gray(photos) - _gray(rendered)).abs() * 255.0

    total = (weights * difference).sum(dim=0) / weights.sum(dim=0).clamp_min(1e-6)
    error = total.new_zeros(mask.shape)
    error[mask] = total
    mean = float((weights * difference).sum() / weights.sum().clamp_min(1e-6))
    return Reprojection(stack.label, error, mask, mean)


def _gray(images: Float[Tensor, "photo rgb=3 pixel"]) -> Float[Tensor, "photo pixel"]:
    """Luminance of linear pixels, coded by the curve of sRGB."""
    gray = luminance(images.clamp(0.0, 1.0)[..., None])
    return linear_rgb_to_rgb(gray[:, None].expand(-1, 3, -1, -1))[:, 0, :, 0]
