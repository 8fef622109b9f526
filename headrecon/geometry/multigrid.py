"""Weighted Laplace equations on pixel grids, by multigrid-preconditioned conjugate gradients."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

JACOBI = 0.7
"""Damping of the smoother; below 1, so that the highest frequencies are reduced most."""
AGGREGATION = 0.5
"""Coarse edges per fine edge. Joining 2 x 2 pixels to one makes every slope of the coarse grid
twice as steep as it is, and twice as stiff; halving the edges undoes that."""


@dataclass(frozen=True)
class GridLaplacian:
    """The positive definite operator of sum w_ab (z_b - z_a)^2 + sum anchor_a z_a^2.

    Edges join each pixel to the one on its right and to the one below it; weights of edges that
    leave the domain are 0, so that any mask is a domain and no index is ever built.
    """

    right: Float[Tensor, "*batch h w"]
    """Weight of the edge from each pixel to its right neighbour; last column 0."""
    down: Float[Tensor, "*batch h w"]
    """Weight of the edge from each pixel to the one below; last row 0."""
    anchor: Float[Tensor, "*batch h w"]

    def apply(self, z: Float[Tensor, "*batch h w"]) -> Float[Tensor, "*batch h w"]:
        """The operator times z."""
        along = self.right * (z.roll(-1, -1) - z)
        below = self.down * (z.roll(-1, -2) - z)
        return self.anchor * z - along + along.roll(1, -1) - below + below.roll(1, -2)

    def diagonal(self) -> Float[Tensor, "*batch h w"]:
        """Its diagonal; 1 where a pixel has no equation at all, so that it can be divided by."""
        total = (
            self.anchor + self.right + self.right.roll(1, -1) + self.down + self.down.roll(1, -2)
        )
        return torch.where(total > 0.0, total, torch.ones_like(total))

    def coarser(self) -> "GridLaplacian":
        """The operator for heights that are constant on squares of 2 x 2 pixels."""
        right = _even(self.right)
        down = _even(self.down)
        return GridLaplacian(
            right=AGGREGATION * (right[..., 0::2, 1::2] + right[..., 1::2, 1::2]),
            down=AGGREGATION * (down[..., 1::2, 0::2] + down[..., 1::2, 1::2]),
            anchor=_sum_of_squares(self.anchor),
        )


def solve(
    operator: GridLaplacian,
    right_side: Float[Tensor, "*batch h w"],
    tolerance: float,
    max_iterations: int,
) -> Float[Tensor, "*batch h w"]:
    """The solution z of operator z = right_side, to a relative residual of `tolerance`.

    Preconditioned conjugate gradients; the preconditioner is one V-cycle of aggregation multigrid,
    which keeps the number of iterations nearly independent of the number of pixels. Where nothing
    anchors a connected domain, z is the solution orthogonal to its constants up to rounding, as the
    search starts from 0.

    Reference: Notay, "An aggregation-based algebraic multigrid method", ETNA 2010; Tatebe, "The
    multigrid preconditioned conjugate gradient method", 1993.
    """
    levels = [operator]
    while min(levels[-1].right.shape[-2:]) > 8:
        levels.append(levels[-1].coarser())
    z = torch.zeros_like(right_side)
    residual = right_side.clone()
    step = _cycle(levels, residual)
    direction = step
    product = _dot(residual, step)
    goal = tolerance * _dot(right_side, right_side).sqrt()
    for _ in range(max_iterations):
        if bool((_dot(residual, residual).sqrt() <= goal).all()):
            break
        image = operator.apply(direction)
        length = product / _dot(direction, image).clamp_min(torch.finfo(z.dtype).tiny)
        z = z + length * direction
        residual = residual - length * image
        step = _cycle(levels, residual)
        previous, product = product, _dot(residual, step)
        direction = step + product / previous.clamp_min(torch.finfo(z.dtype).tiny) * direction
    return z


def _cycle(
    levels: list[GridLaplacian], right_side: Float[Tensor, "*batch h w"]
) -> Float[Tensor, "*batch h w"]:
    """One symmetric V-cycle from 0."""
    operator, inverse = levels[0], JACOBI / levels[0].diagonal()
    sweeps = 1 if len(levels) > 1 else 16
    z = inverse * right_side
    for _ in range(sweeps):
        z = z + inverse * (right_side - operator.apply(z))
    if len(levels) > 1:
        coarse = _cycle(levels[1:], _sum_of_squares(right_side - operator.apply(z)))
        fine = coarse.repeat_interleave(2, -1).repeat_interleave(2, -2)
        z = z + fine[..., : z.shape[-2], : z.shape[-1]]
    for _ in range(sweeps + 1):
        z = z + inverse * (right_side - operator.apply(z))
    return z


def _even(image: Float[Tensor, "*batch h w"]) -> Float[Tensor, "*batch even_h even_w"]:
    """The image, padded by 0 to an even height and width."""
    height, width = image.shape[-2:]
    return F.pad(image, (0, width % 2, 0, height % 2))


def _sum_of_squares(image: Float[Tensor, "*batch h w"]) -> Float[Tensor, "*batch half_h half_w"]:
    """Sums over squares of 2 x 2 pixels."""
    even = _even(image)
    return (
        even[..., 0::2, 0::2]
        + even[..., 1::2, 0::2]
        + even[..., 0::2, 1::2]
        + even[..., 1::2, 1::2]
    )


def _dot(
    a: Float[Tensor, "*batch h w"], b: Float[Tensor, "*batch h w"]
) -> Float[Tensor, "*batch 1 1"]:
    return (a * b).sum(dim=(-2, -1), keepdim=True)
