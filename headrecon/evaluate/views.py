"""Depth and normals of each view against the truth."""

import torch
from torch import Tensor

from headrecon.evaluate.surface import Similarity
from headrecon.geometry.surface import vertex_normals
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.truth import Truth
from headrecon.types import Factors, Head


def view_errors(head: Head, truth: Truth, aligned: Similarity) -> dict[str, float]:
    """For each view the median angle of its normals and the median error of its depth.

    The true head is seen by the view's own camera, brought to the frame of the result by the
    inverse of `aligned`. Depth is compared up to its median, which no photo tells.
    """
    vertices = aligned.inverse()(truth.vertices)
    numbers = {}
    for surface in head.surfaces:
        camera = surface.depth.camera
        fragments = rasterize(vertices, truth.faces, camera)
        normals = _true_normals(vertices, truth.faces, camera.view_from_head, fragments)
        both = surface.depth.mask & fragments.mask
        label = surface.depth.label
        numbers[f"{label}/normal_degrees"] = _angle(
            surface.normals.normals[:, both], normals[:, both]
        )
        deviation = (surface.depth.z - fragments.z)[both] / camera.scale
        numbers[f"{label}/depth_mm"] = float((deviation - deviation.median()).abs().median())
    return numbers


def ambiguity_errors(
    factors: tuple[Factors, ...], head: Head, truth: Truth, aligned: Similarity
) -> dict[str, float]:
    """For each view what the best ambiguity could have given, and the residual of the factors.

    The median angle of true normals to the best linear fit by the pseudo-normals is what a perfect
    recovery of the 4 x 4 ambiguity would leave; the residual is in shares of the intensity.
    """
    vertices = aligned.inverse()(truth.vertices)
    numbers = {}
    for factor, surface in zip(factors, head.surfaces, strict=True):
        camera = surface.depth.camera
        fragments = rasterize(vertices, truth.faces, camera)
        normals = _true_normals(vertices, truth.faces, camera.view_from_head, fragments)
        both = factor.mask & fragments.mask & (factor.support > 1.0)
        albedo = surface.normals.albedo.mean(dim=0)[both].clamp_min(1e-3)
        # The pseudo-normals are linear in albedo times normal.
        source, target = factor.shape[:, both].T, (albedo * normals[:, both]).T
        solution = torch.linalg.lstsq(source.double(), target.double()).solution
        label = factor.label
        numbers[f"{label}/best_linear_normal_degrees"] = _angle(
            (source.double() @ solution).T.float(), normals[:, both]
        )
        intensity = factor.color.mean(dim=0)[both].mean().clamp_min(1e-6)
        numbers[f"{label}/factors_residual_share"] = float(factor.residual[both].mean() / intensity)
    return numbers


def _true_normals(vertices: Tensor, faces: Tensor, rotation: Tensor, fragments) -> Tensor:
    """Unit normals of the true surface in the view frame, at each pixel."""
    normals = vertex_normals(vertices, faces) @ rotation.T
    return torch.nn.functional.normalize(interpolate(fragments, faces, normals), dim=0)


def _angle(found: Tensor, true: Tensor) -> float:
    """Median angle in degrees; NaN without pixels."""
    if not found.shape[1]:
        return float("nan")
    cosine = torch.nn.functional.cosine_similarity(found, true, dim=0).clamp(-1.0, 1.0)
    return float(torch.rad2deg(cosine.arccos()).median())
