import math

import torch
import trimesh

from headrecon.geometry.camera import pixel_centres
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.signed_distance import signed_distance
from headrecon.mesh.photo_outline import PhotoOutline
from headrecon.mesh.silhouette import Contour, outline, outline_error
from headrecon.types import Camera

CAMERA = Camera(view_from_head(0.0), 0.5, torch.tensor([40.0, 30.0]), 64, 80)
ALL = torch.ones(2562)
"""Every vertex of `ball` counts."""


def disc(radius: float) -> torch.Tensor:
    xy = pixel_centres(64, 80) - CAMERA.origin
    return xy.norm(dim=-1) < radius


def ball(radius: float) -> tuple[torch.Tensor, torch.Tensor]:
    mesh = trimesh.creation.icosphere(4, radius)
    return torch.tensor(mesh.vertices, dtype=torch.float32), torch.tensor(mesh.faces)


def error(
    vertices: torch.Tensor, faces: torch.Tensor, radius: float, band: float, free: torch.Tensor
) -> torch.Tensor:
    """To a disc of this many pixels."""
    mask = disc(radius)
    sight = PhotoOutline(CAMERA, signed_distance(mask), torch.ones_like(mask))
    contour = Contour.of(sight, vertices.detach(), faces, band, 24.0, free)
    return outline_error(vertices, [contour])


def test_the_distance_is_positive_outside_and_grows_by_one_a_pixel():
    distance = signed_distance(disc(20.0))
    assert math.isclose(float(distance[30, 70]), 10.5, abs_tol=1.0)
    assert math.isclose(float(distance[30, 71] - distance[30, 70]), 1.0, abs_tol=1e-5)
    assert float(distance[30, 40]) < -18.0


def test_a_ball_on_its_own_outline_has_hardly_any_error():
    vertices, faces = ball(40.0)
    assert float(error(vertices, faces, 20.0, 0.1, ALL)) < 0.15


def test_a_ball_of_the_right_size_is_neither_blown_up_nor_shrunk():
    """However wide the band of the vertices is that count as its outline."""

    def pull(radius: float, band: float) -> float:
        vertices, faces = ball(radius)
        size = torch.tensor(1.0, requires_grad=True)
        error(vertices * size, faces, 20.0, band, ALL).backward()
        assert size.grad is not None
        return float(size.grad)

    for band in (0.1, 0.25, 0.4):
        assert pull(38.0, band) < 0.0 < pull(42.0, band)
        assert abs(pull(40.0, band)) < 0.3 * min(-pull(38.0, band), pull(42.0, band))


def test_descent_pulls_a_small_ball_out_to_the_outline():
    vertices, faces = ball(34.0)
    size = torch.tensor(1.0, requires_grad=True)
    error(vertices * size, faces, 20.0, 0.2, ALL).backward()
    assert size.grad is not None
    assert float(size.grad) < 0.0


def test_where_the_neck_is_cut_there_is_no_outline():
    mask = disc(20.0)
    mask[45:] = False
    assert outline(mask, 6.0).bottom == 39.0


def test_outlines_further_off_than_the_reach_are_others():
    vertices, faces = ball(40.0)
    assert float(error(vertices, faces, 9.0, 0.1, ALL)) > 10.0
    assert float(error(vertices, faces, 7.0, 0.1, ALL)) == 0.0
    assert float(outline_error(vertices, [])) == 0.0


def test_the_median_outline_counts():
    """Three photos with less hair and four with more: the pull is towards the more of the four."""
    vertices, faces = ball(40.0)
    size = torch.tensor(1.0, requires_grad=True)
    discs = [17.0] * 3 + [21.0] * 4
    errors = [error(vertices * size, faces, radius, 0.2, ALL) for radius in discs]
    torch.stack(errors).sum().backward()
    assert size.grad is not None
    assert float(size.grad) < 0.0


def test_what_is_not_free_does_not_follow_the_outline():
    vertices, faces = ball(34.0)
    assert float(error(vertices, faces, 20.0, 0.2, 0.0 * ALL)) == 0.0
    left = (vertices[:, 0] < 0.0).float()
    moved = vertices.clone().requires_grad_(True)
    error(moved, faces, 20.0, 0.2, left).backward()
    assert moved.grad is not None
    assert float(moved.grad[left == 0].abs().max()) == 0.0
    assert float(moved.grad[left == 1].abs().max()) > 0.0
