"""A head, and photos of it that show exactly what the model of light says."""

from dataclasses import replace

import torch

from headrecon.geometry.camera import project
from headrecon.geometry.lighting import basis
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.surface import at, vertex_normals
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.render.interreflection import lacking
from headrecon.render.occlusion import Occlusion
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.template.build import BuildTemplate
from headrecon.types import Camera, HeadMesh, Portrait
from tests import artifacts

TEMPLATE = BuildTemplate(size=1.0, people=2)()
SIDE = 160
LIGHT = ((0.5, 0.1, 0.15, 0.3), (0.5, 0.12, 0.15, 0.3), (0.45, 0.1, 0.2, 0.3))


def head() -> HeadMesh:
    """The template with a paint that has no symmetry."""
    vertices = TEMPLATE.vertices
    marks = at(TEMPLATE.fiducials, TEMPLATE.faces, vertices)
    shade = 0.5 + 0.2 * torch.sin(vertices[:, :1] / 9.0 + 1.0) * torch.cos(vertices[:, 1:2] / 14.0)
    return HeadMesh(
        vertices=vertices,
        faces=TEMPLATE.faces,
        albedo=shade * torch.tensor([1.0, 0.8, 0.7]),
        support=torch.ones(len(vertices)),
        landmarks=marks[list(IBUG68_FROM_MESH)],
    )


def photo_of(
    mesh: HeadMesh,
    azimuth: float,
    nearness: float = 0.0,
    light: tuple[tuple[float, ...], ...] = LIGHT,
) -> Portrait:
    """The mesh in a light of its own, which it partly keeps off or sends back, before a wall."""
    rotation = view_from_head(azimuth, -4.0, 3.0)
    camera = Camera(rotation, 0.45, torch.tensor([82.0, 75.0]), SIDE, SIDE, nearness)
    fragments = rasterize(mesh.vertices, mesh.faces, camera)
    normals = vertex_normals(mesh.vertices, mesh.faces) @ rotation.T
    hidden = lacking(Occlusion.of(mesh.vertices, mesh.faces), rotation, 4)
    layers = interpolate(fragments, mesh.faces, torch.cat([mesh.albedo, normals, hidden], dim=1))
    seen = fragments.mask
    unit = torch.nn.functional.normalize(layers[3:6, seen], dim=0)
    image = torch.full((3, SIDE, SIDE), 0.3)
    image[:, seen] = layers[:3, seen] * (torch.tensor(light) @ (basis(unit) - layers[6:, seen]))
    marks = at(TEMPLATE.fiducials, mesh.faces, mesh.vertices)
    return replace(
        artifacts.portrait("photo"),
        image=image,
        mask=seen.float(),
        fiducials=project(marks, camera)[:, :2],
        visible=torch.ones(468, dtype=torch.bool),
        azimuth=azimuth,
        elevation=-4.0,
        roll=3.0,
        face_size=2.0 * 70.0,
        step=2.0,
    )
