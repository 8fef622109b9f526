"""Dense, batched, coarse-to-fine Lucas-Kanade flow with a smoothness that follows confidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import no_type_check

import torch
import torch.nn.functional as F
from jaxtyping import Float
from kornia.filters import get_gaussian_kernel1d
from torch import Tensor

from headrecon.geometry.warp import gradient, resize_flow, shrunk, warp

CONTROL = 4
"""Pixels between the points at which the flow is solved for."""


@dataclass(frozen=True)
class LucasKanade:
    """Flows from reference photos to moving photos, all pairs of a batch at once.

    At each level of a pyramid both images are normalized locally to zero mean and unit deviation,
    which removes what light changes most. The update of the flow u solves, around each pixel,

        min over d of  G_s * [ w (J_u + g . d - I)^2 ] + ridge |d|^2

    with I the reference, J_u the moving image warped by u, g the mean of their gradients, G_s a
    Gaussian window and w a robust weight of the residual (Geman-McClure) times both masks. After
    each update the flow is smoothed with the local evidence det(A)^(1/2) as confidence, so that
    cheeks follow the features around them: a normalized convolution, which bounds how fast the
    flow can change and so keeps it from folding. Neighbourhood, window and smoothing are about as
    wide as four pixels, so they are computed on a grid of every fourth, at a sixteenth of the cost.

    Convention: reference(x) = moving(x + flow(x)); flow in pixels, x right and y down.
    Reference: Lucas and Kanade, "An iterative image registration technique", IJCAI 1981; Knutsson
    and Westin, "Normalized and differential convolution", CVPR 1993.
    """

    levels: int
    pyramid_side: int
    """Pixels up to which there are coarser levels; larger photos start from the flow of smaller."""
    iterations: int
    window: float
    """Standard deviation of the window in pixels of each level."""
    smooth: float
    """Standard deviation of the smoothing of the flow in pixels of each level."""
    normalize: float
    """Standard deviation of the neighbourhood of the normalization in pixels of each level."""
    floor: float
    """Deviation, in means over the image, below which a neighbourhood is not stretched further.

    A low floor turns the shading of smooth skin into texture, and light into motion.
    """
    robust: float
    """Residual, in local deviations, at which a pixel has lost three quarters of its weight."""
    ridge: float
    rest: float
    """Confidence of no motion at all, which holds the flow where nothing is to be seen."""

    def __call__(
        self,
        reference: Float[Tensor, "photo h w"],
        moving: Float[Tensor, "photo h w"],
        mask: Float[Tensor, "photo h w"],
        initial: Float[Tensor, "photo xy=2 h w"],
    ) -> Float[Tensor, "photo xy=2 h w"]:
        """Refine `initial`; `mask` weighs the pixels of the reference."""
        return self.match(reference, self.prepared(moving), mask, initial)

    @no_type_check
    def prepared(self, moving: Float[Tensor, "photo h w"]) -> tuple[Tensor, ...]:
        """What is looked at of moving photos: the normalized levels, the coarsest first."""
        sizes = self._sizes(moving.shape[-2:])
        return tuple(self._normalized(shrunk(moving, size)[:, None])[:, 0] for size in sizes)

    def match(
        self,
        reference: Float[Tensor, "photo h w"],
        prepared: Sequence[Tensor],
        mask: Float[Tensor, "photo h w"],
        initial: Float[Tensor, "photo xy=2 h w"],
    ) -> Float[Tensor, "photo xy=2 h w"]:
        """As a call with the photos that were prepared."""
        flow = initial
        for size, level in zip(self._sizes(reference.shape[-2:]), prepared, strict=True):
            flow = resize_flow(flow, size)
            i, m = (shrunk(image, size)[:, None] for image in (reference, mask))
            i, j = self._normalized(i), level[:, None]
            for _ in range(self.iterations):
                flow = self._improved(i, j, m, flow)
        return flow

    def _sizes(self, shape: torch.Size) -> list[tuple[int, int]]:
        """Heights and widths of the levels, the coarsest first."""
        height, width = shape
        levels = self.levels if max(shape) <= self.pyramid_side else 1
        return [
            (max(height >> level, 16), max(width >> level, 16)) for level in reversed(range(levels))
        ]

    def _normalized(self, images: Float[Tensor, "photo 1 h w"]) -> Float[Tensor, "photo 1 h w"]:
        pooled = _pooled([images, images.square()])
        mean, square = _blur(pooled, self.normalize / CONTROL).split(1, dim=1)
        deviation = (square - mean.square()).clamp_min(0.0).sqrt()
        floor = self.floor * deviation.mean(dim=(-2, -1), keepdim=True) + 1e-6
        size = (images.shape[-2], images.shape[-1])
        return (images - _stretched(mean, size)) * _stretched(1.0 / (deviation + floor), size)

    def _improved(
        self,
        reference: Float[Tensor, "photo 1 h w"],
        moving: Float[Tensor, "photo 1 h w"],
        mask: Float[Tensor, "photo 1 h w"],
        flow: Float[Tensor, "photo xy=2 h w"],
    ) -> Float[Tensor, "photo xy=2 h w"]:
        warped = warp(moving, flow)
        # Twice the mean of both gradients: its squares are four times, its products twice as large.
        g_x, g_y = gradient(warped + reference)
        residual = reference - warped
        weight = mask / (residual / self.robust).square().add_(1.0).square()
        w_x, w_y = weight * g_x, weight * g_y
        products = [w_x * g_x, w_x * g_y, w_y * g_y, w_x * residual, w_y * residual]
        a, b, c, r_x, r_y = _blur(_pooled(products), self.window / CONTROL).unbind(dim=1)
        a, b, c, r_x, r_y = a / 4.0, b / 4.0, c / 4.0, r_x / 2.0, r_y / 2.0
        determinant = (a + self.ridge) * (c + self.ridge) - b * b
        step_x = ((c + self.ridge) * r_x - b * r_y) / determinant
        step_y = ((a + self.ridge) * r_y - b * r_x) / determinant
        step = torch.stack([step_x, step_y], dim=1).clamp(-1.0, 1.0)
        confidence = (a * c - b * b).clamp_min(0.0).sqrt()[:, None] + self.ridge
        control = _pooled([flow]) + step
        weighted = torch.cat([control * confidence, confidence], dim=1)
        smooth = _blur(weighted, self.smooth / CONTROL)
        control = smooth[:, :2] / (smooth[:, 2:] + self.rest)
        return _stretched(control, (flow.shape[-2], flow.shape[-1]))


@no_type_check
def _pooled(layers: Sequence[Float[Tensor, "photo _ height width"]]) -> Tensor:
    """Channels side by side, their pixels averaged around each control point.

    What lies beyond the last pixels is like them. Sums of slices take a third of the time that
    pooling takes on a CPU.
    """
    down, right = (-size % CONTROL for size in layers[0].shape[-2:])
    averages = []
    for layer in layers:
        whole = F.pad(layer, (0, right, 0, down), mode="replicate") if down or right else layer
        rows = whole.unflatten(2, (-1, CONTROL)).sum(dim=3)
        averages.append(sum(rows[..., k::CONTROL] for k in range(CONTROL)) / CONTROL**2)
    return torch.cat(averages, dim=1)


@no_type_check
def _stretched(
    control: Float[Tensor, "photo channel _ _"], size: tuple[int, int]
) -> Float[Tensor, "photo channel h w"]:
    """Images of that size, bilinearly between the control points.

    Rows are mixed whole, which takes half the time of `F.interpolate` on a CPU.
    """
    wide = control @ _stretching(size[1], control.device)
    above, below = wide[..., :1, :], wide[..., -1:, :]
    padded = torch.cat([above, wide, below], dim=2)
    rows = []
    for k in range(CONTROL):
        # From the row of control points above this row of pixels towards the one below.
        offset = (k + 0.5) / CONTROL + 0.5
        first = int(offset)
        upper, lower = (padded[:, :, start : start + wide.shape[2]] for start in (first, first + 1))
        rows.append(torch.lerp(upper, lower, offset - first))
    return torch.stack(rows, dim=3).flatten(2, 3)[..., : size[0], :]


@no_type_check
def _blur(
    images: Float[Tensor, "photo channel h w"], sigma: float
) -> Float[Tensor, "photo channel h w"]:
    """Gaussian blur with repeated borders, as a product with a matrix on either side.

    On grids of this size that is faster than a convolution.
    """
    down, across = (_blurring(size, sigma, images.device) for size in images.shape[-2:])
    return down @ images @ across.T


@lru_cache(maxsize=64)
def _blurring(size: int, sigma: float, device: torch.device) -> Float[Tensor, "size size"]:
    """The matrix that blurs a row of pixels; the kernel never exceeds the row."""
    reach = min(int(3.0 * sigma + 0.5), size - 1)
    kernel = get_gaussian_kernel1d(2 * reach + 1, sigma)[0]
    place = torch.arange(size)[:, None] + torch.arange(-reach, reach + 1)
    matrix = torch.zeros(size, size)
    return matrix.scatter_add_(1, place.clamp(0, size - 1), kernel.repeat(size, 1)).to(device)


@lru_cache(maxsize=64)
def _stretching(size: int, device: torch.device) -> Float[Tensor, "control size"]:
    """The matrix that interpolates a row of control points linearly."""
    points = torch.eye(-(-size // CONTROL))[None]
    return F.interpolate(points, scale_factor=CONTROL, mode="linear")[0, :, :size].to(device)
