"""The whole stage on pictures of made-up people, whose pose and outline are known."""

import io
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from headrecon.photos.detect import Detect
from headrecon.store import Store
from headrecon.synthetic.chance import Taking
from headrecon.template.build import BuildTemplate
from headrecon.types import Photo, Portrait, Rejection, Sighting, Template
from tests.elsewhere import elsewhere
from tests.photos.settings import configured
from tests.synthetic.sessions import CHANCE, SESSION


@pytest.fixture(scope="module")
def template() -> Template:
    return BuildTemplate(size=1.0, people=2)()


@pytest.fixture(scope="module")
def takings() -> list[Taking]:
    chance = replace(CHANCE, min_side=240, max_side=320, restyled=0.0)
    return [replace(SESSION, identity=11, chance=chance).taking(index) for index in range(8)]


@pytest.fixture(scope="module")
def photos(takings: list[Taking]) -> list[Photo]:
    shots = [SESSION.photograph(taking) for taking in takings]
    return [Photo("p", torch.from_numpy(shot.encoded)) for shot in shots]


@pytest.fixture(scope="module")
def portraits(detect: Detect, photos: list[Photo], template: Template) -> list[Portrait]:
    return [portrait_of(detect(photo, template)) for photo in photos]


def portrait_of(found: Sighting | Rejection) -> Portrait:
    """The strongest claim of a photo."""
    assert isinstance(found, Sighting)
    return found.portraits[0]


def photo_of(pixels: np.ndarray) -> Photo:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return Photo("p", torch.from_numpy(np.frombuffer(buffer.getvalue(), np.uint8).copy()))


def pixels_of(photo: Photo) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(photo.encoded.numpy().tobytes())).convert("RGB"))


def reason(result: Sighting | Rejection) -> str:
    assert isinstance(result, Rejection)
    return result.reason


def test_the_pose_is_found_all_around(portraits, takings):
    truth = torch.tensor([[t.pose.azimuth, t.pose.elevation, t.pose.roll] for t in takings])
    found = torch.tensor([[p.azimuth, p.elevation, p.roll] for p in portraits])
    assert float(truth[:, 0].abs().max()) > 50.0
    error = (found - truth).abs()
    turned = truth[:, 0].abs() > 60.0
    assert float(error[~turned].mean()) < 3.0
    assert float(error[turned].mean()) < 5.0
    assert float(error.max()) < 12.0


def test_the_mask_is_one_on_the_face_and_zero_outside_the_photo(portraits):
    for portrait in portraits:
        x, y = portrait.keypoints.mean(dim=0).long().tolist()
        assert float(portrait.mask[y - 5 : y + 6, x - 5 : x + 6].min()) > 0.8
        unseen = portrait.image.amax(0) == 0.0
        assert float(portrait.mask[unseen].sum()) <= 0.01 * unseen.numel()
        assert 0.1 < float(portrait.mask.mean()) < 0.8


def test_a_mirrored_photo_has_the_mirrored_pose(detect, photos, takings, template):
    turned = next(k for k, t in enumerate(takings) if 15 < abs(t.pose.azimuth) < 50)
    there = portrait_of(detect(photos[turned], template))
    mirrored = photo_of(pixels_of(photos[turned])[:, ::-1].copy())
    back = portrait_of(detect(mirrored, template))
    assert back.azimuth == pytest.approx(-there.azimuth, abs=4.0)
    assert back.elevation == pytest.approx(there.elevation, abs=4.0)
    assert back.roll == pytest.approx(-there.roll, abs=4.0)


def test_a_larger_copy_gives_the_same_portrait_up_to_its_size(detect, photos, template):
    pixels = Image.fromarray(pixels_of(photos[0]))
    twice = np.array(pixels.resize((2 * pixels.width, 2 * pixels.height), Image.Resampling.BICUBIC))
    small, large = (portrait_of(detect(p, template)) for p in (photos[0], photo_of(twice)))
    assert large.face_size == pytest.approx(2.0 * small.face_size, rel=0.05)
    assert large.azimuth == pytest.approx(small.azimuth, abs=2.0)
    assert large.image.shape[-1] <= round(detect.context * detect.max_face)


def test_a_small_face_in_a_large_photo_is_found(detect, photos, takings, template):
    front = min(range(len(takings)), key=lambda k: abs(takings[k].pose.azimuth))
    small = Image.fromarray(pixels_of(photos[front]))
    place = 0.2 + 0.05 * np.random.default_rng(0).standard_normal((150, 200, 3))
    wide = Image.fromarray((255 * place.clip(0, 1)).astype(np.uint8)).resize((3000, 2250))
    wide.paste(small, (2300, 300))
    found = portrait_of(detect(photo_of(np.array(wide)), template))
    alone = portrait_of(detect(photos[front], template))
    assert found.face_size == pytest.approx(alone.face_size, rel=0.1)
    assert found.azimuth == pytest.approx(alone.azimuth, abs=3.0)


def test_the_exposure_of_a_face_is_measured(detect, photos, template):
    pixels = pixels_of(photos[0]).astype(float)
    right = portrait_of(detect(photos[0], template))
    dim = portrait_of(detect(photo_of((0.5 * pixels).astype(np.uint8)), template))
    bright = np.minimum(3.0 * pixels, 255).astype(np.uint8)
    glaring = portrait_of(detect(photo_of(bright), template))
    assert dim.light < 0.5 * right.light
    assert right.blown < 0.05
    assert glaring.blown > right.blown + 0.1


def test_photos_without_a_usable_face_are_rejected_with_a_reason(detect, photos, template):
    assert "no face" in reason(detect(photo_of(np.full((90, 120, 3), 128, np.uint8)), template))
    picky = replace(detect, min_face=1000.0)
    assert "too small" in reason(picky(photos[0], template))
    assert "empty" in reason(detect(Photo("p", torch.zeros(0, dtype=torch.uint8)), template))


def test_inputs_are_left_alone_and_the_answer_is_repeatable(detect, photos, template):
    before = photos[1].encoded.clone()
    first, again = (portrait_of(detect(photos[1], template)) for _ in range(2))
    assert torch.equal(before, photos[1].encoded)
    assert torch.equal(first.image, again.image)
    assert first.azimuth == again.azimuth


def test_a_face_is_found_in_real_photos(detect: Detect, template: Template, real_photos: Path):
    gathered = configured("gather/folder.yaml")(real_photos)
    photos = islice((photo for photo in gathered if isinstance(photo, Photo)), 20)
    found = [detect(photo, template) for photo in photos]
    assert sum(isinstance(result, Sighting) for result in found) >= 0.9 * len(found)


def test_a_run_on_a_gpu_looks_at_photos_all_the_same(detect, photos, template, tmp_path):
    with elsewhere() as there:
        found = Store(tmp_path, there).recall("p", detect, photos[0], template)
    assert isinstance(found, Sighting)
