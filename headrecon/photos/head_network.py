"""A network that says of each pixel around a face which part of a head it shows."""

import functools
from dataclasses import dataclass
from pathlib import Path

import segmentation_models_pytorch as smp
from jaxtyping import Float
from torch import Tensor, nn

from headrecon.photos.own_weights import read_weights
from headrecon.truth import LABELS

SIZE = 128
"""Side of the network's window in pixels."""
SIDE = 330.0
"""Side of the network's window in millimetres at the head."""
MIDDLE = (0.0, 5.0, 20.0)
"""Middle of a head in its frame, millimetres, which the network's window has in its middle."""
_UNIT = 100.0
"""Millimetres of a place that the network says 1 for."""


@dataclass(frozen=True)
class Seen:
    """What the pixels of windows show."""

    logits: Float[Tensor, "window label=7 h w"]
    """Of `headrecon.truth.LABELS`."""
    places: Float[Tensor, "window xyz=3 h w"]
    """Points of the mean head, millimetres."""


class HeadNetwork(nn.Module):
    """A small U-Net with two answers for each pixel: its label and its place on the mean head.

    Only the labels are used. Places are a second lesson: who knows where on a head a pixel is knows
    better what it shows.

    Reference: Guler, Neverova and Kokkinos, "DensePose: dense human pose estimation in the wild",
    CVPR 2018; Howard et al., "Searching for MobileNetV3", ICCV 2019.
    """

    def __init__(self) -> None:
        """Random weights."""
        super().__init__()
        self.unet = smp.Unet(
            "tu-mobilenetv3_small_100",
            encoder_weights=None,
            classes=len(LABELS) + 3,
            decoder_channels=(96, 64, 40, 24, 16),
        )

    def forward(self, images: Float[Tensor, "window rgb=3 h w"]) -> Seen:
        """Look at windows in sRGB, [0, 1]."""
        answer = self.unet(2.0 * images - 1.0)
        return Seen(answer[:, : len(LABELS)], _UNIT * answer[:, len(LABELS) :])


WEIGHTS = Path(__file__).with_name("head_network.safetensors")
"""Made by `python -m headrecon.learn network=parts`; the JSON file beside it says more."""


@functools.cache
def load_network(path: Path = WEIGHTS) -> HeadNetwork:
    """The network, ready to look; raises `ValueError` if its file is damaged."""
    network = HeadNetwork()
    network.load_state_dict(read_weights(path))
    return network.eval()
