"""Which photos each pixel believes: cast shadows, highlights and occluders fall out."""

from dataclasses import dataclass
from typing import no_type_check

import torch
from jaxtyping import Float
from torch import Tensor

_SAMPLE = 200
"""Photos from which on a pixel's scale is that of a sample, whose deviation is 8 % with so many."""


@dataclass(frozen=True)
class Irls:
    """Weights of iteratively reweighted least squares after Geman and McClure.

        w = w_0 / (1 + (r / (c s))^2)^2

    with s the pixel's own scale, 1.48 times the median of |r|, which is the standard deviation
    under Gaussian noise, and never less than `floor`. On the CPU, where many photos all know a
    pixel, every second or third or so of them gives s, and never less than 200. What is brighter
    than the model may be given a smaller c of its own: highlights and glare add light, and nothing
    but shadows takes it.

    Reference: Holland and Welsch, "Robust regression using iteratively reweighted least-squares",
    Communications in Statistics 1977.
    """

    cutoff: float
    """c, in standard deviations."""
    bright_cutoff: float
    """c of photos that are brighter than the model says."""
    floor: float
    """In units of the average intensity of the face."""

    def __call__(
        self, residual: Float[Tensor, "pixel photo"], base: Float[Tensor, "pixel photo"]
    ) -> Float[Tensor, "pixel photo"]:
        """New weights; `base` holds what is known beforehand, such as the photos' masks.

        Everything is done in place, because what is in between would leave the cache: the weights
        may be where the residual was.
        """
        scale = 1.4826 * _median(residual, base)
        inverse = 1.0 / (self.cutoff * scale.clamp_min(self.floor))
        off = residual.mul_(inverse[:, None])
        if self.bright_cutoff != self.cutoff:
            off = torch.where(off > 0.0, off * (self.cutoff / self.bright_cutoff), off)
        off = torch.addcmul(off.new_ones(()), off, off, out=off)
        return torch.div(base, off.square_(), out=off)


@no_type_check
def _median(
    residual: Float[Tensor, "pixel photo"], base: Float[Tensor, "pixel photo"]
) -> Float[Tensor, " pixel"]:
    """Median of |r| over the photos that know a pixel; 0 if there is none.

    On the CPU numpy sorts rows of single precision with vector instructions, several times faster
    than torch finds their medians, and than numpy parts so short ones.
    """
    if residual.device.type == "cpu" and float(base.amin()) > 0.0:
        sample = residual[:, :: max(1, residual.shape[1] // _SAMPLE)].abs()
        middle = (sample.shape[1] - 1) // 2
        sample.numpy().sort(axis=1)
        return sample[:, middle].clone()
    unknown = base <= 0.0
    known = (~unknown).sum(dim=1)
    magnitude = residual.abs().masked_fill_(unknown, torch.inf)
    if magnitude.device.type == "cpu":
        magnitude.numpy().sort(axis=1)
    else:
        magnitude = magnitude.sort(dim=1).values
    middle = ((known - 1) // 2).clamp_min(0)[:, None]
    found = magnitude.gather(1, middle)[:, 0]
    return torch.where(known > 0, found, torch.zeros_like(found))


@dataclass(frozen=True)
class Everything:
    """Believes every photo everywhere: plain least squares, an ablation."""

    def __call__(
        self, residual: Float[Tensor, "pixel photo"], base: Float[Tensor, "pixel photo"]
    ) -> Float[Tensor, "pixel photo"]:
        """What is known beforehand, and no more."""
        return base


@dataclass(frozen=True)
class SmallResiduals:
    """1 for the photos whose share of the pixel's squared residual is small, 0 for the others.

    The paper's own rule: squared residuals are normalized to a sum of 1 over the photos and those
    below `share` times the even share 1/n are kept, but never fewer than `minimum`.

    Reference: Kemelmacher-Shlizerman and Seitz, "Face Reconstruction in the Wild", ICCV 2011.
    """

    share: float
    minimum: int

    def __call__(
        self, residual: Float[Tensor, "pixel photo"], base: Float[Tensor, "pixel photo"]
    ) -> Float[Tensor, "pixel photo"]:
        """New weights; `base` holds what is known beforehand, such as the photos' masks."""
        squared = residual.square().masked_fill(base <= 0.0, torch.inf)
        total = (base * residual.square()).sum(dim=1)
        even = total / base.sum(dim=1).clamp_min(1.0)
        least = squared.kthvalue(min(self.minimum, squared.shape[1]), dim=1).values
        kept = squared <= torch.maximum(self.share * even, least)[:, None]
        return base * kept.to(base)
