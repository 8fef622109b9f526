"""Cameras of photos, from near and from afar, of a head in many lights."""

from dataclasses import replace

import pytest
import roma
import torch

from headrecon.geometry.camera import project
from headrecon.geometry.rotation import view_from_head
from headrecon.mesh.cameras import FiducialCameras, PhotometricCameras
from headrecon.types import Camera, HeadMesh, Portrait
from tests.mesh.test_repaint import REPAINT
from tests.sitter import SIDE, TEMPLATE, head, photo_of

FIND = PhotometricCameras(
    paint=REPAINT,
    distance=1500.0,
    parts=["face", "lips", "eyes", "ears", "neck"],
    blur=[3.0, 1.5, 0.7],
    facing=45.0,
    steps=4,
    share=60.0,
    deviation=0.15,
    weight=0.15,
    fiducial_deviation=0.02,
    outline=0.04,
    outline_deviation=1.5,
    turn=3.0,
    scale=0.1,
    nearness=0.7,
)
AZIMUTHS = (-60.0, -35.0, -12.0, 0.0, 12.0, 35.0, 60.0)
DISTANCES = (3000.0, 500.0, 700.0, 3000.0, 500.0, 1000.0, 700.0)


def taken(mesh: HeadMesh, elevation: float = 0.0) -> tuple[Portrait, ...]:
    """Photos from these sides and distances, whose poses are said to be higher than they are."""
    random = torch.rand(len(AZIMUTHS), 4, generator=torch.Generator().manual_seed(0))
    lights = 0.3 * (random - 0.5) + torch.tensor([0.5, 0.0, 0.1, 0.2])
    photos = []
    for index, (azimuth, distance) in enumerate(zip(AZIMUTHS, DISTANCES, strict=True)):
        light = tuple(tuple(lights[index].tolist()) for _ in range(3))
        one = photo_of(mesh, azimuth, 1.0 / distance, light)
        sign = 1.0 if index % 2 else -1.0
        photos.append(replace(one, elevation=one.elevation + sign * elevation))
    return tuple(photos)


def turned(cameras: tuple[Camera, ...]) -> torch.Tensor:
    """Degrees between poses and the true ones."""
    true = torch.stack([view_from_head(azimuth, -4.0, 3.0) for azimuth in AZIMUTHS])
    found = torch.stack([camera.view_from_head for camera in cameras])
    return torch.rad2deg(roma.rotmat_geodesic_distance(found, true))


def true(index: int) -> Camera:
    """That of a photo."""
    rotation = view_from_head(AZIMUTHS[index], -4.0, 3.0)
    return Camera(rotation, 0.45, torch.tensor([82.0, 75.0]), SIDE, SIDE, 1.0 / DISTANCES[index])


def _shrunk(points: torch.Tensor) -> torch.Tensor:
    """By three parts in a hundred."""
    return torch.lerp(points, points.mean(dim=0), 0.03)


def _size(points: torch.Tensor, camera: Camera) -> torch.Tensor:
    """Of their picture, pixels."""
    xy = project(points, camera)[:, :2]
    return (xy - xy.mean(dim=0)).norm()


def nearness_off(cameras: tuple[Camera, ...]) -> torch.Tensor:
    """Of one over the distance, per metre."""
    found = torch.tensor([camera.nearness for camera in cameras])
    return (1e3 * found - 1e3 / torch.tensor(DISTANCES)).abs()


def test_how_near_a_photo_was_taken_and_its_pose_are_found():
    photos = taken(head(), elevation=3.0)
    first = FiducialCameras(1500.0)(photos, TEMPLATE)
    found = FIND(photos, TEMPLATE)
    assert float(turned(found).mean()) < 0.4 * float(turned(first).mean())
    assert float(nearness_off(found).mean()) < 0.5 * float(nearness_off(first).mean())


def test_the_outline_of_the_face_tells_how_large_it_is():
    """Beside fiducials that say it is smaller, where little is told by colors."""
    photos = tuple(replace(one, fiducials=_shrunk(one.fiducials)) for one in taken(head()))
    find = replace(FIND, share=6.0, weight=0.05, outline=0.2)
    marks = head().landmarks

    def too_small(find: PhotometricCameras) -> float:
        """Share by which faces are, on average over the photos."""
        shares = [
            1.0 - float(_size(marks, camera) / _size(marks, true(index)))
            for index, camera in enumerate(find(photos, TEMPLATE))
        ]
        return sum(shares) / len(shares)

    assert abs(too_small(find)) < 0.5 * too_small(replace(find, outline=0.0))


def test_photos_taken_from_aside_begin_as_near_as_the_others():
    facing = taken(head())[1:-1]
    profile = photo_of(head(), 80.0, 1.0 / 600.0)
    dark = replace(profile, mask=torch.zeros_like(profile.mask))
    find = replace(FIND, blur=[0.7], steps=1)
    found = find((dark, *facing), TEMPLATE)
    mean = sum(camera.nearness for camera in found[1:]) / len(facing)
    assert found[0].nearness == pytest.approx(mean)
    assert [camera.nearness for camera in found[1:]] == [
        camera.nearness for camera in find(facing, TEMPLATE)
    ]


def test_photos_whose_light_is_not_told_keep_the_camera_by_fiducials():
    photos = tuple(replace(one, mask=torch.zeros_like(one.mask)) for one in taken(head())[:2])
    first = FiducialCameras(1500.0).of_head(head(), photos, TEMPLATE)
    found = FIND(photos, TEMPLATE)
    for one, other in zip(first, found, strict=True):
        assert torch.equal(one.view_from_head, other.view_from_head)
        assert (one.scale, one.nearness) == (other.scale, other.nearness)
    assert FIND((), TEMPLATE) == ()


def test_a_hand_before_the_face_pulls_little():
    photos = taken(head(), elevation=3.0)
    covered = photos[4].image.clone()
    covered[:, 85:115, 60:95] = 0.02
    changed = (*photos[:4], replace(photos[4], image=covered), *photos[5:])
    first, clean, found = (
        turned(cameras)[4]
        for cameras in (
            FiducialCameras(1500.0)(photos, TEMPLATE),
            FIND(photos, TEMPLATE),
            FIND(changed, TEMPLATE),
        )
    )
    assert float(clean) < 0.5 * float(first)
    assert float(found) < 0.7 * float(first)


@pytest.mark.parametrize("distance", [None, 800.0])
def test_cameras_by_fiducials_see_the_head_at_them(distance: float | None):
    photos = tuple(
        photo_of(head(), azimuth, 1.0 / distance if distance else 0.0) for azimuth in AZIMUTHS
    )
    found = FiducialCameras(distance)(photos, TEMPLATE)
    assert float(turned(found).max()) < 0.1
    assert all(camera.scale == pytest.approx(0.45, rel=1e-3) for camera in found)
