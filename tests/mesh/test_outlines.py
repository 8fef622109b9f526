"""Hair by outlines: a bald ball, photos of one that is taller and deeper, seen from near."""

from dataclasses import replace

import pytest
import torch
import trimesh

from headrecon.geometry.camera import project, sight
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.surface import at
from headrecon.mesh.cameras import FiducialCameras
from headrecon.mesh.outlines import FitOutlines, IgnoreOutlines
from headrecon.render.rasterize import rasterize
from headrecon.types import REGIONS, Camera, Portrait, SurfacePoints, Template
from tests import artifacts

NEAR = 900.0
FIT = FitOutlines(
    photos=6,
    direction=15.0,
    stiffness=[10.0, 3.0, 1.0, 1.0],
    bending=20.0,
    band=0.15,
    reach=80.0,
    lowest=300.0,
    color=3.5,
    least=2,
    enough=3,
    skin=10.0,
    neck=0.02,
)
ROUND = torch.arange(-90.0, 91.0, 10.0).tolist()


def bald() -> Template:
    """A ball of 80 mm whose front is its face, with the fiducials on it."""
    ball = trimesh.creation.icosphere(4, 80.0)
    vertices = torch.tensor(ball.vertices, dtype=torch.float32)
    faces = torch.tensor(ball.faces)
    front = vertices[:, 2] > 40.0
    region = torch.where(front, REGIONS.index("face"), REGIONS.index("scalp"))
    of_face = front[faces].all(dim=1).nonzero()[:, 0]
    spread = of_face[torch.linspace(0, len(of_face) - 1, 468).long()]
    marks = SurfacePoints(spread, torch.full((468, 3), 1 / 3))
    return Template(vertices, faces, region, marks, marks, vertices[None], True)


def haired() -> torch.Tensor:
    """The same ball with up to 16 mm more on top and behind, from nothing at the face."""
    vertices = bald().vertices
    share = ((40.0 - vertices[:, 2]) / 40.0).clamp(0.0, 1.0)
    thick = 16.0 * (share * share * (3.0 - 2.0 * share))
    return vertices * (1.0 + thick / 80.0)[:, None]


def photo(
    azimuth: float, vertices: torch.Tensor, distance: float = NEAR, side: int = 256
) -> Portrait:
    """Its outline, and where its fiducials are."""
    template, smaller = bald(), side / 256
    middle = smaller * torch.tensor([125.0, 131.0])
    camera = Camera(view_from_head(azimuth), 0.9 * smaller, middle, side, side, 1.0 / distance)
    marks = at(template.fiducials, template.faces, vertices)
    facing = (marks / 80.0 * sight(marks, camera)).sum(dim=1) > 0.1
    mask = rasterize(vertices, template.faces, camera).mask
    return replace(
        artifacts.portrait(f"{azimuth}.jpg", azimuth),
        image=torch.full((3, side, side), 0.4),
        mask=mask.float(),
        fiducials=project(marks, camera)[:, :2],
        visible=facing,
        azimuth=azimuth,
        elevation=0.0,
        roll=0.0,
    )


def fitted(
    photos: tuple[Portrait, ...],
    fit: FitOutlines | IgnoreOutlines = FIT,
    distance: float | None = NEAR,
) -> Template:
    """The bald ball, fitted to outlines that were seen from a distance."""
    return fit(bald(), photos, FiducialCameras(distance)(photos, bald()))


def off(found: Template, where: torch.Tensor) -> torch.Tensor:
    """Distances of vertices of the scalp from the true surface, millimetres."""
    true = trimesh.Trimesh(haired().numpy(), bald().faces.numpy(), process=False)
    places = found.vertices[where]
    _, distance, _ = trimesh.proximity.closest_point(true, places.numpy())
    return torch.from_numpy(distance)


HAIR = bald().region == REGIONS.index("scalp")


def test_hair_is_where_the_outlines_of_all_photos_have_it():
    found = fitted(tuple(photo(azimuth, haired()) for azimuth in ROUND))
    assert found.haired
    assert off(bald(), HAIR).median() > 5.0
    assert off(found, HAIR).median() < 0.7
    assert off(found, HAIR).quantile(0.95) < 2.5
    moved = (found.vertices - bald().vertices).norm(dim=1)[~HAIR]
    assert moved.median() < 0.02
    assert moved.max() < 1.5  # At the hairline, which is no cliff.


def test_photos_are_of_all_sizes():
    sides = range(80, 80 + 8 * len(ROUND), 8)
    found = fitted(
        tuple(photo(one, haired(), side=side) for one, side in zip(ROUND, sides, strict=True))
    )
    assert off(found, HAIR).median() < 1.0


def test_from_afar_hair_that_was_seen_from_near_is_too_little():
    photos = tuple(photo(azimuth, haired()) for azimuth in ROUND)
    behind = bald().vertices[:, 2] < -20.0
    short = fitted(photos, distance=None).vertices[behind].norm(dim=1)
    right = fitted(photos).vertices[behind].norm(dim=1)
    assert 3.0 < (right - short).median() < 12.0


def test_photos_with_a_hat_are_outvoted():
    photos = [photo(azimuth, haired()) for azimuth in ROUND]
    hats = [photo(azimuth + 1.0, 1.25 * haired()) for azimuth in ROUND[::3]]
    found = fitted((*photos, *hats))
    assert off(found, HAIR).median() < 1.2


def test_what_no_outline_shows_goes_on_smoothly():
    found = fitted(tuple(photo(azimuth, haired()) for azimuth in (-20.0, -10.0, 0.0, 10.0, 20.0)))
    on_outlines = HAIR & (bald().vertices[:, 2].abs() < 10.0)
    assert off(found, on_outlines).median() < 0.15 * off(bald(), on_outlines).median()
    # It is as thick behind as it is there.
    behind = bald().vertices[:, 2] < -50.0
    assert off(found, behind).median() < 0.25 * off(bald(), behind).median()
    edges = found.vertices[found.faces[:, 0]] - found.vertices[found.faces[:, 1]]
    before = bald().vertices[found.faces[:, 0]] - bald().vertices[found.faces[:, 1]]
    assert (edges.norm(dim=1) / before.norm(dim=1)).max() < 2.0


def test_an_outline_that_the_photo_cuts_off_says_nothing():
    photos = []
    for azimuth in ROUND:
        whole = photo(azimuth, haired())
        image = whole.image.clone()
        image[:, :100] = 0.0
        mask = whole.mask.clone()
        mask[:100] = 0.0
        photos.append(replace(whole, image=image, mask=mask))
    found = fitted(tuple(photos))
    top = bald().vertices[:, 1] > 70.0
    assert float(found.vertices[top, 1].mean()) > float(bald().vertices[top, 1].mean()) - 1.0


@pytest.mark.parametrize("photos", [(), (photo(0.0, haired()),)])
def test_without_photos_the_template_stays_bald(photos: tuple[Portrait, ...]):
    found = fitted(photos)
    assert not found.haired
    assert torch.equal(found.vertices, bald().vertices)


def test_outlines_can_be_ignored():
    photos = tuple(photo(azimuth, haired()) for azimuth in ROUND)
    assert torch.equal(fitted(photos, IgnoreOutlines()).vertices, bald().vertices)
