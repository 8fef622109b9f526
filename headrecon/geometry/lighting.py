"""Light of a photo, when shape and albedo are known."""

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.constant import constant


def basis(normals: Float[Tensor, "xyz=3 pixel"], order: int = 1) -> Float[Tensor, "k pixel"]:
    """Spherical harmonics of the normals up to constants: 4 to the first order, 9 to the second.

    To first order (1, n_x, n_y, n_z), which have 87 % of the energy of what a Lambertian surface
    reflects of distant light at the least; to second order also n_x n_y, n_x n_z, n_y n_z,
    n_x^2 - n_y^2 and 3 n_z^2 - 1, and 99 %.

    Reference: Basri and Jacobs, "Lambertian reflectance and linear subspaces", PAMI 2003.
    """
    first = torch.cat([torch.ones_like(normals[:1]), normals])
    if order == 1:
        return first
    x, y, z = normals
    second = torch.stack([x * y, x * z, y * z, x * x - y * y, 3.0 * z * z - 1.0])
    return torch.cat([first, second])


def fit_lighting(
    images: Float[Tensor, "photo rgb=3 pixel"],
    albedo: Float[Tensor, "rgb=3 pixel"],
    normals: Float[Tensor, "xyz=3 pixel"],
    weights: Float[Tensor, "photo pixel"],
    order: int = 1,
) -> Float[Tensor, "photo rgb=3 k"]:
    """Lighting coefficients l of each photo and channel, by least squares.

        min over l of  sum_j w_j (image_j - albedo_j l . basis(n_j))^2

    Colored light is a light of its own for each channel.
    """
    return fit_columns(images, albedo[:, None] * basis(normals, order)[None], weights)


def fit_columns(
    images: Float[Tensor, "photo rgb=3 pixel"],
    rendered: Float[Tensor, "rgb=3 k pixel"],
    weights: Float[Tensor, "photo pixel"],
) -> Float[Tensor, "photo rgb=3 k"]:
    """By how much of each rendering each photo is explained best; see `fit_lighting`."""
    normal = torch.einsum("ckj,clj,pj->pckl", rendered, rendered, weights)
    right = torch.einsum("ckj,pcj,pj->pck", rendered, images, weights)
    # Light that the photo does not constrain (all pixels turned one way) stays small.
    ridge = 1e-3 * normal.diagonal(dim1=-2, dim2=-1).mean(dim=-1).clamp_min(1e-6)
    identity = torch.eye(normal.shape[-1], dtype=normal.dtype, device=normal.device)
    return torch.linalg.solve_ex(normal + ridge[..., None, None] * identity, right)[0]


def light_arriving(
    image: Float[Tensor, "rgb=3 pixel"],
    albedo: Float[Tensor, "rgb=3 pixel"],
    harmonics: Float[Tensor, "k pixel"],
    weights: Float[Tensor, " pixel"],
) -> tuple[Float[Tensor, "rgb=3 pixel"], Float[Tensor, " pixel"]]:
    """Light that arrives everywhere, in the mean of where it is told, and how sure that is.

    It is told where there are weights, and fitted twice, the second time without what the first fit
    does not explain. Elsewhere it is extrapolated: for harmonics y unlike those, the leverage
    y^T M^-1 y, with M the weighted mean of y y^T, exceeds k, its mean there. Sureness is k over it,
    at most 1.
    """
    columns = albedo[:, None] * harmonics
    light = fit_columns(image[None], columns, weights[None])[0]
    off = (torch.einsum("ck,ckj->cj", light, columns) - image).norm(dim=0)
    usual = 3.0 * off[weights > 0.0].median().clamp_min(1e-3)
    kept = weights / (1.0 + (off / usual) ** 2) ** 2
    light = fit_columns(image[None], columns, kept[None])[0]
    arriving = light @ harmonics
    share, count = weights / weights.sum().clamp_min(1e-6), len(harmonics)
    moments = torch.einsum("kj,lj,j->kl", harmonics, harmonics, share)
    inverse = torch.linalg.inv(moments + 1e-4 * torch.eye(count).to(moments))
    leverage = torch.einsum("kj,kl,lj->j", harmonics, inverse, harmonics)
    mean = (share * arriving).sum(dim=1).mean().clamp_min(1e-3)
    return arriving / mean, count / leverage.clamp_min(count)


def reflected(normals: Float[Tensor, "xyz=3 pixel"]) -> Float[Tensor, "xyz=3 pixel"]:
    """The directions that a mirror shows to the viewer, r = 2 n_z n - (0, 0, 1)."""
    towards = constant((0.0, 0.0, 1.0), normals)[:, None]
    return 2.0 * normals[2] * normals - towards
