import itertools

import numpy as np
import pytest
import trimesh

from headrecon.mesh.crossings import crossing_faces, uncrossed


def pierces(start: np.ndarray, end: np.ndarray, triangle: np.ndarray) -> bool:
    """The slow twin: solve for where the line meets the plane, in barycentric coordinates."""
    a, b, c = triangle
    system = np.column_stack([start - end, b - a, c - a])
    if abs(np.linalg.det(system)) < 1e-14:
        return False
    along, u, v = np.linalg.solve(system, start - a)
    return 0.0 < along < 1.0 and u > 0.0 and v > 0.0 and u + v < 1.0


def soup_and_its_crossings(seed: int) -> tuple[np.ndarray, set[tuple[int, int]]]:
    """Mostly small triangles and a few large ones, as in a mesh whose neck is coarse."""
    random = np.random.default_rng(seed)
    size = np.where(np.arange(80) % 20 == 0, 1.5, 0.25)[:, None, None]
    soup = random.random((80, 1, 3)) + size * (random.random((80, 3, 3)) - 0.5)
    pairs = {
        (i, j)
        for i, j in itertools.permutations(range(len(soup)), 2)
        for k in range(3)
        if pierces(soup[i][k], soup[i][(k + 1) % 3], soup[j])
    }
    return soup, pairs


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_crossings_are_those_of_a_loop_over_all_pairs(seed: int):
    soup, pairs = soup_and_its_crossings(seed)
    expected = set(itertools.chain.from_iterable(pairs))
    found = crossing_faces(soup.reshape(-1, 3), np.arange(240).reshape(-1, 3))
    assert 10 < len(expected) < 80
    assert set(found.tolist()) == expected


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_pairs_that_have_not_changed_are_not_looked_at(seed: int):
    soup, pairs = soup_and_its_crossings(seed)
    changed = np.arange(len(soup)) % 7 == 1
    near = {pair for pair in pairs if changed[list(pair)].any()}
    found = crossing_faces(soup.reshape(-1, 3), np.arange(240).reshape(-1, 3), changed)
    assert 0 < len(near) < len(pairs)
    assert set(found.tolist()) == set(itertools.chain.from_iterable(near))


def test_neighbours_that_share_corners_do_not_cross():
    ball = trimesh.creation.icosphere(3)
    assert len(crossing_faces(ball.vertices, ball.faces)) == 0


def test_a_dent_through_the_other_side_is_taken_back_and_the_rest_stays():
    ball = trimesh.creation.icosphere(3, radius=10.0)
    dented = ball.vertices.copy()
    dented[dented[:, 2] > 9.5, 2] -= 25.0
    assert len(crossing_faces(dented, ball.faces)) > 10
    mended = uncrossed(dented, ball.faces, rounds=200)
    assert len(crossing_faces(mended, ball.faces)) == 0
    aside = np.abs(ball.vertices[:, 2]) < 3.0
    assert np.array_equal(mended[aside], dented[aside])


def test_what_does_not_cross_is_not_touched():
    ball = trimesh.creation.icosphere(2)
    assert np.array_equal(uncrossed(ball.vertices, ball.faces, rounds=5), ball.vertices)


def test_what_need_not_move_goes_back():
    """Around a dent, vertices are smoothed that cross nothing."""
    ball = trimesh.creation.icosphere(4, radius=10.0)
    dented = ball.vertices.copy()
    dented[dented[:, 2] > 9.5, 2] -= 25.0
    mended = uncrossed(dented, ball.faces, rounds=200)
    moved = np.any(mended != dented, axis=1)
    assert len(crossing_faces(mended, ball.faces)) == 0
    # 254 of them are smoothed, the 108 that cross and rings around them.
    assert 108 <= moved.sum() < 200
