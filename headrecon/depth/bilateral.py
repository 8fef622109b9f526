"""Integration of normals that keeps cliffs: ears, the nose seen from the side, edges of hair."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from headrecon.depth.boundary import Anchor, Boundary
from headrecon.depth.perspective import in_perspective
from headrecon.geometry.multigrid import GridLaplacian, solve
from headrecon.types import DepthMap, Head, NormalField, Template

_ROUNDING = 1e-12
"""Share of the right side below which what is missing is rounding, and has no solution."""


@dataclass(frozen=True)
class BilateralIntegrate:
    """Stage: depth that is smooth on at least one side of each pixel, not on both.

    Least squares spreads a cliff over the pixels around it. Here each pixel a has two equations
    along each axis, one towards each neighbour,

        n_z (z_b - z_a) = -n_x        b to the right        weight w_a
        n_z (z_a - z_c) = -n_x        c to the left         weight 1 - w_a

    and w_a = sigmoid(sharpness (r_c^2 - r_b^2)) with r the residuals of the two: a cliff on one
    side leaves all the weight to the other. Weights and depth are found in turn; each turn is the
    same weighted Laplace equation as least squares, begun at the depth before, and not solved to
    the end, since the weights change again. A cliff opens from its end by a few pixels a turn, so
    the search begins at a low resolution, where it is short.

    Convention: view frame; z in pixels towards the viewer, 0 outside the mask.
    Reference: Cao, Santo, Shi, Okura and Matsushita, "Bilateral normal integration", ECCV 2022.
    """

    boundary: Boundary
    sharpness: float
    """k of the sigmoid, per square pixel."""
    rounds: int
    """Most turns, at each resolution."""
    coarsest: int
    """Pixels of the shorter side at which the search begins."""
    settled: float
    """Relative change of the energy at which they end."""
    tolerance: float
    max_iterations: int

    def __call__(self, field: NormalField, head: Head, template: Template) -> DepthMap:
        """Integrate over the mask."""
        anchor = self.boundary(field, head, template)
        return in_perspective(field, anchor, self.integrate)

    def integrate(
        self, normals: Float[Tensor, "xyz=3 h w"], mask: Bool[Tensor, "h w"], anchor: Anchor
    ) -> Float[Tensor, "h w"]:
        """Depth of a field of normals; 0 outside the mask."""
        known = Anchor(anchor.z.double(), anchor.weight.double() * mask)
        return self._descended(normals.double() * mask, mask, known).to(normals)

    def _descended(
        self, n: Float[Tensor, "xyz=3 h w"], mask: Bool[Tensor, "h w"], anchor: Anchor
    ) -> Float[Tensor, "h w"]:
        """Weights and depth in turn, from what half the resolution says."""
        z = torch.zeros_like(n[2])
        if min(mask.shape) >= 2 * self.coarsest:
            coarse = self._descended(*_halved(n, mask, anchor))
            fine = 2.0 * coarse.repeat_interleave(2, 0).repeat_interleave(2, 1)
            z[: fine.shape[0], : fine.shape[1]] = fine[: z.shape[0], : z.shape[1]]
            z = z * mask
        right, down = _Axis(n[2], -n[0], mask, -1), _Axis(n[2], n[1], mask, -2)
        energy = torch.inf
        for _ in range(self.rounds):
            w_right, w_down = (axis.weights(z, self.sharpness) for axis in (right, down))
            along, slope_along = right.edges(*w_right)
            below, slope_below = down.edges(*w_down)
            operator = GridLaplacian(right=along, down=below, anchor=anchor.weight)
            divergence = slope_along.roll(1, -1) - slope_along
            divergence = divergence + slope_below.roll(1, -2) - slope_below
            wanted = divergence + anchor.weight * anchor.z
            missing = wanted - operator.apply(z)
            if float(missing.norm()) <= _ROUNDING * float(wanted.norm()):
                break
            z = z + solve(operator, missing, self.tolerance, self.max_iterations) * mask
            before = energy
            pulled = (anchor.weight * (z - anchor.z) ** 2).sum()
            energy = float(right.energy(z, *w_right) + down.energy(z, *w_down) + pulled)
            if abs(before - energy) <= self.settled * max(energy, 1e-12):
                break
        return z


def _halved(
    n: Float[Tensor, "xyz=3 h w"], mask: Bool[Tensor, "h w"], anchor: Anchor
) -> tuple[Float[Tensor, "xyz=3 half_h half_w"], Bool[Tensor, "half_h half_w"], Anchor]:
    """The problem at half the resolution, where heights are half as many pixels.

    A pixel is one of the coarse mask if any of its four is; an odd last row or column counts twice.
    """
    height, width = mask.shape
    odd = (0, width % 2, 0, height % 2)

    def pooled(image: Float[Tensor, "c h w"]) -> Float[Tensor, "c half_h half_w"]:
        padded = functional.pad(image[None], odd, mode="replicate") if any(odd) else image[None]
        return functional.avg_pool2d(padded, 2)[0]

    share = pooled(mask[None].double())[0]
    weight = pooled(anchor.weight[None])[0]
    height_sum = pooled((anchor.weight * anchor.z)[None])[0]
    z = height_sum / weight.clamp_min(1e-12) / 2.0
    # Four pixels pull at one; the squares of its height are a quarter of theirs.
    return functional.normalize(pooled(n), dim=0), share > 0.0, Anchor(z, 16.0 * weight)


@dataclass(frozen=True)
class _Axis:
    """The equations along one axis of the canvas, forward being right or down."""

    n_z: Float[Tensor, "h w"]
    rise: Float[Tensor, "h w"]
    """n_z times the slope that the normal asks for, going forward."""
    mask: Bool[Tensor, "h w"]
    dim: int

    @property
    def pair(self) -> Bool[Tensor, "h w"]:
        """Pixels whose next one is in the mask, too."""
        both = self.mask & self.mask.roll(-1, self.dim)
        both.select(self.dim, -1).fill_(False)
        return both

    def _squared(
        self, z: Float[Tensor, "h w"]
    ) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]:
        """Squared residuals of each pixel's equation forward, and backward."""
        step = z.roll(-1, self.dim) - z
        ahead = (self.n_z * step - self.rise) ** 2
        back = (self.n_z * step.roll(1, self.dim) - self.rise) ** 2
        return ahead, back

    def weights(
        self, z: Float[Tensor, "h w"], sharpness: float
    ) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]:
        """Weights of the equation forward and of that backward; 0 where there is no pixel."""
        ahead, back = self._squared(z)
        share = torch.sigmoid(sharpness * (back - ahead))
        first, second = self.pair, self.pair.roll(1, self.dim)
        # At the border of the mask a pixel's only equation has the weight that it would share.
        return share * first, (1.0 - share) * second

    def edges(
        self, ahead: Float[Tensor, "h w"], back: Float[Tensor, "h w"]
    ) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]:
        """Of each edge to the next pixel: its weight, and its weighted slope."""
        behind = back.roll(-1, self.dim)
        n_z, rise = self.n_z.roll(-1, self.dim), self.rise.roll(-1, self.dim)
        weight = ahead * self.n_z**2 + behind * n_z**2
        return weight * self.pair, (ahead * self.n_z * self.rise + behind * n_z * rise) * self.pair

    def energy(
        self, z: Float[Tensor, "h w"], ahead: Float[Tensor, "h w"], back: Float[Tensor, "h w"]
    ) -> Float[Tensor, ""]:
        """Weighted squares of both equations of all pixels."""
        one, other = self._squared(z)
        return (ahead * one + back * other).sum()
