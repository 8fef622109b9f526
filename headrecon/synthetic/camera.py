"""Perspective cameras that see a head in a given pose at a given place of the picture."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from headrecon.geometry.rotation import view_from_head
from headrecon.synthetic.chance import Framing, Pose
from headrecon.truth import Lens

_HEAD = 225.0
"""Millimetres from chin to crown."""
_MIDDLE = np.array([0.0, 5.0, 20.0])
"""Middle of a head in its frame."""


def lens_for(pose: Pose, framing: Framing) -> Lens:
    """The camera that frames the head so.

    The pose is relative to the line of sight to the middle of the head, so that a head at the edge
    of the picture shows the side that its azimuth says.
    """
    size = np.array([framing.width, framing.height])
    focal = framing.share * framing.height * framing.distance / _HEAD
    offset = (np.array([framing.x, framing.y]) - 0.5) * size / focal
    sight = np.array([offset[0], -offset[1], -1.0])
    sight /= np.linalg.norm(sight)
    turned = Rotation.align_vectors(sight, [0.0, 0.0, -1.0])[0].as_matrix()
    rotation = turned @ view_from_head(pose.azimuth, pose.elevation, pose.roll).numpy()
    return Lens(
        view_from_head=torch.from_numpy(rotation).float(),
        translation=torch.from_numpy(framing.distance * sight - rotation @ _MIDDLE).float(),
        focal=float(focal),
        principal=torch.from_numpy(size / 2).float(),
        height=framing.height,
        width=framing.width,
    )
