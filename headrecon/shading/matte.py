"""Albedo of skin, freed of the light that it mirrors."""

import torch
from jaxtyping import Bool, Float
from kornia.filters import gaussian_blur2d
from torch import Tensor

from headrecon.geometry.color import luminance

_ROUNDS = 3
_RIVAL = 0.1
"""Share above the mean at which a pixel has lost three quarters of its say about the mean."""
_FROM, _TO = 1.05, 1.2
"""Brightness, in that of the skin around, from which on a pixel may be a highlight, and is one."""
_COLORFUL = 0.01
"""Least squared sine between the color of skin and gray, below which the two look alike."""


def matte(
    albedo: Float[Tensor, "rgb=3 h w"], skin: Bool[Tensor, "h w"], reach: float
) -> Float[Tensor, "rgb=3 h w"]:
    """Skin without highlights that all photos of a view have, as on the tip of a nose.

        a = d k + s (1, 1, 1)

    with k the mean color of the skin around, without what is brighter than it, d the matt and s the
    mirrored part, which has the color of the light and not that of skin. Where a pixel is brighter
    than the skin around, and whiter (s > 0), what is left is d k, but never darker than k: clipped
    pixels are white and say nothing of d. Dark and colored marks stay, and so does all else.
    `reach` is the standard deviation of what counts as around, in pixels. Skin as gray as the
    light, or photos without color, stay as they are.

    Reference: Shafer, "Using color to separate reflection components", Color Research and
    Application 1985.
    """
    around = _around(albedo, skin.to(albedo), reach)
    inner, flat = (around * albedo).sum(dim=0), around.sum(dim=0)
    square, total = around.square().sum(dim=0), albedo.sum(dim=0)
    independent = 3.0 * square - flat.square()
    colorful = independent > _COLORFUL * 3.0 * square
    mirrored = (square * total - flat * inner) / independent.clamp_min(1e-9)
    diffuse = (3.0 * inner - flat * total) / independent.clamp_min(1e-9)
    brighter = luminance(albedo) / luminance(around).clamp_min(1e-6)
    kept = torch.minimum(diffuse.clamp_min(1.0), brighter) * around
    share = ((brighter - _FROM) / (_TO - _FROM)).clamp(0.0, 1.0)
    return torch.lerp(albedo, kept, share * (skin & colorful & (mirrored > 0.0)))


def _around(
    albedo: Float[Tensor, "rgb=3 h w"], skin: Float[Tensor, "h w"], reach: float
) -> Float[Tensor, "rgb=3 h w"]:
    """Mean of the skin around each pixel, of which what is brighter says little."""
    size, spread = 2 * int(3.0 * reach + 0.5) + 1, (reach, reach)
    weight, mean = skin, albedo
    for _ in range(_ROUNDS):
        layers = torch.cat([weight * albedo, weight[None]])[None]
        blurred = gaussian_blur2d(layers, (size, size), spread, border_type="constant")[0]
        mean = blurred[:3] / blurred[3:].clamp_min(1e-6)
        above = luminance(albedo) / luminance(mean).clamp_min(1e-6) - 1.0
        weight = skin / (1.0 + (above.clamp_min(0.0) / _RIVAL) ** 2) ** 2
    return mean
