"""An egg and its photos, which the model itself has rendered."""

from dataclasses import replace

import torch
import trimesh

from headrecon.geometry.camera import project
from headrecon.geometry.lighting import basis
from headrecon.geometry.rotation import angles, view_from_head
from headrecon.geometry.surface import vertex_normals
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.mesh.refine import not_yet_refined
from headrecon.mesh.shot import Shot
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.types import (
    Camera,
    Head,
    HeadMesh,
    NormalField,
    Portrait,
    Refinement,
    Stack,
    Surface,
)
from tests import artifacts


def head(stretch: float) -> HeadMesh:
    """An egg of varied albedo; `stretch` makes its front longer."""
    ball = trimesh.creation.icosphere(4, 40.0)
    vertices = torch.tensor(ball.vertices, dtype=torch.float32) * torch.tensor([0.8, 1.1, 1.0])
    vertices[:, 2] *= torch.where(vertices[:, 2] > 0.0, stretch, 1.0)
    shade = 0.5 + 0.2 * torch.sin(vertices[:, :1] / 6.0) * torch.cos(vertices[:, 1:2] / 9.0)
    return HeadMesh(
        vertices=vertices,
        faces=torch.tensor(ball.faces, dtype=torch.int64),
        albedo=shade * torch.tensor([1.0, 0.8, 0.7]),
        support=torch.ones(len(vertices)),
        landmarks=vertices[:68].clone(),
    )


def shots(mesh: HeadMesh) -> tuple[Stack, ...]:
    """Renderings of the mesh from three sides, each under six lights without shadow."""
    generator = torch.Generator().manual_seed(1)
    stacks = []
    for azimuth in (0.0, 40.0, -40.0):
        camera = Camera(view_from_head(azimuth), 0.55, torch.tensor([32.0, 30.0]), 60, 64)
        fragments = rasterize(mesh.vertices, mesh.faces, camera)
        normals = vertex_normals(mesh.vertices, mesh.faces) @ camera.view_from_head.T
        layers = interpolate(fragments, mesh.faces, torch.cat([mesh.albedo, normals], dim=1))
        unit = torch.nn.functional.normalize(layers[3:], dim=0)
        slopes = 0.35 * torch.randn(6, 3, generator=generator).clamp(-1.0, 1.0)
        light = torch.cat([torch.full((6, 1), 0.8), slopes], dim=1)
        shading = (light @ basis(unit.flatten(1))).reshape(6, 1, 60, 64).clamp_min(0.0)
        stacks.append(
            Stack(
                label=f"view{azimuth:+03.0f}",
                camera=camera,
                names=tuple("abcdef"),
                images=(0.7 * shading * layers[:3]).clamp(0.0, 0.97),
                masks=fragments.mask.float().expand(6, -1, -1).clone(),
                flows=torch.zeros(6, 2, 60, 64),
                belief=torch.ones(6),
                motion=torch.zeros(0),
                portrait_from_canvas=torch.eye(2, 3).repeat(6, 1, 1),
                fiducials=_fiducials(mesh, camera),
                face=fragments.mask,
            )
        )
    return tuple(stacks)


def _fiducials(mesh: HeadMesh, camera: Camera) -> torch.Tensor:
    """The landmarks' where they are seen, the others in a corner."""
    marks = torch.zeros(468, 2)
    marks[list(IBUG68_FROM_MESH)] = project(mesh.landmarks, camera)[:, :2]
    return marks


def begun(mesh: HeadMesh, photos: tuple[Stack, ...]) -> Refinement:
    """Before the first epoch."""
    return not_yet_refined(mesh, portraits_of(photos)[1])


def solved(photos: tuple[Stack, ...]) -> Head:
    """The views with the normals of the egg with the longest front, and its fiducials."""
    mesh, surfaces = head(1.25), []
    for stack in photos:
        fragments = rasterize(mesh.vertices, mesh.faces, stack.camera)
        normals = vertex_normals(mesh.vertices, mesh.faces) @ stack.camera.view_from_head.T
        layers = interpolate(fragments, mesh.faces, torch.cat([normals, mesh.albedo], dim=1))
        nothing = torch.zeros_like(fragments.z)
        field = NormalField(
            label=stack.label,
            camera=stack.camera,
            normals=torch.nn.functional.normalize(layers[:3], dim=0),
            deviation=nothing,
            albedo=layers[3:],
            mask=fragments.mask,
            support=nothing,
            lighting=torch.zeros(6, 4),
            fiducials=stack.fiducials,
        )
        depth = replace(
            artifacts.depth_map(), camera=stack.camera, z=fragments.z, mask=fragments.mask
        )
        surfaces.append(Surface(field, depth))
    return Head(tuple(surfaces))


def portraits_of(photos: tuple[Stack, ...]) -> tuple[tuple[Portrait, ...], tuple[Camera, ...]]:
    """All photos as they were found, and the camera of each."""
    found = [
        (
            replace(
                artifacts.portrait(f"{stack.label} {name}"),
                image=torch.nn.functional.pad(image, (0, 0, 0, 4)),
                mask=torch.nn.functional.pad(mask, (0, 0, 0, 4)),
                azimuth=angles(stack.camera.view_from_head)[0],
            ),
            replace(stack.camera, height=64),
        )
        for stack in photos
        for name, image, mask in zip(stack.names, stack.images, stack.masks, strict=True)
    ]
    portraits, cameras = zip(*found, strict=True)
    return portraits, cameras


def shots_of(photos: tuple[Stack, ...], mesh: HeadMesh) -> list[Shot]:
    """All photos, cut down to this egg."""
    pairs = zip(*portraits_of(photos), strict=True)
    return [Shot.of(*pair, mesh.vertices, 64) for pair in pairs]
