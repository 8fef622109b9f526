"""Where a mesh passes through itself, and how it is brought not to."""

import numpy as np
import trimesh
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_matrix
from scipy.spatial import KDTree

_LEVELS = (0.5, 0.8, 0.95, 0.99, 1.0)
"""Shares of the triangles up to which one radius serves to find the near ones."""
_AROUND = 10.0
_PATIENCE = 10


def crossing_faces(
    vertices: Float[np.ndarray, "vertex xyz=3"],
    faces: Int[np.ndarray, "face 3"],
    changed: Bool[np.ndarray, " face"] | None = None,
) -> Int[np.ndarray, " crossing"]:
    """Indices of the triangles that an edge of another triangle passes through, or whose own does.

    An edge pq pierces a triangle abc if p and q lie on different sides of its plane, and a, b and c
    all around the line: six signs of volumes. A volume with a shared corner is exactly 0 and has no
    sign, so that neighbours do not cross by touching; neighbours that are folded flat onto each
    other, which have no volume, are not found. Pairs of which none has `changed` are not looked at.

    Reference: Möller, "A fast triangle-triangle intersection test", J. Graphics Tools 1997.
    """
    corners = np.asarray(vertices, dtype=np.float64)[faces]
    one, other = _close_pairs(corners, np.ones(len(faces), bool) if changed is None else changed)
    crossing = np.zeros(len(one), dtype=bool)
    for corner in range(3):
        for edges, whole in ((one, other), (other, one)):
            start, end = corners[edges, corner], corners[edges, (corner + 1) % 3]
            crossing |= _pierces(start, end, corners[whole])
    return np.unique(np.concatenate([one[crossing], other[crossing]]))


def uncrossed(
    vertices: Float[np.ndarray, "vertex xyz=3"], faces: Int[np.ndarray, "face 3"], rounds: int
) -> Float[np.ndarray, "vertex xyz=3"]:
    """The vertices, smoothed around crossing triangles until there are none, or for `rounds`.

    What crosses are the folds inside of lips, lids and nostrils, which no photo shows. Each round
    moves the vertices of crossing triangles to the mean of the vertices around them, and their
    neighbours by half, a quarter, ... as far; by one ring of neighbours more after every
    `_PATIENCE` rounds. Only triangles within `_AROUND` millimetres of the first crossings are
    looked at again, until these are gone. What need not have moved then goes back.
    """
    moved = np.array(vertices, dtype=np.float64)
    mesh = trimesh.Trimesh(moved, faces, process=False)
    mean = csr_matrix(trimesh.smoothing.laplacian_calculation(mesh, equal_weight=True))
    edges = np.asarray(mesh.edges_unique)
    one, other = np.concatenate([edges, edges[:, ::-1]]).T
    crossing, done = crossing_faces(moved, faces), 0
    while len(crossing) and done < rounds:
        centres = moved[faces].mean(axis=1)
        near = KDTree(centres[crossing]).query(centres, distance_upper_bound=_AROUND)[0]
        watched = np.flatnonzero(np.isfinite(near))
        while len(crossing) and done < rounds:
            share = np.zeros(len(moved))
            share[faces[crossing]] = 1.0
            for _ in range(1 + done // _PATIENCE):
                np.maximum.at(share, one, 0.5 * share[other])
            moved += share[:, None] * (mean @ moved - moved)
            changed = share[faces[watched]].max(axis=1) > 0.0
            crossing, done = watched[crossing_faces(moved, faces[watched], changed)], done + 1
        crossing = crossing_faces(moved, faces)
    return moved if len(crossing) else _taken_back(moved, np.asarray(vertices), faces)


def _taken_back(
    moved: Float[np.ndarray, "vertex xyz=3"],
    before: Float[np.ndarray, "vertex xyz=3"],
    faces: Int[np.ndarray, "face 3"],
) -> Float[np.ndarray, "vertex xyz=3"]:
    """The vertices where they were before, but for those of which triangles would cross again."""
    away = (moved != before).any(axis=1)
    if not away.any():
        return moved
    centres = moved[faces].mean(axis=1)
    changed = away[faces].any(axis=1)
    near = KDTree(centres[changed]).query(centres, distance_upper_bound=_AROUND)[0]
    watched = np.flatnonzero(np.isfinite(near))
    while True:
        back = np.where(away[:, None], before, moved)
        crossing = crossing_faces(back, faces[watched], changed[watched])
        stuck = faces[watched][crossing]
        if not away[stuck].any():
            return back
        away[stuck] = False


def _close_pairs(
    corners: Float[np.ndarray, "face 3 xyz=3"], changed: Bool[np.ndarray, " face"]
) -> tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]:
    """Pairs of triangles whose boxes overlap, one of the two changed; each pair once."""
    centres = corners.mean(axis=1)
    radius = np.linalg.norm(corners - centres[:, None], axis=2).max(axis=1)
    bounds = np.quantile(radius, _LEVELS)
    levels = [np.flatnonzero(np.searchsorted(bounds, radius) == k) for k in range(len(bounds))]
    trees = [KDTree(centres[level]) for level in levels]
    pairs = []
    for own, own_bound in zip(levels, bounds, strict=True):
        mine = own[changed[own]]
        tree = KDTree(centres[mine])
        for level, bound, others in zip(levels, bounds, trees, strict=True):
            found = tree.sparse_distance_matrix(others, own_bound + bound, output_type="ndarray")
            one, other = mine[found["i"]], level[found["j"]]
            once = (one < other) | ~changed[other]
            pairs.append(np.stack([one[once], other[once]]))
    one, other = np.concatenate(pairs, axis=1)
    low, high = corners.min(axis=1), corners.max(axis=1)
    # An axis at a time, since most pairs are apart along the first.
    for axis in range(3):
        near = (low[one, axis] <= high[other, axis]) & (low[other, axis] <= high[one, axis])
        one, other = one[near], other[near]
    return one, other


def _pierces(
    start: Float[np.ndarray, "pair xyz=3"],
    end: Float[np.ndarray, "pair xyz=3"],
    triangle: Float[np.ndarray, "pair 3 xyz=3"],
) -> Bool[np.ndarray, " pair"]:
    """Whether the segment from start to end passes through the inside of the triangle."""
    first, second, third = triangle[:, 0], triangle[:, 1], triangle[:, 2]
    before = _volume(first - start, second - start, third - start)
    after = _volume(first - end, second - end, third - end)
    # Most segments stay on one side of the plane.
    through = np.flatnonzero(before * after < 0.0)
    along = (end - start)[through]
    a, b, c = ((corner - start)[through] for corner in (first, second, third))
    around = np.stack([_volume(along, a, b), _volume(along, b, c), _volume(along, c, a)])
    found = np.zeros(len(start), dtype=bool)
    found[through] = (around > 0.0).all(axis=0) | (around < 0.0).all(axis=0)
    return found


def _volume(
    a: Float[np.ndarray, "pair xyz=3"],
    b: Float[np.ndarray, "pair xyz=3"],
    c: Float[np.ndarray, "pair xyz=3"],
) -> Float[np.ndarray, " pair"]:
    """Six times the signed volume of the tetrahedron from the origin to a, b and c."""
    return np.einsum("pi,pi->p", a, np.cross(b, c))
