"""Losses of the refinement and their gradients."""

from dataclasses import replace

import torch
import trimesh

from headrecon.geometry.lighting import reflected
from headrecon.geometry.signed_distance import signed_distance
from headrecon.geometry.surface import vertex_normals
from headrecon.mesh.agreement import Told, disagreement, fiducial_error
from headrecon.mesh.nudge import MOVES, Deviation
from headrecon.mesh.photo_outline import PhotoOutline
from headrecon.mesh.photometric import Subject, photometric_error
from headrecon.mesh.shot import Shot
from headrecon.mesh.silhouette import Contour, outline_error
from headrecon.render.interreflection import lacking
from headrecon.render.occlusion import Occlusion
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.render.torch3d import Meshes, mesh_normal_consistency
from headrecon.types import SurfacePoints
from tests.mesh.eggs import head, shots, shots_of

EGG = head(1.25)
PHOTOS = shots_of(shots(EGG), EGG)
DEVIATION = Deviation(turn=1.0, shift=1.0, scale=0.01)


def doubled(shot: Shot) -> Shot:
    """In double precision."""
    by = shot.camera
    camera = replace(by, view_from_head=by.view_from_head.double(), origin=by.origin.double())
    return replace(shot, camera=camera, image=shot.image.double(), mask=shot.mask.double())


def test_gradients_of_the_losses_are_those_of_small_changes():
    """In double precision, which the Laplacian, pytorch3d's, does not know."""
    ball = trimesh.creation.icosphere(1, 30.0)
    vertices = torch.tensor(ball.vertices) * torch.tensor([0.8, 1.1, 1.0], dtype=torch.double)
    faces = torch.tensor(ball.faces, dtype=torch.int64)
    albedo = 0.5 + 0.1 * torch.sin(vertices)
    photos = [doubled(PHOTOS[index]) for index in (0, 7)]
    camera = photos[1].camera
    free = torch.ones(len(vertices), dtype=torch.double)
    mask = photos[1].mask > 0.5
    sight = PhotoOutline(camera, signed_distance(mask).double(), torch.ones_like(mask))
    contour = Contour.of(sight, vertices, faces, 0.25, 12.0, free)
    assert len(contour.rim) > 5
    marks = SurfacePoints(torch.arange(20), torch.full((20, 3), 1 / 3, dtype=torch.double))
    told = Told(
        camera=camera,
        normals=torch.nn.functional.normalize(vertices + 3.0, dim=1),
        sure=free,
        landmarks=marks,
        fiducials=30.0 + 5.0 * torch.sin(torch.arange(40.0, dtype=torch.double)).reshape(20, 2),
    )

    hidden = Occlusion.of(vertices, faces)
    subject = Subject(faces, hidden, free[None], vertices.new_zeros(0, *vertices.shape))

    def photometric(shift: torch.Tensor, tint: torch.Tensor) -> torch.Tensor:
        moves = torch.cat([shift[:2].flatten()[:6], shift[2:4].flatten()[:6]]).reshape(2, 6)
        seen = vertices + shift, albedo + tint, moves, photos, subject
        return photometric_error(*seen, DEVIATION, 1, False, 0.5)

    def silhouette(shift: torch.Tensor, tint: torch.Tensor) -> torch.Tensor:
        return outline_error(vertices + shift, [contour])

    def fiducials(shift: torch.Tensor, tint: torch.Tensor) -> torch.Tensor:
        return fiducial_error(vertices + shift, faces, told)

    def agreement(shift: torch.Tensor, tint: torch.Tensor) -> torch.Tensor:
        return disagreement(vertex_normals(vertices + shift, faces), told, free)

    def bending(shift: torch.Tensor, tint: torch.Tensor) -> torch.Tensor:
        return mesh_normal_consistency(Meshes(verts=[vertices + shift], faces=[faces]))

    random = torch.Generator().manual_seed(5)
    start = [
        (0.01 * torch.randn(len(vertices), 3, generator=random)).double().requires_grad_(True)
        for _ in range(2)
    ]
    for loss in (photometric, silhouette, fiducials, agreement, bending):
        assert torch.autograd.gradcheck(loss, start, eps=1e-6, atol=1e-5, rtol=1e-3)


