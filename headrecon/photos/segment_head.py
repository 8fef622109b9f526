"""Which pixels show a person's head, neck and shoulders, by what each of them shows."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from headrecon.photos.faces import Face
from headrecon.photos.head_network import SIZE, load_network
from headrecon.photos.head_points import HeadPoints
from headrecon.photos.network import gamma_coded
from headrecon.photos.segment import photographed
from headrecon.photos.square import Square, from_photo, sample
from headrecon.truth import LABELS

_SIDE, _LIFT, _BEHIND = 2.2, 0.08, 0.14
"""The network's window in sides of the face's box: its side, and where a head has its middle."""


@dataclass(frozen=True)
class SegmentHead:
    """Probability that a pixel shows one of some parts of the person.

    By a network that tells face, ears, neck, hair, clothes and what is in front of them apart. It
    was taught with made-up people only. Outside of its window there is nothing.
    """

    parts: list[str]
    """Some of `headrecon.truth.LABELS`."""
    black: float
    """Linear value up to which all three colours count as painted black."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a part that there is not."""
        unknown = set(self.parts) - set(LABELS)
        if unknown:
            raise ValueError(f"there is no part {', '.join(sorted(unknown))}: {', '.join(LABELS)}")

    def __call__(
        self,
        image: Float[Tensor, "rgb=3 h w"],
        face: Face,
        head: HeadPoints,
        window: Square,
        size: int,
    ) -> Float[Tensor, "size size"]:
        """The parts in a window of the photo, sampled at `size` x `size`."""
        own = head_window(face, head)
        with torch.inference_mode():
            seen = load_network()(gamma_coded(sample(image, own, SIZE))[None])
        labels = seen.logits[0].softmax(dim=0).clone()
        chosen = labels[[LABELS.index(name) for name in self.parts]].sum(dim=0)
        shown = seen_from(chosen, own, window, size)
        return (shown * photographed(image, self.black, window, size)).clamp(0.0, 1.0)


def head_window(face: Face, head: HeadPoints) -> Square:
    """The upright window with the head in its middle, as in the network's lessons."""
    angle = -math.radians(head.pose.roll)
    right = -_BEHIND * math.sin(math.radians(head.pose.azimuth)) * face.side
    up = _LIFT * face.side
    x = face.x + right * math.cos(angle) + up * math.sin(angle)
    y = face.y + right * math.sin(angle) - up * math.cos(angle)
    return Square(x, y, _SIDE * face.side, math.degrees(angle))


def seen_from(
    values: Float[Tensor, "h w"], own: Square, window: Square, size: int
) -> Float[Tensor, "size size"]:
    """Values of one window of a photo in another, upright one; 0 where the first does not reach."""
    grid = (torch.arange(size) + 0.5) * window.side / size - window.side / 2
    y, x = torch.meshgrid(grid + window.y, grid + window.x, indexing="ij")
    side = values.shape[-1]
    place = 2.0 * from_photo(torch.stack([x, y], dim=-1), own, side) / side - 1.0
    return functional.grid_sample(values[None, None], place[None], align_corners=False)[0, 0]
