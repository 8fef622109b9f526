"""Robust similarity transforms between point sets."""

import roma
import torch
from jaxtyping import Float
from torch import Tensor


def fit_similarity(
    source: Float[Tensor, "point axis"],
    target: Float[Tensor, "point axis"],
    weights: Float[Tensor, " point"],
    rounds: int = 5,
) -> tuple[Float[Tensor, "axis axis"], Float[Tensor, " axis"]]:
    """Matrix M = scale * rotation and translation t that bring the source onto the target.

        min over M, t of  sum_i  w_i rho(|M source_i + t - target_i|)

    Procrustes analysis, reweighted: rho is Geman-McClure's with the median residual as its scale,
    so that a few fiducials off their place (closed eyes, an open mouth) do not turn the rest.

    Reference: Umeyama, "Least-squares estimation of transformation parameters between two point
    patterns", PAMI 1991.
    """
    matrix, translation = _weighted(source, target, weights)
    for _ in range(rounds - 1):
        residual = (source @ matrix.T + translation - target).norm(dim=-1)
        spread = residual[weights > 0].median().clamp_min(1e-6)
        robust = weights / (1.0 + (residual / (2.0 * spread)) ** 2) ** 2
        matrix, translation = _weighted(source, target, robust)
    return matrix, translation


def _weighted(
    source: Float[Tensor, "point axis"],
    target: Float[Tensor, "point axis"],
    weights: Float[Tensor, " point"],
) -> tuple[Float[Tensor, "axis axis"], Float[Tensor, " axis"]]:
    fitted = roma.rigid_points_registration(source, target, weights=weights, compute_scaling=True)
    rotation, translation, scale = map(torch.as_tensor, fitted)
    return scale * rotation, translation
