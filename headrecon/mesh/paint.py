"""Albedo and support of a mesh, from the views that see it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.surface import vertex_normals
from headrecon.geometry.warp import inside, sample
from headrecon.mesh.deform import laplacian, smoothed
from headrecon.types import Head, Surface

_RIVAL = 0.2
"""Difference of log albedo from what the views agree on at which a view has lost three quarters."""
_ROUNDS = 8
_FAR = 10.0
"""Edges away from seen hair at which unseen hair has its common color."""


@dataclass(frozen=True)
class Paint:
    """What the views say at each vertex."""

    albedo: Float[Tensor, "vertex rgb=3"]
    support: Float[Tensor, " vertex"]


def paint(
    vertices: Float[Tensor, "vertex xyz=3"],
    faces: Int[Tensor, "face 3"],
    head: Head,
    hairy: Float[Tensor, " vertex"],
    tolerance: float,
    smoothness: float,
) -> Paint:
    """Blend the albedo of the views where they see a vertex; fill the rest smoothly.

    A view sees a vertex that faces it and lies within `tolerance` millimetres of its depth map.
    The albedo of a view is known up to a factor, its average light: each view after the first is
    scaled to agree, in the median, with the vertices that are painted already. At the rim of a view
    albedo may be many times too bright, where background or a highlight has come in, so that views
    are blended by what they agree on, a robust mean of the logarithms. Vertices that nobody
    sees minimize the Dirichlet energy: where hair grows (`hairy` is 1) between what is seen of the
    hair, and elsewhere between what is seen of the skin. Far from all that is seen, hair has the
    median color of hair, and not what happens to be at its edge, such as skin behind the ears.
    """
    normals = vertex_normals(vertices, faces)
    known = vertices.new_zeros(len(vertices), 3)
    total, support = vertices.new_zeros(len(vertices)), vertices.new_zeros(len(vertices))
    layers, weights = [], []
    for surface in head.surfaces:
        albedo, weight, count = _sampled(surface, vertices, normals, tolerance)
        both = (weight > 0.05) & (total > 0.05)
        if int(both.sum()) >= 50:
            albedo = albedo * (known[both] / albedo[both].clamp_min(1e-4)).median(dim=0).values
        layers.append(albedo)
        weights.append(weight)
        known = _agreed(torch.stack(layers), torch.stack(weights))
        total, support = total + weight, support + count
    energy = smoothness * laplacian(vertices, faces)
    of_hair = of_skin = smoothed(energy, known, total * (1.0 - hairy))
    seen_hair = total * hairy > 0.05
    if bool(seen_hair.any()):
        common, pull = known[seen_hair].median(dim=0).values, hairy * smoothness / _FAR**2
        weight = total * hairy + pull
        mixed = known * (total * hairy)[:, None] + common * pull[:, None]
        of_hair = smoothed(energy, mixed / weight.clamp_min(1e-12)[:, None], weight)
    filled = torch.where(hairy[:, None] > 0.5, of_hair, of_skin)
    # The brightest of a face is near 1 in a photo; only the ratio between pixels is known.
    scale = filled.quantile(0.99).clamp_min(1e-6)
    return Paint((0.8 * filled / scale).clamp(0.0, 1.0), support)


def _agreed(
    albedo: Float[Tensor, "view vertex rgb=3"], weights: Float[Tensor, "view vertex"]
) -> Float[Tensor, "vertex rgb=3"]:
    """Geometric means over the views, without those that say something else than the others."""
    logs, belief = albedo.clamp_min(1e-3).log(), weights
    mean = logs[0]
    for _ in range(_ROUNDS):
        mean = (belief[..., None] * logs).sum(dim=0) / belief.sum(dim=0).clamp_min(1e-6)[:, None]
        off = (logs - mean).square().mean(dim=2)
        belief = weights / (1.0 + off / _RIVAL**2).square()
    return mean.exp()


def _sampled(
    surface: Surface,
    vertices: Float[Tensor, "vertex xyz=3"],
    normals: Float[Tensor, "vertex xyz=3"],
    tolerance: float,
) -> tuple[Float[Tensor, "vertex rgb=3"], Float[Tensor, " vertex"], Float[Tensor, " vertex"]]:
    """Albedo, blending weight and support of the vertices in one view."""
    camera, field = surface.depth.camera, surface.normals
    xyz = project(vertices, camera)
    mask = surface.depth.mask.to(surface.depth.z)
    layers = torch.cat([field.albedo, surface.depth.z[None], field.support[None], mask[None]])
    seen = sample(layers[None], xyz[None, None, :, :2])[0, :, 0].T
    whole = seen[:, 5] > 0.999
    n_z = (normals @ camera.view_from_head[2]).clamp_min(0.0)
    near = ((xyz[:, 2] - seen[:, 3]).abs() < tolerance * camera.scale) & whole
    weight = n_z**2 * near * inside(xyz[:, :2], camera.height, camera.width)
    return seen[:, :3], weight, seen[:, 4] * (weight > 0)
