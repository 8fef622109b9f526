"""Square windows on a photo, at any place, size and angle."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Square:
    """A square of a photo, in its pixels; it may reach beyond the photo."""

    x: float
    y: float
    """The centre."""
    side: float
    angle: float
    """Degrees from the photo's x axis (right) to the square's, positive towards y (down)."""


def whole(image: Float[Tensor, "rgb=3 h w"]) -> Square:
    """The smallest upright square around the whole photo."""
    height, width = image.shape[-2:]
    return Square(width / 2, height / 2, float(max(height, width)), 0.0)


def to_photo(
    points: Float[Tensor, "*points xy=2"], square: Square, size: int
) -> Float[Tensor, "*points xy=2"]:
    """Photo pixels of points given in pixels of the square sampled at `size` x `size`."""
    (x_to_x, x_to_y), (y_to_x, y_to_y) = (square.side / size * _axes(square)).tolist()
    x, y = (points - size / 2).unbind(-1)
    return torch.stack(
        [square.x + x_to_x * x + y_to_x * y, square.y + x_to_y * x + y_to_y * y], dim=-1
    )


def from_photo(
    points: Float[Tensor, "*points xy=2"], square: Square, size: int
) -> Float[Tensor, "*points xy=2"]:
    """The inverse of `to_photo`: pixels of the square, from pixels of the photo."""
    scale = size / square.side
    centred = (points - points.new_tensor([square.x, square.y])) * scale
    return centred @ _axes(square).to(points).T + size / 2


def sample(
    image: Float[Tensor, "channel h w"],
    square: Square,
    size: int,
    beyond: Literal["zeros", "border"] = "zeros",
) -> Float[Tensor, "channel size size"]:
    """The square as a picture of `size` x `size` pixels.

    Outside the photo there are zeros, or the colours of the nearest pixels of its border.

    Where the photo is finer than the picture it is first reduced, band-limited, to the picture's
    pixel size; only the part under the square is touched.

    Convention: pixel centres at half-integers in both.
    """
    reduction = square.side / size
    image, square = _cut(image, square, 2.0 * max(reduction, 1.0) + 1.0)
    height, width = image.shape[-2:]
    if reduction > 1.0:
        reduced = (max(1, round(height / reduction)), max(1, round(width / reduction)))
        image = functional.interpolate(image[None], reduced, mode="bilinear", antialias=True)[0]
    grid = torch.arange(size) + 0.5
    y, x = torch.meshgrid(grid, grid, indexing="ij")
    xy = to_photo(torch.stack([x, y], dim=-1), square, size)
    normalized = 2.0 * xy / torch.tensor([width, height]) - 1.0
    return functional.grid_sample(
        image[None], normalized[None], padding_mode=beyond, align_corners=False
    )[0]


def _axes(square: Square) -> Float[Tensor, "2 2"]:
    """Rows: the square's x and y axes in photo coordinates."""
    angle = math.radians(square.angle)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, sin], [-sin, cos]])


def _cut(image: Tensor, square: Square, margin: float) -> tuple[Tensor, Square]:
    """The upright part of the photo that the square can touch, and the square seen from there."""
    height, width = image.shape[-2:]
    # From the centre to the furthest corner along an axis, and room for the band limit.
    reach = square.side / 2 * float(_axes(square)[0].abs().sum()) + margin
    left = min(max(0, math.floor(square.x - reach)), width - 1)
    top = min(max(0, math.floor(square.y - reach)), height - 1)
    right = max(left + 1, min(width, math.ceil(square.x + reach)))
    bottom = max(top + 1, min(height, math.ceil(square.y + reach)))
    moved = Square(square.x - left, square.y - top, square.side, square.angle)
    return image[:, top:bottom, left:right], moved
