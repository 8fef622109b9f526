"""How far a ball is from outlines of larger and smaller ones."""

from dataclasses import replace

import pytest
import torch
import trimesh

from headrecon.mesh.photo_outline import PhotoOutline
from headrecon.render.rasterize import rasterize
from headrecon.types import Camera, Portrait
from tests import artifacts

SIDE = 240
BALL = trimesh.creation.icosphere(4, 80.0)
FACES = torch.tensor(BALL.faces)


def ball(radius: float) -> torch.Tensor:
    """Vertices around the origin."""
    return torch.tensor(BALL.vertices, dtype=torch.float32) * radius / 80.0


def seen(radius: float, nearness: float) -> tuple[Portrait, Camera]:
    """A photo of a ball."""
    camera = Camera(torch.eye(3), 1.0, torch.tensor([118.0, 121.0]), SIDE, SIDE, nearness)
    mask = rasterize(ball(radius), FACES, camera).mask.float()
    photo = replace(
        artifacts.portrait("ball.jpg"), image=torch.full((3, SIDE, SIDE), 0.4), mask=mask
    )
    return photo, camera


@pytest.mark.parametrize("side", [SIDE, 120])
@pytest.mark.parametrize("nearness", [0.0, 1.0 / 600.0])
@pytest.mark.parametrize("radius", [75.0, 80.0, 87.0])
def test_a_ball_is_as_far_out_of_the_outline_as_its_radius_is(
    radius: float, nearness: float, side: int
):
    sight = PhotoOutline.of(*seen(radius, nearness), side)
    off = sight.offsets(ball(80.0), FACES, 0.15)
    on_outline = off.isfinite()
    assert 50 < int(on_outline.sum()) < len(off) / 4
    # A tangent to the ball touches it nearer to the viewer than its equator.
    tolerance = 0.3 + 0.1 * abs(radius - 80.0) + 0.3 * (side < SIDE)
    assert float(off[on_outline].mean()) == pytest.approx(80.0 - radius, abs=tolerance)


def test_vertices_where_the_photo_ends_are_on_no_outline():
    photo, camera = seen(80.0, 0.0)
    cut = photo.image.clone()
    cut[:, :80] = 0.0
    whole = PhotoOutline.of(photo, camera, SIDE).offsets(ball(80.0), FACES, 0.15)
    part = PhotoOutline.of(replace(photo, image=cut), camera, SIDE).offsets(ball(80.0), FACES, 0.15)
    below = 121.0 - ball(80.0)[:, 1] > 81.0
    assert bool(whole[~below].isfinite().any())
    assert not bool(part[~below & (121.0 - ball(80.0)[:, 1] < 79.0)].isfinite().any())
    assert torch.equal(part[below & part.isfinite()], whole[below & part.isfinite()])


def test_what_a_camera_sees_further_out_is_further_beyond():
    photo, camera = seen(80.0, 0.0)
    sight = PhotoOutline.of(photo, camera, SIDE)
    points = torch.tensor([[90.0, 0.0, 0.0], [0.0, -95.0, 30.0], [60.0, 0.0, 0.0]])
    assert sight.beyond(points, camera).tolist() == pytest.approx([10.0, 15.0, -20.0], abs=0.7)
    nearer = replace(camera, scale=1.1)
    assert sight.beyond(points, nearer).tolist() == pytest.approx(
        [(99.0 - 80.0) / 1.1, (104.5 - 80.0) / 1.1, (66.0 - 80.0) / 1.1], abs=0.7
    )
