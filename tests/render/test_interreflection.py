"""Light between surfaces that see each other, where it can be said exactly."""

import numpy as np
import pytest
import torch
import trimesh

from headrecon.geometry.lighting import basis
from headrecon.geometry.surface import vertex_normals
from headrecon.render.interreflection import lacking
from headrecon.render.occlusion import Occlusion

REFLECTED = 0.3


def bowl(depth: float) -> Occlusion:
    """The inside of a ball, cut open at a height above its lowest point; radius 1000."""
    ball = trimesh.creation.icosphere(4, radius=1000.0)
    kept = ball.faces[ball.triangles_center[:, 2] < depth - 1000.0][:, [0, 2, 1]]
    used, faces = np.unique(kept, return_inverse=True)
    vertices = torch.from_numpy(ball.vertices[used].copy()).float()
    return Occlusion.of(vertices, torch.from_numpy(faces.reshape(-1, 3)).long())


@pytest.mark.parametrize("depth", [500.0, 1000.0, 1500.0])
def test_even_light_in_a_bowl_is_what_its_inside_reflects_without_end(depth: float):
    """Each point of a ball's inside sees as much of any other, so that the sum is exact.

    A share s = depth / 2 radius of what a point sees is the bowl itself, and 1 - s the sky.
    """
    occlusion = bowl(depth)
    share = depth / 2000.0
    received = 1.0 - lacking(occlusion, torch.eye(3), 4)[:, 0]
    lowest = occlusion.vertices[:, 2] < -900.0
    wanted = (1.0 - share) / (1.0 - REFLECTED * share)
    assert float(received[lowest].mean()) == pytest.approx(wanted, abs=0.02)


@pytest.mark.parametrize("count", [4, 9])
def test_what_nothing_hides_lacks_nothing(count: int):
    ball = trimesh.creation.icosphere(3, radius=50.0)
    vertices, faces = (torch.from_numpy(x.copy()) for x in (ball.vertices, ball.faces))
    missing = lacking(Occlusion.of(vertices.float(), faces.long()), torch.eye(3), count)
    assert torch.equal(missing, torch.zeros(len(vertices), count))


def test_all_harmonics_are_brighter_by_the_same_factor():
    occlusion = bowl(1000.0)
    normals = vertex_normals(occlusion.vertices, occlusion.faces)
    turn = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    whole = basis((normals @ turn.T).T, 2).T
    without, within = whole - occlusion.harmonics(turn, 9), whole - lacking(occlusion, turn, 9)
    factor = (without[:, :1] / within[:, :1]).clamp(0.0, 1.0)
    assert float(factor.min()) > 1.0 - REFLECTED
    torch.testing.assert_close(within * factor, without, atol=1e-4, rtol=1e-4)
