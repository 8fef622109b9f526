"""How far photos are from renderings of a mesh, as something to descend on."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.lighting import basis, fit_columns, reflected
from headrecon.geometry.surface import vertex_normals
from headrecon.mesh.expression import expressions_of
from headrecon.mesh.nudge import MOVES, Deviation, nudged, nudged_camera
from headrecon.mesh.shot import Shot
from headrecon.render.interreflection import lacking
from headrecon.render.occlusion import Occlusion
from headrecon.render.rasterize import Fragments, Scene, fragments_of, interpolate
from headrecon.types import HeadMesh, Template

LEAST_TURNED = 0.3
"""n_z from which on a pixel counts."""
_HARMONICS = {1: 4, 2: 9}
_ORDER = {4: 1, 9: 2}
CLIPPED = 0.98
"""Brightness from which on it does not."""


@dataclass(frozen=True)
class Subject:
    """What the steps of an epoch have in common."""

    faces: Int[Tensor, "face 3"]
    hidden: Occlusion
    """The light that the mesh keeps from itself as the epoch begins."""
    counted: Float[Tensor, "part vertex"]
    """1 for the vertices of each part that photos are to show, else 0."""
    expressions: Float[Tensor, "direction vertex xyz=3"]
    """What the faces of photos may be pulled by; none for faces at rest."""

    @classmethod
    def of(
        cls,
        mesh: HeadMesh,
        counted: Float[Tensor, "part vertex"],
        template: Template,
        expression: bool,
    ) -> "Subject":
        """A mesh of which these parts count, with expressions or without."""
        pulled = expressions_of(mesh.vertices, template)
        return cls(
            faces=mesh.faces,
            hidden=Occlusion.of(mesh.vertices, mesh.faces),
            counted=counted,
            expressions=pulled if expression else pulled[:0],
        )


@dataclass(frozen=True)
class Look:
    """What a mesh shows a camera, at its vertices."""

    normals: Float[Tensor, "vertex xyz=3"]
    """Unit, in the frame of the view."""
    albedo: Float[Tensor, "vertex rgb=3"]
    hidden: Float[Tensor, "vertex k"]
    """What the mesh keeps off of 4 or 9 harmonics of the light; see `lacking`."""
    counted: Float[Tensor, "part vertex"]


def photometric_error(
    vertices: Float[Tensor, "vertex xyz=3"],
    albedo: Float[Tensor, "vertex rgb=3"],
    moves: Float[Tensor, "photo move"],
    shots: Sequence[Shot],
    subject: Subject,
    deviation: Deviation,
    light_order: int,
    glossy: bool,
    robust: float,
) -> Float[Tensor, ""]:
    """Mean error of renderings of a mesh, one for each photo; see `rendering_error`.

    A photo's moves, in standard deviations, are those of its camera and, after them, how much of
    each expression there is.
    """
    scene, errors = Scene(vertices, subject.faces), []
    for move, shot in zip(moves, shots, strict=True):
        there, by = vertices, scene
        if len(subject.expressions):
            there = vertices + torch.einsum("d,dvx->vx", move[MOVES:], subject.expressions)
            by = Scene(there, subject.faces)
        rotation = shot.camera.view_from_head.to(vertices)
        shift = deviation(move[:MOVES])
        seen = nudged(there, shot.camera, shift)
        look = Look(
            normals=vertex_normals(seen, subject.faces) @ rotation.T,
            albedo=albedo,
            hidden=lacking(subject.hidden, rotation, _HARMONICS[light_order]),
            counted=subject.counted,
        )
        # What hides what needs no slope, and rays of all cameras may meet the same triangles.
        face = by.seen_by(nudged_camera(shot.camera, shift.detach()))
        fragments = fragments_of(project(seen, shot.camera), subject.faces, face)
        errors.append(rendering_error(shot, fragments, subject.faces, look, glossy, robust))
    return torch.stack(errors).mean()


def rendering_error(
    shot: Shot,
    fragments: Fragments,
    faces: Int[Tensor, "face 3"],
    look: Look,
    glossy: bool,
    robust: float,
) -> Float[Tensor, ""]:
    """Sum over the parts of the mean Geman-McClure error between a photo and its rendering.

        I = a l . (Y(n) - h)

    at unit exposure. The light l is the best one of each part, since hair does not shine as skin
    does, and the gradient goes through its fit. What the mesh itself keeps off of it, h, takes
    part: the side of a nose is dark because of the nose, too, and would seem to be turned away.
    Pixels that are clipped, or whose surface turns away, do not count. `robust` is the error from
    which on a pixel pulls no more. `glossy` adds what a rough mirror shows of the surroundings,
    first-order harmonics in the direction r = 2 n_z n - v that is reflected to the viewer v,
    without albedo:

        I = a l . (Y(n) - h) + m . Y(r)

    Reference: Ramamoorthi and Hanrahan, "A signal-processing framework for inverse rendering",
    SIGGRAPH 2001.
    """
    values = torch.cat([look.albedo, look.normals, look.hidden, look.counted.T], dim=1)
    layers = interpolate(fragments, faces, values)
    count, total = look.hidden.shape[1], layers.new_zeros(())
    facing = layers[5].detach() > LEAST_TURNED
    for part in layers[6 + count :].detach():
        seen = facing & (part > 0.5)
        color, unit = layers[:3, seen], torch.nn.functional.normalize(layers[3:6, seen], dim=0)
        photo = shot.image[:, seen].to(color)
        weights = shot.mask[seen].to(color) * (photo.amax(dim=0) < CLIPPED)
        pixels = weights.sum().clamp_min(1.0)
        photo = photo / ((photo.mean(dim=0) * weights).sum() / pixels).clamp_min(1e-3)

        columns = color[:, None] * (basis(unit, _ORDER[count]) - layers[6 : 6 + count, seen])
        if glossy:
            columns = torch.cat([columns, basis(reflected(unit)).expand(3, -1, -1)], dim=1)
        light = fit_columns(photo[None], columns, weights[None])[0]
        off = torch.einsum("ck,ckj->cj", light, columns) - photo
        squared = off.square().sum(dim=0)
        total = total + (weights * squared / (1.0 + squared / robust**2)).sum() / pixels
    return total
