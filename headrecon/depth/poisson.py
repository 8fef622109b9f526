"""Integration of normals as a Poisson equation on the whole canvas: a fast preview."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.depth.boundary import Anchor, Boundary
from headrecon.depth.perspective import in_perspective
from headrecon.types import DepthMap, Head, NormalField, Template

_GRAZING = 0.1
"""n_z below which slopes stop growing."""


@dataclass(frozen=True)
class PoissonIntegrate:
    """Stage: depth by cosine transforms, which know neither the mask nor more than one known depth.

    The Poisson equation lap z = div (z_x, z_y) with no slope across the border of the canvas has
    the eigenvectors of the discrete cosine transform. Slopes outside of the mask are 0, so that the
    head stands on a flat ground: its rim is too low by as much as it should be high. The one
    constant that is left is the weighted mean of the known depth.

    Convention: view frame; z in pixels towards the viewer, 0 outside the mask.
    Reference: Simchony, Chellappa and Shao, "Direct analytical methods for solving Poisson
    equations in computer vision problems", PAMI 1990.
    """

    boundary: Boundary

    def __call__(self, field: NormalField, head: Head, template: Template) -> DepthMap:
        """Integrate over the canvas."""
        anchor = self.boundary(field, head, template)
        return in_perspective(field, anchor, integrate_canvas)


def integrate_canvas(
    normals: Float[Tensor, "xyz=3 h w"], mask: Bool[Tensor, "h w"], anchor: Anchor
) -> Float[Tensor, "h w"]:
    """Depth of a field of normals; 0 outside the mask."""
    n = normals.double()
    mean_right, mean_down = (n + n.roll(-1, 2)) / 2.0, (n + n.roll(-1, 1)) / 2.0
    right = mask & mask.roll(-1, 1)
    right[:, -1] = False
    down = mask & mask.roll(-1, 0)
    down[-1] = False
    along = -mean_right[0] / mean_right[2].clamp_min(_GRAZING) * right
    below = mean_down[1] / mean_down[2].clamp_min(_GRAZING) * down
    divergence = along - along.roll(1, 1) + below - below.roll(1, 0)
    z = _poisson(divergence)
    weight = anchor.weight.double() * mask
    weight = weight if float(weight.sum()) > 0.0 else mask.double()
    shift = (weight * (anchor.z.double() - z)).sum() / weight.sum().clamp_min(1e-12)
    return ((z + shift) * mask).to(normals)


def _poisson(divergence: Float[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """The solution of mean 0 with no slope across the border.

    Mirrored at its borders the canvas is periodic, and the cosine transform a Fourier transform.
    """
    height, width = divergence.shape
    mirrored = torch.cat([divergence, divergence.flip(0)])
    mirrored = torch.cat([mirrored, mirrored.flip(1)], dim=1)
    y = torch.fft.fftfreq(2 * height, dtype=divergence.dtype, device=divergence.device)
    x = torch.fft.rfftfreq(2 * width, dtype=divergence.dtype, device=divergence.device)
    eigen = 2.0 * torch.cos(2.0 * torch.pi * y)[:, None] + 2.0 * torch.cos(2.0 * torch.pi * x) - 4.0
    eigen[0, 0] = 1.0
    spectrum = torch.fft.rfft2(mirrored) / eigen
    spectrum[0, 0] = 0.0
    return torch.fft.irfft2(spectrum, s=mirrored.shape)[:height, :width]
