"""Division of the portraits by the direction in which the head is seen."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float

from headrecon.types import Portrait, View

log = logging.getLogger(__name__)

MOST = 181
"""Views are named by whole degrees: one more, and two would have the same name."""


@dataclass(frozen=True)
class Cluster:
    """Stage: clusters of photos taken from about the same direction, the most frontal one first.

    The azimuths of the centres are spaced evenly over +-90 degrees; seven of them are 30 degrees
    apart, as in the paper. The head grows from the centre nearest to the front, with a count that
    is even from the one to the image right of it. An odd count is better: it has a frontal view,
    where fiducials and the template are the most reliable. Two centres are the profiles alone.

    A photo belongs to its nearest centre, and with an `overlap` to each other centre whose border
    it is closer to. It is left out if it is further than `reach` from the centre, or tipped by more
    than `max_elevation`: such a photo shows parts that the others hide, which no flow can bring
    together. Photos tipped by about one of `elevations` make views of their own for the top of the
    head (or the underside of the chin), which come last; those that are tipped less than
    `max_elevation` stay in their upright view, too.

    Raises `ValueError` for a count below 1 or above 181, an overlap below 0, and for elevations
    that are less than a degree from 0 or from each other, or past +-80 degrees.

    Reference: Liang, Shapiro and Kemelmacher-Shlizerman, "Head Reconstruction from Internet
    Photos", ECCV 2016, section 3.
    """

    count: int
    mirror: bool
    """Whether the mirror image of each portrait takes part (`views/mirror.py`)."""
    overlap: float
    """Degrees by which a cluster reaches into its neighbours, but never past `reach`."""
    reach: float
    max_elevation: float
    elevations: Sequence[float | int]
    """Of the centres besides upright: negative ones show the top of the head."""
    minimum: int
    """Photos that a view needs: below it the rank-4 factorization has too little to go by."""

    def __post_init__(self) -> None:
        """Check what a type cannot say."""
        if not 1 <= self.count <= MOST:
            raise ValueError(f"cluster.count is {self.count}, but must be from 1 to {MOST}")
        if self.overlap < 0.0:
            raise ValueError(f"cluster.overlap is {self.overlap}, but must not be negative")
        levels = sorted([0.0, *self.elevations])
        apart = all(above - below >= 1.0 for below, above in pairwise(levels))
        if not apart or levels[0] < -80.0 or levels[-1] > 80.0:
            raise ValueError(
                f"elevations are {list(self.elevations)}, but must be a degree or more from 0 and "
                "from each other, and within +-80"
            )

    @property
    def centres(self) -> tuple[float, ...]:
        """Azimuths of the centres in degrees, in the order in which the head grows."""
        spacing = 180.0 / max(self.count - 1, 1)
        middle = (self.count - 1) / 2
        return tuple(sorted(((k - middle) * spacing for k in range(self.count)), key=_outward))

    def __call__(self, portraits: tuple[Portrait, ...]) -> tuple[View, ...]:
        """The views that have enough photos; the others are skipped with a line that says so."""
        azimuths = np.asarray([p.azimuth for p in portraits], dtype=float)
        elevations = np.asarray([p.elevation for p in portraits], dtype=float)
        near = self._near(azimuths)

        views = []
        for elevation in (0.0, *sorted(map(float, self.elevations), key=abs)):
            level = self._level(elevations, elevation)
            for column, centre in enumerate(self.centres):
                members = np.flatnonzero(near[:, column] & level)
                label = _label(centre, elevation)
                if len(members) < self.minimum:
                    if len(members) or not elevation:
                        log.warning(
                            "%s: skipped, %d photos but %d needed",
                            *(label, len(members), self.minimum),
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

    def _near(self, azimuths: Float[np.ndarray, " photo"]) -> Bool[np.ndarray, "photo centre"]:
        """Which photos belong to which azimuths."""
        distance = np.abs(azimuths[:, None] - np.asarray(self.centres)[None, :])
        nearest = distance.argmin(axis=1)[:, None] == np.arange(self.count)
        # The border between two centres is where both are equally far.
        past_border = (distance - distance.min(axis=1, keepdims=True)) / 2.0
        return (nearest | (past_border < self.overlap)) & (distance <= self.reach)

    def _level(
        self, elevations: Float[np.ndarray, " photo"], centre: float
    ) -> Bool[np.ndarray, " photo"]:
        """Which photos are tipped as those of a view at this elevation are."""
        if not centre:
            return np.abs(elevations) <= self.max_elevation
        levels = np.asarray([0.0, *self.elevations])
        nearest = levels[np.abs(elevations[:, None] - levels).argmin(axis=1)]
        return (nearest == centre) & (np.abs(elevations - centre) <= self.reach)


def _label(azimuth: float, elevation: float) -> str:
    """Name of a view by whole degrees: `view+30`, or `view+30down40` with the head bowed."""
    tipped = f"{'up' if elevation > 0 else 'down'}{abs(elevation):.0f}" if elevation else ""
    return f"view{azimuth:+03.0f}{tipped}"


def _outward(azimuth: float) -> tuple[float, float]:
    """Sorts from the front outward, image right before image left."""
    return abs(azimuth), -azimuth
