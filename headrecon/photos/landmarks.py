"""The 468 points of the face mesh.

Reference: Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs, Y. Kartynnik,
A. Ablavatski, I. Grishchenko, M. Grundmann, CVPR workshop 2019.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.photos.network import gamma_coded, look_inside
from headrecon.photos.square import Square, sample, to_photo

_SIDE = 192
# The network was trained on windows half as large again as the face, with level eyes.
_MARGIN = 1.5
_OUTER_EYE_CORNERS = (33, 263)


@dataclass(frozen=True)
class FaceMesh:
    """The points of a face, and what the network knows of it."""

    points: Float[Tensor, "468 xyz=3"]
    """In photo pixels; z grows towards the viewer, its origin is arbitrary."""
    confidence: float
    """That it is a face."""
    inside: Float[Tensor, "3 3 channel=128"]
    """What the network knows before it answers."""


def window_of_box(x: float, y: float, side: float, eyes: Float[Tensor, "2 xy=2"]) -> Square:
    """The window that the network wants, from the detector's box and eyes (image left first)."""
    return Square(x, y, _MARGIN * side, _angle(eyes))


def window_of_points(points: Float[Tensor, "468 xyz=3"]) -> Square:
    """The window that the network wants, from points that it has given before."""
    angle = _angle(points[list(_OUTER_EYE_CORNERS), :2])
    turn = math.radians(angle)
    axes = torch.tensor([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    level = points[:, :2] @ axes.T
    low, high = level.amin(0), level.amax(0)
    centre = (low + high) / 2 @ axes
    return Square(float(centre[0]), float(centre[1]), _MARGIN * float((high - low).max()), angle)


def face_mesh(image: Float[Tensor, "rgb=3 h w"], window: Square) -> FaceMesh:
    """The face in the window."""
    picture = gamma_coded(sample(image, window, _SIDE))
    (points, flag), inside = look_inside("face_landmark", picture)
    if points.numel() < flag.numel():
        points, flag = flag, points
    xyz = points.reshape(468, 3)
    # The network counts z away from the viewer.
    z = -xyz[:, 2:] * window.side / _SIDE
    confidence = float(flag.flatten()[0].sigmoid())
    return FaceMesh(
        torch.cat([to_photo(xyz[:, :2], window, _SIDE), z], dim=-1), confidence, inside[0]
    )


def _angle(eyes: Float[Tensor, "2 xy=2"]) -> float:
    """Degrees from the photo's x axis to the line from the first to the second eye."""
    along = eyes[1] - eyes[0]
    return math.degrees(math.atan2(float(along[1]), float(along[0])))
