"""What a view says about a head, while it is bent or turned."""

from dataclasses import dataclass, replace

import roma
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from headrecon.geometry.camera import project
from headrecon.geometry.color import luminance
from headrecon.geometry.mixing import albedo_of, best_mixing, fit_mixing, harmonics
from headrecon.geometry.warp import sample
from headrecon.render.occlusion import Occlusion
from headrecon.render.rasterize import rasterize
from headrecon.render.reproject import see_template
from headrecon.template.marks import Marks
from headrecon.template.skin_rim import Place, SkinRim, skin_rim
from headrecon.types import SKIN, Camera, Factors, Template

_MIXING_ROUNDS = 10
_INSIDE = 0.99
"""Share of a point's four pixels that have to be the person's."""
_REACH = 2.0
"""Cutoffs of the misfit towards which that of a pixel grows, wherever the head moves."""


@dataclass(frozen=True)
class Skin:
    """What a view says about a head's skin: points of it, one of each pixel, and its outline."""

    layers: Float[Tensor, "layer h w"]
    """Pseudo-normals on the view's canvas, and 1 where there are any."""
    mixing: Float[Tensor, "k k"]
    """Takes albedo times harmonics to pseudo-normals, as well as the head can tell so far."""
    strength: Float[Tensor, ""]
    """Of the directed light."""
    weight: Float[Tensor, " point"]
    cutoff: float
    """Misfit at which a pixel has lost three quarters of its say."""
    hidden: Float[Tensor, "k point"]
    """What the head is in the way of, of the harmonics of the light."""
    face: Int[Tensor, " point"]
    barycentric: Float[Tensor, "point 3"]
    camera: Camera
    rim: SkinRim

    def misfit(
        self,
        vertices: Float[Tensor, "vertex xyz=3"],
        normals: Float[Tensor, "vertex xyz=3"],
        faces: Int[Tensor, "face 3"],
        place: Place,
    ) -> Float[Tensor, ""]:
        """Mean robust square of what no matrix explains, in units of the directed light.

        Each point of the skin is looked up where the head has it now. So shading says not only how
        the sides of a nose are turned, but also where it ends. What is found there can be anything,
        such as a nostril, in which pseudo-normals are many times the albedo. A few such pixels
        would outweigh all others and hold the head where it was, so that the square of each is
        bounded (Geman-McClure), and so is its say in the matrix.
        """
        corners, shares = faces[self.face], self.barycentric[..., None]
        seen = functional.normalize((shares * normals[corners]).sum(dim=1), dim=1)
        known = harmonics(self.camera.view_from_head @ seen.T, len(self.mixing)) - self.hidden
        scale, shift = place
        xy = project((shares * vertices[corners]).sum(dim=1), self.camera)[:, :2]
        found = sample(self.layers[None], (scale * xy + shift)[None, None])[0, :, 0]
        pseudo = found[:-1] / albedo_of(found[:-1], self.mixing @ known)
        weight = self.weight * (found[-1].detach() > _INSIDE)
        reach = (_REACH * self.cutoff * self.strength) ** 2
        trust = 1.0 / (1.0 + (pseudo - self.mixing @ known).square().sum(dim=0) / reach) ** 2
        mixing = best_mixing(pseudo, known, weight * trust)
        off = (pseudo - mixing @ known).square().sum(dim=0)
        robust = off / (1.0 + off / reach) / self.strength**2
        return (weight * robust).sum() / weight.sum().clamp_min(1e-6)


@dataclass(frozen=True)
class Sight(Skin):
    """The same with fiducials."""

    label: str
    """Of the view."""
    marks: Marks

    def turned(self, turn: Float[Tensor, "xyz=3"]) -> "Sight":
        """The same, taken to be seen by a camera that is turned by a rotation vector, radians."""
        return replace(self, camera=turned(self.camera, turn))

    def placed(self, marks: Float[Tensor, "fiducial=468 xyz=3"]) -> tuple[Place, Float[Tensor, ""]]:
        """Where the canvas has a head with these fiducials, and what is off then: see `Marks`."""
        return self.marks.explained(project(marks, self.camera)[:, :2])


def turned(camera: Camera, turn: Float[Tensor, "xyz=3"]) -> Camera:
    """A camera, turned in the view frame by a rotation vector in radians."""
    rotation = roma.rotvec_to_rotmat(turn) @ camera.view_from_head
    return replace(camera, view_from_head=rotation)


def skin_seen(
    factors: Factors,
    head: Template,
    occlusion: Occlusion,
    camera: Camera,
    min_cosine: float,
    min_pixels: int,
    cutoff: float,
) -> Skin | None:
    """What a view says about the skin that its camera sees; nothing if that is too little.

    Points whose n_z is less than `min_cosine` take no part; `cutoff` is the misfit at which a pixel
    has lost three quarters of its say.
    """
    seen = see_template(head, camera, SKIN)
    used = seen.mask & factors.mask & (seen.normals[2] > min_cosine)
    if int(used.sum()) < min_pixels:
        return None
    normals = seen.normals[:, used]
    pseudo, light = factors.shape[:, used], luminance(factors.color)[used]
    hidden = occlusion.seen_by(camera, len(pseudo))[:, used]
    known = harmonics(normals, len(pseudo))
    mixing, share = fit_mixing(pseudo, known, hidden, normals[2], light, _MIXING_ROUNDS, cutoff)
    hidden = share * hidden
    mixed = mixing @ (known - hidden)
    strength = (mixing[:, 1:4].square().sum() / 3.0).sqrt()
    misfit = (pseudo / albedo_of(pseudo, mixed) - mixed).norm(dim=0) / strength
    fragments = rasterize(head.vertices, head.faces, camera)
    return Skin(
        layers=torch.cat([factors.shape, factors.mask[None].to(pseudo)]),
        mixing=mixing,
        strength=strength,
        weight=normals[2] / (1.0 + (misfit / cutoff) ** 2) ** 2,
        cutoff=cutoff,
        hidden=hidden,
        face=fragments.face[used],
        barycentric=fragments.barycentric[used],
        camera=camera,
        rim=skin_rim(factors, head, camera),
    )
