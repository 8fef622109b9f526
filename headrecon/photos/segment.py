"""Which pixels show the person that a photo is about."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from headrecon.photos.faces import Face
from headrecon.photos.head_points import HeadPoints
from headrecon.photos.network import gamma_coded, run_network
from headrecon.photos.outline import along_edges
from headrecon.photos.square import Square, from_photo, sample

_SIDE = 256
# Painted frames are looked for on a grid of at most this many pixels a side.
_FRAME_SIDE = 512
# Pixels by which a frame of black is widened: there it is mixed with the photo.
_FRAME_RIM = 2
# Probability from which on a face is taken as seen.
_SURE = 0.5
# Pixels of the network by which a person is widened, so that the soft edge stays whole.
_PERSON_RIM = 4
_NEIGHBOURS = np.ones((3, 3), dtype=np.uint8)


@dataclass(frozen=True)
class Segment:
    """Probability that a pixel shows the person, hair and shoulders included.

    The network was made for video calls and knows people by head and shoulders, so its window is a
    multiple of the face's box that shows both; beyond the photo it is shown the photo's border,
    because next to black it finds nobody. It is asked twice, the second time with left and right
    exchanged, and again with other windows as long as it sees nobody where the face is. People who
    do not touch the face's owner are left out, and the outline is moved to where the colours
    change. The answer is 0 outside the photo, and in black areas that cling to the photo's border:
    a program painted those, no camera saw them.
    """

    contexts: Sequence[float]
    """Sides of the network's windows, in sides of the face's box, in the order of asking."""
    black: float
    """Linear value up to which all three colours count as painted black."""
    outline_side: int
    """Pixels to a side of the picture in which the outline is moved."""
    outline_trust: float
    """Weight of the moved outline against the network's, 0 to 1."""

    def __call__(
        self,
        image: Float[Tensor, "rgb=3 h w"],
        face: Face,
        head: HeadPoints,
        window: Square,
        size: int,
    ) -> Float[Tensor, "size size"]:
        """The person in a window of the photo, sampled at `size` x `size`."""
        del head  # The network finds the person by itself.
        real = photographed(image, self.black, window, size)
        return self.outlined(image, self.guess(image, face, window, size), real, window)

    def guess(
        self, image: Float[Tensor, "rgb=3 h w"], face: Face, window: Square, size: int
    ) -> Float[Tensor, "size size"]:
        """The network's answer, its owner's part of it, with the outline where it was."""
        people, seen = self._asked(image, face)
        owner = torch.from_numpy(_owner(people.numpy() > 0.5, _SIDE * face.side / seen.side))
        return sample((people * owner)[None], _in_window(window, seen), size)[0].clamp(0.0, 1.0)

    def outlined(
        self,
        image: Float[Tensor, "rgb=3 h w"],
        person: Float[Tensor, "size size"],
        real: Float[Tensor, "size size"],
        window: Square,
    ) -> Float[Tensor, "size size"]:
        """A person in a window with the outline at edges, and nothing but where `real` is 1."""
        rows, columns = _extent(real > 0.5)
        moved = person.clone()
        moved[rows, columns] = along_edges(
            sample(image, window, person.shape[-1])[:, rows, columns],
            person[rows, columns],
            self.outline_side,
            self.outline_trust,
        )
        return moved * real

    def _asked(
        self, image: Float[Tensor, "rgb=3 h w"], face: Face
    ) -> tuple[Float[Tensor, "size size"], Square]:
        """The answer that is surest of the face, or the first that is sure; and its window."""
        surest = -1.0
        people, seen = torch.zeros(_SIDE, _SIDE), Square(face.x, face.y, face.side, 0.0)
        for context in self.contexts:
            window = Square(face.x, face.y, context * face.side, 0.0)
            answer = _people(gamma_coded(sample(image, window, _SIDE, "border")))
            middle, reach = _SIDE // 2, round(_SIDE / context / 3)
            inner = slice(middle - reach, middle + reach)
            sure = float(answer[inner, inner].median())
            if sure > surest:
                people, seen, surest = answer, window, sure
            if sure > _SURE:
                break
        return people, seen


