from dataclasses import replace

import pytest
import roma
import torch

from headrecon.geometry.camera import project
from headrecon.geometry.resection import resect, turned_towards
from headrecon.geometry.rotation import view_from_head
from headrecon.types import Camera

CAMERA = Camera(view_from_head(35.0, -12.0, 6.0), 0.83, torch.tensor([61.0, 48.0]), 100, 130)


def points(count: int, seed: int) -> torch.Tensor:
    """About as flat as a face."""
    generator = torch.Generator().manual_seed(seed)
    spread = torch.tensor([50.0, 60.0, 20.0])
    return spread * torch.randn(count, 3, generator=generator) + torch.tensor([0.0, 10.0, 80.0])


def test_a_camera_is_found_from_what_it_sees():
    places = points(60, 0)
    rotation, scale, origin = resect(places, project(places, CAMERA)[:, :2], torch.ones(60))
    assert torch.allclose(rotation, CAMERA.view_from_head, atol=5e-3)
    assert abs(scale - CAMERA.scale) < 5e-3
    assert torch.allclose(origin, CAMERA.origin, atol=0.5)


def test_a_fifth_of_wild_points_does_not_matter():
    places = points(60, 1)
    seen = project(places, CAMERA)[:, :2].clone()
    seen[::5] += torch.tensor([40.0, -25.0])
    rotation, _, _ = resect(places, seen, torch.ones(60), rounds=30)
    assert float((rotation @ CAMERA.view_from_head.T).trace()) > 2.999


def test_the_rotation_is_one():
    rotation, _, _ = resect(points(9, 2), points(9, 3)[:, :2], torch.ones(9))
    assert torch.allclose(rotation @ rotation.T, torch.eye(3), atol=1e-5)
    assert float(torch.linalg.det(rotation)) > 0.999


@pytest.mark.parametrize("nearness", [0.0, 1 / 1500.0])
def test_a_camera_turns_so_much_of_the_way_and_then_fits(nearness: float):
    true = replace(CAMERA, nearness=nearness)
    places = points(60, 3)
    seen = project(places, true)[:, :2]
    off = roma.rotvec_to_rotmat(torch.deg2rad(torch.tensor([4.0, 7.0, 0.0])))
    start = replace(true, view_from_head=off @ true.view_from_head, scale=1.1 * true.scale)
    for share in (0.0, 0.5, 1.0):
        moved, angle = turned_towards(start, places, seen, torch.ones(60), share)
        assert angle == pytest.approx(65.0**0.5, abs=0.6)
        left = roma.rotmat_geodesic_distance(moved.view_from_head, true.view_from_head)
        assert float(left.rad2deg()) == pytest.approx((1.0 - share) * 65.0**0.5, abs=0.8)
        assert moved.scale == pytest.approx(true.scale, rel=0.02)
    exact, _ = turned_towards(start, places, seen, torch.ones(60), 1.0)
    assert float((project(places, exact)[:, :2] - seen).norm(dim=1).max()) < 1.0
