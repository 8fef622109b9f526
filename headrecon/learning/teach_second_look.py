"""Teaching the second look with pictures of heads, and examining it on others."""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from headrecon.geometry.surface import at
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.learning.augment import Images, covered, developed, shone_through
from headrecon.learning.checkpoint import keep, restored
from headrecon.learning.points import CROP_SIDE, PointExamples
from headrecon.photos.second_look import SIDE_MM, SIZE, SecondLook, Seen, Windows, windows_on
from headrecon.template.build import BuildTemplate

logger = logging.getLogger(__name__)

_SCORED = list(IBUG68_FROM_MESH)[17:]
"""Brows, nose, eyes and mouth."""
_HEAD = 220.0
"""Height of a head, millimetres."""


@dataclass(frozen=True)
class TeachSecondLook:
    """Weights that tell pose and fiducials, found by gradient descent on their likelihood.

        loss = mean over angles of log s + (angle - true)^2 / 2 s^2
             + `points_weight` * mean of w |p - p_true|

    with s the deviation that the network claims and p places in its window. Large errors of an
    angle, beyond 4 s, count linearly. Windows are off at random, as much as what is known before
    the second look may be. What is kept is the running mean of the weights.

    Reference: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", SIAM
    J. Control 1992, for the running mean.
    """

    shapes: int
    """Components of the fiducials."""
    hidden: int
    dropout: float
    epochs: int
    batch: int
    rate: float
    """Largest step size; it rises over the first tenth of the steps and falls to nothing."""
    decay: float
    memory: float
    """Share of the running mean that is kept in each step."""
    shift: float
    """Standard deviation of the windows' places, in their sides."""
    zoom: float
    """Standard deviation of the logarithm of their sides."""
    roll: float
    """Standard deviation of their rolls, degrees."""
    wild: float
    """Share of the windows that are off 2.5 times as much."""
    points_weight: float
    """Of distances in sides of the window."""
    scored_weight: float
    """Of brows, nose, eyes and mouth beside other fiducials."""
    hidden_weight: float
    """Of fiducials that cannot be seen."""
    seed: int

    def __call__(self, examples: PointExamples, folder: Path) -> SecondLook:
        """Teach, or go on from the last epoch that is in `folder`."""
        torch.manual_seed(self.seed)
        generator = torch.Generator().manual_seed(self.seed)
        head = mean_head()
        windows = windows_on(examples.points, examples.poses, head)
        network = SecondLook(self.shapes, self.hidden, self.dropout).to(
            memory_format=torch.channels_last  # pyright: ignore[reportCallIssue]
        )
        self._set_shapes(network, self._moved(windows, generator).into(examples.points))
        optimizer = torch.optim.AdamW(network.parameters(), self.rate, weight_decay=self.decay)
        steps = self.epochs * (len(examples.poses) // self.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.rate, steps, pct_start=0.1)
        mean = AveragedModel(
            network, multi_avg_fn=get_ema_multi_avg_fn(self.memory), use_buffers=True
        )
        parts = {"network": network, "optimizer": optimizer, "schedule": schedule, "mean": mean}
        for epoch in range(restored(parts, folder), self.epochs):
            losses = []
            generator = torch.Generator().manual_seed(1000 * self.seed + epoch)
            for chosen in torch.randperm(len(examples.poses), generator=generator).split(
                self.batch
            ):
                if len(chosen) < self.batch:
                    continue
                near = Windows(
                    windows.middles[chosen], windows.sides[chosen], windows.rolls[chosen]
                )
                moved = self._moved(near, generator)
                pictures = varied(cut(examples.crops[chosen], moved), generator)
                loss = self._loss(network(pictures), examples.chosen(chosen), moved)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                mean.update_parameters(network)
                losses.append(loss.detach())
            about = float(torch.stack(losses).mean())
            logger.info("epoch %d of %d: loss %.4f", epoch + 1, self.epochs, about)
            keep(parts, epoch + 1, folder)
        network.load_state_dict(mean.module.state_dict())
        return network.eval()

    def _moved(self, windows: Windows, generator: torch.Generator) -> Windows:
        """The windows as they might be before the second look."""
        count = len(windows.sides)
        wild = torch.rand(count, generator=generator) < self.wild
        much = torch.where(wild, 2.5, 1.0)
        shift = self.shift * (much * windows.sides)[:, None]
        return Windows(
            windows.middles + shift * torch.randn(count, 2, generator=generator),
            windows.sides * torch.exp(self.zoom * much * torch.randn(count, generator=generator)),
            windows.rolls + self.roll * much * torch.randn(count, generator=generator),
        )

    def _set_shapes(
        self, network: SecondLook, places: Float[Tensor, "face fiducial=468 xy=2"]
    ) -> None:
        """The principal components of the fiducials; the first of them has a deviation of 2."""
        flat = places.flatten(1)
        mean = flat.mean(dim=0)
        _, sizes, rows = torch.linalg.svd(flat - mean, full_matrices=False)
        network.shape_mean.copy_(mean.unflatten(0, (-1, 2)))
        scale = sizes[0] / len(flat) ** 0.5 / 2
        network.shape_basis.copy_(scale * rows[: self.shapes].unflatten(1, (-1, 2)))

    def _loss(self, seen: Seen, true: PointExamples, windows: Windows) -> Float[Tensor, ""]:
        poses = true.poses.clone()
        poses[:, 2] -= windows.rolls
        off = (seen.angles - poses + 180.0) % 360.0 - 180.0
        share = off / seen.deviations
        of_pose = seen.deviations.log() + functional.huber_loss(
            share, torch.zeros_like(share), reduction="none", delta=4.0
        )
        length = (seen.direction.norm(dim=1) - 1.0).square()
        weight = torch.ones_like(true.points[..., 0])
        weight[:, _SCORED] = self.scored_weight
        weight = torch.where(true.visible, weight, self.hidden_weight * weight)
        # The root has no slope at 0.
        far = ((seen.points - windows.into(true.points)).square().sum(dim=2) + 1e-8).sqrt()
        of_points = ((weight * far).sum(dim=1) / weight.sum(dim=1)).mean()
        return of_pose.mean() + length.mean() + self.points_weight * of_points


def mean_head() -> Float[Tensor, "fiducial=468 xyz=3"]:
    """The fiducials of the head that windows are made with."""
    template = BuildTemplate(size=1.0, people=2)()
    return at(template.fiducials, template.faces, template.vertices)


def cut(
    crops: Float[Tensor, "face rgb=3 h w"] | Tensor, windows: Windows
) -> Float[Tensor, "face rgb=3 size size"]:
    """What windows show of the examples' pictures, 8 bit, as values in [0, 1]."""
    rolls = windows.rolls.deg2rad()
    size = windows.sides / CROP_SIDE
    cos, sin = size * rolls.cos(), size * rolls.sin()
    x, y = (2.0 / CROP_SIDE * windows.middles).unbind(dim=1)
    rows = torch.stack([torch.stack([cos, sin, x], -1), torch.stack([-sin, cos, y], -1)], 1)
    grid = functional.affine_grid(rows, [len(crops), 3, SIZE, SIZE], align_corners=False)
    return functional.grid_sample(crops.float() / 255.0, grid, align_corners=False)


def varied(pictures: Images, generator: torch.Generator) -> Images:
    """In other light and colour, covered in part, blurred, and noisy."""
    nothing = torch.zeros(len(pictures), SIZE, SIZE, dtype=torch.long)
    pictures, _ = covered(shone_through(pictures, generator), nothing, generator)
    return developed(pictures, generator)


def examine_second_look(network: SecondLook, examples: PointExamples) -> dict[str, float]:
    """Mean errors of poses in degrees, and of brows to mouth in shares of a head of 220 mm.

    The windows are off as in the lessons of nobody: they are the true ones, so this is what the
    last look can see.
    """
    head = mean_head()
    windows = windows_on(examples.points, examples.poses, head)
    with torch.inference_mode():
        seen = network(cut(examples.crops, windows))
    poses = examples.poses.clone()
    poses[:, 2] -= windows.rolls
    off = ((seen.angles - poses + 180.0) % 360.0 - 180.0).abs()
    far = (seen.points - windows.into(examples.points)).norm(dim=2)[:, _SCORED]
    shown = examples.visible[:, _SCORED].float()
    error = (far * shown).sum(dim=1) / shown.sum(dim=1).clamp_min(1.0)
    scores = {}
    for name, chosen in (
        ("within_60", examples.poses[:, 0].abs() <= 60.0),
        ("beyond_60", examples.poses[:, 0].abs() > 60.0),
    ):
        some = chosen & shown.any(dim=1)
        scores |= {
            f"azimuth_mae_{name}_degrees": float(off[chosen, 0].mean()),
            f"elevation_mae_{name}_degrees": float(off[chosen, 1].mean()),
            f"points_mean_{name}_share": SIDE_MM / _HEAD * float(error[some].mean()),
        }
    return scores
