"""Normals by what photos say and by what is expected, each as far as it can be trusted."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

_DARKEST = 0.02
"""Least albedo; what is darker says nothing."""
_RANGE = 4.0
"""Largest factor between two pixels' mean shading, where normals are not known yet."""


def posterior(
    pseudo: Float[Tensor, "k pixel"],
    information: Float[Tensor, "k k pixel"],
    mixing: Float[Tensor, "k k"],
    variance: Float[Tensor, " pixel"],
    expected: Float[Tensor, "k pixel"],
    deviation: Float[Tensor, " pixel"],
    average: Float[Tensor, " pixel"],
) -> tuple[Float[Tensor, "k pixel"], Float[Tensor, " pixel"]]:
    """Albedo times harmonics, from the photos and from what is expected.

        min over s of  (N - B s)^T M (N - B s) / v + |s - rho h|^2 / (deviation rho)^2

    with h, `expected`, the harmonics of the expected normal, less what is hidden of the light, and
    rho the albedo with which they explain the photos best, bounded by their `average`. And by how
    many degrees normals may be off: with C the posterior covariance of albedo times normal, the
    root of the trace of C without the direction n, over the albedo.
    """
    known = expected.T
    precision = torch.einsum("km,klj,ln->jmn", mixing, information, mixing)
    observed = torch.einsum("km,klj,lj->jm", mixing, information, pseudo)
    explained = torch.einsum("jm,jmn,jn->j", known, precision, known)
    rho = (known * observed).sum(dim=1) / explained.clamp_min(1e-6)
    rho = near_average(rho, average, _RANGE).clamp_min(_DARKEST)

    scale = (deviation * rho) ** 2 / variance
    left = scale[:, None, None] * precision + torch.eye(len(mixing)).to(precision)
    right = scale[:, None] * observed + rho[:, None] * known
    spread = torch.linalg.inv_ex(left)[0]
    shape = torch.einsum("jmn,jn->jm", spread, right)
    across = _across(spread, functional.normalize(shape[:, 1:4], dim=1))
    return shape.T, torch.rad2deg(deviation * across.clamp_min(0.0).sqrt())


def near_average(
    albedo: Float[Tensor, " pixel"], average: Float[Tensor, " pixel"], most: float
) -> Float[Tensor, " pixel"]:
    """Albedo within a factor of what the average photo says, up to one factor for all pixels.

    Light comes from all sides in the end, so that mean shading does not differ by much. Where
    expected normals are wrong, or a matrix from few photos goes astray, albedo would be black or
    twenty times too bright.
    """
    average = average.clamp_min(1e-6)
    share = albedo / average
    middle = share.clamp_min(0.0).median() if len(share) else share.sum()
    return average * torch.minimum(torch.maximum(share, middle / most), middle * most)


def model_error(
    pseudo: Float[Tensor, "k pixel"],
    information: Float[Tensor, "k k pixel"],
    mixing: Float[Tensor, "k k"],
    support: Float[Tensor, " pixel"],
    expected: Float[Tensor, "k pixel"],
    least: float,
) -> Float[Tensor, ""]:
    """Standard deviation of the photos' common deviation from first-order light.

    Noise averages out over photos; shadows, higher harmonics and misalignment do not. How large
    they are shows where the surface is known: with a the angle between the photos' directed light
    and the expected one (normals, where nothing is hidden), radians, and u their variance each way
    if e were 1,

        e^2 = mean(a^2) / 2 / median(u),   and e is never less than `least`

    The mean, and not a median, since pixels that are far off are so many together, and tell of
    others where nothing is known.
    All of the disagreement is put down to the photos, which are so believed rather less than more.
    Reference: Robbins, "An empirical Bayes approach to statistics", Berkeley Symposium 1956.
    """
    if not pseudo.shape[1]:
        return pseudo.new_tensor(least)
    precision = torch.einsum("km,klj,ln->jmn", mixing, information, mixing)
    directed = (torch.linalg.inv(mixing) @ pseudo)[1:4]
    rho = directed.norm(dim=0).clamp_min(_DARKEST)
    found = functional.normalize(directed, dim=0)
    ridge = 1e-6 * torch.eye(len(mixing)).to(precision)
    across = _across(torch.linalg.inv_ex(precision + ridge)[0], found.T) / 2.0
    unit = (across * support / rho.square()).median()
    goal = functional.normalize(expected[1:4], dim=0)
    angle = 2.0 * ((found - goal).norm(dim=0) / 2.0).clamp(max=1.0).asin()
    each_way = (angle.square().mean() / 2.0).sqrt()
    return (each_way / unit.clamp_min(1e-12).sqrt()).clamp_min(least)


def _across(
    spread: Float[Tensor, "pixel k k"], normal: Float[Tensor, "pixel xyz=3"]
) -> Float[Tensor, " pixel"]:
    """Variance of the components 1 to 3 across their own direction."""
    spread = spread[:, 1:4, 1:4]
    along = torch.einsum("jm,jmn,jn->j", normal, spread, normal)
    return spread.diagonal(dim1=1, dim2=2).sum(dim=1) - along
