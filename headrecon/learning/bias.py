"""Measuring how detectors err about fiducials, however many photos of a person they see."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from headrecon.geometry.camera import project_through
from headrecon.geometry.similarity import fit_similarity
from headrecon.geometry.surface import at
from headrecon.geometry.symmetry import mirror_partners
from headrecon.learning.by_person import made_by_person
from headrecon.photos.detect import Detect
from headrecon.synthetic.chance import GOLDEN, Taking
from headrecon.synthetic.folder import PhotographSubject
from headrecon.template.build import BuildTemplate
from headrecon.template.fiducial_bias import FiducialBias
from headrecon.types import Photo, Sighting, Template

_ROOM = 1000
"""Distance between the first photos of two people, so that they share none."""
_OTHER = 0.3
"""Sides of the face's box beyond which the fiducials found are those of another face."""
_FEWEST_SHOWN, _FEWEST_PEOPLE = 100, 6
_LITTLE = 1e-3
"""Square millimetres of what people differ by, where there is next to nothing of it."""


@dataclass(frozen=True)
class BiasExamples:
    """Fiducials of photos beside those that the average head would have there.

    In millimetres of the canvas, y down, after the similarity that brings them onto the average
    head's; each photo is there with its mirror image.
    """

    true: Float[Tensor, "face fiducial=468 xy=2"]
    found: Float[Tensor, "face fiducial=468 xy=2"]
    shown: Bool[Tensor, "face fiducial=468"]
    azimuths: Float[Tensor, " face"]
    """Degrees."""
    people: Int[Tensor, " face"]

    def apart(self, people: int) -> "tuple[BiasExamples, BiasExamples]":
        """The examples of all but the last people, and theirs."""
        last = self.people >= self.people.max() + 1 - people
        one, other = ({k: v[part] for k, v in vars(self).items()} for part in (~last, last))
        return BiasExamples(**one), BiasExamples(**other)


