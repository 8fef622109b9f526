"""Whose face it is, as a point among all faces."""

import functools
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.similarity import fit_similarity
from headrecon.photos.identity_network import IdentityNetwork, read_identity_network
from headrecon.photos.network import gamma_coded
from headrecon.photos.square import Square, sample
from headrecon.photos.weights import weights

_CORNERS = (33, 133, 362, 263, 2)
"""Of the mesh: the corners of the eyes from image left to right, and below the nose."""
_CHIP = 150
_PLACES = torch.tensor(
    [[0.2471, 0.3091], [0.3894, 0.3194], [0.5974, 0.3193], [0.7397, 0.3090], [0.4934, 0.5852]]
)
"""Where the network was taught to expect these points, in sides of its picture."""


@dataclass(frozen=True)
class Recognize:
    """A point of 128 dimensions; photos of one person are closer than about 0.55 to each other.

    The mean over the face and its mirror image, so that mirrored copies have the same point. It
    means little for faces that are turned by more than 60 degrees.

    Reference: He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016;
    the network is dlib's.
    """

    def __call__(
        self, image: Float[Tensor, "rgb=3 h w"], mesh: Float[Tensor, "468 xy=2"]
    ) -> Float[Tensor, "embedding=128"]:
        """Of the face whose points are given in pixels of the photo."""
        chip = _chip(image, mesh[list(_CORNERS)])
        levels = (255.0 * gamma_coded(chip)).round()
        with torch.inference_mode():
            return _network()(torch.stack([levels, levels.flip(-1)])).mean(dim=0).clone()


def _chip(
    image: Float[Tensor, "rgb=3 h w"], corners: Float[Tensor, "5 xy=2"]
) -> Float[Tensor, "rgb=3 size size"]:
    """The face, upright and of the size that the network knows."""
    matrix, shift = fit_similarity(corners, _CHIP * _PLACES, torch.ones(5), rounds=1)
    back = torch.linalg.inv(matrix)
    x, y = (back @ (torch.full((2,), _CHIP / 2) - shift)).tolist()
    side = _CHIP * math.sqrt(abs(float(torch.linalg.det(back))))
    angle = math.degrees(math.atan2(float(back[1, 0]), float(back[0, 0])))
    return sample(image, Square(x, y, side, angle), _CHIP)


@functools.cache
def _network() -> IdentityNetwork:
    return read_identity_network(weights("face_identity"))
