"""What an epoch of refinement descends on."""

import pytest
import torch

from headrecon.geometry.surface import vertex_normals
from headrecon.mesh.descent import Descent
from headrecon.mesh.nudge import MOVES
from tests.mesh.eggs import head

MESH = head(1.1)
NORMALS = vertex_normals(MESH.vertices, MESH.faces)


def descent(steps: int, times: int = 4) -> Descent:
    return Descent(MESH, 3, times, 2, (0.5, 0.1), steps)


def test_a_share_of_the_way_is_on_the_straight_line_to_its_end():
    down = descent(5)
    for _ in range(5):
        bigger = -(down.displacement * NORMALS)[MESH.vertices[:, 1] > 0.0].sum()
        down.step(bigger + down.moves([0, 2]).sum())
    (start, still), (half, some), (whole, moves) = (down.after(share) for share in (0.0, 0.5, 1.0))
    assert torch.equal(start.vertices, MESH.vertices)
    assert bool((still == 0.0).all())
    assert float((whole.vertices - MESH.vertices).norm(dim=1).max()) > 0.5
    middle = 0.5 * (MESH.vertices + whole.vertices)
    assert torch.allclose(half.vertices, middle, atol=1e-4)
    assert torch.allclose(whole.landmarks, whole.vertices[:68], atol=1e-3)
    assert torch.allclose(some, 0.5 * moves)
    assert moves.shape == (3, MOVES)


def test_the_camera_of_a_photo_that_is_not_looked_at_rests():
    down = descent(4)
    for index in (0, 0, 1, 0):
        down.step(down.moves([index]).sum() + down.displacement.sum())
    moves = down.after(1.0)[1]
    assert bool((moves[0] < moves[1]).all())
    assert bool((moves[1] < 0.0).all())
    assert bool((moves[2] == 0.0).all())


def test_what_has_weak_slopes_moves_little():
    """Adam alone would move it as far as the rest."""
    down = descent(6, times=0)
    weak = torch.arange(len(MESH.vertices)) % 20 == 0
    weight = torch.where(weak, 1e-3, 1.0)
    for _ in range(6):
        down.step((weight * (down.displacement * NORMALS).sum(dim=1)).sum())
    way = (down.after(1.0)[0].vertices - MESH.vertices).norm(dim=1)
    assert float(way[weak].max()) < 0.01 * float(way[~weak].min())


def test_without_any_slope_nothing_moves():
    down = descent(2)
    down.step((0.0 * down.displacement).sum() + down.moves([1]).sum())
    assert torch.equal(down.after(1.0)[0].vertices, MESH.vertices)


def test_rates_fall_to_zero():
    down = descent(10)
    for _ in range(10):
        down.step(down.displacement.sum() + down.moves([0]).sum())
    rates = torch.stack(down.rates)
    assert rates[0].tolist() == pytest.approx([0.5, 0.1])
    assert bool((rates.diff(dim=0) < 0.0).all())
    assert float(rates[-1, 0]) < 0.05 * 0.5
    assert torch.stack(down.gradients).shape == (10, 2)
