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
from headrecon.mesh.photometric import Subject
from headrecon.mesh.refine import Refine
from headrecon.mesh.shot import Shot
from headrecon.mesh.silhouette import Contour
from headrecon.render.occlusion import Occlusion
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.render.torch3d import Meshes, rasterize_meshes, topology_of
from headrecon.types import Camera, DepthMap, HeadMesh, NormalField, Surface

_SIDE, _PHOTOS = 256, 8


def refinement(turns: int, device: torch.device) -> Row:
    """All terms and their gradients of a mesh of 20,480 faces, on eight photos of 256 pixels.

    Beside it stands no more than pytorch3d's rasterizer, forward and backward, which would take the
    place of rays in that step. It is timed once, since it takes that long.
    """
    mesh, shots = egg(device)
    refine: Refine = hydra.utils.instantiate(compose("config").pipeline.refine, _convert_="all")
    skin = torch.ones_like(mesh.vertices[:, 0])
    nothing = mesh.vertices.new_zeros(0, *mesh.vertices.shape)
    subject = Subject(mesh.faces, Occlusion.of(mesh.vertices, mesh.faces), skin[None], nothing)
    mask, camera = shots[0].mask > 0.5, shots[0].camera
    sight = PhotoOutline(camera, signed_distance(mask), torch.ones_like(mask))
    contour = Contour.of(
        sight, mesh.vertices, mesh.faces, refine.contours.band, refine.contours.reach, skin
    )
    told = Told.by(_surface(mesh, camera), mesh, refine.grazing)
    topology = topology_of(mesh.vertices, mesh.faces)

    def ours() -> None:
        shift = torch.zeros_like(mesh.vertices, requires_grad=True)
        moves = mesh.vertices.new_zeros(len(shots), MOVES).requires_grad_(True)
        terms = refine.terms(
            *(mesh.vertices + shift, shift, mesh.albedo, moves, topology),
            *(shots, [contour] * len(shots), told, subject, skin),
        )
        torch.stack(list(terms.values())).sum().backward()
        wait(device)

    (seconds,) = in_turns([ours], turns)
    start = time.perf_counter()
    for shot in shots:
        vertices = mesh.vertices.cpu().requires_grad_(True)
        x, y, z = project(vertices, shot.camera).unbind(dim=1)
        half = _SIDE / 2
        inside = torch.stack([half - x, half - y, z.max() + half - z], dim=1) / half
        _, depth, barycentric, _ = rasterize_meshes(
            Meshes(inside[None], mesh.faces.cpu()[None]), _SIDE, 0.0, 1, perspective_correct=False
        )
        (depth.sum() + barycentric.square().sum()).backward()
    theirs = time.perf_counter() - start
    what = f"step of refinement, {len(mesh.faces)} faces, {_PHOTOS} photos of {_SIDE} x {_SIDE}"
    quality = "the whole step against rasterizing alone, both forward and backward"
    return Row(what, "pytorch3d's rasterizer on the CPU", (seconds, theirs), quality)


def _surface(mesh: HeadMesh, camera: Camera) -> Surface:
    """The mesh itself, as a view has it."""
    fragments = rasterize(mesh.vertices, mesh.faces, camera)
    normals = vertex_normals(mesh.vertices, mesh.faces) @ camera.view_from_head.T
    drawn = interpolate(fragments, mesh.faces, torch.cat([normals, mesh.albedo], dim=1))
    nothing = torch.zeros_like(fragments.z)
    field = NormalField(
        label="view+00",
        camera=camera,
        normals=torch.nn.functional.normalize(drawn[:3], dim=0),
        deviation=nothing,
        albedo=drawn[3:],
        mask=fragments.mask,
        support=nothing,
        lighting=nothing.new_zeros(_PHOTOS, 4),
        fiducials=nothing.new_zeros(468, 2),
    )
    return Surface(field, DepthMap("view+00", camera, fragments.z, fragments.mask))


def egg(device: torch.device) -> tuple[HeadMesh, list[Shot]]:
    """A mesh about as large as a head, and photos of it from several sides."""
    ball = trimesh.creation.icosphere(5, 90.0)
    vertices = torch.tensor(ball.vertices).float() * torch.tensor([0.8, 1.2, 1.0])
    faces = torch.tensor(ball.faces).long()
    mesh = HeadMesh(
        vertices=vertices,
        faces=faces,
        albedo=0.5 + 0.2 * torch.sin(vertices / 15.0),
        support=torch.ones(len(vertices)),
        landmarks=vertices[:68].clone(),
    )
    lights = torch.rand(_PHOTOS, 4, generator=torch.Generator().manual_seed(0))
    lights = 0.3 * lights + torch.tensor([0.6, 0.0, 0.0, 0.0])
    shots = []
    for number, light in enumerate(lights):
        turn = view_from_head(-70.0 + 20.0 * number)
        camera = Camera(turn, 1.0, torch.full((2,), _SIDE / 2.0), _SIDE, _SIDE)
        fragments = rasterize(vertices, faces, camera)
        normals = vertex_normals(vertices, faces) @ camera.view_from_head.T
        layers = interpolate(fragments, faces, torch.cat([mesh.albedo, normals], dim=1))
        unit = torch.nn.functional.normalize(layers[3:].flatten(1), dim=0)
        shaded = (light @ basis(unit)).reshape(_SIDE, _SIDE)
        image = (0.5 * layers[:3] * shaded).clamp(0.0, 1.0)
        shots.append(Shot(str(number), camera, image, fragments.mask.float()))
    return moved(mesh, device), [moved(shot, device) for shot in shots]
