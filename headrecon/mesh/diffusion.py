"""Values of vertices, spread over the mesh."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def both_ways(faces: Int[Tensor, "face 3"]) -> Int[Tensor, "2 edge"]:
    """The edges of the mesh, each in both directions."""
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return torch.unique(torch.cat([edges, edges.flip(1)]), dim=0).T


def diffused(
    u: Float[Tensor, "vertex channel"], edges: Int[Tensor, "2 edge"], times: int
) -> Float[Tensor, "vertex channel"]:
    """S^k u, S being half the vertex and half the mean of its neighbours."""
    degree = torch.bincount(edges[0], minlength=len(u)).clamp_min(1)[:, None]
    for _ in range(times):
        around = torch.zeros_like(u).index_add(0, edges[0], u[edges[1]])
        u = 0.5 * u + 0.5 * around / degree
    return u
