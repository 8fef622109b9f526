"""Where the photos of a collection were taken from, as a map around the head."""

import io
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes
from PIL import Image

from headrecon.types import Portrait

_FARTHEST = 105
"""Degrees of azimuth at the ends of the map."""
_BELOW = 50.0
"""Degrees of elevation at its rim."""
_RINGS = {-60.0: "60° above", -30.0: "30°", 0.0: "level", 30.0: "30° below"}
_KEPT, _DROPPED = "#1f77b4", "#d95f02"


def coverage(kept: Sequence[Portrait], dropped: Sequence[Portrait]) -> Image.Image:
    """The cameras around the head, seen from above: a dot for each photo in a view, a cross else.

    The person looks down the page, so cameras that see the right cheek stand to the left. Straight
    above the head is the centre of the map, and level with it the ring called so.
    """
    figure = Figure(figsize=(5.0, 5.0))
    axes = figure.add_subplot(projection="polar")
    assert isinstance(axes, PolarAxes)
    axes.set_theta_zero_location("S")
    axes.set_theta_direction(-1)
    axes.set_thetamin(-_FARTHEST)
    axes.set_thetamax(_FARTHEST)
    axes.set_ylim(0.0, 90.0 + _BELOW)
    directions = range(-90, 91, 30)
    axes.set_xticks(np.radians(list(directions)), [_direction(a) for a in directions])
    axes.set_yticks([90.0 + elevation for elevation in _RINGS], list(_RINGS.values()))
    axes.set_rlabel_position(-_FARTHEST)
    axes.tick_params(labelsize=10)
    axes.tick_params("y", labelsize=8, labelcolor="0.4")
    axes.grid(color="0.88")
    for portraits, marker, color, label in (
        (dropped, "x", _DROPPED, f"{len(dropped)} left out"),
        (kept, "o", _KEPT, f"{len(kept)} in a view"),
    ):
        angles, radii = _positions(portraits)
        axes.plot(angles, radii, marker, color=color, markersize=5.0, alpha=0.7, label=label)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, -0.04), ncols=2, frameon=False)
    return _picture(figure)


def _positions(portraits: Iterable[Portrait]) -> tuple[list[float], list[float]]:
    """Angles in radians and distances from the centre of the map, kept inside of it."""
    where = [(portrait.azimuth, portrait.elevation) for portrait in portraits]
    azimuths = np.clip([azimuth for azimuth, _ in where], -_FARTHEST, _FARTHEST)
    radii = np.clip([90.0 + elevation for _, elevation in where], 0.0, 90.0 + _BELOW)
    return np.radians(azimuths).tolist(), radii.tolist()


def _direction(azimuth: int) -> str:
    if abs(azimuth) == 90:
        return "right\nprofile" if azimuth > 0 else "left\nprofile"
    return f"{azimuth:+d}°" if azimuth else "front"


def _picture(figure: Figure) -> Image.Image:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, bbox_inches="tight")
    return Image.open(buffer).convert("RGB")
