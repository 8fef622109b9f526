"""What is known of made-up people and of photos of them, and of nobody else."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

PARTS = ("face", "ears", "neck", "hair", "top", "back")
"""Parts of a true head. They may overlap: the top may have hair."""
LABELS = ("background", "face", "ears", "neck", "hair", "clothes", "occluder")
"""What a pixel of a made-up photo shows."""
DIRT = ("wrong_person", "duplicate", "mirrored", "occluder", "second_face", "banner", "no_face")
"""What is wrong with a photo; more than one may be."""


@dataclass(frozen=True)
class Truth:
    """The head that photos were taken of, in its head frame, millimetres, expression neutral."""

    vertices: Float[Tensor, "vertex xyz=3"]
    """Of the outside: hair where there is hair."""
    faces: Int[Tensor, "face 3"]
    parts: Bool[Tensor, "vertex part=6"]
    """Which of `PARTS` each vertex belongs to."""
    albedo: Float[Tensor, "vertex rgb=3"]
    """Linear RGB."""
    seen: Int[Tensor, " vertex"]
    """Number of photos of this person that show the vertex."""
    landmarks: Float[Tensor, "landmark=68 xyz=3"]
    """iBUG-68 on the surface."""

    def part(self, name: str) -> Bool[Tensor, " vertex"]:
        """Vertices of one of `PARTS`, or of the whole `head`."""
        if name == "head":
            return torch.ones_like(self.seen, dtype=torch.bool)
        return self.parts[:, PARTS.index(name)]


@dataclass(frozen=True)
class Lens:
    """Perspective camera.

    With q = R p + t in the view frame, whose origin is the camera, a point p of the head frame is
    seen at

        x = principal_x - focal q_x / q_z,   y = principal_y + focal q_y / q_z

    and in front of the camera q_z is negative, since z points to the viewer.
    """

    view_from_head: Float[Tensor, "3 3"]
    translation: Float[Tensor, "xyz=3"]
    """Millimetres."""
    focal: float
    """Pixels."""
    principal: Float[Tensor, "xy=2"]
    height: int
    width: int


@dataclass(frozen=True)
class PhotoTruth:
    """What a found photo does not tell."""

    name: str
    identity: int
    """Seed of the person; -1 if the photo shows nobody."""
    dirt: tuple[str, ...]
    """Some of `DIRT`."""
    duplicate_of: str
    """Name of the photo that this one was made from; empty if it is its own."""
    azimuth: float
    """Of the head relative to the line of sight, as for `elevation` and `roll`; after mirroring."""
    elevation: float
    roll: float
    lens: Lens
    picture_from_lens: Float[Tensor, "2 3"]
    """[A b]: the photo's xy = A (the lens's xy) + b; not the identity for near-duplicates only."""
    expression: Float[Tensor, " action"]
    """Strength of each facial action of the head model."""
    style: int
    """Which of the subject's hair styles."""
    fiducials: Float[Tensor, "fiducial=468 xy=2"]
    """In the photo's pixels; in the order of the head as the photo shows it, mirrored or not."""
    visible: Bool[Tensor, " fiducial=468"]
    """In the picture, facing the camera, and hidden by nothing."""
