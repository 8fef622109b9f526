"""Photos that a head is not made of, so that it can be judged by them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from headrecon.photos.gather import Pile
from headrecon.types import Photo, Rejection, Video

HELD_OUT = "held out, to judge the head by"


def is_held_out(photo: Photo | Video, share: float) -> bool:
    """Whether a photo is among a share of all photos that is chosen by their contents.

    So it is the same photos however they are called and wherever they lie, and those of a smaller
    share are among those of a larger one. Frames of a video stay together.
    """
    digest = hashlib.sha256(photo.encoded.numpy().tobytes()).digest()
    return int.from_bytes(digest[-8:], "big") < share * 2**64


@dataclass(frozen=True)
class Split:
    """One side of a pile: all but the photos that are held out, or nothing but them."""

    pile: Pile
    share: float
    """Of the photos that are held out, 0 to 1."""
    held_out: bool
    """Which side it is."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a share that is none."""
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"the share of photos to hold out is {self.share}, not 0 to 1")

    def __len__(self) -> int:
        """The number of files of both sides."""
        return len(self.pile)

    def __iter__(self) -> Iterator[Photo | Video | Rejection]:
        """One after the other; a photo of the other side is there as a rejection."""
        for photo in self.pile:
            if isinstance(photo, Rejection) or is_held_out(photo, self.share) == self.held_out:
                yield photo
            else:
                yield Rejection(photo.name, HELD_OUT)
