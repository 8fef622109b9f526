"""Moves of a camera, made by the vertices in its place."""

import pytest
import roma
import torch

from headrecon.geometry.camera import project
from headrecon.geometry.rotation import view_from_head
from headrecon.mesh.nudge import Deviation, nudged, nudged_camera
from headrecon.types import Camera

POINTS = 80.0 * torch.randn(50, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("nearness", [0.0, 1.0 / 700.0])
def test_moved_vertices_are_seen_where_the_moved_camera_sees_them(nearness: float):
    camera = Camera(view_from_head(30.0, 5.0), 0.8, torch.tensor([40.0, 50.0]), 90, 100, nearness)
    move = torch.tensor([0.03, -0.02, 0.05, 2.0, -1.5, 0.04])
    by_vertices = project(nudged(POINTS, camera, move), camera)[:, :2]
    by_camera = project(POINTS, nudged_camera(camera, move))[:, :2]
    assert torch.allclose(by_vertices, by_camera, atol=1e-3)
    assert float((by_camera - project(POINTS, camera)[:, :2]).norm(dim=1).min()) > 0.1


def test_no_move_leaves_all_as_it_is():
    camera = Camera(view_from_head(-60.0), 0.8, torch.tensor([40.0, 50.0]), 90, 100, 0.001)
    assert torch.allclose(nudged(POINTS, camera, torch.zeros(6)), POINTS, atol=1e-4)
    assert torch.allclose(
        nudged_camera(camera, torch.zeros(6)).view_from_head, camera.view_from_head
    )


def test_moves_are_given_in_standard_deviations():
    move = Deviation(turn=2.0, shift=3.0, scale=0.05)(torch.ones(4, 6))
    assert move.shape == (4, 6)
    turned = roma.rotvec_to_rotmat(torch.stack([move[0, 0], *torch.zeros(2)]))
    assert torch.rad2deg(roma.rotmat_to_rotvec(turned).norm()) == pytest.approx(2.0, abs=1e-3)
    assert move[0, 3:].tolist() == pytest.approx([3.0, 3.0, 0.05])
