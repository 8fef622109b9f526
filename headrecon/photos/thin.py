"""Of the frames of a video those that differ."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from headrecon.photos.excerpt import film_of
from headrecon.types import Collection, Portrait, Verdict


@dataclass(frozen=True)
class Thin:
    """Stage: of the frames of each video those whose pose is new; other photos are not judged.

    The sharpest frame is taken first, then in turns the frame whose gain is the largest: its
    distance, in azimuth and elevation, from the nearest that is taken. Frames of one pose are taken
    under one light, so further ones say little, while they would outvote the photos.
    """

    apart: float
    """Smallest gain in degrees for which a frame is taken."""
    most: int
    """Frames out of one video."""

    def __call__(self, collection: Collection, overrides: Mapping[str, str]) -> Collection:
        """Judge the frames that are kept so far, and that the user has not decided about."""
        films: dict[str, list[tuple[Portrait, Verdict]]] = {}
        for portrait, verdict in zip(collection.portraits, collection.verdicts, strict=True):
            film = film_of(portrait.name)
            if film and verdict.kept and portrait.name not in overrides:
                films.setdefault(film, []).append((portrait, verdict))
        reasons = {
            name: reason for film in films.values() for name, reason in self._judged(film).items()
        }
        verdicts = tuple(
            replace(verdict, kept=False, reason=reasons[verdict.name])
            if verdict.name in reasons
            else verdict
            for verdict in collection.verdicts
        )
        return Collection(collection.portraits, verdicts)

    def _judged(self, film: list[tuple[Portrait, Verdict]]) -> dict[str, str]:
        """Why frames of one video are left out."""
        waiting = {portrait.name: portrait for portrait, _ in film}
        taken = waiting.pop(max(film, key=lambda frame: frame[1].sharpness)[0].name)
        # The nearest frame that is taken, and how far away it is.
        nearest = {name: (_distance(one, taken), taken.name) for name, one in waiting.items()}
        for _ in range(self.most - 1):
            if not nearest or max(nearest.values())[0] < self.apart:
                break
            name = max(nearest, key=lambda name: nearest[name][0])
            taken = waiting[name]
            del nearest[name]
            for other in nearest:
                gain = (_distance(waiting[other], taken), name)
                nearest[other] = min(nearest[other], gain)
        return {name: f"its pose is that of {other}" for name, (_, other) in nearest.items()}


def _distance(one: Portrait, other: Portrait) -> float:
    return math.hypot(one.azimuth - other.azimuth, one.elevation - other.elevation)
