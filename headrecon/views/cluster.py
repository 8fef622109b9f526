"""Division of the portraits by the azimuth of the head."""

import logging
from dataclasses import dataclass

import numpy as np

from headrecon.types import Portrait, View

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cluster:
    """Stage: clusters of photos taken from about the same azimuth, the frontal one first.

    The centres are spaced evenly over +-90 degrees and one of them is frontal, since the head grows
    from there; seven of them are 30 degrees apart, as in the paper. A photo belongs to its nearest
    centre, unless it is further than `reach` from it or tipped by more than `max_elevation`: such a
    photo shows parts that the others hide, which no flow can bring together.

    Raises `ValueError` for a count that is not odd or not between 1 and 13.

    Reference: Liang, Shapiro and Kemelmacher-Shlizerman, "Head Reconstruction from Internet
    Photos", ECCV 2016, section 3.
    """

    count: int
    reach: float
    max_elevation: float
    minimum: int
    """Photos that a view needs: below it the rank-4 factorization has too little to go by."""

    def __post_init__(self) -> None:
        """Check the count."""
        if self.count not in range(1, 14, 2):
            raise ValueError(f"cluster.count is {self.count}, but must be odd and from 1 to 13")

    @property
    def centres(self) -> tuple[float, ...]:
        """Azimuths of the centres in degrees, in the order in which the head grows."""
        spacing = 180.0 / max(self.count - 1, 1)
        half = self.count // 2
        return tuple(sorted((k * spacing for k in range(-half, half + 1)), key=_outward))

    def __call__(self, portraits: tuple[Portrait, ...]) -> tuple[View, ...]:
        """The views that have enough photos; the others are skipped with a line that says so."""
        centres = np.asarray(self.centres)
        azimuths = np.asarray([p.azimuth for p in portraits])
        elevations = np.asarray([p.elevation for p in portraits])
        distance = np.abs(azimuths[:, None] - centres[None, :])
        usable = (distance.min(axis=1) <= self.reach) & (np.abs(elevations) <= self.max_elevation)

        views = []
        for index, centre in enumerate(self.centres):
            members = np.flatnonzero(usable & (distance.argmin(axis=1) == index))
            label = f"view{centre:+03g}"
            if len(members) < self.minimum:
                log.warning(
                    "%s: skipped, %d photos but %d needed", label, len(members), self.minimum
                )
                continue
            views.append(
                View(
                    label=label,
                    nominal=centre,
                    azimuth=float(np.median(azimuths[members])),
                    elevation=float(np.median(elevations[members])),
                    names=tuple(portraits[i].name for i in members),
                )
            )
        return tuple(views)


def _outward(azimuth: float) -> tuple[float, float]:
    """Sorts from the front outward, image right before image left."""
    return abs(azimuth), -azimuth
