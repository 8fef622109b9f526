"""The pose in which a head shows its fiducials where they are seen."""

from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation
from torch import Tensor

from headrecon.photos.head_points import Pose

_LOOSE = 0.03
"""Standard deviation of the fiducials, in sides of the face's box."""
_FREE = 3.0
"""So many fiducials of 468 are off independently of each other: the others go with them."""


def fit_pose(
    points: Float[Tensor, "fiducial xy=2"],
    head: Float[Tensor, "fiducial xyz=3"],
    side: float,
    vote: Pose,
    deviation: Pose,
) -> Pose:
    """Fit a head by weak perspective, near a pose that is known already as well as it is.

        min over R, s, t of  free / count * sum |s R x + t - p|^2 / loose^2
                             + sum over the angles of (angle - vote)^2 / deviation^2

    with s and t a scale and shift. `points` are in pixels, y down, `side` is the side of the face's
    box there, and `head` is of a head that is turned to the viewer, y up. What the vote goes by
    and what the points go by is the same picture, so the result is not surer than the vote.
    """
    seen = points.double().numpy() / side
    shape = (head - head.mean(dim=0)).double().numpy()
    angles = np.array([vote.azimuth, vote.elevation, vote.roll])
    spread = np.array([deviation.azimuth, deviation.elevation, deviation.roll])
    weight = np.sqrt(_FREE / len(shape)) / _LOOSE
    flat = _turned(shape, angles)
    off = seen - seen.mean(axis=0)
    scale = max(float((flat * off).sum() / np.square(flat).sum()), 1e-6)

    def residuals(unknown: NDArray[np.float64]) -> NDArray[np.float64]:
        there = np.exp(unknown[3]) * _turned(shape, unknown[:3]) + unknown[4:]
        return np.concatenate([weight * (there - seen).ravel(), (unknown[:3] - angles) / spread])

    start = np.concatenate([angles, [np.log(scale)], seen.mean(axis=0)])
    found: Any = least_squares(residuals, start, method="lm", x_scale=[1, 1, 1, 0.01, 0.01, 0.01])
    azimuth, elevation, roll = found.x[:3].tolist()
    return Pose((azimuth + 180.0) % 360.0 - 180.0, elevation, roll)


def _turned(
    shape: Float[np.ndarray, "fiducial xyz=3"], angles: Float[np.ndarray, "angle=3"]
) -> Float[np.ndarray, "fiducial xy=2"]:
    """As it is seen in this pose, y down."""
    azimuth, elevation, roll = angles
    rotation = Rotation.from_euler("ZXY", [roll, -elevation, azimuth], degrees=True)
    return rotation.apply(shape)[:, :2] * [1.0, -1.0]
