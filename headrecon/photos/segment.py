"""Which pixels show a person."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from headrecon.photos.faces import Face
from headrecon.photos.network import gamma_coded, run_network
from headrecon.photos.square import Square, from_photo, sample

_SIDE = 256
# The frame of a photo is looked for on a grid of at most this many pixels a side.
_FRAME_SIDE = 512


@dataclass(frozen=True)
class Segment:
    """Probability that a pixel shows the person, hair and shoulders included.

    The network was made for video calls and knows people by head and shoulders, so its window is a
    multiple of the face's box that shows both. It is 0 outside the photo and in the black areas that
    cling to the photo's border: those were painted by a program, not seen by a camera.
    """

    context: float
    """Side of the network's window, in sides of the face's box."""
    black: float
    """Linear value up to which all three colours count as painted black."""

    def __call__(
        self, image: Float[Tensor, "rgb=3 h w"], face: Face, window: Square, size: int
    ) -> Float[Tensor, "size size"]:
        """The person in a window of the photo, sampled at `size` x `size`."""
        seen = Square(face.x, face.y, self.context * face.side, 0.0)
        (answer,) = run_network("selfie_segmentation", gamma_coded(sample(image, seen, _SIDE)))
        person = _move(answer[0].movedim(-1, 0), seen, window, size)
        return (person * self._photographed(image, window, size)).clamp(0.0, 1.0)

    def _photographed(self, image: Tensor, window: Square, size: int) -> Tensor:
        """Where the window shows what a camera saw: 1 there, 0 beyond the photo and in its frame."""
        height, width = image.shape[-2:]
        step = -(-max(height, width) // _FRAME_SIDE)
        coarse = image[:, ::step, ::step].amax(0) > self.black
        real = torch.from_numpy(~_clinging(~coarse.cpu().numpy())).float()[None, None]
        return sample(functional.interpolate(real, (height, width))[0], window, size)[0]


def _clinging(dark: np.ndarray) -> np.ndarray:
    """The dark areas that touch the border and are more than specks, with a rim of one pixel.

    Opening first cuts the thin bridges to dark hair and clothes; the rim is where the frame and the
    photo are mixed.
    """
    kernel = np.ones((3, 3), dtype=bool)
    framed = np.pad(dark, 1, constant_values=True)
    areas, _ = ndimage.label(ndimage.binary_opening(framed, kernel, border_value=1))
    frame = areas == areas[0, 0]
    return ndimage.binary_dilation(frame, kernel, iterations=2)[1:-1, 1:-1] & _wide(frame)


def _wide(frame: np.ndarray) -> np.ndarray:
    """Everywhere if the frame reaches into the photo, nowhere if the photo has none."""
    reach = frame[1:-1, 1:-1].any()
    return np.full((frame.shape[0] - 2, frame.shape[1] - 2), reach)


def _move(mask: Tensor, seen: Square, window: Square, size: int) -> Tensor:
    """A mask of one upright square, sampled in another."""
    centre = from_photo(torch.tensor([window.x, window.y]), seen, _SIDE)
    side = window.side * _SIDE / seen.side
    return sample(mask, Square(float(centre[0]), float(centre[1]), side, 0.0), size)[0]
