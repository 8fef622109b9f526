"""What a photo shows of a head through cameras that are moved."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import roma
import torch
from jaxtyping import Float
from kornia.filters import gaussian_blur2d
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.lighting import basis, fit_columns
from headrecon.geometry.surface import vertex_areas, vertex_normals
from headrecon.geometry.warp import sample
from headrecon.ibug68 import INNER, INNER_FROM_MESH
from headrecon.mesh.parts import is_part
from headrecon.mesh.photo_outline import PhotoOutline
from headrecon.mesh.shown import shown_by
from headrecon.render.interreflection import lacking
from headrecon.render.occlusion import Occlusion
from headrecon.render.rasterize import Scene
from headrecon.types import Camera, HeadMesh, Portrait, Template

_FEWEST = 50
"""Vertices of the face that a photo has to show."""
_NEAREST = 300.0
"""Millimetres; nobody is photographed from less."""
_ROUNDS = 3
"""Of reweighting the vertices of a photo."""
_BAND = 0.25
"""Largest cosine between a normal and the line of sight on an outline."""
_REACH = 6.0
"""Millimetres beyond which the photo's outline is another one, as that of hair."""
_SOME = 0.02
"""Share of the person in the blur of a pixel from which on it has a color."""


@dataclass(frozen=True)
class Sitter:
    """A head with albedo, and what every photo asks of it."""

    mesh: HeadMesh
    normals: Float[Tensor, "vertex xyz=3"]
    scene: Scene
    occlusion: Occlusion
    skin: Float[Tensor, " vertex"]
    """Area of the vertices that are compared, else 0."""
    face: Float[Tensor, " vertex"]
    """1 on the face, which tells the light."""
    length: Float[Tensor, " vertex"]
    """Of the surface around each vertex, millimetres."""

    @classmethod
    def of(cls, mesh: HeadMesh, template: Template, parts: Sequence[str]) -> "Sitter":
        """With these regions of the template to be compared."""
        areas = vertex_areas(mesh.vertices, mesh.faces)
        return cls(
            mesh=mesh,
            normals=vertex_normals(mesh.vertices, mesh.faces),
            scene=Scene(mesh.vertices, mesh.faces),
            occlusion=Occlusion.of(mesh.vertices, mesh.faces),
            skin=areas * is_part(mesh.vertices, template, parts),
            face=is_part(mesh.vertices, template, ("face", "lips")),
            length=areas.sqrt(),
        )

    def seen_in(
        self,
        portrait: Portrait,
        start: Camera,
        move: Float[Tensor, "move=7"],
        blur: float,
        grazing: float,
        tolerance: float,
    ) -> "SeenThrough | None":
        """What the photo shows of the skin through a camera; nothing if that is too little."""
        camera = moved(start, move)
        colors, n_z = shown_by(
            portrait, camera, self.mesh, self.normals, self.scene, grazing, tolerance
        )
        weights = n_z * self.skin
        used, on_face = weights > 0.0, (weights * self.face) > 0.0
        if int(on_face.sum()) < _FEWEST:
            return None
        sight = PhotoOutline.of(portrait, camera, camera.height)
        out = sight.offsets(self.mesh.vertices, self.mesh.faces, _BAND)
        on_outline = (out.abs() < _REACH) & (self.face > 0.0)
        rim = self.mesh.vertices[on_outline]
        photo = SeenThrough(
            start=start,
            image=_blurred(portrait, blur * camera.scale) / colors[on_face].mean().clamp_min(1e-3),
            vertices=self.mesh.vertices[used],
            normals=self.normals[used],
            albedo=self.mesh.albedo[used],
            hidden=lacking(self.occlusion, camera.view_from_head, 4)[used],
            weights=weights[used] / weights.sum(),
            lit=(weights * self.face)[used],
            landmarks=self.mesh.landmarks[INNER],
            fiducials=portrait.fiducials[list(INNER_FROM_MESH)],
            visible=portrait.visible[list(INNER_FROM_MESH)].to(weights),
            side=portrait.face_size / portrait.step,
            sight=sight,
            rim=rim,
            drawn=sight.beyond(rim, camera) - out[on_outline],
            lengths=self.length[on_outline],
        )
        # What no light explains, as a hand, does not tell the light.
        lit = photo.lit
        for _ in range(_ROUNDS):
            off = photo.off(move[None])[0][0].norm(dim=1)
            usual = 3.0 * off[lit > 0.0].median().clamp_min(1e-3)
            photo = replace(photo, lit=lit / (1.0 + (off / usual) ** 2) ** 2)
        return photo


