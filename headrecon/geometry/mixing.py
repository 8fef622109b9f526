"""Pseudo-normals, which are known up to a matrix, and the normals that they come from."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from headrecon.geometry.lighting import basis

_LEAST_ALBEDO = 0.05
"""Of the mean albedo; what is darker says nothing about its shape."""
_STEPS = 60
"""Of the descent in the angle."""


def fit_mixing(
    pseudo: Float[Tensor, "k pixel"],
    normals: Float[Tensor, "xyz=3 pixel"],
    weight: Float[Tensor, " pixel"],
    albedo: Float[Tensor, " pixel"],
    rounds: int,
    cutoff: float,
) -> Float[Tensor, "k k"]:
    """The matrix B = A^-1 that takes albedo times harmonics to pseudo-normals N_j, robustly.

        min over B and rho of  sum_j w_j |N_j - rho_j B h_j|^2,   mean of rho = 1

    with h_j = (1, n_j), and the five harmonics of second order where there are nine pseudo-normals.
    It alternates between its two linear halves, from `albedo` as the first guess of rho; weights
    fall with the misfit after Geman and McClure. The pseudo-normals are what deviates (they hold
    shadows and higher harmonics of the light), so they stand on the left: regressing the reference
    on them instead would take all of that for noise and flatten the relief.
    """
    known = harmonics(normals, len(pseudo))
    albedo = albedo / albedo.mean()
    robust = weight
    mixing = torch.eye(len(pseudo)).to(pseudo)
    for _ in range(rounds):
        mixing = best_mixing(pseudo, albedo * known, robust)
        mixed = mixing @ known
        misfit = (pseudo - albedo * mixed).norm(dim=0) / albedo.clamp_min(0.1)
        robust = weight / (1.0 + (misfit / cutoff) ** 2) ** 2
        albedo = albedo_of(pseudo, mixed)
        albedo = albedo / albedo.mean()
    return mixing


def nearest_in_angle(
    pseudo: Float[Tensor, "k pixel"],
    normals: Float[Tensor, "xyz=3 pixel"],
    weight: Float[Tensor, " pixel"],
    mixing: Float[Tensor, "k k"],
    cutoff: float,
) -> Float[Tensor, "k k"]:
    """The matrix whose normals are nearest in angle to those of a reference of the same person.

        min over A of  sum_j w_j rho(|A N_j / |A N_j| - n_j|^2),   A is 3 x k

    by descent from the rows of B^-1 that give normals; rho is Geman-McClure's. No albedo takes
    part, and what is made small is the angle itself. It asks more of the reference than
    `fit_mixing` does: with a stranger's normals this is the worse choice. B is then what takes the
    harmonics of the normals that are found to the pseudo-normals.
    """
    start = torch.linalg.inv(mixing)[1:4].flatten().detach().clone()
    rows = start.requires_grad_(True)
    optimizer = torch.optim.LBFGS([rows], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def energy() -> Tensor:
        optimizer.zero_grad()
        found = functional.normalize(rows.reshape(3, -1) @ pseudo, dim=0)
        off = (found - normals).square().sum(dim=0)
        total = (weight * off / (1.0 + off / cutoff**2)).sum() / weight.sum()
        total.backward()
        return total

    with torch.enable_grad():
        optimizer.step(energy)
    directed = rows.detach().reshape(3, -1) @ pseudo
    off = (functional.normalize(directed, dim=0) - normals).square().sum(dim=0)
    return mixing_of(directed, pseudo, weight / (1.0 + off / cutoff**2).square())


def mixing_of(
    directed: Float[Tensor, "xyz=3 pixel"],
    pseudo: Float[Tensor, "k pixel"],
    weight: Float[Tensor, " pixel"],
) -> Float[Tensor, "k k"]:
    """The matrix B whose harmonics of albedo times normal, `directed`, are the pseudo-normals."""
    albedo = directed.norm(dim=0)
    found = functional.normalize(directed, dim=0)
    known = albedo / albedo.mean() * harmonics(found, len(pseudo))
    return best_mixing(pseudo, known, weight)


def harmonics(normals: Float[Tensor, "xyz=3 pixel"], count: int) -> Float[Tensor, "k pixel"]:
    """So many harmonics of the normals: 4, which are (1, n), or 9."""
    return basis(normals, {4: 1, 9: 2}[count])


def best_mixing(
    pseudo: Float[Tensor, "k pixel"],
    known: Float[Tensor, "k pixel"],
    weight: Float[Tensor, " pixel"],
) -> Float[Tensor, "k k"]:
    """The matrix B that minimizes sum_j w_j |N_j - B k_j|^2; differentiable in all it is given."""
    moments = (weight * known) @ known.T
    # Normals that all look one way (a narrow overlap) leave columns open, which stay small.
    moments = moments + 1e-4 * moments.trace() * torch.eye(len(moments)).to(moments)
    return torch.linalg.solve_ex(moments, (weight * known) @ pseudo.T)[0].T


def albedo_of(
    pseudo: Float[Tensor, "k pixel"], mixed: Float[Tensor, "k pixel"]
) -> Float[Tensor, " pixel"]:
    """The factors that bring `mixed`, B h_j, nearest to the pseudo-normals; positive."""
    albedo = (mixed * pseudo).sum(dim=0) / mixed.square().sum(dim=0).clamp_min(1e-6)
    return albedo.clamp_min(_LEAST_ALBEDO)
