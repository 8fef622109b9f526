"""Smooth deformations of a head, for what no combination of other heads is."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.template.regions import REGIONS
from headrecon.types import Template

_PLACES = 700
"""Points, about, that the eigenfunctions are computed from."""


@dataclass(frozen=True)
class SmoothModes:
    """Directions in which skin moves smoothly, each as likely as a standard deviation.

    They are the strongest eigenfunctions of a Gaussian process of displacements whose covariance
    between the points x and y, the same along each axis, is

        deviation^2 exp(-|x - y|^2 / 2 length^2)

    The average head's points other than the scalp's sample it; elsewhere the eigenfunctions are
    continued (Nystrom), to nothing a few lengths away.

    Reference: Luthi, Gerig, Jud and Vetter, "Gaussian process morphable models", TPAMI 2018.
    """

    count: int
    """Of eigenfunctions; each is a direction along each of the axes. 0 for none."""
    length: float
    """Millimetres over which displacements are alike."""
    deviation: float
    """Millimetres along each axis."""

    def __call__(self, template: Template) -> Float[Tensor, "direction vertex xyz=3"]:
        """What one standard deviation of each direction does, in millimetres, strongest first."""
        if not self.count:
            return template.vertices[None][:0]
        bare = template.vertices[template.region != REGIONS.index("scalp")].double()
        places = bare[:: max(1, len(bare) // _PLACES)]
        values, axes = torch.linalg.eigh(self._alike(places, places))
        values, axes = values[-self.count :].flip(0), axes[:, -self.count :].flip(1)
        sizes = self._alike(template.vertices.double(), places) @ axes / values.sqrt()
        along = torch.einsum("vk,xy->kxvy", self.deviation * sizes, torch.eye(3).to(sizes))
        return along.flatten(0, 1).to(template.vertices)

    def _alike(
        self, some: Float[Tensor, "some xyz=3"], others: Float[Tensor, "other xyz=3"]
    ) -> Float[Tensor, "some other"]:
        """Correlation of the displacements of points."""
        return torch.exp(-0.5 * (torch.cdist(some, others) / self.length).square())
