"""Fiducials by the networks of the face-alignment package."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.interpolate import RBFInterpolator
from torch import Tensor

from headrecon.ibug68 import INNER, INNER_FROM_MESH
from headrecon.photos.faces import Face
from headrecon.photos.head_points import HeadPoints
from headrecon.photos.marks import MeshAndCorrection
from headrecon.photos.network import gamma_coded


@dataclass(frozen=True)
class FaceAlignmentMarks:
    """The 468 points, moved smoothly so that the inner 51 of iBUG's are where the network says.

    The weights, which the package downloads on first use to torch's folder of checkpoints, are for
    faces up to about 60 degrees; beyond `until` the points stay as they were.

    Reference: Bulat and Tzimiropoulos, "How far are we from solving the 2D & 3D face alignment
    problem?", ICCV 2017.
    """

    others: MeshAndCorrection
    """Where the points are that the network does not know."""
    until: float
    """Degrees of azimuth."""
    smoothing: float
    """How far the points may stay from what the network says; 0 is exact."""

    def __call__(
        self, image: Float[Tensor, "rgb=3 h w"], face: Face, head: HeadPoints
    ) -> Float[Tensor, "fiducial=468 xy=2"]:
        """In pixels of the photo."""
        points = self.others(image, face, head)
        if abs(head.pose.azimuth) > self.until:
            return points
        half = face.side / 2.0
        box = [face.x - half, face.y - half, face.x + half, face.y + half]
        levels = (255.0 * gamma_coded(image)).round().byte().movedim(0, -1).cpu().numpy()
        network = load_face_alignment(str(image.device))
        (found,) = network.get_landmarks_from_image(levels, detected_faces=[box])
        # Its pixels have their centres at whole numbers.
        marks = torch.from_numpy(np.asarray(found)[:, :2] + 0.5).to(points)
        return follow(points, marks, self.smoothing)


def follow(
    points: Float[Tensor, "fiducial=468 xy=2"],
    marks: Float[Tensor, "landmark=68 xy=2"],
    smoothing: float,
) -> Float[Tensor, "fiducial=468 xy=2"]:
    """The points after the smoothest motion that takes the inner iBUG points to the marks.

    Reference: Bookstein, "Principal warps: thin-plate splines and the decomposition of
    deformations", PAMI 1989.
    """
    anchors = points[list(INNER_FROM_MESH)]
    motion = RBFInterpolator(
        anchors.numpy(),
        (marks[INNER] - anchors).numpy(),
        kernel="thin_plate_spline",
        smoothing=smoothing,
    )
    return points + torch.from_numpy(motion(points.numpy())).to(points)


@functools.cache
def load_face_alignment(device: str) -> Any:
    """The package's network for points in the picture; it is given the boxes of faces."""
    import face_alignment

    return face_alignment.FaceAlignment(
        face_alignment.LandmarksType.TWO_D, device=device, face_detector="folder", compile=False
    )
