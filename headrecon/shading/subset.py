"""Which photos each pixel believes: cast shadows, highlights and occluders fall out."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

_BLOCK = 1024
"""Pixels."""


@dataclass(frozen=True)
class Irls:
    """Weights of iteratively reweighted least squares after Geman and McClure.

        w = w_0 / (1 + (r / (c s))^2)^2

    with s the pixel's own scale, 1.48 times the median of |r|, which is the standard deviation
    under Gaussian noise, and never less than `floor`.

    Reference: Holland and Welsch, "Robust regression using iteratively reweighted least-squares",
    Communications in Statistics 1977.
    """

    cutoff: float
    """c, in standard deviations."""
    floor: float
    """In units of the average intensity of the face."""

    def __call__(
        self, residual: Float[Tensor, "photo pixel"], base: Float[Tensor, "photo pixel"]
    ) -> Float[Tensor, "photo pixel"]:
        """New weights; `base` holds what is known beforehand, such as the photos' masks."""
        # A few pixels at a time, so that what is in between stays in the cache.
        blocks = zip(residual.split(_BLOCK, dim=1), base.split(_BLOCK, dim=1), strict=True)
        return torch.cat([self._weights(*block) for block in blocks], dim=1)

    def _weights(
        self, residual: Float[Tensor, "photo pixel"], base: Float[Tensor, "photo pixel"]
    ) -> Float[Tensor, "photo pixel"]:
        scale = 1.4826 * _median(residual.abs().masked_fill(base <= 0.0, torch.inf))
        scale = self.cutoff * scale.clamp_min(self.floor)
        return base * (1.0 + (residual / scale).square()).square().reciprocal()


def _median(magnitude: Float[Tensor, "photo pixel"]) -> Float[Tensor, " pixel"]:
    """Median over the photos in which a pixel is known, that is finite; 0 if there is none.

    On the CPU numpy parts and sorts rows of single precision with vector instructions, several
    times faster than torch finds their medians.
    """
    known = magnitude.isfinite().sum(dim=0)
    middle = ((known - 1) // 2).clamp_min(0)
    if magnitude.is_cuda:
        ordered = magnitude.sort(dim=0).values
        found = ordered.gather(0, middle[None])[0]
    else:
        rows = magnitude.T.contiguous().detach().numpy()
        if int(known.min()) == len(magnitude):
            rows.partition(int(middle[0]), axis=1)
        else:
            rows.sort(axis=1)
        found = torch.from_numpy(np.take_along_axis(rows, middle.numpy()[:, None], axis=1)[:, 0])
    return torch.where(known > 0, found, torch.zeros_like(found))


@dataclass(frozen=True)
class Everything:
    """Believes every photo everywhere: plain least squares, an ablation."""

    def __call__(
        self, residual: Float[Tensor, "photo pixel"], base: Float[Tensor, "photo pixel"]
    ) -> Float[Tensor, "photo pixel"]:
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
        self, residual: Float[Tensor, "photo pixel"], base: Float[Tensor, "photo pixel"]
    ) -> Float[Tensor, "photo pixel"]:
        """New weights; `base` holds what is known beforehand, such as the photos' masks."""
        squared = (residual**2).masked_fill(base <= 0.0, torch.inf)
        total = (base * residual**2).sum(dim=0)
        even = total / base.sum(dim=0).clamp_min(1.0)
        least = squared.kthvalue(min(self.minimum, len(squared)), dim=0).values
        kept = squared <= torch.maximum(self.share * even, least)
        return base * kept.to(base)
