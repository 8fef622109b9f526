"""Light of a photo, when shape and albedo are known."""

import torch
from jaxtyping import Float
from torch import Tensor


def basis(normals: Float[Tensor, "xyz=3 pixel"]) -> Float[Tensor, "4 pixel"]:
    """(1, n_x, n_y, n_z): first-order spherical harmonics up to constants."""
    return torch.cat([torch.ones_like(normals[:1]), normals])


def fit_lighting(
    images: Float[Tensor, "photo rgb=3 pixel"],
    albedo: Float[Tensor, "rgb=3 pixel"],
    normals: Float[Tensor, "xyz=3 pixel"],
    weights: Float[Tensor, "photo pixel"],
) -> Float[Tensor, "photo rgb=3 4"]:
    """Lighting coefficients l of each photo and channel, by least squares.

        min over l of  sum_j w_j (image_j - albedo_j l . (1, n_j))^2

    Colored light is a light of its own for each channel.
    """
    rendered = albedo[:, None] * basis(normals)[None]
    normal = torch.einsum("ckj,clj,pj->pckl", rendered, rendered, weights)
    right = torch.einsum("ckj,pcj,pj->pck", rendered, images, weights)
    # Light that the photo does not constrain (all pixels turned one way) stays small.
    ridge = 1e-3 * normal.diagonal(dim1=-2, dim2=-1).mean(dim=-1).clamp_min(1e-6)
    return torch.linalg.solve(normal + ridge[..., None, None] * torch.eye(4).to(normal), right)
