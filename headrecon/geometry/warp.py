"""Sampling images at chosen positions, and along flows."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.camera import pixel_centres


def sample(
    images: Float[Tensor, "photo channel h w"], xy: Float[Tensor, "photo rows columns xy=2"]
) -> Float[Tensor, "photo channel rows columns"]:
    """The images at positions `xy`, bilinearly; positions outside repeat the border.

    Convention: pixel centres at half-integers, so position x of a row of w pixels lies at
    2 x / w - 1 of the normalized coordinates in which torch samples.
    """
    height, width = images.shape[-2:]
    normalized = 2.0 * xy / xy.new_tensor([width, height]) - 1.0
    return F.grid_sample(
        images, normalized, mode="bilinear", padding_mode="border", align_corners=False
    )


def warp(
    images: Float[Tensor, "photo channel h w"], flow: Float[Tensor, "photo xy=2 h w"]
) -> Float[Tensor, "photo channel h w"]:
    """warped(x) = image(x + flow(x)): the images with their content moved by -flow."""
    grid = pixel_centres(*images.shape[-2:]).to(images)
    return sample(images, grid + flow.permute(0, 2, 3, 1))


def inside(xy: Float[Tensor, "*grid xy=2"], height: int, width: int) -> Float[Tensor, "*grid"]:
    """1 where a position lies within the image, 0 outside."""
    size = xy.new_tensor([width, height])
    return ((xy >= 0.0) & (xy <= size)).all(dim=-1).to(xy)


def gradient(
    images: Float[Tensor, "photo channel h w"],
) -> tuple[Float[Tensor, "photo channel h w"], Float[Tensor, "photo channel h w"]]:
    """Derivatives to the right and downwards, by central differences with repeated borders."""
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    right = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2.0
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2.0
    return right, down


def resize_flow(
    flow: Float[Tensor, "photo xy=2 height width"], size: tuple[int, int]
) -> Float[Tensor, "photo xy=2 h w"]:
    """The flow on another grid, in pixels of that grid."""
    height, width = flow.shape[-2:]
    if (height, width) == size:
        return flow
    resized = F.interpolate(flow, size=size, mode="bilinear", align_corners=False)
    return resized * flow.new_tensor([size[1] / width, size[0] / height])[:, None, None]
