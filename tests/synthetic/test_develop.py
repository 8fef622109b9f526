"""Development changes how bright pixels are, and copies move them as their map says."""

import io
from dataclasses import replace

import numpy as np
from PIL import Image

from headrecon.synthetic.banner import banner
from headrecon.synthetic.develop import reworked
from headrecon.synthetic.scenery import scenery
from tests.synthetic.sessions import DEVELOP


def opened(encoded: np.ndarray) -> np.ndarray:
    with Image.open(io.BytesIO(encoded.tobytes())) as picture:
        return np.array(picture.convert("RGB")).astype(float)


def blob(x: float, y: float) -> np.ndarray:
    """A bright spot on grey, in linear light; 120 high and 160 wide."""
    row, column = np.mgrid[:120, :160] + 0.5
    spot = np.exp(-((column - x) ** 2 + (row - y) ** 2) / 50.0)
    return np.repeat(0.05 + 0.5 * spot[..., None], 3, axis=2)


def centre(picture: np.ndarray) -> tuple[float, float]:
    weight = (picture.mean(axis=2) - np.median(picture)).clip(20.0) - 20.0
    row, column = np.mgrid[: picture.shape[0], : picture.shape[1]] + 0.5
    total = weight.sum()
    return float((weight * column).sum() / total), float((weight * row).sum() / total)


def test_no_setting_moves_the_picture():
    harsh = replace(DEVELOP, enlarged=1.0, sharpened=1.0, motion=1.0, noise=0.0, blur=1.0)
    for develop in (DEVELOP, harsh):
        found = develop(blob(40.0, 70.0), np.ones((120, 160), bool), np.random.default_rng(3))
        assert np.allclose(centre(opened(found.encoded)), (40.0, 70.0), atol=0.25)


def test_grey_photos_have_no_colour_and_quality_is_bounded():
    light = blob(40.0, 70.0) * [1.0, 0.6, 0.3]
    grey = replace(DEVELOP, grayscale=1.0, min_quality=90)
    found = grey(light, np.ones((120, 160), bool), np.random.default_rng(4))
    assert np.ptp(opened(found.encoded), axis=2).max() < 6
    assert 90 <= found.record["quality"] <= 95


def test_a_copy_is_where_its_map_says():
    original = DEVELOP(blob(90.0, 50.0), np.ones((120, 160), bool), np.random.default_rng(1))
    seen = set()
    for seed in range(14):
        copy, matrix, mirrored = reworked(original.encoded, np.random.default_rng(seed))
        seen.add(mirrored)
        assert (np.linalg.det(matrix[:, :2]) < 0) == mirrored
        expected = matrix[:, :2] @ [90.0, 50.0] + matrix[:, 2]
        assert np.allclose(centre(opened(copy)), expected, atol=0.4)
    assert seen == {True, False}


def test_scenery_is_repeatable_has_its_size_and_is_never_flat():
    for seed in range(12):
        place = scenery(90, 70, np.random.default_rng(seed))
        assert place.shape == (90, 70, 3)
        assert place.min() >= 0
        assert place.max() <= 1
        assert place.std() > 1e-3
        assert np.array_equal(place, scenery(90, 70, np.random.default_rng(seed)))


def test_a_banner_covers_what_it_says():
    paper = np.full((200, 300, 3), 128, dtype=np.uint8)
    for seed in range(14):
        picture, covered = banner(paper, np.random.default_rng(seed))
        changed = (picture != paper).any(axis=2)
        assert changed.any()
        assert not (covered & ~changed).mean() > 0.02
