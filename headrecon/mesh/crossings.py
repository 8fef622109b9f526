"""Where a mesh passes through itself, and how it is brought not to."""

import numpy as np
import trimesh
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_matrix
from scipy.spatial import KDTree

_USUAL = 0.8
"""Share of the triangles that are found as near by one common radius; the others have their own."""
_AROUND = 10.0
_PATIENCE = 10


def crossing_faces(
    vertices: Float[np.ndarray, "vertex xyz=3"], faces: Int[np.ndarray, "face 3"]
) -> Int[np.ndarray, " crossing"]:
    """Indices of the triangles that an edge of another triangle passes through, or whose own does.

    An edge pq pierces a triangle abc if p and q lie on different sides of its plane, and a, b and c
    all around the line: six signs of volumes. A volume with a shared corner is exactly 0 and has no
    sign, so that neighbours do not cross by touching; neighbours that are folded flat onto each
    other, which have no volume, are not found.

    Reference: Möller, "A fast triangle-triangle intersection test", J. Graphics Tools 1997.
    """
    corners = np.asarray(vertices, dtype=np.float64)[faces]
    one, other = _close_pairs(corners)
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
    looked at again, until these are gone.
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
            crossing, done = watched[crossing_faces(moved, faces[watched])], done + 1
        crossing = crossing_faces(moved, faces)
    return moved


def _close_pairs(
    corners: Float[np.ndarray, "face 3 xyz=3"],
) -> tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]:
    """Pairs of triangles whose boxes overlap."""
    centres = corners.mean(axis=1)
    radius = np.linalg.norm(corners - centres[:, None], axis=2).max(axis=1)
    usual = float(np.quantile(radius, _USUAL))
    tree = KDTree(centres)
    pairs = [tree.query_pairs(2.0 * usual, output_type="ndarray")]
    large = np.flatnonzero(radius > usual)
    for face, near in zip(
        large, tree.query_ball_point(centres[large], radius[large] + radius.max()), strict=True
    ):
        pairs.append(np.column_stack([np.full(len(near), face), near]))
    one, other = np.concatenate(pairs).T
    low, high = corners.min(axis=1), corners.max(axis=1)
    # An axis at a time, since most pairs are apart along the first.
    for axis in range(3):
        near = (low[one, axis] <= high[other, axis]) & (low[other, axis] <= high[one, axis])
        one, other = one[near], other[near]
    return one[one != other], other[one != other]


def _pierces(
    start: Float[np.ndarray, "pair xyz=3"],
    end: Float[np.ndarray, "pair xyz=3"],
    triangle: Float[np.ndarray, "pair 3 xyz=3"],
) -> Bool[np.ndarray, " pair"]:
    """Whether the segment from start to end passes through the inside of the triangle."""
    a, b, c = triangle[:, 0] - start, triangle[:, 1] - start, triangle[:, 2] - start
    along = end - start
    before = _volume(a, b, c)
    after = _volume(triangle[:, 0] - end, triangle[:, 1] - end, triangle[:, 2] - end)
    around = np.stack([_volume(along, a, b), _volume(along, b, c), _volume(along, c, a)])
    return (before * after < 0.0) & ((around > 0.0).all(axis=0) | (around < 0.0).all(axis=0))


def _volume(
    a: Float[np.ndarray, "pair xyz=3"],
    b: Float[np.ndarray, "pair xyz=3"],
    c: Float[np.ndarray, "pair xyz=3"],
) -> Float[np.ndarray, " pair"]:
    """Six times the signed volume of the tetrahedron from the origin to a, b and c."""
    return np.einsum("pi,pi->p", a, np.cross(b, c))
