import torch

from headrecon.geometry.camera import project
from headrecon.geometry.resection import resect
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
