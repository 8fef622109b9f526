"""Which photos a head is made of, and why the others are not."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.color import luminance
from headrecon.geometry.warp import sample
from headrecon.photos.copies import Copies
from headrecon.types import Collection, Portrait, Sighting, Verdict

KEEP, DROP = "keep", "drop"
_ROUNDS = 5
_LIPS, _MOUTH = (13, 14), (78, 308)
_LIDS, _EYES = ((159, 145), (386, 374)), ((33, 133), (362, 263))
_SIDE = 96


@dataclass(frozen=True)
class Curate:
    """Stage: strangers, copies and photos of no use are left out, each with its reason.

    **Strangers.** The person is the one whom most photos show: the face with the most photos
    within `stranger` of it begins, and the mean of all that are as close is taken in turns. Of
    several faces in a photo the closest is the person's. Photos further away are of somebody else.
    Faces that are turned by more than `identity_azimuth` are not judged, because recognition fails
    from the side.

    **Copies.** Of photos that show the same picture one is kept.

    What the user has decided in `overrides` comes first and is not judged.
    """

    stranger: float
    """Distance between identities from which on a face is another's."""
    identity_azimuth: float
    """Degrees."""
    identity_minimum: int
    """Photos of one face that it takes to say who the person is."""
    min_shown: float
    """Share of the fiducials in sight that must lie on the person."""
    min_light: float
    """Smallest median luminance of the face, linear."""
    max_blown: float
    """Largest share of the face that may be clipped white."""
    min_sharpness: float
    """Of the face, in shares of the median over the photos."""
    max_deviation: float
    """Degrees by which the azimuth may be unsure."""
    max_covered: float
    """Share of the face that something may hide."""
    max_glasses: float
    """Probability of glasses from which on a photo is left out; 1 keeps all."""
    copies: Copies

    def __call__(self, sightings: tuple[Sighting, ...], overrides: Mapping[str, str]) -> Collection:
        """Choose a face in each photo, and decide."""
        person = self._person(sightings)
        portraits = tuple(self._chosen(sighting, person) for sighting in sightings)
        distances = [_distance(portrait, person) for portrait in portraits]
        sharp = [sharpness(portrait) for portrait in portraits]
        least = self.min_sharpness * _median(sharp)
        reasons = []
        for portrait, distance, edge in zip(portraits, distances, sharp, strict=True):
            judged = abs(portrait.azimuth) <= self.identity_azimuth
            reason = "blurred" if edge < least else ""
            reason = "too dark" if portrait.light < self.min_light else reason
            reason = "overexposed" if portrait.blown > self.max_blown else reason
            unsure, shown = float(portrait.deviation[0]), _shown(portrait)
            reason = "its pose is unsure" if unsure > self.max_deviation else reason
            reason = "wears glasses" if portrait.glasses > self.max_glasses else reason
            reason = "something hides the face" if portrait.covered > self.max_covered else reason
            reason = "nobody is where the face seems to be" if shown < self.min_shown else reason
            reason = "shows somebody else" if judged and distance > self.stranger else reason
            wish = overrides.get(portrait.name, "")
            reasons.append({KEEP: "", DROP: "dropped by overrides.csv"}.get(wish, reason))
        self._add_copies(portraits, overrides, reasons)
        verdicts = tuple(map(_verdict, portraits, reasons, distances, sharp))
        return Collection(portraits, verdicts)

    def _add_copies(
        self, portraits: tuple[Portrait, ...], overrides: Mapping[str, str], reasons: list[str]
    ) -> None:
        """Give copies of other kept photos a reason."""
        kept = [index for index, reason in enumerate(reasons) if not reason]
        for copy, original in self.copies([portraits[index] for index in kept]):
            if overrides.get(portraits[kept[copy]].name) != KEEP:
                name = portraits[kept[original]].name
                reasons[kept[copy]] = f"shows the same picture as {name}"

    def _person(self, sightings: tuple[Sighting, ...]) -> Float[Tensor, " embedding"]:
        """Whom most photos show; NaN if no face is found often enough."""
        faces = [
            portrait.identity
            for sighting in sightings
            for portrait in sighting.portraits
            if abs(portrait.azimuth) <= self.identity_azimuth
        ]
        if len(faces) < self.identity_minimum:
            return torch.full((128,), torch.nan)
        identities = torch.stack(faces)
        near = torch.cdist(identities, identities) < self.stranger
        member = near[int(near.sum(dim=1).argmax())]
        for _ in range(_ROUNDS):
            centre = identities[member].mean(dim=0)
            member = (identities - centre).norm(dim=1) < self.stranger
        enough = int(member.sum()) >= self.identity_minimum
        return identities[member].mean(dim=0) if enough else torch.full((128,), torch.nan)

    def _chosen(self, sighting: Sighting, person: Float[Tensor, " embedding"]) -> Portrait:
        """The person's face in a photo: the closest of them, or the strongest claim."""
        first, *others = sighting.portraits
        if not others or not bool(person.isfinite().all()):
            return first
        if _distance(first, person) <= self.stranger:
            return first
        best = min(sighting.portraits, key=lambda portrait: _distance(portrait, person))
        return best if _distance(best, person) <= self.stranger else first


def sharpness(portrait: Portrait) -> float:
    """Mean gradient of the face per pixel at a common size, relative to its mean light."""
    points = portrait.fiducials
    low, high = points.amin(dim=0).floor().long(), points.amax(dim=0).ceil().long()
    left, top = low.clamp_min(0).tolist()
    right, bottom = high.tolist()
    face = luminance(portrait.image[:, top:bottom, left:right])
    if min(face.shape) < 2:
        return 0.0
    grey = torch.nn.functional.interpolate(
        face[None, None], (_SIDE, _SIDE), mode="bilinear", antialias=True
    )[0, 0]
    gradient = (grey.diff(dim=0)[:, :-1].square() + grey.diff(dim=1)[:-1].square()).sqrt()
    return float(gradient.mean() / grey.mean().clamp_min(1e-4))


def _shown(portrait: Portrait) -> float:
    """Share of the fiducials in sight that lie on the person; 1 if none is in sight."""
    places = portrait.fiducials[portrait.visible]
    if not len(places):
        return 1.0
    on_person = sample(portrait.mask[None, None], places[None, None])[0, 0, 0] > 0.5
    return float(on_person.float().mean())


def _verdict(portrait: Portrait, reason: str, distance: float, edge: float) -> Verdict:
    points = portrait.fiducials
    eyes = [_gap(points, lids, corners) for lids, corners in zip(_LIDS, _EYES, strict=True)]
    return Verdict(
        name=portrait.name,
        kept=not reason,
        reason=reason,
        identity_distance=distance,
        sharpness=edge,
        mouth_open=_gap(points, _LIPS, _MOUTH),
        eyes_open=max(eyes),
        glasses=portrait.glasses,
        covered=portrait.covered,
        light=portrait.light,
        blown=portrait.blown,
    )


def _gap(points: Float[Tensor, "468 2"], across: tuple[int, int], along: tuple[int, int]) -> float:
    """Distance between two points, in distances between two others."""
    one, other = (float((points[i] - points[j]).norm()) for i, j in (across, along))
    return one / max(other, 1e-6)


def _distance(portrait: Portrait, person: Float[Tensor, " embedding"]) -> float:
    return float((portrait.identity - person).norm())


def _median(values: list[float]) -> float:
    return float(torch.tensor(values).median()) if values else 0.0
