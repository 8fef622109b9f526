"""Fiducials that are worse by as much as was asked for."""

from dataclasses import dataclass, replace

import pytest
import torch

from headrecon.photos.detect import Detect
from headrecon.photos.noisy import NoisyDetect
from headrecon.types import Photo, Portrait, Rejection, Sighting, Template
from tests import artifacts


@dataclass(frozen=True)
class Found(Detect):
    """Finds the same in every photo."""

    def __call__(self, photo: Photo, template: Template) -> Sighting | Rejection:
        if photo.name == "nobody.jpg":
            return Rejection(photo.name, "no face")
        found = replace(artifacts.portrait(photo.name), step=0.5, face_size=60.0)
        return Sighting(photo.name, (found,))


def noisy(name: str, noise: float = 0.02) -> Sighting | Rejection:
    detect = Found.__new__(Found)
    photo = Photo(name, torch.zeros(1, dtype=torch.uint8))
    return NoisyDetect(detect, noise)(photo, artifacts.reconstruction().template)


def only(found: Sighting | Rejection) -> Portrait:
    assert isinstance(found, Sighting)
    [portrait] = found.portraits
    return portrait


def test_noise_has_the_size_that_was_asked_for_in_shares_of_the_face():
    found = only(noisy("a.jpg"))
    moved = found.step * (found.fiducials - artifacts.portrait("a.jpg").fiducials)
    assert float(moved.std()) == pytest.approx(0.02 * 60.0, rel=0.1)
    assert float(moved.mean()) == pytest.approx(0.0, abs=0.2)


def test_noise_is_repeatable_and_its_own_for_each_photo():
    one, again, other = (only(noisy(name)) for name in ("a.jpg", "a.jpg", "b.jpg"))
    assert torch.equal(one.fiducials, again.fiducials)
    assert not torch.allclose(one.fiducials, other.fiducials, atol=0.1)


def test_a_rejection_stays_one():
    assert noisy("nobody.jpg") == Rejection("nobody.jpg", "no face")
