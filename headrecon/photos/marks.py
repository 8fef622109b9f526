"""Where a face has its fiducials, from the front to profiles."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from headrecon.photos.faces import Face
from headrecon.photos.head_points import HeadPoints


@dataclass(frozen=True)
class MeshAndCorrection:
    """The 468 points of the face mesh while they are right, and the corrected ones beyond.

    The mesh is exact from the front; past about 65 degrees its points slide over the profile line.
    Between two azimuths the answers are blended.
    """

    mesh_until: float
    """Degrees of azimuth."""
    corrected_from: float

    def __call__(
        self, image: Float[Tensor, "rgb=3 h w"], face: Face, head: HeadPoints
    ) -> Float[Tensor, "fiducial=468 xy=2"]:
        """In pixels of the photo."""
        del image, face  # They have been looked at.
        bounds = [self.mesh_until, self.corrected_from]
        share = float(np.interp(abs(head.pose.azimuth), bounds, [0.0, 1.0]))
        return (1.0 - share) * head.mesh + share * head.corrected