def test_a_rough_mirror_explains_highlights_that_a_matt_surface_does_not():
    shot = PHOTOS[0]
    fragments = rasterize(EGG.vertices, EGG.faces, shot.camera)
    normals = vertex_normals(EGG.vertices, EGG.faces)
    facing = interpolate(fragments, EGG.faces, normals @ shot.camera.view_from_head.T)
    unit = torch.nn.functional.normalize(facing, dim=0)
    gloss = 0.08 * (1.0 + reflected(unit.flatten(1))[0]).reshape(facing.shape[1:]) * fragments.mask
    shiny = replace(shot, image=(shot.image + gloss).clamp(0.0, 0.97))
    matt, glossy = (error(shiny, on) for on in (False, True))
    assert glossy < 0.5 * matt


def error(shot: Shot, glossy: bool = False) -> float:
    """Of the egg itself."""
    nothing = EGG.vertices.new_zeros(0, *EGG.vertices.shape)
    ones = torch.ones_like(EGG.vertices[:, 0])
    subject = Subject(EGG.faces, Occlusion.of(EGG.vertices, EGG.faces), ones[None], nothing)
    seen = EGG.vertices, EGG.albedo, torch.zeros(1, MOVES), [shot], subject
    return float(photometric_error(*seen, DEVIATION, 1, glossy, 0.5))


def test_photos_of_the_mesh_itself_have_no_error_and_stains_do():
    shot = PHOTOS[0]
    stained = replace(shot, image=shot.image * torch.linspace(0.5, 1.0, shot.image.shape[2]))
    assert error(shot) < 1e-3
    assert error(stained) > 10.0 * error(shot)


def test_each_part_has_a_light_of_its_own():
    """The left half in half the light, which one light of the first order cannot be."""
    left = (EGG.vertices[:, 0] < 0.0).float()
    shot = PHOTOS[0]
    middle = shot.image.shape[2] // 2
    image = shot.image.clone()
    image[:, :, :middle] *= 0.5
    half, nothing = replace(shot, image=image), EGG.vertices.new_zeros(0, *EGG.vertices.shape)
    hidden = Occlusion.of(EGG.vertices, EGG.faces)

    def errors(parts: torch.Tensor) -> float:
        subject = Subject(EGG.faces, hidden, parts, nothing)
        seen = EGG.vertices, EGG.albedo, torch.zeros(1, MOVES), [half], subject
        return float(photometric_error(*seen, DEVIATION, 1, False, 0.5))

    assert errors(torch.stack([left, 1.0 - left])) < 0.3 * errors(torch.ones_like(left)[None])
    assert errors(torch.zeros_like(left)[None]) == 0.0


def test_a_head_that_is_in_its_own_light_is_darker_there():
    """A dent as deep as wide, in light from all around: what it keeps off explains the photo."""
    away = (EGG.vertices - torch.tensor([0.0, 0.0, 50.0])).norm(dim=1, keepdim=True)
    normals = vertex_normals(EGG.vertices, EGG.faces)
    dented = EGG.vertices - 14.0 * torch.exp(-0.5 * (away / 7.0).square()) * normals
    occlusion, camera = Occlusion.of(dented, EGG.faces), PHOTOS[0].camera
    fragments = rasterize(dented, EGG.faces, camera)
    hidden = lacking(occlusion, camera.view_from_head, 4)
    layers = interpolate(fragments, EGG.faces, torch.cat([EGG.albedo, hidden[:, :1]], dim=1))
    photo = replace(PHOTOS[0], image=0.6 * layers[:3] * (1.0 - layers[3]))
    assert float(layers[3].max()) > 0.3
    ones, nothing = torch.ones(len(dented)), dented.new_zeros(0, *dented.shape)
    open_air = replace(occlusion, blocked=torch.zeros_like(occlusion.blocked))
    with_it, without = (
        photometric_error(
            *(dented, EGG.albedo, torch.zeros(1, MOVES), [photo]),
            *(Subject(EGG.faces, one, ones[None], nothing), DEVIATION, 1, False, 0.5),
        )
        for one in (occlusion, open_air)
    )
    assert float(with_it) < 0.1 * float(without)
