"""The frames of a video; needs PyAV."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import av
import cv2
import numpy as np
from av.container import InputContainer
from jaxtyping import UInt8
from PIL import Image

from headrecon.types import Video

# Lists of files to play are formats as well, and would make the decoder open what they name.
_FORMATS = "mov,mp4,matroska,webm,avi,mpegts,mpeg"


@dataclass(frozen=True)
class Frame:
    """A frame as the decoder gives it, and its seconds since the first."""

    seconds: float
    picture: av.VideoFrame

    def sharpness(self) -> float:
        """Variance of the Laplacian, which motion and wrong focus lower."""
        return float(cv2.Laplacian(self.picture.to_ndarray(format="gray"), cv2.CV_32F).var())

    def jpeg(self, quality: int) -> UInt8[np.ndarray, " byte"]:
        """The frame as the bytes of a JPEG, turned as the camera was held."""
        quarters = round(self.picture.rotation / 90.0)
        upright = np.rot90(self.picture.to_ndarray(format="rgb24"), quarters)
        content = io.BytesIO()
        # Eyes and lips are small, so color keeps its resolution.
        Image.fromarray(upright).save(content, "JPEG", quality=quality, subsampling=0)
        return np.frombuffer(bytearray(content.getvalue()), dtype=np.uint8)


def frames_of(video: Video, step: float, most: int, max_pixels: int) -> Iterator[Frame]:
    """Frames `step` seconds apart, out of the first `most`.

    Raises what the decoder raises for a broken file, and `ValueError` for too many pixels.
    """
    encoded = io.BytesIO(video.encoded.numpy().data)
    with av.open(encoded, "r", options={"format_whitelist": _FORMATS}) as opened:
        assert isinstance(opened, InputContainer)
        stream = opened.streams.video[0]
        if stream.width * stream.height > max_pixels:
            raise ValueError(f"frames of more than {max_pixels} pixels")
        stream.thread_type = "AUTO"
        start, due = None, 0.0
        for picture in islice(opened.decode(stream), most):
            start = picture.time if start is None else start
            if start is None or picture.time is None or picture.time - start < due:
                continue
            seconds = picture.time - start
            due = max((seconds // step + 1.0) * step, seconds + step / 2.0)
            yield Frame(seconds, picture)