@dataclass(frozen=True)
class MakeBiasExamples:
    """Photos of many people without expression, as the default's detectors see them.

    Those of one person are in one file; a file that is there already is kept.
    """

    session: PhotographSubject
    detect: Detect
    people: int
    photos: int
    """Of each person, by all azimuths alike."""
    reach: float
    """Largest azimuth, degrees."""
    first_person: int
    """Seed of the first; the networks have not been taught with any of them."""

    def __call__(self, folder: Path, workers: int) -> BiasExamples:
        """Make what is missing with so many processes, and read all."""
        parts = made_by_person(self._make, folder, self.people, workers)
        return BiasExamples(**{name: torch.cat([p[name] for p in parts]) for name in parts[0]})

    def _make(self, person: int, file: Path) -> None:
        """The examples of one person, as a file."""
        session = replace(self.session, identity=self.first_person + person)
        template = BuildTemplate(size=1.0, people=2)()
        marks = at(template.fiducials, template.faces, template.vertices)
        partner, flip = mirror_partners(marks), torch.tensor([-1.0, 1.0])
        rows: list[dict[str, Tensor]] = []
        for taking in self._takings(session, person):
            azimuth = torch.tensor(taking.pose.azimuth)
            for true, found, shown in self._looked(session, taking, template, marks):
                rows.append({"true": true, "found": found, "shown": shown, "azimuths": azimuth})
                true, found = ((flip * one)[partner] for one in (true, found))
                shown = shown[partner]
                rows.append({"true": true, "found": found, "shown": shown, "azimuths": -azimuth})
        if not rows:
            raise ValueError(f"no face of person {session.identity} is found in any photo")
        example = {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
        example["people"] = torch.full((len(rows),), person)
        scratch = file.with_suffix(".part")
        torch.save(example, scratch)
        scratch.replace(file)

    def _looked(
        self,
        session: PhotographSubject,
        taking: Taking,
        template: Template,
        marks: Float[Tensor, "fiducial=468 xyz=3"],
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Of the faces of a photo that are the person's: what is true, found and shown."""
        shot = session.photograph(taking)
        average = project_through(marks.double(), shot.lens)
        millimetre = shot.lens.focal / float(average[:, 2].mean())
        seen = self.detect(Photo(taking.name, torch.from_numpy(shot.encoded)), template)
        for portrait in seen.portraits if isinstance(seen, Sighting) else ():
            found = portrait.fiducials * portrait.step + portrait.corner
            shown = shot.visible & portrait.visible
            apart = (found - shot.fiducials).mean(dim=0).norm()
            if apart < _OTHER * portrait.face_size and int(shown.sum()) >= _FEWEST_SHOWN:
                there = average[:, :2].float()
                true, told = (
                    _onto(points, there, shown) / millimetre for points in (shot.fiducials, found)
                )
                yield true, told, shown

    def _takings(self, session: PhotographSubject, person: int) -> Iterator[Taking]:
        """Photos as chance has them, but for azimuths and expressions, and without strangers."""
        room = range(_ROOM * person, _ROOM * (person + 1))
        taken = (t for t in map(session.taking, room) if t.identity == session.identity)
        for number, taking in enumerate(islice(taken, self.photos)):
            # The golden ratio spreads them over all people.
            part = (GOLDEN * (person * self.photos + number)) % 1.0
            pose = replace(taking.pose, azimuth=self.reach * (2.0 * part - 1.0))
            still = tuple(0.0 for _ in taking.expression)
            yield replace(taking, pose=pose, expression=still, bystander=-1, age=0.0)


def _onto(
    points: Float[Tensor, "fiducial xy=2"],
    average: Float[Tensor, "fiducial xy=2"],
    shown: Bool[Tensor, " fiducial"],
) -> Float[Tensor, "fiducial xy=2"]:
    """From the average head's fiducials to points that are brought onto them."""
    matrix, shift = fit_similarity(points, average, shown.float(), rounds=1)
    return points @ matrix.T + shift - average


@dataclass(frozen=True)
class MeasureBias:
    """The regression of what is found on what is true, over people, at some azimuths.

        found = b + k true + noise

    from means over each person's photos, of which noise of single photos is gone. What people
    differ by is known exactly, so k is not drawn to nothing by it. Neighbours on the face have
    about the same k and the same deviation, which their sums of squares tell together.
    """

    azimuths: Sequence[float]
    """Degrees."""
    near: float
    """Degrees by which a photo may be turned from there."""
    spread: float
    """Standard deviation in millimetres of the neighbourhood on the face."""

    def __call__(self, examples: BiasExamples) -> FiducialBias:
        """Measure."""
        template = BuildTemplate(size=1.0, people=2)()
        marks = at(template.fiducials, template.faces, template.vertices)
        near = torch.exp(-0.5 * (torch.cdist(marks, marks) / self.spread).square())
        sides = [self._side(examples, azimuth, near) for azimuth in self.azimuths]
        offset, share, deviation = map(torch.stack, zip(*sides, strict=True))
        return FiducialBias(torch.tensor(list(self.azimuths)), offset, share, deviation)

    def _side(
        self,
        examples: BiasExamples,
        azimuth: float,
        near: Float[Tensor, "fiducial=468 fiducial=468"],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Offset, share and deviation."""
        true, found, known = self.by_person(examples, azimuth)
        people = known.sum(dim=0)
        mean_true, mean_found = (
            torch.where(known, x, 0.0).sum(dim=0) / people.clamp_min(1) for x in (true, found)
        )
        t = torch.where(known, true - mean_true, 0.0)
        f = torch.where(known, found - mean_found, 0.0)
        weight = near * (people[:, 0] >= _FEWEST_PEOPLE)
        share = weight @ (t * f).sum(dim=0) / (weight @ t.square().sum(dim=0) + _LITTLE)
        off = torch.where(known, f - share * t, 0.0).square().sum(dim=0)
        deviation = (weight @ off / (weight @ people.float()).clamp_min(1e-6)).sqrt()
        offset = torch.where(people >= _FEWEST_PEOPLE, mean_found - share * mean_true, 0.0)
        # Fiducials that nobody shows, nor their neighbours, say nothing.
        return offset, share, torch.where(deviation > 0.0, deviation, 100.0)

    def by_person(
        self, examples: BiasExamples, azimuth: float
    ) -> tuple[
        Float[Tensor, "person fiducial=468 xy=2"],
        Float[Tensor, "person fiducial=468 xy=2"],
        Bool[Tensor, "person fiducial=468 1"],
    ]:
        """What is true and what is found of each person there, and of which fiducials."""
        there = (examples.azimuths - azimuth).abs() < self.near
        true, found, known = [], [], []
        for person in examples.people[there].unique():
            of_person = there & (examples.people == person)
            shown = examples.shown[of_person][..., None].float()
            count = shown.sum(dim=0)
            true.append((shown * examples.true[of_person]).sum(dim=0) / count.clamp_min(1.0))
            found.append((shown * examples.found[of_person]).sum(dim=0) / count.clamp_min(1.0))
            known.append(count > 0)
        return torch.stack(true), torch.stack(found), torch.stack(known)


def examine_bias(
    bias: FiducialBias, measure: MeasureBias, examples: BiasExamples
) -> dict[str, float]:
    """By people on whom it was not measured: how far from what is found the truth is, in mm.

    Root mean squares, of fiducials as they are and as they are expected to be found, and the latter
    in claimed deviations, which should be 1.
    """
    scores = {}
    for side, azimuth in enumerate(measure.azimuths):
        true, found, known = measure.by_person(examples, azimuth)
        off = found - bias.offset[side] - bias.share[side] * true
        claimed = bias.deviation[side]

        def rms(x: Tensor, known: Tensor = known) -> float:
            return float(x[known.expand_as(x)].square().mean().sqrt())

        scores |= {
            f"raw_{azimuth:.0f}_mm": rms(found - true),
            f"expected_{azimuth:.0f}_mm": rms(off),
            f"expected_{azimuth:.0f}_deviations": rms(off / claimed),
        }
    return scores
