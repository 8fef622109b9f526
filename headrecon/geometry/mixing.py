"""Pseudo-normals, which are known up to a matrix, and the normals that they come from."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from headrecon.geometry.lighting import basis

_LEAST_ALBEDO = 0.05
"""Of the mean albedo; what is darker says nothing about its shape."""
_LEAST_LENGTH = 0.2
"""Of the directed light that is received; the bottom of a crease is left alone."""
_STEPS = 60
"""Of the descent in the angle."""


def fit_mixing(
    pseudo: Float[Tensor, "k pixel"],
    known: Float[Tensor, "k pixel"],
    hidden: Float[Tensor, "k pixel"],
    weight: Float[Tensor, " pixel"],
    albedo: Float[Tensor, " pixel"],
    rounds: int,
    cutoff: float,
) -> tuple[Float[Tensor, "k k"], Float[Tensor, ""]]:
    """The matrix B = A^-1 that takes albedo times harmonics to pseudo-normals N_j, robustly.

        min over B, rho and g of  sum_j w_j |N_j - rho_j B (h_j - g o_j)|^2,   mean of rho = 1

    with h_j, `known`, (1, n_j), and the five harmonics of second order where there are nine
    pseudo-normals; o_j, `hidden`, what would be missing of them if all light came from far away and
    from all sides; and g, from 0 to 1, how much of that is missing, the second result: a lamp at
    the camera leaves no shadow, and pixels may have left out the photos that have theirs.

    It alternates between its linear parts, from `albedo` as the first guess of rho; weights fall
    with the misfit after Geman and McClure. The pseudo-normals are what deviates (they hold shadows
    and higher harmonics of the light), so they stand on the left: regressing the reference on them
    instead would take all of that for noise and flatten the relief.
    """
    albedo = albedo / albedo.mean()
    robust = weight
    mixing = torch.eye(len(pseudo), dtype=pseudo.dtype, device=pseudo.device)
    share = pseudo.new_zeros(())
    for _ in range(rounds):
        received = known - share * hidden
        mixing = best_mixing(pseudo, albedo * received, robust)
        off = pseudo - albedo * (mixing @ received)
        misfit = off.norm(dim=0) / albedo.clamp_min(0.1)
        robust = weight / (1.0 + (misfit / cutoff) ** 2) ** 2
        share = (share + _more(off, received, hidden, mixing, albedo, robust)).clamp(0.0, 1.0)
        albedo = albedo_of(pseudo, mixing @ (known - share * hidden))
        albedo = albedo / albedo.mean()
    return mixing, share


def _more(
    off: Float[Tensor, "k pixel"],
    received: Float[Tensor, "k pixel"],
    hidden: Float[Tensor, "k pixel"],
    mixing: Float[Tensor, "k k"],
    albedo: Float[Tensor, " pixel"],
    weight: Float[Tensor, " pixel"],
) -> Float[Tensor, ""]:
    """By how much more of what is hidden the misfit `off` shrinks most, B and rho following."""
    mixed = functional.normalize(mixing @ received, dim=0)
    change = -albedo * (mixing @ hidden)
    change = change - best_mixing(change, albedo * received, weight) @ (albedo * received)
    change = change - (change * mixed).sum(dim=0) * mixed
    along = (weight * (change * off).sum(dim=0)).sum()
    return along / (weight * change.square().sum(dim=0)).sum().clamp_min(1e-9)


def nearest_in_angle(
    pseudo: Float[Tensor, "k pixel"],
    normals: Float[Tensor, "xyz=3 pixel"],
    hidden: Float[Tensor, "k pixel"],
    weight: Float[Tensor, " pixel"],
    mixing: Float[Tensor, "k k"],
    cutoff: float,
) -> Float[Tensor, "k k"]:
    """The matrix whose normals are nearest in angle to those of a reference of the same person.

        min over A of  sum_j w_j rho(|A N_j / |A N_j| - m_j|^2),   A is 3 x k

    by descent from the rows of B^-1 that give normals; rho is Geman-McClure's, and m_j the unit
    vector along the normal less what is `hidden` of the light. No albedo takes part, and what is
    made small is the angle itself. It asks more of the reference than `fit_mixing` does: with a
    stranger's normals this is the worse choice. B is then what takes the harmonics of the normals
    that are found to the pseudo-normals.
    """
    start = torch.linalg.inv(mixing)[1:4].flatten().detach().clone()
    rows = start.requires_grad_(True)
    optimizer = torch.optim.LBFGS([rows], max_iter=_STEPS, line_search_fn="strong_wolfe")
    goal = functional.normalize(normals - hidden[1:4], dim=0)

    def energy() -> Tensor:
        optimizer.zero_grad()
        found = functional.normalize(rows.reshape(3, -1) @ pseudo, dim=0)
        off = (found - goal).square().sum(dim=0)
        total = (weight * off / (1.0 + off / cutoff**2)).sum() / weight.sum()
        total.backward()
        return total

    with torch.enable_grad():
        optimizer.step(energy)
    directed = rows.detach().reshape(3, -1) @ pseudo
    off = (functional.normalize(directed, dim=0) - goal).square().sum(dim=0)
    length = (normals - hidden[1:4]).norm(dim=0)
    robust = weight / (1.0 + off / cutoff**2).square()
    return mixing_of(directed, length, hidden, pseudo, robust)


def mixing_of(
    directed: Float[Tensor, "xyz=3 pixel"],
    length: Float[Tensor, " pixel"],
    hidden: Float[Tensor, "k pixel"],
    pseudo: Float[Tensor, "k pixel"],
    weight: Float[Tensor, " pixel"],
) -> Float[Tensor, "k k"]:
    """The matrix B whose harmonics of albedo times received light, `directed`, are pseudo-normals.

    `length` is what `directed` would have at an albedo of 1, which is 1 but for what is hidden.
    """
    normals, albedo = uncovered(directed, length, hidden)
    known = albedo / albedo.mean() * (harmonics(normals, len(pseudo)) - hidden)
    return best_mixing(pseudo, known, weight)


def uncovered(
    directed: Float[Tensor, "xyz=3 pixel"],
    length: Float[Tensor, " pixel"],
    hidden: Float[Tensor, "k pixel"],
) -> tuple[Float[Tensor, "xyz=3 pixel"], Float[Tensor, " pixel"]]:
    """Unit normals and albedo, of what is received of first-order light: see `mixing_of`."""
    albedo = directed.norm(dim=0) / length.clamp_min(_LEAST_LENGTH)
    whole = directed / albedo.clamp_min(1e-9) + hidden[1:4]
    return functional.normalize(whole, dim=0), albedo


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
    identity = torch.eye(len(moments), dtype=moments.dtype, device=moments.device)
    moments = moments + 1e-4 * moments.trace() * identity
    return torch.linalg.solve_ex(moments, (weight * known) @ pseudo.T)[0].T


def albedo_of(
    pseudo: Float[Tensor, "k pixel"], mixed: Float[Tensor, "k pixel"]
) -> Float[Tensor, " pixel"]:
    """The factors that bring `mixed`, B h_j, nearest to the pseudo-normals; positive."""
    albedo = (mixed * pseudo).sum(dim=0) / mixed.square().sum(dim=0).clamp_min(1e-6)
    return albedo.clamp_min(_LEAST_ALBEDO)
