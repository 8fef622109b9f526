"""The pose in which a head shows its fiducials where they are seen."""

from typing import Any

import numpy as np
import torch
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

    with s and t a scale and shift, of which the best t is known: it moves mean to mean. Without it
    the first sum is one of squares of linear combinations of [x, p], so the triangle of its QR
    factorization stands for all points. `points` are in pixels, y down, `side` is the side of the
    face's box there, and `head` is of a head that is turned to the viewer, y up. What the vote goes
    by and what the points go by is the same picture, so the result is not surer than the vote.
    """
    both = torch.cat([head, points * points.new_tensor([1.0, -1.0]) / side], dim=1).double()
    triangle = torch.linalg.qr(both - both.mean(dim=0), mode="r").R.numpy()
    shape, seen = triangle[:, :3], triangle[:, 3:]
    angles = np.array([vote.azimuth, vote.elevation, vote.roll])
    spread = np.array([deviation.azimuth, deviation.elevation, deviation.roll])
    weight = np.sqrt(_FREE / len(both)) / _LOOSE
    flat = _turned(shape, angles)
    scale = max(float((flat * seen).sum() / np.square(flat).sum()), 1e-6)

    def residuals(unknown: NDArray[np.float64]) -> NDArray[np.float64]:
        off = np.exp(unknown[3]) * _turned(shape, unknown[:3]) - seen
        return np.concatenate([weight * off.ravel(), (unknown[:3] - angles) / spread])

    start = [*angles, np.log(scale)]
    found: Any = least_squares(residuals, start, method="lm", x_scale=[1.0, 1.0, 1.0, 0.01])
    azimuth, elevation, roll = found.x[:3].tolist()
    return Pose((azimuth + 180.0) % 360.0 - 180.0, elevation, roll)


def _turned(
    shape: Float[np.ndarray, "fiducial xyz=3"], angles: Float[np.ndarray, "angle=3"]
) -> Float[np.ndarray, "fiducial xy=2"]:
    """As it is seen in this pose, y up."""
    azimuth, elevation, roll = angles
    rotation = Rotation.from_euler("ZXY", [roll, -elevation, azimuth], degrees=True)
    return rotation.apply(shape)[:, :2]
