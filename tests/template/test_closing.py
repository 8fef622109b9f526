"""Openings are closed without new borders and without moving the rim."""

import numpy as np

from headrecon.geometry.borders import loops_of
from headrecon.template.closing import close_eye, is_mouth, zip_lips

# A ring of six quads around a hexagonal opening, wider than high and seen from +z.
ANGLES = np.arange(6) * np.pi / 3
INNER = np.stack([2 * np.cos(ANGLES), np.sin(ANGLES), np.zeros(6)], axis=1)
VERTICES = np.concatenate([INNER, 3 * INNER])
BALL = np.array([[0, 0, 0.2], [0, 0, -6.2], [3.2, 0, -3.0], [-3.2, 0, -3.0]])
RING = np.array(
    [[k, k + 6, (k + 1) % 6 + 6] for k in range(6)]
    + [[k, (k + 1) % 6 + 6, (k + 1) % 6] for k in range(6)]
)


def _opening() -> np.ndarray:
    return next(loop for loop in loops_of(RING) if set(loop.tolist()) == set(range(6)))


def test_both_borders_of_a_ring_are_found():
    loops = loops_of(RING)
    assert sorted(sorted(loop.tolist()) for loop in loops) == [[*range(6)], [*range(6, 12)]]


def test_zipped_lips_leave_only_the_outer_border():
    faces = np.concatenate([RING, zip_lips(_opening(), VERTICES)])
    assert [sorted(loop.tolist()) for loop in loops_of(faces)] == [[*range(6, 12)]]


def test_a_closed_eye_bulges_to_the_ball_and_leaves_only_the_outer_border():
    rows, lift, more = close_eye(_opening(), VERTICES, BALL, len(VERTICES))
    middle = rows @ VERTICES + lift
    assert np.allclose(np.linalg.norm(middle - [0.0, 0.0, -3.0], axis=1), 3.2)
    faces = np.concatenate([RING, more])
    assert [sorted(loop.tolist()) for loop in loops_of(faces)] == [[*range(6, 12)]]
    points = np.concatenate([VERTICES, middle])[faces]
    normals = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
    assert (normals[:, 2] > 0).all()


def test_the_closed_eye_follows_its_rim():
    rows, _, _ = close_eye(_opening(), VERTICES, BALL, len(VERTICES))
    assert np.allclose(rows @ np.ones((len(VERTICES), 3)), 1.0)
    assert np.allclose((rows @ VERTICES)[-1], INNER.mean(axis=0))


def test_the_mouth_is_the_opening_across_the_middle():
    assert is_mouth(INNER)
    assert not is_mouth(INNER + np.array([5.0, 0.0, 0.0]))
