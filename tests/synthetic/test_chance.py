"""Poses fill the clusters, and what is drawn lies in its bounds."""

from dataclasses import replace

import numpy as np
import pytest

from headrecon.synthetic.chance import draw_expression, draw_light, draw_pose
from headrecon.template.model import head_model
from tests.synthetic.sessions import CHANCE


def test_every_cluster_gets_ten_of_120_photos_and_most_are_near_the_front():
    for seed in range(3):
        poses = [draw_pose(k, 95.0, np.random.default_rng([seed, k])) for k in range(120)]
        azimuths = np.array([pose.azimuth for pose in poses])
        clusters = (np.round(azimuths / 30) * 30).astype(int)
        names, counts = np.unique(clusters, return_counts=True)
        assert names.tolist() == [-90, -60, -30, 0, 30, 60, 90]
        assert counts.min() >= 10
        assert counts[3] > 1.5 * np.delete(counts, 3).max()
        assert max(abs(pose.elevation) for pose in poses) <= 20.0


def test_a_limit_leaves_the_profiles_out():
    poses = [draw_pose(k, 45.0, np.random.default_rng(k)) for k in range(60)]
    azimuths = np.abs([pose.azimuth for pose in poses])
    assert 35.0 < azimuths.max() <= 45.0


def test_expressions_are_as_mild_as_asked():
    actions = head_model().actions
    full = np.array(draw_expression(actions, 1.0, np.random.default_rng(5)))
    assert 0 < full.max() < 1
    assert full[actions.index("tongueOut")] == 0
    mild = draw_expression(actions, 0.5, np.random.default_rng(5))
    assert np.allclose(mild, 0.5 * full)


def test_lamps_are_unit_directions_and_light_is_positive():
    for seed in range(20):
        light = draw_light(1.0, np.random.default_rng(seed))
        for lamp in light.lamps:
            assert np.isclose(np.linalg.norm(lamp.direction), 1.0)
            assert min(lamp.color) > 0
        assert min(light.ambient) > 0
        assert len(light.lamps) <= 3


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_rates_are_shares_of_the_photos(rate):
    chance = replace(CHANCE, occluder=rate, second_face=rate, banner=rate, restyled=rate)
    takings = [
        chance(f"{k}.jpg", k, 5, head_model().actions, np.random.default_rng(k)) for k in range(5)
    ]
    assert all((taking.occluder != "") == bool(rate) for taking in takings)
    assert all((taking.bystander >= 0) == bool(rate) for taking in takings)
    assert all(taking.banner == bool(rate) for taking in takings)
    assert all(taking.style == rate for taking in takings)


def test_pictures_are_as_large_as_asked():
    for k in range(30):
        taking = CHANCE("a.jpg", k, 5, head_model().actions, np.random.default_rng(k))
        assert 150 <= taking.framing.height <= 260
        assert taking.framing.width <= 260
