"""The two rasterizers agree, and what they give is exact and differentiable."""

from dataclasses import replace

import pytest
import torch

from headrecon.geometry.camera import project
from headrecon.geometry.rotation import view_from_head
from headrecon.render.rasterize import (
    Scene,
    cast_with_embree,
    cast_with_pytorch3d,
    interpolate,
    rasterize,
)
from headrecon.types import Camera

FACES = torch.tensor([[0, 1, 2], [1, 3, 2], [4, 5, 6]])


def _vertices() -> torch.Tensor:
    quad = [[-8.0, -6.0, 3.0], [9.0, -5.0, 1.0], [-7.0, 8.0, -2.0], [8.0, 9.0, 4.0]]
    in_front = [[-3.0, -2.0, 9.0], [5.0, -1.0, 7.0], [1.0, 6.0, 8.0]]
    return torch.tensor(quad + in_front)


def _camera(height: int = 24, width: int = 20) -> Camera:
    return Camera(view_from_head(20.0, 10.0, 5.0), 1.1, torch.tensor([9.3, 13.1]), height, width)


def test_embree_and_pytorch3d_see_the_same_faces():
    pytest.importorskip("pytorch3d")
    for height, width in [(24, 20), (20, 31)]:
        projected = project(_vertices(), _camera(height, width))
        embree = cast_with_embree(projected, FACES, height, width)
        assert torch.equal(embree, cast_with_pytorch3d(projected, FACES, height, width))
        assert set(embree.unique().tolist()) == {-1, 0, 1, 2}


@pytest.mark.parametrize("nearness", [0.0, 0.01])
def test_a_scene_shows_many_cameras_what_each_sees_by_itself(nearness: float):
    scene = Scene(_vertices(), FACES)
    for height, width in [(24, 20), (20, 31)]:
        camera = replace(_camera(height, width), nearness=nearness)
        face = scene.seen_by(camera)
        alone = rasterize(_vertices(), FACES, camera)
        assert torch.equal(face, alone.face)
        assert set(face.unique().tolist()) == {-1, 0, 1, 2}
        found = scene.rasterized(camera)
        assert torch.equal(found.barycentric, alone.barycentric)
        assert torch.equal(found.z, alone.z)


def test_barycentrics_and_z_are_those_of_pytorch3d():
    torch3d = pytest.importorskip("headrecon.render.torch3d")
    camera = _camera()
    fragments = rasterize(_vertices(), FACES, camera)
    x, y, z = project(_vertices(), camera).unbind(-1)
    ndc = torch.stack([10 - x, 12 - y, 50 - z], dim=-1) / 10
    _, depth, barycentric, _ = torch3d.rasterize_meshes(
        torch3d.Meshes(ndc[None], FACES[None]), (24, 20), 0.0, 1, perspective_correct=False
    )
    mask = fragments.mask
    difference = fragments.barycentric - barycentric[0, :, :, 0]
    assert difference[mask].abs().max() < 1e-4
    assert (fragments.z - (50 - 10 * depth[0, :, :, 0]))[mask].abs().max() < 1e-4


def test_z_of_a_slanted_plane_is_exact_on_an_asymmetric_canvas():
    camera = Camera(torch.eye(3), 2.0, torch.tensor([3.0, 4.0]), 8, 13)
    xy = torch.tensor([[-50.0, -40.0], [60.0, -40.0], [0.0, 70.0]], dtype=torch.float64)
    plane = 0.3 * xy[:, :1] - 0.2 * xy[:, 1:] + 5.0
    fragments = rasterize(torch.cat([xy, plane], dim=1), torch.tensor([[0, 1, 2]]), camera)
    x = (torch.arange(13) + 0.5 - 3.0) / 2.0
    y = -(torch.arange(8) + 0.5 - 4.0) / 2.0
    expected = 2.0 * (0.3 * x[None, :] - 0.2 * y[:, None] + 5.0).double()
    assert fragments.mask.all()
    assert torch.allclose(fragments.z, expected, atol=1e-6)


def test_background_is_empty_and_pixels_are_hit_at_their_centres():
    camera = Camera(torch.eye(3), 1.0, torch.zeros(2), 5, 7)
    # Covers x in (1.4, 4.6) and y in (1.4, 2.6) of the canvas, of which y points down.
    xyz = [[1.4, -1.4, 0.0], [1.4, -2.6, 0.0], [4.6, -2.6, 0.0], [4.6, -1.4, 0.0]]
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    fragments = rasterize(torch.tensor(xyz), faces, camera)
    expected = torch.zeros(5, 7, dtype=torch.bool)
    expected[1:3, 1:5] = True
    assert torch.equal(fragments.mask, expected)
    assert fragments.barycentric[~expected].abs().max() == 0
    assert fragments.z[~expected].abs().max() == 0


def test_interpolation_carries_position_to_each_pixel():
    camera = _camera()
    vertices = _vertices()
    fragments = rasterize(vertices, FACES, camera)
    seen = project(interpolate(fragments, FACES, vertices).permute(1, 2, 0), camera)
    y, x = torch.nonzero(fragments.mask, as_tuple=True)
    assert torch.allclose(seen[y, x, 0], x + 0.5, atol=1e-4)
    assert torch.allclose(seen[y, x, 1], y + 0.5, atol=1e-4)
    assert torch.allclose(seen[y, x, 2], fragments.z[y, x], atol=1e-4)


def test_gradients_reach_the_vertices():
    camera = _camera(9, 7)
    faces = torch.tensor([[0, 1, 2]])
    vertices = torch.tensor([[-50.0, -45.0, 3.0], [55.0, -40.0, 1.0], [2.0, 60.0, -2.0]])
    values = torch.tensor([[1.0, 2.0], [-3.0, 0.5], [0.2, 4.0]], dtype=torch.float64)

    def render(moved: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        fragments = rasterize(moved, faces, camera)
        return interpolate(fragments, faces, values), fragments.z

    moved = vertices.double().requires_grad_()
    assert torch.autograd.gradcheck(render, (moved,))


@pytest.mark.gpu
def test_the_gpu_sees_what_the_cpu_sees():
    camera = _camera(64, 48)
    cpu = rasterize(_vertices(), FACES, camera)
    gpu = rasterize(_vertices().cuda(), FACES.cuda(), camera)
    assert torch.equal(cpu.face, gpu.face.cpu())
    assert torch.allclose(cpu.z, gpu.z.cpu(), atol=1e-3)
