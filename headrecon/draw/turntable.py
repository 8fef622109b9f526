"""Pictures of a mesh from several sides."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor

from headrecon.draw.maps import LAMP, shading
from headrecon.draw.panel import on_paper, picture, sheet, stacked
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.surface import vertex_normals
from headrecon.render.rasterize import Fragments, interpolate, rasterize
from headrecon.types import Camera, HeadMesh

FIVE_SIDES = (-90.0, -45.0, 0.0, 45.0, 90.0)


def turntable(
    mesh: HeadMesh, azimuths: Sequence[float] = FIVE_SIDES, size: int = 288
) -> Image.Image:
    """A mesh turned about the vertical: as plaster above, with its albedo below."""
    labels = [f"{azimuth:+.0f} degrees" if azimuth else "0 degrees" for azimuth in azimuths]
    views = [_seen(mesh, azimuth, size) for azimuth in azimuths]
    return stacked(
        [
            sheet([plaster for plaster, _ in views], [""] * len(views)),
            sheet([painted for _, painted in views], labels),
        ]
    )


def plaster(
    vertices: Float[Tensor, "vertex xyz=3"],
    faces: Int[Tensor, "face 3"],
    cameras: Sequence[Camera],
) -> Image.Image:
    """A mesh without colors, as each camera sees it."""
    drawn = []
    for camera in cameras:
        fragments = rasterize(vertices, faces, camera)
        normals = _normals(vertices, faces, camera, fragments)
        drawn.append(shading(normals, fragments.mask))
    return sheet(drawn, [""] * len(drawn))


def painted(mesh: HeadMesh, colors: Float[Tensor, "vertex rgb=3"], size: int = 288) -> Image.Image:
    """A mesh in given linear colors under a soft lamp, from five sides."""
    other = replace(mesh, albedo=colors)
    drawn = [_seen(other, azimuth, size)[1] for azimuth in FIVE_SIDES]
    return sheet(drawn, [""] * len(drawn))


def framing(vertices: Float[Tensor, "vertex xyz=3"], azimuth: float, size: int) -> Camera:
    """A camera that sees the whole mesh from `azimuth`, as large from there as from any other."""
    low, high = vertices.amin(dim=0), vertices.amax(dim=0)
    centre = (low + high) / 2
    aside = (vertices - centre)[:, [0, 2]].norm(dim=1).max()
    scale = 0.94 * size / 2 / max(float(torch.maximum(aside, (high[1] - low[1]) / 2)), 1e-6)
    rotation = view_from_head(azimuth).to(vertices)
    x, y, _ = (rotation @ centre * scale).tolist()
    origin = torch.tensor([size / 2 - x, size / 2 + y])
    return Camera(rotation.cpu(), scale, origin, size, size)


def _seen(mesh: HeadMesh, azimuth: float, size: int) -> tuple[Image.Image, Image.Image]:
    """The mesh as plaster, and with its albedo under a soft lamp."""
    camera = framing(mesh.vertices, azimuth, size)
    fragments = rasterize(mesh.vertices, mesh.faces, camera)
    normals = _normals(mesh.vertices, mesh.faces, camera, fragments)
    colors = interpolate(fragments, mesh.faces, mesh.albedo)
    lamp = torch.nn.functional.normalize(normals.new_tensor(LAMP), dim=0)
    light = 0.45 + 0.55 * torch.einsum("chw,c->hw", normals, lamp).clamp(min=0.0)
    white = max(float(mesh.albedo.quantile(0.98)), 1e-3)
    painted = picture(on_paper(0.9 * colors / white * light, fragments.mask))
    return shading(normals, fragments.mask), painted


def _normals(
    vertices: Float[Tensor, "vertex xyz=3"],
    faces: Int[Tensor, "face 3"],
    camera: Camera,
    fragments: Fragments,
) -> Float[Tensor, "xyz=3 h w"]:
    """Unit normals in the view frame."""
    turned = vertex_normals(vertices, faces) @ camera.view_from_head.to(vertices).T
    return torch.nn.functional.normalize(interpolate(fragments, faces, turned), dim=0)
