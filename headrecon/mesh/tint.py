"""What refinement does to the albedo."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from headrecon.mesh.diffusion import diffused
from headrecon.types import Refinement

MOST_TINT = 0.2
"""Bound of what all epochs together do to the logarithm of the albedo: a factor of at most 1.22."""
_DIFFUSION = 2
"""k of the tint: vertices are about as dense as pixels, and neighbours differ by noise."""


def tinted(
    start: Refinement, tint: Float[Tensor, "vertex 1"], edges: Int[Tensor, "2 edge"]
) -> Float[Tensor, "vertex rgb=3"]:
    """The mesh's albedo times e^tint, softly bounded around the albedo before the first epoch.

    The tint is spread a little.
    """
    whole = start.tone.sum(dim=1, keepdim=True).clamp_min(1e-6)
    before = (start.mesh.albedo.sum(dim=1, keepdim=True) / whole).clamp_min(1e-6).log()
    bound = MOST_TINT - 1e-3
    inverse = MOST_TINT * torch.atanh(before.clamp(-bound, bound) / MOST_TINT)
    change = inverse + diffused(tint, edges, _DIFFUSION)
    return start.tone * torch.exp(MOST_TINT * torch.tanh(change / MOST_TINT))
