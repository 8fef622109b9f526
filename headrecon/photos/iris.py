"""How wide irises are in a portrait.

Reference: "Real-time Pupil Tracking from Monocular Video for Digital Puppetry", A. Ablavatski,
A. Vakunov, I. Grishchenko, K. Raveendran, M. Zhdanovich, CVPR workshop 2020.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.photos.network import gamma_coded, run_network
from headrecon.photos.square import Square, sample
from headrecon.types import Portrait

_SIDE = 64
_MARGIN = 2.3
"""Side of the network's window in widths of the eye between its corners."""
_CORNERS = ((33, 133), (362, 263))
"""Fiducials at the image-left and image-right corner of either eye."""
_RIGHT, _LEFT = 1, 3
"""Of the network's five points of an iris: where its outline crosses the line of the corners."""


@dataclass(frozen=True)
class MeasureIrises:
    """The width of both irises, between the points of the outline to either side of the pupil.

    The lids hide the upper and the lower edge; the width is what physicians measure, too.
    """

    def __call__(self, portrait: Portrait) -> Float[Tensor, "eye=2"]:
        """Pixels of the portrait, the image-left eye before the other."""
        return torch.stack([_width(portrait, index) for index in range(2)])


def _width(portrait: Portrait, index: int) -> Float[Tensor, ""]:
    one, other = portrait.fiducials[list(_CORNERS[index])].cpu().double()
    middle, (across, down) = (one + other) / 2.0, other - one
    size = float(torch.hypot(across, down)) * _MARGIN
    angle = float(torch.rad2deg(torch.atan2(down, across)))
    window = Square(float(middle[0]), float(middle[1]), max(size, 1e-3), angle)
    picture = gamma_coded(sample(portrait.image.cpu(), window, _SIDE))
    # The network knows eyes whose outer corner is to the image left; the other is mirrored.
    outputs = run_network("iris_landmark", picture.flip(-1) if index else picture)
    iris = min(outputs, key=torch.numel).reshape(5, 3)[:, :2]
    return (iris[_RIGHT] - iris[_LEFT]).norm() * window.side / _SIDE
