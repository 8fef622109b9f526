"""Photos that are cut down to the head."""

from dataclasses import replace

import torch

from headrecon.geometry.camera import pixel_centres, project
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.warp import sample
from headrecon.mesh.shot import Shot
from headrecon.types import Camera
from tests import artifacts

POINTS = 30.0 * torch.randn(200, 3, generator=torch.Generator().manual_seed(3)).clamp(-1.0, 1.0)
CAMERA = Camera(view_from_head(25.0, 5.0), 1.5, torch.tensor([110.0, 90.0]), 200, 200, 0.001)


def _portrait():
    """A photo whose colors say where they are."""
    xy = pixel_centres(200, 200).permute(2, 0, 1) / 200.0
    image = torch.cat([xy, 0.5 * torch.ones_like(xy[:1])])
    return replace(artifacts.portrait("a"), image=image, mask=torch.ones(200, 200))


def test_the_camera_of_a_shot_sees_points_where_the_shot_shows_them():
    for side in (1000, 60):
        shot = Shot.of(_portrait(), CAMERA, POINTS, side)
        there = project(POINTS, shot.camera)[:, :2]
        shown = sample(shot.image[None].float(), there[None, None])[0, :2, 0].T
        expected = project(POINTS, CAMERA)[:, :2] / 200.0
        assert torch.allclose(shown, expected, atol=3e-3)
        assert float(there.min()) > 0.0
        assert float(there.max()) < shot.camera.width


def test_it_is_no_larger_than_asked_for_and_not_magnified():
    wide = float(
        (project(POINTS, CAMERA)[:, :2].amax(0) - project(POINTS, CAMERA)[:, :2].amin(0)).max()
    )
    whole, small = (Shot.of(_portrait(), CAMERA, POINTS, side) for side in (1000, 60))
    assert small.image.shape == (3, 60, 60)
    assert whole.camera.scale == CAMERA.scale
    assert wide < whole.camera.width < 1.1 * wide
    assert small.camera.scale < 0.5 * CAMERA.scale


def test_there_is_nobody_beyond_the_photo():
    beside = replace(CAMERA, origin=torch.tensor([195.0, 90.0]))
    shot = Shot.of(_portrait(), beside, POINTS, 60)
    assert shot.mask[30, 5] == 1.0
    assert shot.mask[30, -5] == 0.0
