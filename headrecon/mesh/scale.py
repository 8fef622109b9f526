"""How large the head is, which photos do not tell: millimetres by a stated choice."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from scipy.spatial import ConvexHull
from torch import Tensor

from headrecon.types import HeadMesh

_RIGHT_EYE, _LEFT_EYE = slice(36, 42), slice(42, 48)
_BROWS = slice(17, 27)


@dataclass(frozen=True)
class TemplateScale:
    """Stage: the head is as large as it has become by being aligned to the template."""

    def __call__(self, mesh: HeadMesh) -> float:
        """1."""
        return 1.0


@dataclass(frozen=True)
class InterpupillaryScale:
    """Stage: the middles of the eyes are as far apart as most people's.

    Reference: Dodgson, "Variation and extrema of human interpupillary distance", SPIE 2004: a mean
    of 63 mm and a deviation of 3.8 mm, so that the size of the head is off by 6 percent.
    """

    distance: float
    """Millimetres."""

    def __call__(self, mesh: HeadMesh) -> float:
        """Millimetres of the head per unit of the mesh."""
        right, left = mesh.landmarks[_RIGHT_EYE].mean(dim=0), mesh.landmarks[_LEFT_EYE].mean(dim=0)
        return self.distance / max(float((right - left).norm()), 1e-6)


@dataclass(frozen=True)
class CircumferenceScale:
    """Stage: a tape around the head over the brows, the ears left out, is as long as most people's.

    The tape lies in a horizontal plane of the head frame, `above` millimetres over the brows, and
    goes along the convex hull. Hair counts as head.
    """

    circumference: float
    """Millimetres."""
    above: float

    def __call__(self, mesh: HeadMesh) -> float:
        """Millimetres of the head per unit of the mesh."""
        height = float(mesh.landmarks[_BROWS, 1].mean()) + self.above
        cut = _crossed(mesh, height)
        if len(cut) < 3:
            return 1.0
        # The area of a hull in the plane is its volume, and its length its area.
        return self.circumference / float(ConvexHull(cut.cpu().numpy()).area)


def _crossed(mesh: HeadMesh, height: float) -> Float[Tensor, "point xz=2"]:
    """Where the edges of the mesh cross a horizontal plane."""
    edges = torch.cat([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])
    start, end = mesh.vertices[edges[:, 0]], mesh.vertices[edges[:, 1]]
    crossing = (start[:, 1] < height) != (end[:, 1] < height)
    start, end = start[crossing], end[crossing]
    share = (height - start[:, 1]) / (end[:, 1] - start[:, 1])
    return (start + share[:, None] * (end - start))[:, [0, 2]]
