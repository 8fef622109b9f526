"""Light that a mesh keeps from itself, where it can be said exactly."""

import math

import pytest
import torch
import trimesh

from headrecon.geometry.lighting import basis
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.surface import vertex_normals
from headrecon.render.occlusion import Occlusion


def test_a_ball_keeps_nothing_from_itself():
    ball = trimesh.creation.icosphere(3, radius=50.0)
    vertices, faces = (torch.from_numpy(x.copy()) for x in (ball.vertices, ball.faces))
    missing = Occlusion.of(vertices.float(), faces.long()).harmonics(torch.eye(3), 9)
    assert torch.equal(missing, torch.zeros(len(vertices), 9))


def floor(walled: bool) -> Occlusion:
    """A corner of a floor, alone or at the foot of a wall on its right that has no end."""
    far = 1e5
    floor = [[0.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]
    wall = [[1.0, -far, -far], [1.0, far, -far], [1.0, 0.0, far]]
    vertices = torch.tensor(floor + wall if walled else floor)
    faces = torch.tensor([[0, 1, 2], [3, 4, 5]] if walled else [[0, 1, 2]])
    assert torch.equal(vertex_normals(vertices, faces)[0], torch.tensor([0.0, 0.0, 1.0]))
    return Occlusion.of(vertices, faces)


def test_a_wall_takes_half_of_the_light_and_turns_the_rest_away_from_it():
    assert torch.equal(floor(False).harmonics(torch.eye(3), 4), torch.zeros(3, 4))
    missing = floor(True).harmonics(torch.eye(3), 4)[0]
    wanted = torch.tensor([0.5, 1.0 / math.pi, 0.0, 0.5])
    torch.testing.assert_close(missing, wanted, atol=0.02, rtol=0.0)


def test_harmonics_are_those_of_the_view():
    occlusion, turn = floor(True), view_from_head(30.0, 10.0, 5.0)
    straight, turned = (occlusion.harmonics(frame, 4)[0] for frame in (torch.eye(3), turn))
    torch.testing.assert_close(turned[1:], turn @ straight[1:], atol=1e-5, rtol=0.0)
    assert float(turned[0]) == pytest.approx(float(straight[0]))


@pytest.mark.parametrize("count", [4, 9])
def test_where_all_is_blocked_all_is_missing(count: int):
    """A vertex in a box misses the harmonics of its normal."""
    box = trimesh.creation.box((100.0, 100.0, 100.0)).subdivide().subdivide()
    vertices = torch.from_numpy(box.vertices.copy()).float()
    inner = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.2, 0.0], [0.1, 1.0, 0.3]])
    faces = torch.from_numpy(box.faces.copy()).long()
    vertices = torch.cat([inner, vertices])
    faces = torch.cat([torch.tensor([[0, 1, 2]]), faces + 3])
    missing = Occlusion.of(vertices, faces).harmonics(torch.eye(3), count)[:1]
    whole = basis(vertex_normals(vertices, faces)[:1].T, 1 if count == 4 else 2).T
    torch.testing.assert_close(missing, whole, atol=0.03, rtol=0.0)
