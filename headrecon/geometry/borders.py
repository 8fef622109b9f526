"""Borders of triangle meshes."""

import numpy as np
from jaxtyping import Int


def loops_of(faces: Int[np.ndarray, "face 3"]) -> list[Int[np.ndarray, " _"]]:
    """Closed borders of the surface, each in the direction opposite to its faces."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    shared = {(int(b), int(a)) for a, b in edges}
    after = {int(b): int(a) for a, b in edges if (int(a), int(b)) not in shared}
    loops = []
    while after:
        start, vertex = after.popitem()
        loop = [start]
        while vertex != start:
            loop.append(vertex)
            vertex = after.pop(vertex)
        loops.append(np.array(loop))
    return loops
