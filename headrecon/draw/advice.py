"""What a collection of photos lacks, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass

from headrecon.types import Portrait, View

_SPACING = 30
"""Degrees of azimuth between the places that are told apart."""
_PROFILE = 85.0
"""Degrees from which on a side is called a profile."""
_UPRIGHT, _BOWED = 30.0, -25.0
"""Elevations up to which a head is upright, and down to which it shows its top."""
_FRONT, _SIDE, _TOP = 30, 20, 15
"""Photos that are enough."""
_ROUND = 5
"""Advice is given in multiples of this."""


@dataclass(frozen=True)
class Advice:
    """How many photos there are of one side of the head, and about how many more would do."""

    place: str
    photos: int
    used: int
    """How many of them are in a view."""
    add: int
    """0 if there are enough."""

    def __str__(self) -> str:
        """The advice in a line."""
        count = f"{self.photos} photo{'' if self.photos == 1 else 's'}"
        unused = ", none of them in a view" if self.photos and not self.used else ""
        return f"{self.place}: {count}{unused}, {f'add about {self.add}' if self.add else 'enough'}"


def advise(portraits: Sequence[Portrait], views: Sequence[View]) -> tuple[Advice, ...]:
    """Advice for seven sides of the head, from its left profile to its right, and for its top.

    `portraits` are those that could be used; those in `views` are. The sides are the same for every
    number of views, since they are about the head and not about the method.
    """
    used = {name for view in views for name in view.names}
    upright = [p for p in portraits if abs(p.elevation) <= _UPRIGHT]
    given = []
    for azimuth in range(-90, 91, _SPACING):
        members = [p for p in upright if _nearest(p.azimuth) == azimuth]
        enough = _SIDE if azimuth else _FRONT
        given.append(_advice(side(float(azimuth)), members, used, enough))
    bowed = [p for p in portraits if p.elevation <= _BOWED]
    return (*given, _advice("top of the head, bowed or from above", bowed, used, _TOP))


def side(azimuth: float) -> str:
    """What a head turned so shows, in the person's own left and right.

    Convention: positive azimuth turns the nose to the image right. That is the person's left, so
    it is the right cheek and ear that are seen.
    """
    turned = round(abs(azimuth))
    if not turned:
        return "front"
    own = "right" if azimuth > 0 else "left"
    return f"{own} profile" if turned >= _PROFILE else f"{own} side at {turned} degrees"


def _nearest(azimuth: float) -> int:
    """The place that a photo belongs to; what is turned past a profile is still a profile."""
    return max(-90, min(90, round(azimuth / _SPACING) * _SPACING))


def _advice(place: str, members: Sequence[Portrait], used: set[str], enough: int) -> Advice:
    missing = max(enough - len(members), 0)
    in_view = sum(portrait.name in used for portrait in members)
    return Advice(place, len(members), in_view, round(missing / _ROUND) * _ROUND)