@dataclass(frozen=True)
class SeenThrough:
    """A photo, and what of the head it shows."""

    start: Camera
    image: Float[Tensor, "1 rgb=3 h w"]
    """Linear, of unit exposure."""
    vertices: Float[Tensor, "vertex xyz=3"]
    normals: Float[Tensor, "vertex xyz=3"]
    albedo: Float[Tensor, "vertex rgb=3"]
    hidden: Float[Tensor, "vertex k=4"]
    weights: Float[Tensor, " vertex"]
    """Of sum 1."""
    lit: Float[Tensor, " vertex"]
    """What each tells of the light."""
    landmarks: Float[Tensor, "mark xyz=3"]
    fiducials: Float[Tensor, "mark xy=2"]
    visible: Float[Tensor, " mark"]
    side: float
    """Of the face, pixels."""
    sight: PhotoOutline
    rim: Float[Tensor, "rim xyz=3"]
    """Vertices of the face on the head's outline."""
    drawn: Float[Tensor, " rim"]
    """Their distance from it as it is drawn, millimetres."""
    lengths: Float[Tensor, " rim"]
    """Of the outline that each stands for, millimetres."""

    def off(
        self, moves: Float[Tensor, "camera move=7"]
    ) -> tuple[
        Float[Tensor, "camera vertex rgb=3"],
        Float[Tensor, "camera mark xy=2"],
        Float[Tensor, "camera rim 1"],
    ]:
        """Of every camera: rendering less photo, landmarks less fiducials, outline off the photo's.

        In units of the face's mean, each in its best light; in sides of the face; in millimetres.
        """
        cameras = [moved(self.start, move) for move in moves]
        xy = torch.stack([project(self.vertices, camera)[:, :2] for camera in cameras])
        photo = sample(self.image.expand(len(moves), -1, -1, -1), xy[:, None])[:, :, 0]
        off = []
        for camera, colors in zip(cameras, photo, strict=True):
            known = basis(camera.view_from_head @ self.normals.T) - self.hidden.T
            columns = self.albedo.T[:, None] * known
            light = fit_columns(colors[None], columns, self.lit[None])[0]
            off.append((torch.einsum("ck,ckv->cv", light, columns) - colors).T)
        marks = torch.stack([project(self.landmarks, camera)[:, :2] for camera in cameras])
        out = torch.stack([self.sight.beyond(self.rim, c) - self.drawn for c in cameras])
        return torch.stack(off), (marks - self.fiducials) / self.side, out[..., None]


def _blurred(portrait: Portrait, spread: float) -> Float[Tensor, "1 rgb=3 h w"]:
    """The photo of the person, into which the background does not run."""
    image, person = portrait.image[None], (portrait.mask > 0.5)[None, None].to(portrait.image)
    if spread <= 0.0:
        return image
    size = 2 * int(2.5 * spread) + 3
    mixed, share = (
        gaussian_blur2d(one, (size, size), (spread, spread)) for one in (image * person, person)
    )
    return torch.where(share > _SOME, mixed / share.clamp_min(_SOME), image)


def moved(camera: Camera, move: Float[Tensor, "move=7"]) -> Camera:
    """A camera after a turn (radians about its axes), a scale, a shift and a step towards the head.

    The scale is a logarithm, the shift in millimetres, the step in 1 / metre.
    """
    return replace(
        camera,
        view_from_head=roma.rotvec_to_rotmat(move[:3]) @ camera.view_from_head.to(move),
        scale=camera.scale * float(move[3].exp()),
        origin=camera.origin.to(move) + camera.scale * move[4:6],
        nearness=min(max(camera.nearness + 1e-3 * float(move[6]), 0.0), 1.0 / _NEAREST),
    )
