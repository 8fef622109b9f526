"""Weighted Laplace equations on pixel grids, by multigrid-preconditioned conjugate gradients."""

from dataclasses import dataclass
from typing import Any

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
        along = self.right[..., :-1] * z.diff(dim=-1)
        below = self.down[..., :-1, :] * z.diff(dim=-2)
        image = self.anchor * z
        image[..., :-1] -= along
        image[..., 1:] += along
        image[..., :-1, :] -= below
        image[..., 1:, :] += below
        return image

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

    def to(self, dtype: torch.dtype) -> "GridLaplacian":
        """The same in another precision."""
        return GridLaplacian(self.right.to(dtype), self.down.to(dtype), self.anchor.to(dtype))


def solve(
    operator: GridLaplacian,
    right_side: Float[Tensor, "*batch h w"],
    tolerance: float,
    max_iterations: int,
) -> Float[Tensor, "*batch h w"]:
    """The solution z of operator z = right_side, to a relative residual of `tolerance`.

    Conjugate gradients; the preconditioner is one V-cycle of aggregation multigrid, which keeps the
    number of iterations nearly independent of the number of pixels. The V-cycle, which is most of
    the work and need not be exact, is done in single precision; its rounding is why the direction
    is found by Polak and Ribiere's formula. Where nothing anchors a connected domain, z is the
    solution orthogonal to its constants up to rounding, as the search starts from 0.

    Differentiable in the right side and in the weights without a record of the iterations: with
    g the gradient of z, the gradient of the right side is the solution y of operator y = g, that of
    an edge's weight -(y_b - y_a) (z_b - z_a), and that of an anchor -y z.

    Reference: Notay, "An aggregation-based algebraic multigrid method", ETNA 2010, and "Flexible
    conjugate gradients", SIAM J. Scientific Computing 2000; Tatebe, "The multigrid preconditioned
    conjugate gradient method", 1993.
    """
    weights = (operator.right, operator.down, operator.anchor)
    return _Solve.apply(right_side, *weights, tolerance, max_iterations)


class _Solve(torch.autograd.Function):
    """The solution and its implicit derivative."""

    @staticmethod
    def forward(
        ctx: Any,
        right_side: Tensor,
        right: Tensor,
        down: Tensor,
        anchor: Tensor,
        tolerance: float,
        max_iterations: int,
    ) -> Tensor:
        z = _conjugate_gradients(
            GridLaplacian(right, down, anchor), right_side, tolerance, max_iterations
        )
        ctx.save_for_backward(right, down, anchor, z)
        ctx.limits = (tolerance, max_iterations)
        return z

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        right, down, anchor, z = ctx.saved_tensors
        y = _conjugate_gradients(GridLaplacian(right, down, anchor), grad_outputs[0], *ctx.limits)
        along = -F.pad(y.diff(dim=-1) * z.diff(dim=-1), (0, 1))
        below = -F.pad(y.diff(dim=-2) * z.diff(dim=-2), (0, 0, 0, 1))
        return y, along, below, -y * z, None, None


def _conjugate_gradients(
    operator: GridLaplacian,
    right_side: Float[Tensor, "*batch h w"],
    tolerance: float,
    max_iterations: int,
) -> Float[Tensor, "*batch h w"]:
    """The iterations of `solve`."""
    levels = _levels(operator.to(torch.float32))
    z = torch.zeros_like(right_side)
    residual = right_side.clone()
    direction = torch.zeros_like(z)
    change, before = residual, torch.ones_like(_dot(residual, residual))
    goal = tolerance * _dot(right_side, right_side).sqrt()
    tiny = torch.finfo(z.dtype).tiny
    for _ in range(max_iterations):
        size = _dot(residual, residual).sqrt()
        if bool((size <= goal).all()):
            break
        # In single precision a small residual would vanish; it is scaled to 1.
        unit = (residual / size.clamp_min(tiny)).to(torch.float32)
        step = _cycle(levels, unit).to(z.dtype) * size
        direction = step + _dot(change, step) / before * direction
        product = _dot(residual, step)
        image = operator.apply(direction)
        length = product / _dot(direction, image).clamp_min(tiny)
        z += length * direction
        change = -length * image
        residual = residual + change
        before = product.clamp_min(tiny)
    return z


@dataclass(frozen=True)
class _Level:
    operator: GridLaplacian
    smoother: Float[Tensor, "*batch h w"]
    """Damped inverse of the diagonal."""


def _levels(operator: GridLaplacian) -> list[_Level]:
    """The operator and its coarser versions."""
    levels = [operator]
    while min(levels[-1].right.shape[-2:]) > 8:
        levels.append(levels[-1].coarser())
    return [_Level(one, JACOBI / one.diagonal()) for one in levels]


def _cycle(
    levels: list[_Level], right_side: Float[Tensor, "*batch h w"]
) -> Float[Tensor, "*batch h w"]:
    """One symmetric V-cycle from 0."""
    operator, smoother = levels[0].operator, levels[0].smoother
    sweeps = 1 if len(levels) > 1 else 16
    z = smoother * right_side
    for _ in range(sweeps):
        z += smoother * (right_side - operator.apply(z))
    if len(levels) > 1:
        coarse = _cycle(levels[1:], _sum_of_squares(right_side - operator.apply(z)))
        fine = coarse.repeat_interleave(2, -1).repeat_interleave(2, -2)
        z += fine[..., : z.shape[-2], : z.shape[-1]]
    for _ in range(sweeps + 1):
        z += smoother * (right_side - operator.apply(z))
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
