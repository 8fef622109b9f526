"""A mesh in the light of photos, beside them."""

import torch
from jaxtyping import Bool, Float
from kornia.color import linear_rgb_to_rgb
from torch import Tensor

from headrecon.geometry.color import luminance
from headrecon.geometry.lighting import basis, fit_columns
from headrecon.geometry.surface import vertex_normals
from headrecon.render.interreflection import lacking
from headrecon.render.occlusion import Occlusion
from headrecon.render.rasterize import Scene, interpolate
from headrecon.types import Camera, HeadMesh


def relit(
    mesh: HeadMesh,
    camera: Camera,
    images: Float[Tensor, "photo rgb=3 h w"],
    masks: Float[Tensor, "photo h w"],
    mask: Bool[Tensor, "h w"],
    occlusion: Occlusion | None = None,
    scene: Scene | None = None,
) -> Float[Tensor, "photo rgb=3 pixel"]:
    """A mesh at the pixels of a mask in the light of every photo of a camera, linear.

    Light, first-order spherical harmonics for each channel, is what fits the photo best, less what
    the mesh itself keeps off if `occlusion` says so. Where the mesh shows nothing, its rendering is
    black. For many cameras, `scene` is the mesh, made ready for rays once.
    """
    fragments = (scene or Scene(mesh.vertices, mesh.faces)).rasterized(camera)
    values = [mesh.albedo, vertex_normals(mesh.vertices, mesh.faces) @ camera.view_from_head.T]
    if occlusion is not None:
        values.append(lacking(occlusion, camera.view_from_head, 4))
    layers = interpolate(fragments, mesh.faces, torch.cat(values, dim=1))[:, mask]
    albedo, normals = layers[:3], torch.nn.functional.normalize(layers[3:6], dim=0)
    photos, shown = images[:, :, mask].float(), masks[:, mask].float()
    arriving = basis(normals)
    if occlusion is not None:
        arriving = arriving - layers[6:]
    columns = albedo[:, None] * arriving
    return torch.einsum("pck,ckj->pcj", fit_columns(photos, columns, shown), columns)


def relit_errors(
    mesh: HeadMesh,
    camera: Camera,
    images: Float[Tensor, "photo rgb=3 h w"],
    masks: Float[Tensor, "photo h w"],
    mask: Bool[Tensor, "h w"],
    occlusion: Occlusion | None = None,
    scene: Scene | None = None,
) -> Float[Tensor, "photo pixel"]:
    """|photo - render| in grey levels at the pixels of a mask; see `relit`."""
    rendered = relit(mesh, camera, images, masks, mask, occlusion, scene)
    photos = images[:, :, mask].float()
    return (grey_levels(photos[..., None]) - grey_levels(rendered[..., None]))[..., 0].abs()


def grey_levels(images: Float[Tensor, "photo rgb=3 h w"]) -> Float[Tensor, "photo h w"]:
    """Luminance of linear RGB as displays show it, coded by the curve of sRGB, 0 to 255."""
    gray = luminance(images.clamp(0.0, 1.0))
    return 255.0 * linear_rgb_to_rgb(gray[:, None].expand(-1, 3, -1, -1))[:, 0]
