"""Photos, who is on them, and which of them are kept."""

from dataclasses import dataclass

from jaxtyping import Bool, Float, UInt8
from torch import Tensor


@dataclass(frozen=True)
class Photo:
    """A picture as found: its name, which is its identity everywhere, and the bytes of its file."""

    name: str
    encoded: UInt8[Tensor, " byte"]


@dataclass(frozen=True)
class Video:
    """A film as found: its name and the bytes of its file."""

    name: str
    encoded: UInt8[Tensor, " byte"]


@dataclass(frozen=True)
class Rejection:
    """A photo that cannot be used, and why in one line."""

    name: str
    reason: str


@dataclass(frozen=True)
class Portrait:
    """What the detectors see in a photo, in pixels of a square crop around the head."""

    name: str
    image: Float[Tensor, "rgb=3 h w"]
    """Linear RGB in [0, 1]."""
    mask: Float[Tensor, "h w"]
    """Probability that the pixel shows the person; 0 outside the photo."""
    fiducials: Float[Tensor, "fiducial=468 xy=2"]
    """In the order of MediaPipe's face mesh; those that are hidden where they are expected."""
    visible: Bool[Tensor, " fiducial=468"]
    """Turned to the camera, and within the photo."""
    keypoints: Float[Tensor, "keypoint=6 xy=2"]
    """Eyes, nose tip, mouth and tragions of the face detector, image left before image right."""
    azimuth: float
    elevation: float
    roll: float
    deviation: Float[Tensor, "angle=3"]
    """Standard deviations of azimuth, elevation and roll, degrees."""
    face_score: float
    """Confidence of the face detector in [0, 1]."""
    face_size: float
    """Side of the face box in pixels of the photo as it was found."""
    corner: Float[Tensor, "xy=2"]
    """Where the crop's upper left corner is in the photo."""
    step: float
    """Photo pixels per pixel of the crop: photo_xy = corner + step * xy."""
    glasses: float
    """Probability that there are glasses or sunglasses."""
    covered: float
    """Share of the face before which there is something, glasses included."""
    light: float
    """Median luminance of the face, linear."""
    blown: float
    """Share of the face that is white, as what is overexposed is."""
    identity: Float[Tensor, "embedding=128"]
    """Whose face it is: those of one person are close to each other."""
    file_bytes: int
    """Length of the photo's file."""


@dataclass(frozen=True)
class Sighting:
    """All faces of a photo that could be its subject's, the strongest claim first."""

    name: str
    portraits: tuple[Portrait, ...]


@dataclass(frozen=True)
class Verdict:
    """Whether a photo is used, why not, and the scores behind it; NaN where nothing can be said."""

    name: str
    kept: bool
    reason: str
    """Empty if it is kept."""
    identity_distance: float
    """From the person whom most photos show."""
    sharpness: float
    """Mean gradient of the face per pixel of the portrait, relative to its mean light."""
    mouth_open: float
    """Gap between the lips, in widths of the mouth."""
    eyes_open: float
    """Gap between the lids, in widths of the eyes; of the eye that is more open."""
    glasses: float
    """Probability that there are any."""
    covered: float
    """Share of the face before which there is something."""
    light: float
    """Median luminance of the face, linear."""
    blown: float
    """Share of the face that is white."""


@dataclass(frozen=True)
class Collection:
    """One portrait of each photo that shows a face, and what was decided about it."""

    portraits: tuple[Portrait, ...]
    verdicts: tuple[Verdict, ...]
    """In the same order."""

    @property
    def kept(self) -> tuple[Portrait, ...]:
        """The portraits that the head is made of."""
        both = zip(self.portraits, self.verdicts, strict=True)
        return tuple(portrait for portrait, verdict in both if verdict.kept)
