"""Light that a head sends back to itself where it keeps other light off."""

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.mixing import harmonics
from headrecon.render.occlusion import Occlusion

_REFLECTED = 0.3
"""Share of light that skin reflects: 0.1 to 0.4 by its tone, more of red."""


def lacking(
    occlusion: Occlusion, view_from_head: Float[Tensor, "3 3"], count: int
) -> Float[Tensor, "vertex k"]:
    """What the light at each vertex lacks of 4 or 9 harmonics, in the frame of a view.

    Where the head is in the way of light, it shows a lit surface of its own. If that is lit as the
    vertex itself is, what arrives is multiplied by 1 + r b + (r b)^2 + ..., so that

        Y_k(n) - m_k = (Y_k(n) - h_k) / (1 - r b)

    with h_k what is blocked of harmonic k (`Occlusion.harmonics`), b the share of even light that
    is, and r the reflectance of skin. Without this, what lies deep, as the hollow of an ear, is
    thought to be in too little light and gets an albedo that is too bright.

    Reference: Stewart and Langer, "Toward accurate recovery of shape from shading under diffuse
    lighting", PAMI 1997.
    """
    blocked = occlusion.harmonics(view_from_head, count)
    open_sky = harmonics(view_from_head @ occlusion.normals.T, count).T
    gain = 1.0 / (1.0 - _REFLECTED * occlusion.share)
    return torch.lerp(blocked, open_sky, (1.0 - gain)[:, None])
