"""Pseudo-normals, which are known up to a matrix, and the normals that they come from."""

import torch
from jaxtyping import Float
from torch import Tensor

_LEAST_ALBEDO = 0.05
"""Of the mean albedo; what is darker says nothing about its shape."""


def fit_mixing(
    pseudo: Float[Tensor, "4 pixel"],
    normals: Float[Tensor, "xyz=3 pixel"],
    weight: Float[Tensor, " pixel"],
    albedo: Float[Tensor, " pixel"],
    rounds: int,
    cutoff: float,
) -> Float[Tensor, "4 4"]:
    """The matrix B = A^-1 that takes albedo times (1, n_j) to pseudo-normals N_j, robustly.

        min over B and rho of  sum_j w_j |N_j - rho_j B (1, n_j)|^2,   mean of rho = 1

    alternates between its two linear halves, from `albedo` as the first guess of rho; the weights
    fall with the misfit after Geman and McClure. The pseudo-normals are what deviates (they hold
    shadows and higher harmonics of the light), so they stand on the left: regressing the reference
    on them instead would take all of that for noise and flatten the relief.
    """
    known = torch.cat([torch.ones_like(normals[:1]), normals])
    albedo = albedo / albedo.mean()
    robust = weight
    mixing = torch.eye(4).to(pseudo)
    for _ in range(rounds):
        mixing = best_mixing(pseudo, albedo * known, robust)
        mixed = mixing @ known
        misfit = (pseudo - albedo * mixed).norm(dim=0) / albedo.clamp_min(0.1)
        robust = weight / (1.0 + (misfit / cutoff) ** 2) ** 2
        albedo = albedo_of(pseudo, mixed)
        albedo = albedo / albedo.mean()
    return mixing


def best_mixing(
    pseudo: Float[Tensor, "4 pixel"],
    known: Float[Tensor, "4 pixel"],
    weight: Float[Tensor, " pixel"],
) -> Float[Tensor, "4 4"]:
    """The matrix B that minimizes sum_j w_j |N_j - B k_j|^2; differentiable in all it is given."""
    moments = (weight * known) @ known.T
    # Normals that all look one way (a narrow overlap) leave columns open, which stay small.
    moments = moments + 1e-4 * moments.trace() * torch.eye(4).to(moments)
    return torch.linalg.solve(moments, (weight * known) @ pseudo.T).T


def albedo_of(
    pseudo: Float[Tensor, "4 pixel"], mixed: Float[Tensor, "4 pixel"]
) -> Float[Tensor, " pixel"]:
    """The factors that bring `mixed`, B (1, n_j), nearest to the pseudo-normals; positive."""
    albedo = (mixed * pseudo).sum(dim=0) / mixed.square().sum(dim=0).clamp_min(1e-6)
    return albedo.clamp_min(_LEAST_ALBEDO)
