"""How long a step of refinement takes, beside what it would on a CPU without ray casting."""

import time

import hydra
import torch
import trimesh
from hydra import compose

from headrecon.archive import moved
from headrecon.evaluate.race import Row, in_turns, wait
from headrecon.geometry.camera import project
from headrecon.geometry.lighting import basis
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.signed_distance import signed_distance
from headrecon.geometry.surface import vertex_normals
from headrecon.mesh.agreement import Told
from headrecon.mesh.nudge import MOVES
from headrecon.mesh.photo_outline import PhotoOutline
from headrecon.mesh.refine import Refine
from headrecon.mesh.silhouette import Contour
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.render.torch3d import Meshes, rasterize_meshes, topology_of
from headrecon.types import Camera, HeadMesh, NormalField, Stack

_SIDE, _PHOTOS = 256, 8


def refinement(turns: int, device: torch.device) -> Row:
    """All terms and their gradients of a mesh of 20,480 faces, on eight photos of 256 pixels.

    Beside it stands no more than pytorch3d's rasterizer, forward and backward, which would take the
    place of rays in that step. It is timed once, since it takes that long.
    """
    mesh, stack = egg(device)
    refine: Refine = hydra.utils.instantiate(compose("config").pipeline.refine, _convert_="all")
    skin = torch.ones_like(mesh.vertices[:, 0])
    mask = stack.masks[0] > 0.5
    sight = PhotoOutline(stack.camera, signed_distance(mask), torch.ones_like(mask))
    contour = Contour.of(
        sight, mesh.vertices, mesh.faces, refine.contours.band, refine.contours.reach, skin
    )
    told = Told.by(_normals(mesh, stack), stack.camera, mesh, refine.grazing)
    topology = topology_of(mesh.vertices, mesh.faces)
    generator = torch.Generator()

    def ours() -> None:
        shift = torch.zeros_like(mesh.vertices, requires_grad=True)
        tint = torch.zeros_like(mesh.albedo, requires_grad=True)
        move = mesh.vertices.new_zeros(MOVES).requires_grad_(True)
        terms = refine.terms(
            *(mesh.vertices + shift, shift, mesh.albedo + tint, move, topology),
            *(stack, [contour] * _PHOTOS, told, skin, generator.manual_seed(0)),
        )
        torch.stack(list(terms.values())).sum().backward()
        wait(device)

    (seconds,) = in_turns([ours], turns)
    vertices = mesh.vertices.cpu().requires_grad_(True)
    x, y, z = project(vertices, stack.camera).unbind(dim=1)
    half = _SIDE / 2
    inside = torch.stack([half - x, half - y, z.max() + half - z], dim=1) / half
    start = time.perf_counter()
    _, depth, barycentric, _ = rasterize_meshes(
        Meshes(inside[None], mesh.faces.cpu()[None]), _SIDE, 0.0, 1, perspective_correct=False
    )
    (depth.sum() + barycentric.square().sum()).backward()
    theirs = time.perf_counter() - start
    what = f"step of refinement, {len(mesh.faces)} faces, {_PHOTOS} photos of {_SIDE} x {_SIDE}"
    quality = "the whole step against rasterizing alone, both forward and backward"
    return Row(what, "pytorch3d's rasterizer on the CPU", (seconds, theirs), quality)


def _normals(mesh: HeadMesh, stack: Stack) -> NormalField:
    """Those of the mesh itself, as a view has them."""
    fragments = rasterize(mesh.vertices, mesh.faces, stack.camera)
    normals = vertex_normals(mesh.vertices, mesh.faces) @ stack.camera.view_from_head.T
    drawn = interpolate(fragments, mesh.faces, torch.cat([normals, mesh.albedo], dim=1))
    nothing = torch.zeros_like(fragments.z)
    return NormalField(
        label=stack.label,
        camera=stack.camera,
        normals=torch.nn.functional.normalize(drawn[:3], dim=0),
        deviation=nothing,
        albedo=drawn[3:],
        mask=fragments.mask,
        support=nothing,
        lighting=nothing.new_zeros(_PHOTOS, 4),
        fiducials=stack.fiducials,
    )


def egg(device: torch.device) -> tuple[HeadMesh, Stack]:
    """A mesh about as large as a head, and photos of it."""
    ball = trimesh.creation.icosphere(5, 90.0)
    vertices = torch.tensor(ball.vertices).float() * torch.tensor([0.8, 1.2, 1.0])
    faces = torch.tensor(ball.faces).long()
    shade = 0.5 + 0.2 * torch.sin(vertices / 15.0)
    camera = Camera(view_from_head(20.0), 1.0, torch.full((2,), _SIDE / 2.0), _SIDE, _SIDE)
    fragments = rasterize(vertices, faces, camera)
    normals = vertex_normals(vertices, faces) @ camera.view_from_head.T
    layers = interpolate(fragments, faces, torch.cat([shade, normals], dim=1))
    unit = torch.nn.functional.normalize(layers[3:].flatten(1), dim=0)
    light = torch.rand(_PHOTOS, 4, generator=torch.Generator().manual_seed(0))
    light = 0.3 * light + torch.tensor([0.6, 0.0, 0.0, 0.0])
    shaded = (light @ basis(unit)).reshape(_PHOTOS, 1, _SIDE, _SIDE)
    mesh = HeadMesh(vertices, faces, shade, torch.ones(len(vertices)), vertices[:68].clone())
    stack = Stack(
        label="view+00",
        camera=camera,
        names=tuple(map(str, range(_PHOTOS))),
        images=(0.5 * layers[:3] * shaded).clamp(0.0, 1.0),
        masks=fragments.mask.float().expand(_PHOTOS, -1, -1),
        flows=torch.zeros(_PHOTOS, 2, _SIDE, _SIDE),
        belief=torch.ones(_PHOTOS),
        motion=torch.zeros(0),
        portrait_from_canvas=torch.eye(2, 3).repeat(_PHOTOS, 1, 1),
        fiducials=torch.zeros(468, 2),
        face=fragments.mask,
    )
    return moved(mesh, device), moved(stack, device)
