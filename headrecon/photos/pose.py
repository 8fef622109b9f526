"""The pose of a head from points found in its photo."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.rotation import angles, view_from_head
from headrecon.geometry.surface import at
from headrecon.photos.weak_perspective import fit_view
from headrecon.types import SurfacePoints, Template

_STARTS = (-50.0, 50.0)


@dataclass(frozen=True)
class Pose:
    """Azimuth, elevation and roll in degrees."""

    azimuth: float
    elevation: float
    roll: float


@dataclass(frozen=True)
class Calibration:
    """What the key points say about a turned head, and what is true; the left side mirrors it.

    A detector has to put the points of the hidden side somewhere, and draws them towards the side
    that is seen: the head seems turned less than it is, and rolled.
    """

    seen: list[float]
    """Azimuths by the key points, rising from 0."""
    azimuth: list[float]
    """What they should have been."""
    roll: list[float]
    """Degrees of roll that are seen too much there."""

    def __call__(self, pose: Pose) -> Pose:
        """The corrected pose."""
        side, turned = float(np.sign(pose.azimuth)), abs(pose.azimuth)
        azimuth = side * float(np.interp(turned, self.seen, self.azimuth))
        excess = side * float(np.interp(turned, self.seen, self.roll))
        return Pose(azimuth, pose.elevation, pose.roll - excess)


@dataclass(frozen=True)
class EstimatePose:
    """The pose in which the template shows its marked points where the detectors found them.

    The 468 points of the mesh decide while the head is turned less than `mesh_until`. Further on
    they slide over the profile line, and from `keypoints_from` on the six key points of the face
    detector decide; in between the two answers are blended, so that no azimuth is left out.
    """

    mesh_until: float
    keypoints_from: float
    mesh_tolerance: float
    """Millimetres from which on the error of a point counts linearly instead of squared."""
    keypoint_tolerance: float
    calibration: Calibration

    def __call__(
        self,
        template: Template,
        mesh: Float[Tensor, "468 xy=2"],
        keypoints: Float[Tensor, "6 xy=2"],
    ) -> Pose:
        """Fit the template to points in pixels of the photo (y down)."""
        turned = _pose_of(template, template.keypoints, keypoints, _STARTS, self.keypoint_tolerance)
        aside = self.calibration(turned)
        share = np.interp(abs(aside.azimuth), [self.mesh_until, self.keypoints_from], [0.0, 1.0])
        if share == 1.0:
            return aside
        starts = (turned.azimuth,)
        front = _pose_of(template, template.fiducials, mesh, starts, self.mesh_tolerance)
        return _blend(front, aside, float(share))


def _pose_of(
    template: Template,
    marks: SurfacePoints,
    xy: Float[Tensor, "point xy=2"],
    starts: tuple[float, ...],
    tolerance: float,
) -> Pose:
    """The best of the fits that begin at the azimuths `starts`."""
    points = at(marks, template.faces, template.vertices).double().cpu().numpy()
    places = xy.double().cpu().numpy() * np.array([1.0, -1.0])
    guesses = [view_from_head(azimuth).double().numpy() for azimuth in starts]
    fits = [fit_view(points, places, guess, tolerance) for guess in guesses]
    best = min(fits, key=lambda fit: fit.cost)
    return Pose(*angles(torch.from_numpy(best.view_from_head)))


def _blend(one: Pose, other: Pose, share: float) -> Pose:
    """The pose that lies the given share of the way from the first to the second."""
    roll = (other.roll - one.roll + 180.0) % 360.0 - 180.0
    return Pose(
        one.azimuth + share * (other.azimuth - one.azimuth),
        one.elevation + share * (other.elevation - one.elevation),
        one.roll + share * roll,
    )
