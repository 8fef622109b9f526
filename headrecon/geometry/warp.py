"""Sampling images at chosen positions, and along flows."""

from functools import lru_cache
from typing import no_type_check

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.camera import pixel_centres
from headrecon.geometry.constant import constant


def sample(
    images: Float[Tensor, "photo channel h w"], xy: Float[Tensor, "photo rows columns xy=2"]
) -> Float[Tensor, "photo channel rows columns"]:
    """The images at positions `xy`, bilinearly; positions outside repeat the border.

    Convention: pixel centres at half-integers, so position x of a row of w pixels lies at
    2 x / w - 1 of the normalized coordinates in which torch samples.
    """
    return _sampled(images, _normalized(xy, *images.shape[-2:]))


def warp(
    images: Float[Tensor, "photo channel h w"], flow: Float[Tensor, "photo xy=2 h w"]
) -> Float[Tensor, "photo channel h w"]:
    """warped(x) = image(x + flow(x)): the images with their content moved by -flow."""
    return _sampled(images, _places(flow).permute(0, 2, 3, 1))


def warp_within(
    images: Float[Tensor, "photo channel h w"], flow: Float[Tensor, "photo xy=2 h w"]
) -> tuple[Float[Tensor, "photo channel h w"], Bool[Tensor, "photo h w"]]:
    """The warped images, and where the flow stays within them."""
    places = _places(flow)
    x, y = places.abs().unbind(dim=1)
    return _sampled(images, places.permute(0, 2, 3, 1)), torch.maximum(x, y) <= 1.0


def _places(flow: Float[Tensor, "photo xy=2 h w"]) -> Float[Tensor, "photo xy=2 h w"]:
    """Where each pixel looks, in the coordinates in which torch samples: -1 to 1 is the image.

    As planes, which are added and sampled at more quickly than pairs of numbers.
    """
    height, width = flow.shape[-2:]
    grid = _normalized(pixel_centres(height, width, flow), height, width)
    scale = constant((2.0 / width, 2.0 / height), flow)[:, None, None]
    return torch.addcmul(grid.permute(2, 0, 1).contiguous(), flow, scale)


@no_type_check
def _normalized(xy: Float[Tensor, "*grid xy=2"], height: int, width: int) -> Tensor:
    """Positions in the coordinates in which torch samples."""
    return 2.0 * xy / constant((float(width), float(height)), xy) - 1.0


@no_type_check
def _sampled(
    images: Float[Tensor, "photo channel h w"], normalized: Float[Tensor, "photo rows columns xy=2"]
) -> Float[Tensor, "photo channel rows columns"]:
    return F.grid_sample(
        images, normalized, mode="bilinear", padding_mode="border", align_corners=False
    )


def inside(xy: Float[Tensor, "*grid xy=2"], height: int, width: int) -> Float[Tensor, "*grid"]:
    """1 where a position lies within the image, 0 outside."""
    x, y = xy.unbind(dim=-1)
    return ((x >= 0.0) & (x <= width) & (y >= 0.0) & (y <= height)).to(xy)


def gradient(
    images: Float[Tensor, "photo channel h w"],
) -> tuple[Float[Tensor, "photo channel h w"], Float[Tensor, "photo channel h w"]]:
    """Derivatives to the right and downwards, by central differences with repeated borders."""
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    right = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2.0
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2.0
    return right, down


def chained(
    first: Float[Tensor, "photo xy=2 h w"], then: Float[Tensor, "photo xy=2 h w"]
) -> Float[Tensor, "photo xy=2 h w"]:
    """The flow of both: warping along it is warping along `first`, and the result along `then`.

    flow(x) = then(x) + first(x + then(x))
    """
    return then + warp(first, then)


def normalized_locally(
    images: Float[Tensor, "photo h w"], weights: Float[Tensor, "photo h w"], side: int
) -> Float[Tensor, "photo h w"]:
    """Images without their local mean and, softly, without their local contrast.

        (I - mean) / (deviation + average deviation)

    over squares of `side` pixels, of which only what has a weight counts. What light changes
    slowly goes; noise on smooth skin is not stretched to features. 0 where nothing has a weight.
    """
    # One axis after the other: the pixels of a square that lie on the canvas are a rectangle.
    down, across = (_averaging(size, side // 2, images.device) for size in images.shape[1:])
    weighted = weights * images
    total = (down @ weights @ across.T).clamp_min(1e-3)
    local = (down @ weighted @ across.T) / total
    square = (down @ (weighted * images) @ across.T) / total
    deviation = (square - local.square()).clamp_min(0.0).sqrt()
    average = (weights * deviation).sum(dim=(1, 2)) / weights.sum(dim=(1, 2)).clamp_min(1e-6)
    return weights * (images - local) / (deviation + average[:, None, None] + 1e-6)


@lru_cache(maxsize=64)
def _averaging(size: int, reach: int, device: torch.device) -> Float[Tensor, "size size"]:
    """The matrix that averages the pixels up to `reach` to either side that lie on the canvas."""
    place = torch.arange(size, device=device)
    near = ((place[:, None] - place).abs() <= reach).float()
    return near / near.sum(dim=1, keepdim=True)


def shrunk(
    images: Float[Tensor, "photo height width"], size: tuple[int, int]
) -> Float[Tensor, "photo h w"]:
    """Area averages, which are exact for halves; the images themselves if that is their size."""
    if images.shape[-2:] == size:
        return images
    return F.adaptive_avg_pool2d(images, size)


def resize_flow(
    flow: Float[Tensor, "photo xy=2 height width"], size: tuple[int, int]
) -> Float[Tensor, "photo xy=2 h w"]:
    """The flow on another grid, in pixels of that grid."""
    height, width = flow.shape[-2:]
    if (height, width) == size:
        return flow
    resized = F.interpolate(flow, size=size, mode="bilinear", align_corners=False)
    return resized * constant((size[1] / width, size[0] / height), flow)[:, None, None]
