"""What faces that are pulled look like in photos whose flow has put every point into its place."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from headrecon.geometry.lighting import basis
from headrecon.geometry.surface import at, nearest_points, vertex_normals
from headrecon.types import Template


@dataclass(frozen=True)
class Expressions:
    """How expressions turn the normals of a mesh.

    Flow moves the corner of a mouth back to where it is at rest, but not the light in the fold that
    a smile has made. A photo's normals are n + sum_k e_k t_k, with t_k by how much one standard
    deviation of the template's k-th direction of expression turns them. Its e are small:

        min over e of  |e|^2 / 2 + (pixels / 2 robust^2) mean_j w_j (I_j - sum_k e_k s_kj)^2

    with I what the photo's light leaves unexplained of its grey values, and s_k what the light does
    to t_k, to first order. w falls with the misfit after Geman and McClure.
    """

    turns: Float[Tensor, "direction vertex xyz=3"]
    """t, in the head frame."""
    pixels: float
    """Independent ones that a photo counts for."""

    def coefficients(
        self,
        photos: Float[Tensor, "photo rgb=3 pixel"],
        light: Float[Tensor, "photo rgb=3 k"],
        color: Float[Tensor, "rgb=3 pixel"],
        normals: Float[Tensor, "xyz=3 pixel"],
        turned: Float[Tensor, "direction xyz=3 pixel"],
        weights: Float[Tensor, "photo pixel"],
        robust: float,
    ) -> Float[Tensor, "photo direction"]:
        """Each photo's e, by the light that explains it without; `turned` is t at the pixels."""
        order = {4: 1, 9: 2}[light.shape[2]]
        still = basis(normals, order)
        change = torch.stack([basis(pulled(normals, t), order) - still for t in turned])
        off = (photos - color * torch.einsum("pck,kj->pcj", light, still)).mean(dim=1)
        slope = torch.einsum("pck,dkj,cj->pdj", light, change, color) / 3.0
        believed = weights / (1.0 + (off / robust).square()).square()
        share = believed / weights.sum(dim=1, keepdim=True).clamp_min(1.0)
        normal = torch.einsum("pdj,pej,pj->pde", slope, slope, share)
        right = torch.einsum("pdj,pj,pj->pd", slope, off, share)
        prior = robust**2 / self.pixels * torch.eye(len(turned)).to(normal)
        return torch.linalg.solve_ex(normal + prior, right)[0]


def expressions_of(
    vertices: Float[Tensor, "vertex xyz=3"], template: Template, pixels: float
) -> Expressions:
    """How the expressions of a template turn the normals of a mesh that lies on it."""
    assert template.expressions is not None
    rest = vertex_normals(template.vertices, template.faces)
    there = nearest_points(vertices, template.vertices, template.faces)
    turns = [
        at(there, template.faces, vertex_normals(template.vertices + one, template.faces) - rest)
        for one in template.expressions
    ]
    return Expressions(torch.stack(turns), pixels)


def pulled(
    normals: Float[Tensor, "xyz=3 pixel"], turn: Float[Tensor, "xyz=3 pixel"]
) -> Float[Tensor, "xyz=3 pixel"]:
    """The unit normals, turned."""
    return functional.normalize(normals + turn, dim=0)
