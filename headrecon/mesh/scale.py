"""How large the head is, which photos do not tell: millimetres by a stated choice."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from scipy.spatial import ConvexHull
from torch import Tensor

from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.types import HeadMesh, Portrait

log = logging.getLogger(__name__)

_RIGHT_EYE, _LEFT_EYE = slice(36, 42), slice(42, 48)
_BROWS = slice(17, 27)


@dataclass(frozen=True)
class TemplateScale:
    """Stage: the head is as large as it has become by being aligned to the template."""

    def __call__(self, mesh: HeadMesh, portraits: tuple[Portrait, ...]) -> float:
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

    def __call__(self, mesh: HeadMesh, portraits: tuple[Portrait, ...]) -> float:
        """Millimetres of the head per unit of the mesh."""
        return self.distance / max(_eye_distance(mesh.landmarks), 1e-6)


@dataclass(frozen=True)
class IrisScale:
    """Stage: irises are as wide as most people's.

    In photos from the front the distance of the middles of the eyes, divided by the cosine of the
    azimuth, is told in widths of the iris; the median over the half of the photos with the larger
    irises, times the `diameter` of an iris, is how far apart the eyes of the head are. Small irises
    err all alike, so that errors of some percent remain however many photos there are.

    Reference: Rüfer, Schröder and Erb, "White-to-white corneal diameter: normal values in healthy
    humans obtained with the Orbscan II topography system", Cornea 2005: a mean of 11.7 mm and a
    deviation of 0.4 mm.
    """

    diameter: float
    """Millimetres."""
    measure: Callable[[Portrait], Float[Tensor, "eye=2"]]
    """The width of either iris, in pixels of the portrait."""
    max_azimuth: float
    """Degrees, beyond which a photo is not asked."""
    max_glasses: float
    """Probability of glasses, beyond which it is not."""

    def __call__(self, mesh: HeadMesh, portraits: tuple[Portrait, ...]) -> float:
        """Millimetres of the head per unit of the mesh; 1 if no photo tells."""
        found = [self._widths_and_distance(p) for p in portraits if self._tells(p)]
        found = sorted(pair for pair in found if pair[0] > 0.0)
        if not found:
            log.warning("no photo shows irises from the front; the head stays as large as it is")
            return 1.0
        larger = found[len(found) // 2 :]
        ratio = float(torch.tensor([distance / width for width, distance in larger]).median())
        return self.diameter * ratio / max(_eye_distance(mesh.landmarks), 1e-6)

    def _tells(self, portrait: Portrait) -> bool:
        return abs(portrait.azimuth) <= self.max_azimuth and portrait.glasses <= self.max_glasses

    def _widths_and_distance(self, portrait: Portrait) -> tuple[float, float]:
        """The mean width of the irises, and the distance of the eyes as seen from the front."""
        distance = _eye_distance(portrait.fiducials[list(IBUG68_FROM_MESH)])
        width = float(self.measure(portrait).mean())
        return width, distance / math.cos(math.radians(portrait.azimuth))


@dataclass(frozen=True)
class CircumferenceScale:
    """Stage: a tape around the head over the brows, the ears left out, is as long as most people's.

    The tape lies in a horizontal plane of the head frame, `above` millimetres over the brows, and
    goes along the convex hull. Hair counts as head.
    """

    circumference: float
    """Millimetres."""
    above: float

    def __call__(self, mesh: HeadMesh, portraits: tuple[Portrait, ...]) -> float:
        """Millimetres of the head per unit of the mesh."""
        height = float(mesh.landmarks[_BROWS, 1].mean()) + self.above
        cut = _crossed(mesh, height)
        if len(cut) < 3:
            return 1.0
        # The area of a hull in the plane is its volume, and its length its area.
        return self.circumference / float(ConvexHull(cut.cpu().numpy()).area)


def _eye_distance(landmarks: Float[Tensor, "landmark=68 _"]) -> float:
    """From the middle of the points around one eye to that of the other."""
    return float((landmarks[_RIGHT_EYE].mean(dim=0) - landmarks[_LEFT_EYE].mean(dim=0)).norm())


def _crossed(mesh: HeadMesh, height: float) -> Float[Tensor, "point xz=2"]:
    """Where the edges of the mesh cross a horizontal plane."""
    edges = torch.cat([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])
    start, end = mesh.vertices[edges[:, 0]], mesh.vertices[edges[:, 1]]
    crossing = (start[:, 1] < height) != (end[:, 1] < height)
    start, end = start[crossing], end[crossing]
    share = (height - start[:, 1]) / (end[:, 1] - start[:, 1])
    return (start + share[:, None] * (end - start))[:, [0, 2]]
