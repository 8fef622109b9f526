"""Losses of the refinement and their gradients."""

from dataclasses import replace

import torch
import trimesh

from headrecon.geometry.lighting import reflected
from headrecon.geometry.signed_distance import signed_distance
from headrecon.geometry.surface import vertex_normals
from headrecon.mesh.agreement import Told, disagreement, fiducial_error
from headrecon.mesh.nudge import nudged
from headrecon.mesh.photo_outline import PhotoOutline
from headrecon.mesh.photometric import photometric_error
from headrecon.mesh.silhouette import Contour, outline_error
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.render.torch3d import Meshes, mesh_normal_consistency
from headrecon.types import SurfacePoints
from tests.mesh.eggs import head, shots

PHOTOS = shots(head(1.25))


def test_gradients_of_the_losses_are_those_of_small_changes():
    """In double precision, which the Laplacian, pytorch3d's, does not know."""
    ball = trimesh.creation.icosphere(1, 30.0)
    vertices = torch.tensor(ball.vertices) * torch.tensor([0.8, 1.1, 1.0], dtype=torch.double)
    faces = torch.tensor(ball.faces, dtype=torch.int64)
    albedo = 0.5 + 0.1 * torch.sin(vertices)
    stack = PHOTOS[1]
    by = replace(stack.camera, view_from_head=stack.camera.view_from_head.double())
    double = {name: getattr(stack, name).double() for name in ("images", "masks", "flows")}
    stack = replace(stack, camera=replace(by, origin=by.origin.double()), **double)
    free = torch.ones(len(vertices), dtype=torch.double)
    mask = stack.masks[0] > 0.5
    sight = PhotoOutline(stack.camera, signed_distance(mask).double(), torch.ones_like(mask))
    contour = Contour.of(sight, vertices, faces, 0.25, 12.0, free)
    assert len(contour.rim) > 5
    marks = SurfacePoints(torch.arange(20), torch.full((20, 3), 1 / 3, dtype=torch.double))
    told = Told(
        normals=torch.nn.functional.normalize(vertices + 3.0, dim=1),
        sure=free,
        landmarks=marks,
        fiducials=30.0 + 5.0 * torch.sin(torch.arange(40.0, dtype=torch.double)).reshape(20, 2),
    )

    def photometric(shift: torch.Tensor, tint: torch.Tensor) -> torch.Tensor:
        there = vertices + shift
        seen = there, vertex_normals(there, faces), albedo + tint, faces
        return photometric_error(*seen, stack, torch.arange(6), 1, False, 0.5)

    def silhouette(shift: torch.Tensor, tint: torch.Tensor) -> torch.Tensor:
        return outline_error(vertices + shift, [contour])

    def fiducials(shift: torch.Tensor, tint: torch.Tensor) -> torch.Tensor:
        return fiducial_error(vertices + shift, faces, told, stack.camera)

    def agreement(shift: torch.Tensor, tint: torch.Tensor) -> torch.Tensor:
        return disagreement(vertex_normals(vertices + shift, faces), told, free)

    def camera(shift: torch.Tensor, tint: torch.Tensor) -> torch.Tensor:
        """Through a move, made of a few numbers of the shift."""
        move = 0.1 * shift.flatten()[:6]
        return fiducial_error(nudged(vertices, stack.camera, move), faces, told, stack.camera)

    def bending(shift: torch.Tensor, tint: torch.Tensor) -> torch.Tensor:
        return mesh_normal_consistency(Meshes(verts=[vertices + shift], faces=[faces]))

    random = torch.Generator().manual_seed(5)
    start = [
        (0.01 * torch.randn(len(vertices), 3, generator=random)).double().requires_grad_(True)
        for _ in range(2)
    ]
    for loss in (photometric, silhouette, fiducials, agreement, camera, bending):
        assert torch.autograd.gradcheck(loss, start, eps=1e-6, atol=1e-5, rtol=1e-3)


def test_a_rough_mirror_explains_highlights_that_a_matt_surface_does_not():
    mesh, stack = head(1.25), PHOTOS[0]
    fragments = rasterize(mesh.vertices, mesh.faces, stack.camera)
    normals = vertex_normals(mesh.vertices, mesh.faces)
    facing = interpolate(fragments, mesh.faces, normals @ stack.camera.view_from_head.T)
    unit = torch.nn.functional.normalize(facing, dim=0)
    gloss = 0.08 * (1.0 + reflected(unit.flatten(1))[0]).reshape(60, 64) * fragments.mask
    shiny = replace(stack, images=(stack.images + gloss).clamp(0.0, 0.97))
    seen = mesh.vertices, normals, mesh.albedo, mesh.faces
    matt, glossy = (
        float(photometric_error(*seen, shiny, torch.arange(6), 1, on, 0.5)) for on in (False, True)
    )
    assert glossy < 0.5 * matt
