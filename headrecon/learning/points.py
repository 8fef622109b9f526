"""Teaching where the points of a face truly are, by what the detectors say about made-up people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from headrecon.geometry.surface import at
from headrecon.geometry.symmetry import mirror_partners
from headrecon.learning.by_person import made_by_person
from headrecon.photos.decode import decode
from headrecon.photos.find import FindFace
from headrecon.photos.head_points import WIDTHS, Hints, hints
from headrecon.photos.network import gamma_coded
from headrecon.photos.square import Square, sample
from headrecon.synthetic.chance import GOLDEN, Taking
from headrecon.synthetic.folder import PhotographSubject
from headrecon.synthetic.photograph import Shot
from headrecon.template.build import BuildTemplate
from headrecon.truth import LABELS
from headrecon.types import Photo, Rejection

_Example = dict[str, Any]
"""What is said, under `said`, and of the other fields of `PointExamples` one row each."""
CROP_SIDE = 2.3
"""Side of an example's picture, in sides of the face's box."""
_CROP = 128
"""Its side in pixels."""
_ROOM = 1000
"""Distance between the first photos of two people, so that they share none."""
_FAR = 2.0
"""Sides of the face's box beyond which fiducials belong to another face than the one found."""


@dataclass(frozen=True)
class PointExamples:
    """What is said about faces, and what is true; numbers in sides of the faces' boxes."""

    said: dict[str, Float[Tensor, "face number"]]
    """By the names of `headrecon.photos.head_points.WIDTHS`."""
    poses: Float[Tensor, "face angle=3"]
    """Azimuth, elevation and roll in degrees."""
    covers: Float[Tensor, "face cover=2"]
    """Whether there are glasses, and the share of the face before which there is something."""
    points: Float[Tensor, "face fiducial=468 xy=2"]
    visible: Bool[Tensor, "face fiducial=468"]
    crops: UInt8[Tensor, "face rgb=3 crop crop"]
    """sRGB, of a window of `CROP_SIDE` about the origin of the numbers; black outside the photo."""
    people: Int[Tensor, " face"]

    def chosen(self, which: Bool[Tensor, " face"] | Int[Tensor, " chosen"]) -> "PointExamples":
        """Some of them."""
        said = {name: numbers[which] for name, numbers in self.said.items()}
        rest = {f.name: getattr(self, f.name)[which] for f in fields(self) if f.name != "said"}
        return PointExamples(said, **rest)


@dataclass(frozen=True)
class MakePointExamples:
    """Photos of many people, each as it is and mirrored, as the detectors see them.

    Those of one person are in one file; a file that is there already is kept.
    """

    session: PhotographSubject
    find_face: FindFace
    people: int
    photos: int
    """Of each person."""
    reach: float
    """Heads are turned by up to so many degrees, by all azimuths equally often: where lessons have
    fewer, a network that is unsure turns heads away from there."""
    first_person: int
    """Seed of the first; those of the benchmark have smaller seeds."""

    def __call__(self, folder: Path, workers: int) -> PointExamples:
        """Make what is missing with so many processes, and read all."""
        return _joined(made_by_person(self._make, folder, self.people, workers))

    def _make(self, person: int, file: Path) -> None:
        """The examples of one person, as a file."""
        session = replace(self.session, identity=self.first_person + person)
        made = []
        for taking in self._takings(session, person):
            made += self._examples(session, taking)
        scratch = file.with_suffix(".part")
        torch.save([{**example, "people": torch.tensor(person)} for example in made], scratch)
        scratch.replace(file)

    def _takings(self, session: PhotographSubject, person: int) -> Iterator[Taking]:
        """Photos as chance has them but for their azimuths, which are spread over all people."""
        room = range(_ROOM * person, _ROOM * (person + 1))
        taken = (taking for taking in map(session.taking, room) if taking.identity >= 0)
        for number, taking in enumerate(islice(taken, self.photos)):
            azimuth = even_azimuth(person * self.photos + number, self.reach)
            yield replace(taking, pose=replace(taking.pose, azimuth=azimuth))

    def _examples(self, session: PhotographSubject, taking: Taking) -> Iterator[_Example]:
        """Of a photo and its mirror image, if a face is found where it is."""
        shot = session.photograph(taking)
        image = decode(Photo(taking.name, torch.from_numpy(shot.encoded)), 10**8)
        assert not isinstance(image, Rejection)
        pose = torch.tensor([taking.pose.azimuth, taking.pose.elevation, taking.pose.roll])
        template = BuildTemplate(size=1.0, people=2)()
        partner = mirror_partners(at(template.fiducials, template.faces, template.vertices))
        mirrored = torch.tensor([image.shape[-1], 0.0]) + shot.fiducials * torch.tensor([-1.0, 1.0])
        signs = torch.tensor([-1.0, 1.0, -1.0])
        covers = torch.tensor([float("glasses" in taking.occluder), _covered(shot)])
        for picture, turned, true, shown in (
            (image, pose, shot.fiducials, shot.visible),
            (image.flip(-1), signs * pose, mirrored[partner], shot.visible[partner]),
        ):
            faces = self.find_face(taking.name, picture)
            if isinstance(faces, Rejection):
                continue
            centre = true.mean(dim=0)
            face = min(faces, key=lambda f: float((torch.tensor([f.x, f.y]) - centre).norm()))
            seen = hints(picture, face)
            points = (true - seen.middle) / seen.side
            if points.abs().max() < _FAR:
                yield {
                    "said": {name: v.half() for name, v in seen.said.items()},
                    "poses": turned,
                    "covers": covers,
                    "points": points,
                    "visible": shown,
                    "crops": _crop(picture, seen),
                }


def even_azimuth(index: int, reach: float) -> float:
    """Degrees; those of successive indices fill +-reach more evenly than chance would."""
    return reach * (2.0 * ((0.5 + index * GOLDEN) % 1.0) - 1.0)


def apart(examples: PointExamples, people: int) -> tuple[PointExamples, PointExamples]:
    """The examples of all but the last people, and theirs."""
    last = examples.people > int(examples.people.max()) - people
    return examples.chosen(~last), examples.chosen(last)


def _crop(picture: Float[Tensor, "rgb=3 h w"], seen: Hints) -> UInt8[Tensor, "rgb=3 crop crop"]:
    x, y = seen.middle.tolist()
    window = Square(x, y, CROP_SIDE * seen.side, 0.0)
    crop = gamma_coded(sample(picture, window, _CROP)).clamp(0.0, 1.0)
    return (255.0 * crop).round().to(torch.uint8)


def _covered(shot: Shot) -> float:
    """Of the fiducials that the face turns to the camera, the share that something hides."""
    labels = torch.from_numpy(shot.picture.labels)
    column, row = shot.fiducials.floor().long().unbind(dim=1)
    within = (column >= 0) & (row >= 0) & (column < labels.shape[1]) & (row < labels.shape[0])
    before = labels[row[within], column[within]] == LABELS.index("occluder")
    hidden, seen = int(before.sum()), int(shot.visible[within].sum())
    return hidden / max(hidden + seen, 1)


def _joined(files: Sequence[list[_Example]]) -> PointExamples:
    rows = [row for file in files for row in file]
    names = [field.name for field in fields(PointExamples) if field.name != "said"]
    return PointExamples(
        {name: torch.stack([row["said"][name] for row in rows]).float() for name in WIDTHS},
        **{name: torch.stack([row[name] for row in rows]) for name in names},
    )
