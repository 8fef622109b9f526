"""Fiducials moved by the points of another network."""

import torch

from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.photos.face_alignment_marks import follow
from tests import artifacts

POINTS = 200.0 * artifacts.random(468, 2)
IBUG = POINTS[list(IBUG68_FROM_MESH)]


def test_points_that_are_right_stay():
    torch.testing.assert_close(follow(POINTS, IBUG, 0.0), POINTS)


def test_all_points_take_part_in_a_common_shift_turn_and_scale():
    matrix = 1.1 * torch.tensor([[0.96, -0.28], [0.28, 0.96]])
    shift = torch.tensor([5.0, -9.0])
    torch.testing.assert_close(
        follow(POINTS, IBUG @ matrix.T + shift, 0.0), POINTS @ matrix.T + shift, atol=1e-3, rtol=0.0
    )


def test_the_inner_points_are_met_and_the_outline_of_the_jaw_is_not_asked():
    marks = IBUG + torch.randn(68, 2, generator=torch.Generator().manual_seed(1))
    moved = follow(POINTS, marks, 0.0)[list(IBUG68_FROM_MESH)]
    torch.testing.assert_close(moved[17:], marks[17:], atol=1e-3, rtol=0.0)
    jaw = marks.clone()
    jaw[:17] += 50.0
    torch.testing.assert_close(follow(POINTS, jaw, 0.0), follow(POINTS, marks, 0.0))