def _people(picture: Float[Tensor, "rgb=3 size size"]) -> Float[Tensor, "size size"]:
    """The network's mean answer to a picture and to its mirror image."""
    (answer,) = run_network("selfie_segmentation", picture)
    (mirrored,) = run_network("selfie_segmentation", picture.flip(-1))
    return 0.5 * (answer[0, :, :, 0] + mirrored[0, :, :, 0].flip(-1))


def _extent(mask: Bool[Tensor, "h w"]) -> tuple[slice, slice]:
    """The rows and the columns from the first to the last that the mask touches."""
    return _reach(mask.any(dim=1)), _reach(mask.any(dim=0))


def _reach(touched: Bool[Tensor, " line"]) -> slice:
    lines = touched.nonzero()
    return slice(int(lines[0]), int(lines[-1]) + 1) if len(lines) else slice(0, len(touched))


def photographed(
    image: Float[Tensor, "rgb=3 h w"], black: float, window: Square, size: int
) -> Float[Tensor, "size size"]:
    """1 where the window shows what a camera saw, 0 beyond the photo and in its frame."""
    height, width = image.shape[-2:]
    step = -(-max(height, width) // _FRAME_SIDE)
    dark = image[:, ::step, ::step].amax(0) <= black
    real = torch.from_numpy(~painted_frame(dark.cpu().numpy())).float()
    return sample(functional.interpolate(real[None, None], (height, width))[0], window, size)[0]


def painted_frame(dark: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The dark areas that cling to the border of the picture, and a narrow rim of them.

    Opening first cuts thin bridges from the frame to dark hair and clothes, and drops dark lines.
    """
    border = (dark[0], dark[-1], dark[:, 0], dark[:, -1])
    if not any(line.any() for line in border):
        return np.zeros_like(dark)
    margin = 3
    framed = np.pad(dark, margin, constant_values=True)
    opened = cv2.morphologyEx(framed.astype(np.uint8), cv2.MORPH_OPEN, _NEIGHBOURS)
    areas = _areas(np.pad(opened > 0, 1, constant_values=True))
    inner = slice(margin + 1, -margin - 1)
    frame = (areas == areas[0, 0])[inner, inner]
    return _widened(frame, _FRAME_RIM)


def _owner(
    people: Bool[np.ndarray, "size size"], face_side: float
) -> Bool[np.ndarray, "size size"]:
    """Surroundings of the person whose face fills the middle; everywhere if there is none."""
    areas = _areas(people)
    middle, reach = len(people) // 2, round(face_side / 3)
    inside = areas[middle - reach : middle + reach, middle - reach : middle + reach]
    votes = np.bincount(inside.ravel(), minlength=2)
    votes[0] = 0
    if not votes.any():
        return np.ones_like(people)
    return _widened(areas == votes.argmax(), _PERSON_RIM)


def _widened(mask: Bool[np.ndarray, "h w"], rim: int) -> Bool[np.ndarray, "h w"]:
    return cv2.dilate(mask.astype(np.uint8), _NEIGHBOURS, iterations=rim) > 0


def _areas(mask: Bool[np.ndarray, "h w"]) -> Int[np.ndarray, "h w"]:
    """Number of the connected area of each pixel, 0 outside the mask."""
    areas = np.zeros(mask.shape, dtype=np.int64)
    ndimage.label(mask, output=areas)
    return areas


def _in_window(window: Square, seen: Square) -> Square:
    """An upright window of the photo, in pixels of the network's picture."""
    centre = from_photo(torch.tensor([window.x, window.y]), seen, _SIDE)
    return Square(float(centre[0]), float(centre[1]), window.side * _SIDE / seen.side, 0.0)
