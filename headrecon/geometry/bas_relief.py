"""Normals that are those of some surface, and what integrability leaves open about them."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

_STEPS = 20
_CUTOFF = 4.0
"""Medians of the curl at which a pixel has lost three quarters of its weight."""
_LEAST_RELIEF = 0.05
"""lam of a relief that is nearly flat; 0 or less would be turned inside out."""


def bas_relief(lam: Tensor, mu: Tensor, nu: Tensor) -> Float[Tensor, "3 3"]:
    """What the generalized bas-relief z -> lam z + mu x + nu y does to a normal, up to its length.

        (-z_x, -z_y, 1)  ->  (-lam z_x - mu, -lam z_y - nu, 1)

    Under other lights and another albedo the two surfaces give the same photos, attached and cast
    shadows included; no other change of all normals keeps a surface a surface.

    Reference: Belhumeur, Kriegman and Yuille, "The bas-relief ambiguity", IJCV 1999.
    """
    zero, one = torch.zeros_like(lam), torch.ones_like(lam)
    return torch.stack([lam, zero, -mu, zero, lam, -nu, zero, zero, one]).reshape(3, 3)


def fit_bas_relief(
    normals: Float[Tensor, "xyz=3 pixel"],
    reference: Float[Tensor, "xyz=3 pixel"],
    weight: Float[Tensor, " pixel"],
    rounds: int,
    cutoff: float,
) -> Float[Tensor, "3 3"]:
    """The bas-relief G under which the normals come nearest to those of a reference, robustly.

        min over lam, mu, nu of  sum_j w_j |(r_j x G n_j)_xy|^2 / |G n_j|^2

    r x G n vanishes where the two point the same way and is linear in the three unknowns; weights
    fall with the angle after Geman and McClure.
    """
    n_x, n_y, n_z = normals
    r_x, r_y, r_z = reference
    zero = torch.zeros_like(n_x)
    rows = (
        torch.stack([n_x * r_z, -n_z * r_z, zero], 1),
        torch.stack([n_y * r_z, zero, -n_z * r_z], 1),
    )
    design = torch.cat(rows)
    target = torch.cat([n_z * r_x, n_z * r_y])
    found, robust = bas_relief(*torch.eye(3)[0].to(normals)), weight
    for _ in range(rounds):
        belief = robust.repeat(2)[:, None]
        normal = design.T @ (belief * design)
        ridge = 1e-6 * normal.trace() * torch.eye(3).to(normal)
        lam, mu, nu = torch.linalg.solve_ex(normal + ridge, design.T @ (belief[:, 0] * target))[0]
        found = bas_relief(lam.clamp_min(_LEAST_RELIEF), mu, nu)
        length = (found @ normals).norm(dim=0).clamp_min(1e-6)
        off = (found @ normals / length - reference).square().sum(dim=0)
        robust = weight / ((1.0 + off / cutoff**2).square() * length**2)
    return found


def integrable_rows(
    pseudo: Float[Tensor, "k h w"],
    mask: Bool[Tensor, "h w"],
    start: Float[Tensor, "3 k"],
    deviation: float,
) -> Float[Tensor, "3 k"]:
    """The matrix A, near `start`, whose A N are normals of a surface as far as any are.

        min over A of  sum_j w_j c_j^2 / (s |A_0 N_j|^2)^2
                             + |(A - A_0) N_j|^2 / (deviation |A_0 N_j|)^2,
        c = m_z^2 (d_y z_x - d_x z_y) = m_z d_x m_y - m_y d_x m_z - m_z d_y m_x + m_x d_y m_z

    with m = A N, by Gauss and Newton. s is the median of |c| / |A_0 N|^2 so far, and weights fall
    with it after Geman and McClure: where curl can be made to vanish, nothing else counts in the
    end, and where shadows and noise have left some that no matrix takes away, A stays near by. The
    length of A and the three parameters of the bas-relief, which change no zero of c, stay as they
    are.

    Reference: Yuille and Snow, "Shape and albedo from multiple images using integrability", CVPR
    1997.
    """
    inner = _inner(mask)
    right, up = (
        (pseudo.roll(-s, d) - pseudo.roll(s, d))[:, inner] / 2.0 for s, d in ((1, 2), (-1, 1))
    )
    values, rows = pseudo[:, inner], start
    if values.shape[1] < 3 * rows.numel():
        return start
    size = (start @ values).square().sum(dim=0).clamp_min(1e-12)
    moments = torch.block_diag(*3 * [(values / size) @ values.T / deviation**2])
    free = _without_gauge(start, values)
    for _ in range(_STEPS):
        m, m_right, m_up = rows @ values, rows @ right, rows @ up
        curl = m[2] * m_right[1] - m[1] * m_right[2] - m[2] * m_up[0] + m[0] * m_up[2]
        columns = torch.cat(
            [
                m_up[2] * values - m[2] * up,
                m[2] * right - m_right[2] * values,
                (m_right[1] - m_up[0]) * values - m[1] * right + m[0] * up,
            ]
        )
        spread = (curl / size).abs().median().clamp_min(1e-9)
        residual, jacobian = curl / (size * spread), (columns / (size * spread)).T @ free
        weight = (1.0 + (residual / _CUTOFF).square()) ** -2
        normal = jacobian.T @ (weight[:, None] * jacobian) + free.T @ moments @ free
        back = free.T @ moments @ (rows - start).flatten()
        step = torch.linalg.solve_ex(normal, jacobian.T @ (weight * residual) + back)[0]
        rows = rows - (free @ step).reshape(rows.shape)
    return rows


def _without_gauge(
    rows: Float[Tensor, "3 k"], values: Float[Tensor, "k pixel"]
) -> Float[Tensor, "entry direction"]:
    """Changes of the rows that leave their length and their bas-relief as they are, to first order.

    Directions are normal to the gauge's in the metric of the vectors that they change.
    """
    kinds = torch.zeros(4, 3, 3).to(rows)
    kinds[0] = torch.eye(3)
    kinds[1, [0, 1], [0, 1]] = 1.0
    kinds[2, 0, 2] = kinds[3, 1, 2] = 1.0
    gauge = ((kinds @ rows) @ (values @ values.T)).reshape(4, -1)
    return torch.linalg.svd(gauge)[2][4:].T


def _inner(mask: Bool[Tensor, "h w"]) -> Bool[Tensor, "h w"]:
    """Pixels with four neighbours."""
    inner = mask.clone()
    for shift, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1)):
        inner &= mask.roll(shift, axis)
    inner[0], inner[-1], inner[:, 0], inner[:, -1] = False, False, False, False
    return inner
