"""The template, given the volume of this person's hair and neck by the outlines of all photos."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.surface import vertex_normals
from headrecon.mesh.deform import smoothed, transported_shell
from headrecon.mesh.diffusion import both_ways, diffused
from headrecon.mesh.photo_outline import OUTLINE_SIDE, PhotoOutline, from_all_directions
from headrecon.mesh.skin_outline import skin_outline
from headrecon.render.rasterize import Scene
from headrecon.types import REGIONS, Camera, Portrait, Template

log = logging.getLogger(__name__)
_SMOOTHING = 12
"""Rounds of averaging the normals with which hair turns: those of a skull, not of its creases."""
_OFF_OUTLINE = 3.0
"""Millimetres from an outline at which a vertex lies on it; a pixel."""


@dataclass(frozen=True)
class IgnoreOutlines:
    """Stage: the template as it is, bald; as in the paper, which has no back of the head."""

    def __call__(
        self, template: Template, portraits: tuple[Portrait, ...], cameras: tuple[Camera, ...]
    ) -> Template:
        """The same."""
        return template


@dataclass(frozen=True)
class FitOutlines:
    """Stage: the template, displaced as smoothly as can be to where the photos' outlines touch it.

    Normals do not say how far hair stands off the skull, nor does a head of the linear space, which
    is bald. Outlines do, in every photo, from the crown to the nape. A vertex v with normal n lies
    on the outline of photo i if n is perpendicular to the line of sight and nothing of the head is
    drawn beyond it. It is asked to be where most of these photos have their outline:

        target_v = v - n median_i d_i(v),
        min over x of  stiffness (|grad x|^2 + bending |lap x|^2)
                       + sum_v w_v |v_0 + x_v - target_v|^2 + sum_v h_v |x_v|^2

    with d_i the signed distance from the photo's outline in millimetres, less that from the drawn
    one, w_v the number of photos up to `enough`, as a share of it, and h_v what holds skin in its
    place, which shading has found. Outline vertices are found anew while the stiffness falls. The
    median passes over photos with other hair, a hat, or a bad mask; where views leave a gap, hair
    goes on as thick as it is around: grad and lap are of vectors that turn with the surface
    (`transported_shell`), or else what the crown is higher by would be carried to the back of the
    head as a shift upwards. Each photo has its own camera, in perspective: hair and skull are
    further away than the face that tells the scale, and seem smaller than they are. Low on a neck,
    where clothes begin, outlines count that have the color of the face along them.

    Convention: face and ears keep their place; `Template.haired` becomes true.
    Reference: Cipolla and Giblin, "Visual Motion of Curves and Surfaces", 2000; Keller, Knothe and
    Vetter, "3D reconstruction of human faces from occluding contours", MIRAGE 2007.
    """

    on_cpu: ClassVar = True
    """Small pictures, distance transforms and sparse factors: a GPU took much longer."""
    photos: int
    """Of each direction, most."""
    direction: float
    """Degrees of azimuth that count as one direction."""
    stiffness: Sequence[float]
    """One round each, the stiffest first."""
    bending: float
    """Square millimetres."""
    band: float
    """Largest cosine between a normal and the line of sight on an outline."""
    reach: float
    """Millimetres between a vertex and the outline beyond which it is another one."""
    lowest: float
    """Millimetres below the ear canals down to which an outline is that of the head; further down,
    to where the template ends, it is if it has the color of the face."""
    color: float
    """Standard deviations from the color of a photo's face within which an outline is skin."""
    least: int
    """Photos that have to have a vertex on their outline."""
    enough: int
    """Photos that make a vertex's say full."""
    skin: float
    """h of face and ears, as the next of the neck."""
    neck: float

    def __call__(
        self, template: Template, portraits: tuple[Portrait, ...], cameras: tuple[Camera, ...]
    ) -> Template:
        """Displace; the template stays as it is if outlines hold none of its vertices."""
        rest, faces = template.vertices, template.faces
        chosen = from_all_directions(portraits, cameras, self.photos, self.direction)
        scene, sights = Scene(rest, faces), []
        for portrait, camera in chosen:
            seen = PhotoOutline.of(portrait, camera, OUTLINE_SIDE)
            skin = skin_outline(portrait, seen, template, scene, self.color)
            sights.append((seen, skin))
        hold = self._hold(template)
        smooth = diffused(vertex_normals(rest, faces), both_ways(faces), _SMOOTHING)
        energy, vertices = transported_shell(rest, faces, smooth, self.bending), rest
        for stiffness in self.stiffness:
            off, count = self.offsets(replace(template, vertices=vertices), sights)
            weight = (count / self.enough).clamp(max=1.0) * ((count >= self.least) & (hold < 1.0))
            if not bool(weight.any()):
                log.warning("no outline holds the head; its hair is not found")
                return template
            goal = vertices - vertex_normals(vertices, faces) * off[:, None] - rest
            total = weight + hold
            shift = goal * (weight / total.clamp_min(1e-9))[:, None]
            by = smoothed(stiffness * energy, shift.reshape(-1, 1), total.repeat_interleave(3))
            vertices = rest + by.reshape(-1, 3)
        return replace(template, vertices=vertices, haired=True)

    def offsets(
        self, template: Template, sights: Sequence[tuple[PhotoOutline, Bool[Tensor, "_ _"]]]
    ) -> tuple[Float[Tensor, " vertex"], Float[Tensor, " vertex"]]:
        """How far within the outlines vertices are to be, and the number of photos that say so.

        Millimetres along the normal, the median over photos; 0 where there is none. None say so
        where more show clothes. Beside each outline it is told where it is that of skin.
        """
        nothing = torch.zeros_like(template.vertices[:, 0])
        nobody = nothing + torch.nan, nothing > 0.0
        told = [nobody, *(self._off(template, *one) for one in sights)]
        of_photos, covered = (torch.stack(one) for one in zip(*told, strict=True))
        count = of_photos.isfinite().sum(dim=0)
        count = torch.where(count > covered.sum(dim=0), count, 0)
        return of_photos.nanmedian(dim=0).values.nan_to_num(0.0), count.to(nothing)

    def _off(
        self, template: Template, seen: PhotoOutline, skin: Bool[Tensor, "h w"]
    ) -> tuple[Float[Tensor, " vertex"], Bool[Tensor, " vertex"]]:
        """Signed distance from a photo's outline, millimetres, and which vertices clothes cover.

        NaN for vertices that are covered, or not on the outline.
        """
        vertices, (height, width) = template.vertices, skin.shape
        off = seen.offsets(vertices, template.faces, self.band)
        off = torch.where(off.abs() < self.reach, off, torch.nan)
        # What is nearest to a neck that a collar hides is the jaw, which is not where the neck's
        # own outline would be.
        there = vertices - off.nan_to_num()[:, None] * vertex_normals(vertices, template.faces)
        column, row = project(there, seen.camera)[:, :2].long().unbind(dim=1)
        on_skin = skin[row.clamp(0, height - 1), column.clamp(0, width - 1)]
        on_skin = on_skin & (seen.beyond(there, seen.camera).abs() < _OFF_OUTLINE)
        up = vertices[:, 1]
        lowest = up - off.abs()
        counts = (lowest > -self.lowest) | (on_skin & (lowest > up.min()))
        covered = off.isfinite() & ~counts & (up < -self.lowest)
        return torch.where(counts, off, torch.nan), covered

    def _hold(self, template: Template) -> Float[Tensor, " vertex"]:
        """What holds each vertex where it is."""
        held = {"neck": self.neck, "scalp": 0.0}
        by_region = [held.get(name, self.skin) for name in REGIONS]
        return template.vertices.new_tensor(by_region)[template.region]
