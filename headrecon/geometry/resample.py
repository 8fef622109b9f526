"""Photos on other canvases."""

import torch
from jaxtyping import Float
from kornia.filters import gaussian_blur2d
from torch import Tensor

from headrecon.geometry.camera import pixel_centres
from headrecon.geometry.warp import inside, sample
from headrecon.types import Camera, Portrait


def resampled(
    portrait: Portrait,
    matrix: Float[Tensor, "2 2"],
    translation: Float[Tensor, " 2"],
    camera: Camera,
) -> tuple[Float[Tensor, "3 h w"], Float[Tensor, "h w"]]:
    """The image and the mask of a portrait, moved by a similarity to the canvas of a camera.

    It is blurred first where the canvas is coarser than the photo.
    """
    canvas = pixel_centres(camera.height, camera.width, portrait.image)
    xy = (canvas - translation) @ torch.linalg.inv(matrix).T
    shrink = 1.0 / float(torch.linalg.det(matrix).abs().sqrt())
    layers = torch.cat([portrait.image, portrait.mask[None]])[None]
    if shrink > 1.0:
        # A Gaussian of half the ratio removes what the coarser grid cannot carry.
        sigma = 0.5 * (shrink**2 - 1.0) ** 0.5
        size = 2 * int(2.0 * sigma + 1.0) + 1
        layers = gaussian_blur2d(layers, (size, size), (sigma, sigma), border_type="replicate")
    moved = sample(layers, xy[None])[0]
    return moved[:3], moved[3] * inside(xy, *portrait.mask.shape)
