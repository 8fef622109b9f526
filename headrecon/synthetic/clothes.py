"""Shoulders under a head, so that it does not float in its photo."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

_RINGS = ((1.0, 1.0, 0.0), (1.5, 1.1, -35.0), (1.9, 1.3, -90.0), (2.0, 1.5, -400.0))
"""How much wider and deeper than the neck, and how much lower in millimetres."""


def border(faces: Int[Tensor, "face 3"]) -> Int[Tensor, " rim"]:
    """Vertices along the open border of a surface, in the order opposite to its faces."""
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).tolist()
    directed = {(a, b) for a, b in edges}
    after = {b: a for a, b in edges if (b, a) not in directed}
    loop = [next(iter(after))]
    while after[loop[-1]] != loop[0]:
        loop.append(after[loop[-1]])
    return torch.tensor(loop)


def shoulders(
    rim: Float[Tensor, "rim xyz=3"],
) -> tuple[Float[Tensor, "vertex xyz=3"], Int[Tensor, "face 3"]]:
    """Vertices and faces that widen from the rim of the neck downward."""
    size = len(rim)
    middle = rim.mean(dim=0)
    offset = rim - middle
    rings = [
        torch.stack([wide * offset[:, 0], offset[:, 1] + drop, deep * offset[:, 2]], dim=-1)
        for wide, deep, drop in _RINGS
    ]
    around = torch.arange(size)
    faces = []
    for ring in range(len(_RINGS) - 1):
        a, b = around + size * ring, around.roll(-1) + size * ring
        faces += [
            torch.stack([a, b, b + size], dim=-1),
            torch.stack([a, b + size, a + size], dim=-1),
        ]
    return torch.cat(rings) + middle, torch.cat(faces)
