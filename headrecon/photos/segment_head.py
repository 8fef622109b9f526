"""Which pixels show a person, by what each of them shows."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from headrecon.photos.faces import Face
from headrecon.photos.head_network import SIZE, load_network
from headrecon.photos.head_points import HeadPoints
from headrecon.photos.network import gamma_coded
from headrecon.photos.segment import Segment, photographed
from headrecon.photos.square import Square, sample
from headrecon.truth import LABELS


@dataclass(frozen=True)
class SegmentHead:
    """Probability that a pixel shows one of some parts of the person.

    By a network that tells face, ears, neck, hair, clothes and what is in front of them apart, and
    that is told a first guess of where the person is. It was taught with made-up people only.
    """

    first: Segment
    """Who guesses, and moves the outline at the end."""
    parts: list[str]
    """Some of `headrecon.truth.LABELS`."""

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
        del head
        guess = self.first.guess(image, face, window, SIZE)
        real = photographed(image, self.first.black, window, size)
        guess = guess * _resized(real, SIZE)
        picture = gamma_coded(sample(image, window, SIZE).clamp(0.0, 1.0))
        with torch.inference_mode():
            labels = load_network()(picture[None], guess[None])[0].softmax(dim=0).clone()
        shown = labels[[LABELS.index(name) for name in self.parts]].sum(dim=0)
        return self.first.outlined(image, _resized(shown, size), real, window)


def _resized(values: Float[Tensor, "side side"], size: int) -> Float[Tensor, "size size"]:
    return functional.interpolate(values[None, None], (size, size), mode="bilinear")[0, 0]
