"""From a video to photos."""

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import UInt8

from headrecon.types import Photo, Rejection, Video

try:
    from headrecon.photos.frames import frames_of
except ImportError:
    frames_of = None

_STILL = re.compile(r"(.+)@\d+\.\d{3}s")


def film_of(name: str) -> str:
    """The video that the photo of that name is a frame of; empty if it is none."""
    found = _STILL.fullmatch(name)
    return found[1] if found else ""


@dataclass(frozen=True)
class Still:
    """A frame of a video."""

    seconds: float
    """Since the first frame."""
    sharpness: float
    encoded: UInt8[np.ndarray, " byte"]
    """Upright, as a JPEG."""


@dataclass(frozen=True)
class Excerpt:
    """Stage: the sharpest frame of each short window of a video, as photos.

    Of a long video the windows are lengthened, by joining neighbours, until there are few enough.
    """

    on_cpu: ClassVar = True
    step: float
    """Seconds between the frames that are looked at."""
    window: float
    """Seconds of which one frame is taken."""
    most: int
    """Photos out of one video."""
    most_frames: int
    """Frames that are decoded; what comes later in the video is not seen."""
    max_pixels: int
    """Videos of larger frames are refused."""
    quality: int
    """Of the JPEGs that the frames become, up to 100."""

    def __call__(self, video: Video) -> tuple[Photo | Rejection, ...]:
        """Frames, named as in `clip.mp4@0012.340s`, or why there are none."""
        if frames_of is None:
            return (Rejection(video.name, "a video, which needs: pip install av"),)
        length, best, fault = self.window, dict[int, Still](), "no frames"
        try:
            for frame in frames_of(video, self.step, self.most_frames, self.max_pixels):
                window, sharpness = int(frame.seconds // length), frame.sharpness()
                if window in best and sharpness <= best[window].sharpness:
                    continue
                best[window] = Still(frame.seconds, sharpness, frame.jpeg(self.quality))
                while len(best) > max(self.most, 1):
                    length *= 2.0
                    best = _joined(best)
        except Exception as error:
            # Broken files end in any way inside the decoders; what came before is good.
            fault = " ".join(str(error).split())
        if not best:
            return (Rejection(video.name, f"broken video ({fault})"),)
        return tuple(
            Photo(f"{video.name}@{still.seconds:08.3f}s", torch.from_numpy(still.encoded))
            for _, still in sorted(best.items())
        )


def _sharper(one: Still, other: Still) -> Still:
    """The sharper of two frames; the first, if they are equal."""
    return other if other.sharpness > one.sharpness else one


def _joined(best: dict[int, Still]) -> dict[int, Still]:
    """The same of windows that are twice as long."""
    joined: dict[int, Still] = {}
    for window in sorted(best):
        joined[window // 2] = _sharper(joined.get(window // 2, best[window]), best[window])
    return joined
