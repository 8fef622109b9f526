"""The pose of a head from points found in its photo."""

from dataclasses import dataclass

import numpy as np
import roma
import torch
from jaxtyping import Float
from scipy.optimize import least_squares
from torch import Tensor

from headrecon.geometry.rotation import angles
from headrecon.geometry.surface import at
from headrecon.types import Template


@dataclass(frozen=True)
class Pose:
    """Azimuth, elevation and roll in degrees."""

    azimuth: float
    elevation: float
    roll: float


@dataclass(frozen=True)
class EstimatePose:
    """The pose in which the template shows its marked points where the detectors found them.

        min over R, s, t of  sum_i  rho(|s P R X_i + t - x_i|),   P drops z,

    with rho the soft L1 loss, so that points on an open mouth do not tip the head. The 468 points of
    the mesh decide up to `mesh_limit`; further on they slide over the profile line, and the six key
    points of the face detector decide.
    """

    mesh_limit: float
    """Degrees of azimuth, by the key points, up to which the mesh is believed."""
    tolerance: float
    """Millimetres from which on a distance counts linearly instead of squared."""

    def __call__(
        self,
        template: Template,
        mesh: Float[Tensor, "468 xyz=3"],
        keypoints: Float[Tensor, "6 xy=2"],
    ) -> Pose:
        """Fit the template to points in pixels of the photo."""
        model = at(template.fiducials, template.faces, template.vertices).cpu()
        key_model = at(template.keypoints, template.faces, template.vertices).cpu()
        start = rotation_of_mesh(model, mesh)
        by_keypoints = fit_view(key_model, keypoints, start, self.tolerance)
        if abs(angles(by_keypoints)[0]) > self.mesh_limit:
            return Pose(*angles(by_keypoints))
        return Pose(*angles(fit_view(model, mesh[:, :2], start, self.tolerance)))


def rotation_of_mesh(
    model: Float[Tensor, "468 xyz=3"], mesh: Float[Tensor, "468 xyz=3"]
) -> Float[Tensor, "3 3"]:
    """Rotation `view_from_head` that brings the model onto the mesh, whose y points down."""
    seen = mesh * mesh.new_tensor([1.0, -1.0, 1.0])
    rotation, *_ = roma.rigid_points_registration(model, seen, compute_scaling=True)
    return rotation


def fit_view(
    model: Float[Tensor, "point xyz=3"],
    xy: Float[Tensor, "point xy=2"],
    start: Float[Tensor, "3 3"],
    tolerance: float,
) -> Float[Tensor, "3 3"]:
    """Rotation `view_from_head` in which the model's points are seen at `xy` (photo pixels).

    Distances are measured in the model's unit, which makes `tolerance` independent of the photo.
    """
    points = model.double().numpy()
    points = points - points.mean(0)
    seen = xy.double().numpy() * [1.0, -1.0]
    seen = seen - seen.mean(0)
    begin = start.double().numpy()
    flat = points @ begin[:2].T
    # Millimetres per pixel rather than the reverse, so that the residuals are in millimetres.
    scale = np.sqrt((flat**2).sum() / (seen**2).sum())

    def residuals(parameters: np.ndarray) -> np.ndarray:
        turn = roma.rotvec_to_rotmat(torch.from_numpy(parameters[:3])).numpy() @ begin
        shown = points @ turn[:2].T + parameters[4:]
        return ((shown - np.exp(parameters[3]) * seen) / _size(parameters[3], scale)).ravel()

    first = np.array([0.0, 0.0, 0.0, np.log(scale), 0.0, 0.0])
    fitted = least_squares(residuals, first, loss="soft_l1", f_scale=tolerance)
    turn = roma.rotvec_to_rotmat(torch.from_numpy(fitted.x[:3])).numpy() @ begin
    return torch.from_numpy(turn).float()


def _size(log_scale: float, reference: float) -> float:
    """Keeps the shrunken solution, in which nothing is seen anywhere, from being the best."""
    return float(np.exp(log_scale) / reference)
