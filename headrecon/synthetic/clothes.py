"""Shoulders under a head, and what they wear."""

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.interpolate import PchipInterpolator
from torch import Tensor

from headrecon.synthetic.paints import CLOTHES, ClothPaint
from headrecon.synthetic.scene import Part
from headrecon.truth import LABELS

_RINGS = np.array(
    [
        # Share of the way from the neck to the shoulders, half widths there, and the drop.
        [0.0, 1.0, 1.0, 0.0],
        [0.12, 1.12, 1.06, -10.0],
        [0.3, 1.5, 1.2, -32.0],
        [0.55, 2.5, 1.45, -58.0],
        [0.75, 3.3, 1.55, -85.0],
        [0.9, 3.6, 1.6, -150.0],
        [1.0, 3.6, 1.7, -500.0],
    ]
)
"""Columns: place along the profile, width and depth in those of the neck, height in millimetres."""
_COUNT = 24


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
    profile = PchipInterpolator(_RINGS[:, 0], _RINGS[:, 1:])(np.linspace(0.0, 1.0, _COUNT))
    rings = [
        torch.stack([wide * offset[:, 0], offset[:, 1] + drop, deep * offset[:, 2]], dim=-1)
        for wide, deep, drop in profile.tolist()
    ]
    around = torch.arange(size)
    faces = []
    for ring in range(_COUNT - 1):
        a, b = around + size * ring, around.roll(-1) + size * ring
        faces += [
            torch.stack([a, b, b + size], dim=-1),
            torch.stack([a, b + size, a + size], dim=-1),
        ]
    return torch.cat(rings) + middle, torch.cat(faces)


def clothes(rim: Float[Tensor, "rim xyz=3"], random: np.random.Generator) -> Part:
    """Something to wear on shoulders that grow out of this neck."""
    vertices, faces = shoulders(rim)
    return Part(
        vertices=vertices,
        faces=faces,
        label=torch.full((len(faces),), LABELS.index("clothes")),
        marks=vertices - rim.mean(dim=0),
        paint=ClothPaint(
            kind=str(random.choice(CLOTHES)),
            outer=_dye(random, 0.02, 0.5),
            inner=_dye(random, 0.3, 0.75),
            tie=_dye(random, 0.03, 0.4),
            stripes=float(random.choice([0.0, 0.0, 0.1])),
        ),
    )


def _dye(random: np.random.Generator, dark: float, light: float) -> tuple[float, float, float]:
    """Mostly muted, sometimes bright."""
    tint = random.uniform(1 - (spread := random.choice([0.15, 0.7])), 1 + spread, 3)
    red, green, blue = random.uniform(dark, light) * tint / tint.max()
    return float(red), float(green), float(blue)
