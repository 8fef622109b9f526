"""Necks by outlines: a ball whose lower part is wider in the photos, bare or in a collar."""

from dataclasses import replace

import pytest
import torch

from headrecon.mesh.cameras import FiducialCameras
from headrecon.mesh.outlines import FitOutlines
from headrecon.mesh.photo_outline import OUTLINE_SIDE, PhotoOutline
from headrecon.mesh.skin_outline import skin_outline
from headrecon.render.rasterize import Scene
from headrecon.types import REGIONS, Portrait, Template
from tests.mesh.test_outlines import FIT, NEAR, ROUND, bald, photo

SKIN, CLOTH = torch.tensor([0.5, 0.35, 0.3]), torch.tensor([0.2, 0.3, 0.6])
LOW = -30.0
"""Where the neck begins, millimetres."""


def sitter() -> Template:
    """The bald ball, of which what is low is neck."""
    template = bald()
    neck = template.vertices[:, 1] < LOW
    region = torch.where(neck, REGIONS.index("neck"), template.region)
    return replace(template, region=region)


def wider() -> torch.Tensor:
    """The same with up to 8 mm more around the neck."""
    vertices = sitter().vertices
    share = ((LOW - vertices[:, 1]) / 20.0).clamp(0.0, 1.0)
    return vertices * (1.0 + 0.1 * share)[:, None]


def dressed(azimuth: float, collar: float) -> Portrait:
    """Skin, and cloth from a row of the picture on that is so many millimetres up the ball."""
    shot = photo(azimuth, wider())
    rows = torch.arange(256.0)[:, None].expand(256, 256)
    cloth = rows > 131.0 - 0.9 * collar
    image = torch.where(cloth, CLOTH[:, None, None], SKIN[:, None, None])
    return replace(shot, image=image)


def told(shot: Portrait) -> tuple[PhotoOutline, torch.Tensor]:
    template = sitter()
    [camera] = FiducialCameras(NEAR)((shot,), template)
    seen = PhotoOutline.of(shot, camera, OUTLINE_SIDE)
    scene = Scene(template.vertices, template.faces)
    return seen, skin_outline(shot, seen, template, scene, 3.5)


def test_outlines_are_skin_above_a_collar_and_not_along_it():
    seen, skin = told(dressed(0.0, LOW - 20.0))
    edge = seen.distance.abs() < 1.0
    rows = torch.arange(128.0)[:, None].expand(128, 128)
    collar = 0.5 * (131.0 - 0.9 * (LOW - 20.0))
    assert bool(skin[edge & (rows < collar - 4.0)].all())
    assert not bool(skin[edge & (rows > collar + 4.0)].any())


def test_a_photo_without_a_face_or_without_an_outline_tells_no_skin():
    behind = photo(180.0, wider())
    [front] = FiducialCameras(NEAR)((photo(0.0, wider()),), sitter())
    back = replace(front, view_from_head=front.view_from_head * torch.tensor([-1.0, 1.0, -1.0]))
    template, empty = sitter(), replace(behind, mask=torch.zeros_like(behind.mask))
    scene = Scene(template.vertices, template.faces)
    for shot, camera in ((behind, back), (empty, front)):
        seen = PhotoOutline.of(shot, camera, OUTLINE_SIDE)
        assert not bool(skin_outline(shot, seen, template, scene, 3.5).any())


@pytest.mark.parametrize(("bare", "found"), [(3, True), (2, True), (1, False), (0, False)])
def test_a_neck_is_as_wide_as_in_the_photos_if_most_of_three_show_it(bare: int, found: bool):
    fit: FitOutlines = replace(FIT, lowest=-LOW, stiffness=[3.0, 1.0, 1.0])
    collars = [-200.0] * bare + [LOW + 10.0] * (3 - bare)
    photos = tuple(dressed(azimuth, collar) for azimuth in ROUND[::2] for collar in collars)
    template = sitter()
    grown = fit(template, photos, FiducialCameras(NEAR)(photos, template)).vertices
    # Around the middle of the neck; its lower end is on no outline.
    around = (template.vertices[:, 1] < LOW - 12.0) & (template.vertices[:, 1] > LOW - 30.0)
    more = (grown.norm(dim=1) - 80.0)[around].median()
    true = (wider().norm(dim=1) - 80.0)[around].median()
    assert float(true) > 5.0
    assert (float(more) > 0.8 * float(true)) == found
    assert (float(more) < 0.3 * float(true)) == (not found)
