"""Teaching the points network with examples, and examining it on others."""

import logging
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from headrecon.learning.points import PointExamples
from headrecon.photos.head_points import PointsNetwork, decoded

logger = logging.getLogger(__name__)


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
