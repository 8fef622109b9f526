"""A network that says of each pixel around a face which part of a person it shows."""

import functools
from pathlib import Path

import segmentation_models_pytorch as smp
import torch
from jaxtyping import Float
from torch import Tensor, nn

from headrecon.own_weights import read_weights
from headrecon.truth import LABELS

SIZE = 128
"""Side of the network's window in pixels."""
BODY = ("face", "ears", "neck", "hair", "clothes")
"""The labels that are the person."""


class HeadNetwork(nn.Module):
    """A small U-Net that corrects a guess of where the person is, and says which parts it shows.

    With g the guessed probability and u the answer of the U-Net, which sees the picture and g,

        logits = u + w log(g / (1 - g)) [the label is of the person],   w learnt, 1 at first,

    so that what it does not know better stays as it was guessed, and edges keep their sharpness.

    Reference: Howard et al., "Searching for MobileNetV3", ICCV 2019, for the encoder.
    """

    def __init__(self) -> None:
        """Random weights."""
        super().__init__()
        self.unet = smp.Unet(
            "tu-mobilenetv3_small_100",
            encoder_weights=None,
            in_channels=4,
            classes=len(LABELS),
            decoder_channels=(96, 64, 40, 24, 16),
        )
        self.trust = nn.Parameter(torch.ones(()))

    def forward(
        self, images: Float[Tensor, "window rgb=3 h w"], guess: Float[Tensor, "window h w"]
    ) -> Float[Tensor, "window label=7 h w"]:
        """Logits of `headrecon.truth.LABELS`, from windows in sRGB, [0, 1], and the guesses."""
        seen = torch.cat([images, guess[:, None]], dim=1)
        person = images.new_tensor([name in BODY for name in LABELS])[:, None, None]
        return self.unet(2.0 * seen - 1.0) + self.trust * guess.logit(0.01)[:, None] * person


WEIGHTS = Path(__file__).with_name("head_network.safetensors")
"""Made by `python -m headrecon.learn network=parts`; the JSON file beside it says more."""


@functools.cache
def load_network(path: Path = WEIGHTS) -> HeadNetwork:
    """The network, ready to look; raises `ValueError` if its file is damaged."""
    network = HeadNetwork()
    network.load_state_dict(read_weights(path))
    # Convolutions are quicker with the channels of a pixel side by side.
    return network.eval().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
