"""Faces that close the openings of a surface: eyes and mouth."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

_EYE_RINGS = (0.8, 0.6, 0.4, 0.2)
"""Rings that close the opening of an eye, as shares of the way from its middle to the rim."""


def is_mouth(rim: Float[np.ndarray, "rim 3"]) -> bool:
    """Whether the border crosses the middle of the head."""
    return bool(rim[:, 0].min() < 0 < rim[:, 0].max())


def zip_lips(
    loop: Int[np.ndarray, " rim"], vertices: Float[np.ndarray, "vertex 3"]
) -> Int[np.ndarray, "face 3"]:
    """Faces from lip to lip, with no vertex of their own; both lips have as many vertices."""
    x = vertices[loop, 0]
    loop = np.roll(loop, -int(x.argmin()))
    half = len(loop) // 2
    one, other = loop[: half + 1], np.concatenate([loop[:1], loop[: half - 1 : -1]])
    quads = np.stack([one[:-1], one[1:], other[1:], other[:-1]], axis=1)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    first, second, third = triangles.T
    return triangles[(first != second) & (second != third) & (third != first)]


def close_eye(
    loop: Int[np.ndarray, " rim"],
    vertices: Float[np.ndarray, "vertex 3"],
    ball: Float[np.ndarray, "ball 3"],
    first: int,
) -> tuple[sparse.csr_array, Float[np.ndarray, "fill 3"], Int[np.ndarray, "face 3"]]:
    """Weights, bulge and faces of rings that shrink from the rim to its middle over the eyeball.

    Each new vertex is an average of the rim, so that it never leaves the opening when lids move.
    """
    size = len(loop)
    shares = np.concatenate([np.repeat(_EYE_RINGS, size), [0.0]])
    rim = np.concatenate([np.tile(np.arange(size), len(_EYE_RINGS)), [0]])
    blend = shares[:, None] * np.eye(size)[rim] + (1 - shares[:, None]) / size
    flat = blend @ vertices[loop]
    centre = ball.mean(axis=0)
    radius = np.linalg.norm(ball - centre, axis=1).mean()
    rays = flat - centre
    lift = rays * (radius / np.linalg.norm(rays, axis=1, keepdims=True) - 1)
    rows = sparse.lil_array((len(shares), len(vertices)))
    rows[:, loop] = blend
    rings = [loop, *(first + size * k + np.arange(size) for k in range(len(_EYE_RINGS)))]
    faces = []
    for outer, inner in pairwise(rings):
        a, b, c, d = outer, np.roll(outer, -1), np.roll(inner, -1), inner
        faces += [np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]
    middle = np.full(size, first + len(shares) - 1)
    faces.append(np.stack([rings[-1], np.roll(rings[-1], -1), middle], axis=1))
    return sparse.csr_array(rows), lift, np.concatenate(faces)
