"""The table of normals compares with the truth that its photos were made from."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hydra import compose, initialize_config_dir

from headrecon import normals
from headrecon.command import CONF
from headrecon.geometry.lighting import basis
from headrecon.pipeline import Pipeline
from headrecon.synthetic.light_stage import LitFace, Troubles, face_under_lights
from tests.synthetic.sessions import POPULATION, SESSION

NONE = Troubles(shadows=False, highlights=0.0, noise=0.0, strangers=0.0, shift=0.0)


def lit(troubles: Troubles, count: int) -> LitFace:
    return face_under_lights(SESSION.taking(0), 502, POPULATION, troubles, count)


@pytest.fixture(scope="module")
def clean() -> LitFace:
    return lit(NONE, 24)


def test_skin_faces_the_viewer_and_the_nose_is_its_highest_part(clean):
    assert float(clean.normals[2][clean.skin].min()) > -0.05
    assert torch.allclose(clean.normals[:, clean.head].norm(dim=0), torch.ones(()), atol=1e-4)
    tip = clean.fiducials[4].long()
    right, left = clean.normals[0, tip[1], tip[0] + 6], clean.normals[0, tip[1], tip[0] - 6]
    assert float(right) > 0.1 > -0.1 > float(left)


def test_without_troubles_normals_alone_tell_how_much_brighter_one_photo_is(clean):
    gray = clean.images.mean(dim=1)[:, clean.skin]
    known = basis(clean.normals[:, clean.skin], 2)
    shares = []
    for one, other in pairwise(gray):
        bright = (one > 0.5 * one.median()) & (other > 0.5 * other.median())
        ratio = (one / other)[bright, None]
        left = ratio - known[:, bright].T @ torch.linalg.lstsq(known[:, bright].T, ratio).solution
        shares.append(float(left.std() / ratio.std()))
    assert sorted(shares)[len(shares) // 2] < 0.3


def test_each_trouble_changes_the_photos(clean):
    for name, value in (("shadows", True), ("highlights", 1.0), ("noise", 0.01), ("shift", 1.0)):
        troubled = lit(replace(NONE, **{name: value}), 2)
        assert float((troubled.images - clean.images[:2]).abs().mean()) > 1e-4
        assert torch.equal(troubled.normals, clean.normals)
    strangers = lit(replace(NONE, strangers=0.5), 2)
    assert float((strangers.images[0] - clean.images[0]).abs().mean()) > 0.01
    assert torch.equal(strangers.images[1], clean.images[1])


def test_photos_teach_more_about_normals_than_the_template_knows(clean):
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("normals")
        unchanged = float(normals.template_angle(config, [clean]))
        found = normals.angles(config, clean, [])
    assert found.median < 0.6 * unchanged
    assert 0.1 < found.over_deviation < 3.0


def test_every_row_of_the_table_is_a_pipeline():
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("normals")
        for row in config.settings.values():
            assert isinstance(normals._pipeline(config, row), Pipeline)
