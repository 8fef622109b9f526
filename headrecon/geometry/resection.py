"""The camera that sees known points where they are seen."""

from dataclasses import replace

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.camera import from_afar, project
from headrecon.geometry.similarity import fit_similarity
from headrecon.types import Camera


def resect(
    points: Float[Tensor, "point xyz=3"],
    seen: Float[Tensor, "point xy=2"],
    weights: Float[Tensor, " point"],
    rounds: int = 8,
) -> tuple[Float[Tensor, "3 3"], float, Float[Tensor, "xy=2"]]:
    """Rotation, scale and origin of the weak-perspective camera that fits best.

        min over M, t of  sum_i w_i rho(|M p_i + t - s_i|),   s_i = (x, -y) of the canvas

    The affine camera M (2 x 3) is linear; the closest scaled rotation to it is its singular vectors
    with the mean of its singular values. rho is Geman-McClure's with the median residual as scale.

    Convention: points in the head frame, millimetres; `seen` in pixels of the canvas, y down.
    Reference: Horaud, Dornaika, Lamiroy and Christy, "Object pose: the link between weak
    perspective, paraperspective, and full perspective", IJCV 1997.
    """
    up = seen * seen.new_tensor([1.0, -1.0])
    robust = weights
    affine, shift = seen.new_zeros(2, 3), seen.new_zeros(2)
    for _ in range(rounds):
        total = robust.sum()
        mean_point = (robust[:, None] * points).sum(dim=0) / total
        mean_seen = (robust[:, None] * up).sum(dim=0) / total
        centred, target = points - mean_point, up - mean_seen
        scatter = (robust[:, None] * centred).T @ centred
        # A nearly flat set of points says little about the column across it, which stays small.
        scatter = scatter + 1e-4 * scatter.trace() * torch.eye(3).to(points)
        affine = torch.linalg.solve(scatter, (robust[:, None] * centred).T @ target).T
        shift = mean_seen - affine @ mean_point
        residual = (points @ affine.T + shift - up).norm(dim=-1)
        spread = residual[weights > 0].median().clamp_min(1e-6)
        robust = weights / (1.0 + (residual / (2.0 * spread)) ** 2) ** 2
    left, sizes, right = torch.linalg.svd(affine, full_matrices=False)
    top = left @ right
    rotation = torch.cat([top, torch.linalg.cross(top[0], top[1])[None]])
    # The rotation passes through the points' mean, where the affine camera is right.
    scale = float(sizes.mean())
    total = robust.sum()
    mean_point = (robust[:, None] * points).sum(dim=0) / total
    mean_seen = (robust[:, None] * up).sum(dim=0) / total
    origin = (mean_seen - scale * top @ mean_point) * seen.new_tensor([1.0, -1.0])
    return rotation, scale, origin


def turned_towards(
    camera: Camera,
    points: Float[Tensor, "point xyz=3"],
    seen: Float[Tensor, "point xy=2"],
    weights: Float[Tensor, " point"],
    share: float,
) -> tuple[Camera, float]:
    """A camera that turns a share of the way to the one that sees points where they are seen.

    Its scale, its shift and its roll are those of the similarity that then fits best. Fiducials
    slide with the view, by which a camera resected from them turns too far; what is known of its
    rotation otherwise deserves the rest of the way. And the whole of the way, in degrees.
    """
    whole, _, _ = resect(points, from_afar(points, seen, camera), weights)
    cosine = ((whole * camera.view_from_head).sum() - 1.0) / 2.0
    angle = float(torch.rad2deg(cosine.clamp(-1.0, 1.0).acos()))
    both = (camera.view_from_head, whole)
    turned = roma.rotmat_slerp(*both, torch.tensor([share]).to(points))[0]
    apart = project(points, replace(camera, view_from_head=turned))[:, :2] - camera.origin
    matrix, origin = fit_similarity(apart, seen, weights)
    grown = float(torch.linalg.det(matrix).abs().sqrt())
    flip = points.new_tensor([1.0, -1.0])
    about_z = torch.eye(3).to(points)
    about_z[:2, :2] = flip[:, None] * matrix * flip / grown
    scale = grown * camera.scale
    return replace(camera, view_from_head=about_z @ turned, scale=scale, origin=origin), angle
