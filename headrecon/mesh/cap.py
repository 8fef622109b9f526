"""Faces that close the openings of a mesh."""

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import Delaunay

_GROWTH = 1.25
"""Of the triangles from ring to ring."""


def cap(
    rim: Float[np.ndarray, "rim xyz=3"],
) -> tuple[Float[np.ndarray, "inner rim"], Int[np.ndarray, "face 3"]]:
    """A disc that closes a rim: weights of its inner vertices, and faces of even triangles.

    Inner vertices are weights @ rim, on rings that shrink to the middle of the rim by ever larger
    steps and hold as many vertices as their length asks for. The faces count the rim first and the
    inner vertices after it; they are those of Delaunay's triangulation of the same rings in the
    unit disc, whose border is the rim because it is convex.
    """
    size = len(rim)
    length = float(np.linalg.norm(rim - np.roll(rim, 1, axis=0), axis=1).mean())
    radius = float(np.linalg.norm(rim - rim.mean(axis=0), axis=1).mean())
    around, places = [], [np.exp(2j * np.pi * np.arange(size) / size)]
    step = length
    left = radius - step
    while left > -0.5 * step:
        share = max(0.0, left) / radius
        count = max(1, round(2.0 * np.pi * left / step))
        turn = (np.arange(count) + 0.5 * (len(places) % 2)) / count * size
        first, blend = np.floor(turn).astype(int), turn % 1.0
        weights = np.full((count, size), (1.0 - share) / size)
        weights[np.arange(count), first % size] += share * (1.0 - blend)
        weights[np.arange(count), (first + 1) % size] += share * blend
        around.append(weights)
        places.append(share * np.exp(2j * np.pi * turn / size))
        step *= _GROWTH
        left -= step
    disc = np.concatenate(places)
    triangles = Delaunay(np.column_stack([np.real(disc), np.imag(disc)])).simplices
    a, b, c = disc[triangles].T
    turned = ((b - a).conj() * (c - a)).imag < 0.0
    triangles[turned] = triangles[turned][:, ::-1]
    return np.concatenate(around), triangles.astype(np.int64)
