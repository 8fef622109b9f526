"""Brightness of linear RGB."""

from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.constant import constant


def luminance(images: Float[Tensor, "*photos rgb=3 h w"]) -> Float[Tensor, "*photos h w"]:
    """CIE luminance Y of linear RGB with the primaries of sRGB: 0.2126 R + 0.7152 G + 0.0722 B."""
    weights = constant((0.2126, 0.7152, 0.0722), images)
    return (images.movedim(-3, -1) * weights).sum(dim=-1)
