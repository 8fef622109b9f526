"""Poses fill the clusters, and light is what its formula says."""

import numpy as np

from headrecon.synthetic.chance import draw_expression, draw_light, draw_pose
from headrecon.template.model import head_model


def test_every_cluster_gets_ten_of_120_photos():
    for seed in range(3):
        poses = [draw_pose(index, np.random.default_rng([seed, index])) for index in range(120)]
        azimuths = np.array([pose.azimuth for pose in poses])
        clusters = (np.round(azimuths / 30) * 30).astype(int)
        names, counts = np.unique(clusters, return_counts=True)
        assert names.tolist() == [-90, -60, -30, 0, 30, 60, 90]
        assert counts.min() >= 10
        assert counts[3] == counts.max()


def test_expressions_are_as_mild_as_asked():
    actions = head_model().actions
    full = draw_expression(actions, 1.0, np.random.default_rng(5))
    assert 0 < full.max() < 1
    assert full[actions.index("tongueOut")] == 0
    assert np.allclose(draw_expression(actions, 0.5, np.random.default_rng(5)), 0.5 * full)


def test_lamps_are_unit_directions_and_light_is_positive():
    for seed in range(20):
        light = draw_light(np.random.default_rng(seed))
        assert np.isclose(np.linalg.norm(light.direction), 1.0)
        assert light.ambient.min() > 0
        assert light.lamp.min() > 0
        assert np.linalg.norm(light.gradient) < 0.5
