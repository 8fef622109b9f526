from dataclasses import fields, replace

import pytest
import torch

from headrecon.geometry.camera import project
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.surface import at
from headrecon.geometry.symmetry import mirror_partners
from headrecon.template.build import BuildTemplate
from headrecon.types import Camera, Portrait, Template
from headrecon.views.mirror import mirrored, with_mirror_images
from tests import artifacts

SIDE = 48
ANGLES = (25.0, -12.0, 8.0)


@pytest.fixture(scope="module")
def template() -> Template:
    return BuildTemplate(size=1.0, people=2)()


def portrait(template: Template, angles: tuple[float, float, float]) -> Portrait:
    """The template's own points as a camera turned so sees them, in a crop that is not square."""
    camera = Camera(view_from_head(*angles), 0.2, torch.tensor([30.0, 20.0]), 40, SIDE)
    fiducials, keypoints = (
        project(at(points, template.faces, template.vertices), camera)[:, :2]
        for points in (template.fiducials, template.keypoints)
    )
    azimuth, elevation, roll = angles
    return replace(
        artifacts.portrait("somebody.jpg"),
        image=artifacts.random(3, 40, SIDE),
        mask=artifacts.random(40, SIDE),
        fiducials=fiducials,
        keypoints=keypoints,
        azimuth=azimuth,
        elevation=elevation,
        roll=roll,
        corner=torch.tensor([100.0, 50.0]),
        step=2.5,
    )


def partners(template: Template) -> torch.Tensor:
    return mirror_partners(at(template.fiducials, template.faces, template.vertices))


def test_every_fiducial_has_one_partner_whose_partner_it_is(template: Template) -> None:
    partner = partners(template)
    assert torch.equal(partner[partner], torch.arange(468))
    # Outer corners of the eyes, corners of the mouth, and the tip of the nose in the middle.
    assert partner[[33, 61, 1]].tolist() == [263, 291, 1]


def test_mirroring_twice_is_the_identity(template: Template) -> None:
    once = portrait(template, ANGLES)
    twice = mirrored(mirrored(once, partners(template)), partners(template))
    for field in fields(Portrait):
        before, after = getattr(once, field.name), getattr(twice, field.name)
        if isinstance(before, torch.Tensor):
            torch.testing.assert_close(after, before)
        else:
            assert after == before, field.name


def test_a_mirrored_head_is_a_head_turned_the_other_way(template: Template) -> None:
    azimuth, elevation, roll = ANGLES
    image = mirrored(portrait(template, ANGLES), partners(template))
    assert (image.azimuth, image.elevation, image.roll) == (-azimuth, elevation, -roll)
    # The template is symmetric, so its mirror image is what a camera on the other side sees.
    other = portrait(template, (-azimuth, elevation, -roll))
    shift = torch.tensor([SIDE - 30.0 - 30.0, 0.0])
    torch.testing.assert_close(image.fiducials, other.fiducials + shift, atol=0.1, rtol=0.0)
    torch.testing.assert_close(image.keypoints, other.keypoints + shift, atol=0.1, rtol=0.0)


def test_pixels_points_and_places_in_the_photo_move_together(template: Template) -> None:
    once = portrait(template, ANGLES)
    image = mirrored(once, partners(template))
    assert torch.equal(image.image[:, 7, SIDE - 1 - 5], once.image[:, 7, 5])
    assert torch.equal(image.mask[7, SIDE - 1 - 5], once.mask[7, 5])
    # The tip of the nose has no partner to change places with.
    nose, before = (p.corner + p.step * p.fiducials[1] for p in (image, once))
    torch.testing.assert_close(nose, before * torch.tensor([-1.0, 1.0]))


def test_mirror_images_follow_the_portraits_under_names_of_their_own(template: Template) -> None:
    pair = with_mirror_images((portrait(template, ANGLES),), template)
    assert [p.name for p in pair] == ["somebody.jpg", "somebody.jpg (mirrored)"]
    assert [p.azimuth for p in pair] == [25.0, -25.0]
