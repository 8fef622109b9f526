"""Smooth fields on a mesh that agree with data given at some of its vertices."""

import numpy as np
import roma
import scipy.sparse as sp
import torch
from jaxtyping import Float, Int
from scipy.sparse.linalg import splu
from torch import Tensor
from torch.nn import functional

from headrecon.types import SurfacePoints


def laplacian(
    vertices: Float[Tensor, "vertex xyz=3"], faces: Int[Tensor, "face 3"]
) -> sp.csr_matrix:
    """Cotangent Laplacian K, positive semidefinite: x^T K x is the Dirichlet energy of x.

    Edges whose two cotangents add up to less than nothing, which a Delaunay mesh has none of, are
    left out: K stays an M-matrix, whose solutions never overshoot their data.

    Reference: Pinkall and Polthier, "Computing discrete minimal surfaces and their conjugates",
    Experimental Mathematics 1993.
    """
    v, f = vertices.detach().double().cpu().numpy(), faces.cpu().numpy()
    rows, columns, values = [], [], []
    for corner in range(3):
        o, a, b = f[:, corner], f[:, (corner + 1) % 3], f[:, (corner + 2) % 3]
        to_a, to_b = v[a] - v[o], v[b] - v[o]
        sine = np.linalg.norm(np.cross(to_a, to_b), axis=1)
        cotangent = np.clip((to_a * to_b).sum(axis=1) / np.maximum(sine, 1e-12), -20.0, 20.0)
        rows += [a, b]
        columns += [b, a]
        values += [cotangent / 2.0, cotangent / 2.0]
    shape = (len(v), len(v))
    adjacency = sp.coo_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape
    ).tocsr()
    adjacency.data = adjacency.data.clip(min=0.0)
    return sp.csr_matrix(sp.diags(np.asarray(adjacency.sum(axis=1)).ravel()) - adjacency)


def thin_shell(
    vertices: Float[Tensor, "vertex xyz=3"], faces: Int[Tensor, "face 3"], bending: float
) -> sp.csr_matrix:
    """Energy |grad x|^2 + bending |lap x|^2 of a field on the mesh; bending in mm^2."""
    stiff = laplacian(vertices, faces)
    return sp.csr_matrix(stiff + bending / _area(stiff) * (stiff @ stiff))


def transported_shell(
    vertices: Float[Tensor, "vertex xyz=3"],
    faces: Int[Tensor, "face 3"],
    normals: Float[Tensor, "vertex xyz=3"],
    bending: float,
) -> sp.csr_matrix:
    """Energy of vectors that turn with the surface, as what stands off from it does.

        sum over edges of  k_uv |x_u - R_uv x_v|^2 + bending |lap_R x|^2

    with k the weights of the cotangent Laplacian, lap_R the Laplacian of these differences, and
    R_uv the smallest turn that takes the normal of v to that of u; where all normals are the same,
    `thin_shell`. Of a ball, x = n costs nothing here, and a shift does. The three numbers of a
    vertex follow each other.

    Reference: Singer and Wu, "Vector diffusion maps and the connection Laplacian", CPAM 2012.
    """
    stiff = laplacian(vertices, faces)
    edges = sp.coo_matrix(sp.triu(stiff, k=1))
    n = functional.normalize(normals.detach().double().cpu(), dim=1)
    u, v = (n[torch.from_numpy(index).long()] for index in (edges.row, edges.col))
    turns = _smallest_turn(v, u).numpy() * edges.data[:, None, None]
    row, column = (
        3 * index[:, None, None] + own
        for index, own in zip((edges.row, edges.col), np.mgrid[:3, :3], strict=True)
    )
    shape = (3 * len(n), 3 * len(n))
    above = sp.coo_matrix((turns.ravel(), (row.ravel(), column.ravel())), shape=shape).tocsr()
    turning = above + above.T + sp.diags(np.repeat(stiff.diagonal(), 3))
    return sp.csr_matrix(turning + bending / _area(stiff) * (turning @ turning))


def _smallest_turn(
    start: Float[Tensor, "vector 3"], end: Float[Tensor, "vector 3"]
) -> Float[Tensor, "vector 3 3"]:
    """The rotation by the smallest angle that takes one unit vector to the other."""
    axis = torch.linalg.cross(start, end)
    sine, cosine = axis.norm(dim=1, keepdim=True), (start * end).sum(dim=1, keepdim=True)
    return roma.rotvec_to_rotmat(axis / sine.clamp_min(1e-12) * torch.atan2(sine, cosine))


def _area(stiff: sp.csr_matrix) -> float:
    """The mean lumped area, which turns K x into the Laplacian of x in 1 / mm^2."""
    return float(np.asarray(abs(stiff).sum(axis=1)).mean())


def smoothed(
    energy: sp.csr_matrix,
    values: Float[Tensor, "vertex channel"],
    weights: Float[Tensor, " vertex"],
) -> Float[Tensor, "vertex channel"]:
    """The smooth field that agrees with values by their weights; see `smooth_fit`."""
    nothing = sp.csr_matrix((0, len(values)))
    return smooth_fit(energy, values, weights, nothing, values[:0], weights[:0])


def extended(
    energy: sp.csr_matrix,
    values: Float[Tensor, "vertex channel"],
    known: Float[Tensor, " vertex"],
) -> Float[Tensor, "vertex channel"]:
    """The smoothest field that has the values where they are known (1; 0 elsewhere)."""
    return smoothed(energy, values, 1e4 * float(energy.diagonal().mean()) * known)


def interpolation(
    points: SurfacePoints, faces: Int[Tensor, "face 3"], vertex_count: int
) -> sp.csr_matrix:
    """Matrix that takes values of the vertices to values at points of the surface."""
    corners = faces[points.face].cpu().numpy()
    rows = np.repeat(np.arange(len(corners)), 3)
    weights = points.barycentric.cpu().numpy().ravel()
    return sp.csr_matrix((weights, (rows, corners.ravel())), shape=(len(corners), vertex_count))


def smooth_fit(
    energy: sp.csr_matrix,
    target: Float[Tensor, "vertex channel"],
    weights: Float[Tensor, " vertex"],
    selection: sp.csr_matrix,
    pinned: Float[Tensor, "pin channel"],
    pin_weights: Float[Tensor, " pin"],
) -> Float[Tensor, "vertex channel"]:
    """The smooth field x that agrees with targets at vertices and at points of the surface.

        min over x of  x^T E x + sum_v w_v |x_v - target_v|^2 + sum_p u_p |(S x)_p - pinned_p|^2

    with E the smoothness `energy` and S the `selection` of interpolated points. One sparse
    factorization serves all channels.
    """
    w = weights.detach().double().cpu().numpy()
    u = pin_weights.detach().double().cpu().numpy()
    matrix = energy + sp.diags(w + 1e-9) + selection.T @ sp.diags(u) @ selection
    right = w[:, None] * target.detach().double().cpu().numpy()
    right += selection.T @ (u[:, None] * pinned.detach().double().cpu().numpy())
    factors = splu(
        sp.csc_matrix(matrix), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}
    )
    return torch.from_numpy(factors.solve(right)).to(target)
