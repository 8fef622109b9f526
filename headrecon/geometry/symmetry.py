"""Left and right of a symmetric set of points."""

import torch
from jaxtyping import Float, Int
from scipy.spatial import KDTree
from torch import Tensor

MIRRORED_KEYPOINTS = (1, 0, 2, 3, 5, 4)
"""Where the detector's key points are in a mirror image: eyes and tragions change places."""
MIRRORED = " (mirrored)"
"""Ends the name of a mirror image."""


def mirror_partners(points: Float[Tensor, "point xyz=3"]) -> Int[Tensor, " point"]:
    """For each point the one that is nearest to its mirror image in the plane x = 0.

    Points of a symmetric set are each other's partners; those in the middle are their own.
    """
    places = points.double().cpu().numpy()
    return torch.from_numpy(KDTree(places).query(places * [-1.0, 1.0, 1.0])[1])
