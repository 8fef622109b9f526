"""How far the detectors' networks draw fiducials to those of the average head."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from headrecon.own_weights import read_weights

WEIGHTS = Path(__file__).with_name("fiducial_bias.safetensors")
"""Made by `python -m headrecon.learn network=bias`; the JSON file beside it says more."""


@dataclass(frozen=True)
class Bias:
    """What is found of fiducials in photos of one person from one side, on average.

        p - m = b + k (x - m),   up to a deviation s

    with p where a fiducial is found, x where the head has it and m where the average head has it,
    once both are brought onto m by scale and shift. A network that is unsure answers with what is
    likely, so k is less than 1; averaged over any number of photos it stays so.
    """

    offset: Float[Tensor, "fiducial=468 xy=2"]
    """b, millimetres, y down."""
    share: Float[Tensor, "fiducial=468 xy=2"]
    """k."""
    deviation: Float[Tensor, "fiducial=468 xy=2"]
    """s, millimetres, of person and view; that of a single photo is larger."""

    @classmethod
    def none(cls, deviation: float) -> "Bias":
        """Of fiducials that are right up to a deviation."""
        nothing = torch.zeros(468, 2)
        return cls(nothing, nothing + 1.0, nothing + deviation)

    def to(self, device: torch.device) -> "Bias":
        """The same there."""
        return Bias(self.offset.to(device), self.share.to(device), self.deviation.to(device))


@dataclass(frozen=True)
class FiducialBias:
    """The bias by azimuth, linear between those at which it was measured."""

    azimuths: Float[Tensor, " side"]
    """Degrees, rising from 0; from the other side it is the mirror image."""
    offset: Float[Tensor, "side fiducial=468 xy=2"]
    share: Float[Tensor, "side fiducial=468 xy=2"]
    deviation: Float[Tensor, "side fiducial=468 xy=2"]

    def seen_from(self, azimuth: float, partner: Int[Tensor, " fiducial=468"]) -> Bias:
        """The bias of a view; `partner` is what each fiducial becomes in the mirror."""
        known = self.azimuths.tolist()
        turned = min(abs(azimuth), known[-1])
        after = max(1, next(k for k, there in enumerate(known) if there >= turned))
        part = (turned - known[after - 1]) / (known[after] - known[after - 1])
        offset, share, deviation = (
            torch.lerp(of_side[after - 1], of_side[after], part)
            for of_side in (self.offset, self.share, self.deviation)
        )
        if azimuth >= 0.0:
            return Bias(offset, share, deviation)
        mirrored = offset * offset.new_tensor([-1.0, 1.0])
        return Bias(mirrored[partner], share[partner], deviation[partner])

    def state(self) -> Mapping[str, Tensor]:
        """By the names of the fields, as it is kept."""
        return dict(vars(self))


@functools.cache
def fiducial_bias(path: Path = WEIGHTS) -> FiducialBias:
    """As it was measured; raises `ValueError` if its file is damaged."""
    return FiducialBias(**read_weights(path))
