"""Cameras near and far, against a lens."""

from dataclasses import replace

import pytest
import torch

from headrecon.geometry.camera import from_afar, project, project_through, sight, unproject
from headrecon.geometry.rotation import view_from_head
from headrecon.truth import Lens
from headrecon.types import Camera

POINTS = 90.0 * torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
CAMERA = Camera(view_from_head(40.0, 10.0, -5.0), 0.8, torch.tensor([130.0, 120.0]), 256, 256)


@pytest.mark.parametrize("nearness", [0.0, 1 / 1500.0, 1 / 500.0])
def test_what_is_projected_can_be_put_back(nearness: float) -> None:
    camera = replace(CAMERA, nearness=nearness)
    back = unproject(project(POINTS, camera), camera)
    torch.testing.assert_close(back, POINTS, atol=1e-3, rtol=0)


def test_a_near_camera_sees_what_a_lens_sees_from_there() -> None:
    distance = 700.0
    lens = Lens(
        view_from_head=CAMERA.view_from_head,
        translation=torch.tensor([0.0, 0.0, -distance]),
        focal=CAMERA.scale * distance,
        principal=CAMERA.origin,
        height=256,
        width=256,
    )
    seen = project(POINTS, replace(CAMERA, nearness=1.0 / distance))
    torch.testing.assert_close(seen[:, :2], project_through(POINTS, lens)[:, :2])


def test_points_seen_from_near_are_those_that_would_be_seen_from_afar() -> None:
    near = replace(CAMERA, nearness=1 / 800.0)
    far = from_afar(POINTS, project(POINTS, near)[:, :2], near)
    torch.testing.assert_close(far, project(POINTS, CAMERA)[:, :2], atol=1e-3, rtol=0)


@pytest.mark.parametrize("nearness", [0.0, 1 / 700.0])
def test_the_viewer_is_where_all_lines_of_sight_go(nearness: float) -> None:
    camera = replace(CAMERA, nearness=nearness)
    along = POINTS + 40.0 * sight(POINTS, camera)
    torch.testing.assert_close(
        project(along, camera)[:, :2], project(POINTS, camera)[:, :2], atol=1e-2, rtol=0
    )
