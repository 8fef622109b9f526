"""Teaching where the points of a face truly are, by what the detectors say about made-up people."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from headrecon.geometry.surface import at
from headrecon.geometry.symmetry import mirror_partners
from headrecon.photos.decode import decode
from headrecon.photos.find import FindFace
from headrecon.photos.head_points import WIDTHS, PointsNetwork, decoded, hints
from headrecon.synthetic.chance import Taking
from headrecon.synthetic.folder import PhotographSubject
from headrecon.synthetic.photograph import Shot
from headrecon.template.build import BuildTemplate
from headrecon.truth import LABELS
from headrecon.types import Photo, Rejection

logger = logging.getLogger(__name__)
_Example = tuple[dict[str, Tensor], Tensor, Tensor, Tensor]
"""What is said, and pose, covers and points."""
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
    people: Int[Tensor, " face"]


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
    aside: float
    """Share of the photos in which heads are turned by more than 45 degrees."""
    first_person: int
    """Seed of the first; those of the benchmark have smaller seeds."""

    def __call__(self, folder: Path, workers: int) -> PointExamples:
        """Make what is missing with so many processes, and read all."""
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / f"person_{k:05d}.pt" for k in range(self.people)]
        missing = [k for k, file in enumerate(files) if not file.exists()]
        context = get_context("spawn")
        with ProcessPoolExecutor(workers, context, torch.set_num_threads, (1,)) as pool:
            made = [pool.submit(self._make, k, files[k]) for k in missing]
            for one in tqdm(made, "people", leave=False, disable=None):
                one.result()
        return _joined([torch.load(file, weights_only=True) for file in files])

    def _make(self, person: int, file: Path) -> None:
        """The examples of one person, as a file."""
        session = replace(self.session, identity=self.first_person + person)
        made = []
        for taking in self._takings(session, person):
            made += self._examples(session, taking)
        scratch = file.with_suffix(".part")
        torch.save([(*example, person) for example in made], scratch)
        scratch.replace(file)

    def _takings(self, session: PhotographSubject, person: int) -> Iterator[Taking]:
        """As many from the front and from the side as it should be."""
        missing = {True: round(self.aside * self.photos)}
        missing[False] = self.photos - missing[True]
        for index in range(_ROOM * person, _ROOM * (person + 1)):
            taking = session.taking(index)
            aside = abs(taking.pose.azimuth) > 45.0
            if taking.identity >= 0 and missing[aside]:
                missing[aside] -= 1
                yield taking
            if not any(missing.values()):
                break

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
        for picture, turned, true in (
            (image, pose, shot.fiducials),
            (image.flip(-1), signs * pose, mirrored[partner]),
        ):
            faces = self.find_face(taking.name, picture)
            if isinstance(faces, Rejection):
                continue
            centre = true.mean(dim=0)
            face = min(faces, key=lambda f: float((torch.tensor([f.x, f.y]) - centre).norm()))
            seen = hints(picture, face)
            points = (true - seen.middle) / seen.side
            if points.abs().max() < _FAR:
                said = {name: v.half() for name, v in seen.said.items()}
                yield said, turned, covers, points


@dataclass(frozen=True)
class TeachPoints:
    """A network that corrects points, by principal components and gradient descent.

        loss = sum over angles of log s + (angle - true)^2 / 2 s^2 + `points_weight` |c - c_true|

    with s the deviation that the network claims and c the components of the fiducials, and cross
    entropy for what covers the face. Large errors of an angle, beyond 4 s, count linearly.
    """

    kept: dict[str, int]
    """Components of each kind of hint."""
    shapes: int
    """Components of the fiducials."""
    hidden: int
    voters: int
    epochs: int
    batch: int
    rate: float
    decay: float
    noise: float
    """Added to the components, whose largest has a deviation of 3."""
    points_weight: float
    seed: int

    def __call__(self, examples: PointExamples) -> PointsNetwork:
        """Teach each voter by itself."""
        torch.manual_seed(self.seed)
        network = PointsNetwork(self.kept, self.shapes, self.hidden, self.voters)
        _reduce(network, examples)
        inputs = network.reduced(examples.said)
        flat = (examples.points - network.shape_mean).flatten(1)
        basis = network.shape_basis.flatten(1)
        targets = flat @ torch.linalg.pinv(basis)
        for number, voter in enumerate(network.voters):
            self._teach(voter, inputs, examples, targets)
            logger.info("voter %d of %d is taught", number + 1, self.voters)
        return network.eval()

    def _teach(
        self,
        voter: torch.nn.Module,
        inputs: Float[Tensor, "face component"],
        examples: PointExamples,
        targets: Float[Tensor, "face shape"],
    ) -> None:
        voter.train()
        optimizer = torch.optim.AdamW(voter.parameters(), self.rate, weight_decay=self.decay)
        steps = self.epochs * (len(inputs) // self.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.rate, steps)
        for _ in range(self.epochs):
            for chosen in torch.randperm(len(inputs)).split(self.batch):
                if len(chosen) < self.batch:
                    continue
                noise = self.noise * torch.randn(len(chosen), inputs.shape[1])
                true = examples.poses[chosen], examples.covers[chosen], targets[chosen]
                loss = self._loss(voter(inputs[chosen] + noise), *true)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        voter.eval()

    def _loss(
        self,
        votes: Float[Tensor, "face number"],
        poses: Float[Tensor, "face angle=3"],
        covers: Float[Tensor, "face cover=2"],
        targets: Float[Tensor, "face shape"],
    ) -> Float[Tensor, ""]:
        angles, log_deviations, logits, shape = decoded(votes)
        off = (angles - poses + 180.0) % 360.0 - 180.0
        share = off / log_deviations.exp()
        of_pose = log_deviations + functional.huber_loss(
            share, torch.zeros_like(share), reduction="none", delta=4.0
        )
        # The votes for sine and cosine keep their length, or the azimuth would lose its slope.
        length = (votes[:, :2].norm(dim=1) - 1.0).square()
        of_points = functional.smooth_l1_loss(shape, targets, beta=0.1)
        of_covers = functional.binary_cross_entropy_with_logits(logits, covers)
        return of_pose.mean() + length.mean() + of_covers + self.points_weight * of_points


def _reduce(network: PointsNetwork, examples: PointExamples) -> None:
    """Set the principal components of the hints and of the fiducials."""
    known = dict(network.named_buffers())
    for name in network.kinds:
        numbers = examples.said[name]
        mean, deviation = numbers.mean(dim=0), numbers.std(dim=0) + 1e-3
        _, sizes, rows = torch.linalg.svd((numbers - mean) / deviation, full_matrices=False)
        largest = sizes[0] / len(numbers) ** 0.5
        count = known[f"{name}_basis"].shape[1]
        basis = 3.0 * rows[:count].T / deviation[:, None] / largest
        known[f"{name}_mean"].copy_(mean)
        known[f"{name}_basis"].copy_(basis)
    flat = examples.points.flatten(1)
    _, sizes, rows = torch.linalg.svd(flat - flat.mean(dim=0), full_matrices=False)
    shapes = len(network.shape_basis)
    network.shape_mean.copy_(flat.mean(dim=0).unflatten(0, (-1, 2)))
    scale = sizes[0] / len(flat) ** 0.5
    network.shape_basis.copy_(scale * rows[:shapes].unflatten(1, (-1, 2)))


def examine_points(network: PointsNetwork, examples: PointExamples) -> dict[str, float]:
    """Mean errors of the azimuth in degrees and of the fiducials in sides of the box."""
    with torch.inference_mode():
        told = network(examples.said)
    off = ((told.angles - examples.poses + 180.0) % 360.0 - 180.0).abs()
    far = (told.points - examples.points).norm(dim=2).median(dim=1).values
    aside = examples.poses[:, 0].abs() > 60.0

    def about(name: str, chosen: Bool[Tensor, " face"]) -> dict[str, float]:
        return {
            f"azimuth_mae_{name}_degrees": float(off[chosen, 0].mean()),
            f"azimuth_p90_{name}_degrees": float(off[chosen, 0].quantile(0.9)),
            f"elevation_mae_{name}_degrees": float(off[chosen, 1].mean()),
            f"azimuth_error_over_deviation_{name}": float(
                (off / told.deviations)[chosen, 0].square().mean().sqrt()
            ),
            f"points_median_{name}_share": float(far[chosen].median()),
        }

    off_covered = (told.covers[:, 1] - examples.covers[:, 1]).abs()
    covers = {
        "glasses_right_share": float(
            ((told.covers[:, 0] > 0.5) == (examples.covers[:, 0] > 0.5)).float().mean()
        ),
        "covered_mae_share": float(off_covered.mean()),
    }
    return about("within_60", ~aside) | about("beyond_60", aside) | covers


def apart(examples: PointExamples, people: int) -> tuple[PointExamples, PointExamples]:
    """The examples of all but the last people, and theirs."""
    last = examples.people > int(examples.people.max()) - people
    return _chosen(examples, ~last), _chosen(examples, last)


def _chosen(examples: PointExamples, which: Bool[Tensor, " face"]) -> PointExamples:
    return PointExamples(
        {name: numbers[which] for name, numbers in examples.said.items()},
        examples.poses[which],
        examples.covers[which],
        examples.points[which],
        examples.people[which],
    )


def _covered(shot: Shot) -> float:
    """Of the fiducials that the face turns to the camera, the share that something hides."""
    labels = torch.from_numpy(shot.picture.labels)
    column, row = shot.fiducials.floor().long().unbind(dim=1)
    within = (column >= 0) & (row >= 0) & (column < labels.shape[1]) & (row < labels.shape[0])
    before = labels[row[within], column[within]] == LABELS.index("occluder")
    hidden, seen = int(before.sum()), int(shot.visible[within].sum())
    return hidden / max(hidden + seen, 1)


def _joined(
    files: Sequence[list[tuple[dict[str, Tensor], Tensor, Tensor, Tensor, int]]],
) -> PointExamples:
    rows = [row for file in files for row in file]
    said, poses, covers, points, people = zip(*rows, strict=True)
    return PointExamples(
        {name: torch.stack([one[name] for one in said]).float() for name in WIDTHS},
        torch.stack(poses),
        torch.stack(covers),
        torch.stack(points),
        torch.tensor(people),
    )
