"""Light is what its formulas say."""

import numpy as np

from headrecon.render.trace import Tracer
from headrecon.synthetic.light import (
    Lamp,
    Light,
    Lit,
    coefficients,
    harmonics,
    open_transfer,
    shade,
    transfer,
)
from headrecon.synthetic.scene import Finish

FLOOR = (np.array([[-1.0, -1, 0], [1, -1, 0], [0, 1, 0]]) * 1e4, np.array([[0, 1, 2]]))


def directions(count: int) -> np.ndarray:
    xyz = np.random.default_rng(3).standard_normal((count, 3))
    return xyz / np.linalg.norm(xyz, axis=1, keepdims=True)


def light(**changes) -> Light:
    lamps = (Lamp((0.6, 0.0, 0.8), (0.5, 0.4, 0.3), 0.0),)
    glow = (Lamp((0.0, 0.6, 0.8), (0.2, 0.1, 0.3), 1.0),)
    return Light(
        **{"ambient": (0.4, 0.5, 0.6), "glows": glow, "lamps": lamps, "specular": 0.0} | changes
    )


def lit(normal: np.ndarray) -> Lit:
    count = len(normal)
    finish = Finish(np.full((count, 3), 0.5), np.ones(count), np.full(count, 0.4), 0 * normal)
    return Lit(np.zeros((count, 3)), normal, normal, np.zeros((count, 3)), finish)


def test_the_environment_is_its_polynomial():
    w = directions(50)
    along = w @ np.array([0.0, 0.6, 0.8])
    expected = np.array([0.4, 0.5, 0.6]) + np.outer(along + along**2 - 1 / 3, [0.2, 0.1, 0.3])
    assert np.allclose(harmonics(w) @ coefficients(light(), np.eye(3)), expected)


def test_turning_the_head_turns_the_environment():
    turn = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    w = directions(20)
    straight = harmonics(w) @ coefficients(light(), np.eye(3))
    assert np.allclose(harmonics(w @ turn.T) @ coefficients(light(), turn), straight)


def test_an_open_surface_gathers_the_cosine_weighted_mean_of_the_sky():
    normal = directions(1)
    sky = directions(400_000)
    cosine = (sky @ normal[0]).clip(0.0)
    mean = (cosine[:, None] * harmonics(sky)).sum(axis=0) / cosine.sum()
    assert np.allclose(open_transfer(normal)[0], mean, atol=5e-3)


def test_transfer_without_obstacles_is_that_of_an_open_surface_and_none_below_ground():
    tracer = Tracer(*FLOOR)
    up, count = np.array([[0.0, 0.0, 1.0]]), 400
    free = transfer(tracer, np.zeros((count, 3)), np.repeat(up, count, 0), seed=1).mean(axis=0)
    assert np.allclose(free, open_transfer(up)[0], atol=0.02)
    below = np.repeat([[0.0, 0.0, -50.0]], count, axis=0)
    hidden = transfer(tracer, below, np.repeat(up, count, 0), seed=1)
    assert np.abs(hidden).max() == 0


def test_a_lamp_lights_by_the_cosine_and_not_through_walls():
    only = light(ambient=(0.0, 0.0, 0.0), glows=())
    normal = np.array([[0.0, 0.0, 1.0]])
    rest = (lambda values: values, np.random.default_rng(0))
    free = shade(lit(normal), only, np.eye(3), Tracer(FLOOR[0] + [0, 0, -5], FLOOR[1]), *rest)
    # Skin lets a little of the light round its edges: (cos + b) / (1 + b).
    bleeding = np.array([0.12, 0.04, 0.02])
    expected = 0.5 * np.array([0.5, 0.4, 0.3]) * (0.8 + bleeding) / (1 + bleeding)
    assert np.allclose(free[0], expected)
    walled = shade(lit(normal), only, np.eye(3), Tracer(FLOOR[0] + [0, 0, 9], FLOOR[1]), *rest)
    assert np.abs(walled).max() == 0


def test_highlights_are_where_the_lamp_is_mirrored():
    glossy = light(ambient=(0.0, 0.0, 0.0), glows=(), specular=1.0)
    matt = light(ambient=(0.0, 0.0, 0.0), glows=())
    half = np.array([0.6, 0.0, 1.8])
    normal = np.stack([half / np.linalg.norm(half), [0.0, 0.0, 1.0], [-0.8, 0.0, 0.6]])
    seen = Lit(
        np.zeros((3, 3)),
        normal,
        np.repeat([[0.0, 0.0, 1.0]], 3, axis=0),
        np.zeros((3, 3)),
        lit(normal).finish,
    )
    tracer = Tracer(FLOOR[0] + [0, 0, -5], FLOOR[1])
    rest = (np.eye(3), tracer, lambda values: values, np.random.default_rng(0))
    extra = (shade(seen, glossy, *rest) - shade(seen, matt, *rest)).sum(axis=1)
    assert extra[0] > extra[1] > extra[2] >= 0
