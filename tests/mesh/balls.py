"""Balls as heads, and what cameras see of them."""

import torch
import trimesh

from headrecon.geometry.rotation import view_from_head
from headrecon.render.rasterize import rasterize
from headrecon.types import Camera, DepthMap, NormalField, Surface, SurfacePoints, Template

SIZE, SCALE = 120, 0.9


def ball(radius: float) -> tuple[torch.Tensor, torch.Tensor]:
    mesh = trimesh.creation.icosphere(4, radius)
    return torch.tensor(mesh.vertices).float(), torch.tensor(mesh.faces).long()


def template() -> Template:
    """A ball without hair, fitted to somebody."""
    vertices, faces = ball(40.0)
    marks = SurfacePoints(torch.arange(468), torch.full((468, 3), 1 / 3))
    region = torch.zeros(len(vertices), dtype=torch.int64)
    return Template(vertices, faces, region, marks, marks, vertices[None], True)


def surface(azimuth: float, radius: float) -> Surface:
    """What a camera sees of a ball."""
    vertices, faces = ball(radius)
    camera = Camera(view_from_head(azimuth), SCALE, torch.tensor([61.0, 58.0]), SIZE, SIZE)
    fragments = rasterize(vertices, faces, camera)
    z, mask = fragments.z, fragments.mask
    y, x = torch.meshgrid(torch.arange(SIZE) + 0.5, torch.arange(SIZE) + 0.5, indexing="ij")
    normals = torch.stack([x - 61.0, 58.0 - y, z]) / (SCALE * radius) * mask
    field = NormalField(
        label=f"view{azimuth:+03.0f}",
        camera=camera,
        normals=torch.nn.functional.normalize(normals, dim=0),
        deviation=4.0 * mask,
        albedo=0.5 * mask.expand(3, -1, -1),
        mask=mask,
        support=10.0 * mask,
        lighting=torch.ones(4, 4),
        fiducials=torch.zeros(468, 2),
    )
    return Surface(field, DepthMap(field.label, camera, z, mask))
