"""Brightness and color of linear RGB."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.constant import constant

_DARKEST = 1e-3
"""Linear value below which a channel is noise."""
_DIM = 0.1
"""Brightness, in that of a surface, below which its color is lost in noise and reflections."""
_LEAST_SPREAD = 0.07
"""Of the chromaticities of one surface: what noise and interreflection do, in logarithms."""


def luminance(images: Float[Tensor, "*photos rgb=3 h w"]) -> Float[Tensor, "*photos h w"]:
    """CIE luminance Y of linear RGB with the primaries of sRGB: 0.2126 R + 0.7152 G + 0.0722 B."""
    weights = constant((0.2126, 0.7152, 0.0722), images)
    return (images.movedim(-3, -1) * weights).sum(dim=-1)


def off_color(
    colors: Float[Tensor, "rgb=3 pixel"], among: Bool[Tensor, " pixel"]
) -> Float[Tensor, " pixel"]:
    """How far the chromaticity of colors is from that of some of them, in standard deviations.

        |(c - median c) / max(1.4826 median |c - median c|, s)|,   c = (log R/G, log B/G)

    Shading changes all channels alike and leaves c as it is, so that skin in the shadow of a chin
    is the color of the face, and a collar is not. What is darker than a tenth of them, as a black
    coat, has no color to tell and is infinitely far off. 0 everywhere if there are none to compare
    with.

    Reference: Barron and Tsai, "Fast Fourier color constancy", CVPR 2017, for this chromaticity.
    """
    if not bool(among.any()):
        return torch.zeros_like(colors[0])
    logs = colors.clamp_min(_DARKEST).log()
    chromaticity = torch.stack([logs[0] - logs[1], logs[2] - logs[1]])
    usual = chromaticity[:, among]
    middle = usual.median(dim=1, keepdim=True).values
    spread = 1.4826 * (usual - middle).abs().median(dim=1, keepdim=True).values
    off = ((chromaticity - middle) / spread.clamp_min(_LEAST_SPREAD)).norm(dim=0)
    bright = colors.mean(dim=0)
    return torch.where(bright < _DIM * bright[among].median(), torch.inf, off)
