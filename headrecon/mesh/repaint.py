"""The albedo under which the photos look as they do, each through its own camera."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.color import off_color
from headrecon.geometry.lighting import basis, light_arriving
from headrecon.geometry.surface import vertex_areas, vertex_normals
from headrecon.mesh.deform import laplacian, smoothed
from headrecon.mesh.parts import is_part
from headrecon.mesh.shown import shown_by
from headrecon.render.interreflection import lacking
from headrecon.render.occlusion import Occlusion
from headrecon.render.rasterize import Scene
from headrecon.types import Camera, HeadMesh, Portrait, Template

_BLACK = 1e-3
_DIMMEST = 0.25
"""Light, in that of the face, below which a vertex says nothing of its albedo."""
_FEWEST = 50
"""Vertices of the face that tell the light of a photo."""
_FADE = 8.0
"""Millimetres over which hair ends where no photo shows how."""
_AT_ONCE = 8192
"""Vertices whose photos are in memory together in single precision."""
_ROUNDS = 8
"""Of reweighting the photos of a vertex."""


@dataclass(frozen=True)
class KeepPaint:
    """Stage: the albedo of the views as it is."""

    def __call__(
        self,
        mesh: HeadMesh,
        portraits: tuple[Portrait, ...],
        cameras: tuple[Camera, ...],
        template: Template,
    ) -> HeadMesh:
        """The same."""
        return mesh


@dataclass(frozen=True)
class Observations:
    """What the photos that tell their light show of the vertices.

    As there may be many, in half precision, which is more than their 8 bits.
    """

    colors: Float[Tensor, "photo vertex rgb=3"]
    """Linear, of unit exposure."""
    cameras: tuple[Camera, ...]
    weights: Float[Tensor, "photo vertex"]
    """n_z^2 where the photo shows the vertex, and of a neck its skin; else 0."""
    shares: Float[Tensor, " vertex"]
    """Of the photos that show it, those that show its skin."""


@dataclass(frozen=True)
class Repaint:
    """Stage: albedo from the photos as they are, not from the views that they were warped to.

        min over a, l of  sum_i sum_v w_iv rho(|I_i(P_i v) - a_v l_i . (Y(R_i n_v) - h_iv)|)

    I_i is photo i, P_i its camera, l_i its light (first-order harmonics for each channel), found on
    the face only, and h what the head itself is in the way of (`lacking`): ears, eye sockets and
    the neck stand in the head's shadow, and without h their albedo would be dark and the shadow be
    drawn twice. w_iv is n_z^2 where the photo shows the vertex. Lights and albedo are solved in
    turn. A vertex begins at the weighted median over the photos, so that glasses, hands and
    highlights of some do not count; skin of the neck is what has the color of the face, the rest
    are clothes. Where most photos show those, where few tell, and where light is dim or only
    extrapolated, albedo goes on smoothly from the vertices around.

    Light and albedo are known up to a factor: the mean of the face stays.

    Reference: Kemelmacher-Shlizerman and Basri, "3D face reconstruction from a single image using a
    single reference face shape", PAMI 2011, for albedo as what light leaves of a photo.
    """

    rounds: int
    """Of lights and albedo in turn."""
    robust: float
    """Difference, in units of the albedo, at which a photo has lost three quarters of its say."""
    skin: float
    """Standard deviations from the color of the face beyond which a neck is clothes."""
    grazing: float
    """Smallest n_z of a vertex that a photo shows."""
    tolerance: float
    """Millimetres behind what a camera sees at which a vertex is hidden."""
    prior: float
    """Photos that the albedo before counts for in hair, of which the photos may show one side."""
    smoothness: float
    """Photos that the neighbours of a vertex count for."""

    def __call__(
        self,
        mesh: HeadMesh,
        portraits: tuple[Portrait, ...],
        cameras: tuple[Camera, ...],
        template: Template,
    ) -> HeadMesh:
        """Paint the mesh anew; as it was if no photo tells its light."""
        face, neck, hair = (
            is_part(mesh.vertices, template, names)
            for names in (("face", "lips"), ("neck",), ("scalp",))
        )
        seen = self.observed(mesh, portraits, cameras, face, neck)
        if not len(seen.colors):
            return mesh
        on_face = face * vertex_areas(mesh.vertices, mesh.faces)
        occlusion = Occlusion.of(mesh.vertices, mesh.faces)
        albedo = mesh.albedo
        for _ in range(self.rounds):
            found, known = self._albedo(seen, occlusion, albedo, on_face)
            counted = (on_face * (known > 0.5))[:, None]
            gain = (counted * mesh.albedo).sum(dim=0) / (counted * found).sum(dim=0).clamp_min(1e-6)
            albedo = self._spread(mesh, gain * found, known, hair).clamp(0.0, 1.0)
        return replace(mesh, albedo=albedo)

    def _spread(
        self,
        mesh: HeadMesh,
        found: Float[Tensor, "vertex rgb=3"],
        known: Float[Tensor, " vertex"],
        hair: Float[Tensor, " vertex"],
    ) -> Float[Tensor, "vertex rgb=3"]:
        """What was found, over vertices that few photos tell; hair and skin apart."""
        areas = vertex_areas(mesh.vertices, mesh.faces)
        dirichlet = laplacian(mesh.vertices, mesh.faces)
        energy = self.smoothness * dirichlet
        logs, before = (one.clamp_min(_BLACK).log() for one in (found, mesh.albedo))
        of_skin = smoothed(energy, logs, known * (1.0 - hair))
        share = (known / (known + self.prior).clamp_min(1e-9))[:, None]
        of_hair = smoothed(energy, torch.lerp(before, logs, share), (known + self.prior) * hair)
        # Regions end along the triangles of the template; what no photo shows need not.
        even = smoothed(_FADE**2 * dirichlet, hair[:, None], areas)
        hairy = torch.lerp(even, hair[:, None], share)
        return torch.lerp(of_skin, of_hair, hairy).exp()

    def observed(
        self,
        mesh: HeadMesh,
        portraits: Iterable[Portrait],
        cameras: Iterable[Camera],
        face: Float[Tensor, " vertex"],
        neck: Float[Tensor, " vertex"],
    ) -> Observations:
        """Every vertex in every photo whose light the face can tell."""
        normals, scene = vertex_normals(mesh.vertices, mesh.faces), Scene(mesh.vertices, mesh.faces)
        shown, told = torch.zeros_like(face), []
        for portrait, camera in zip(portraits, cameras, strict=True):
            color, n_z = shown_by(
                portrait, camera, mesh, normals, scene, self.grazing, self.tolerance
            )
            weight = n_z**2
            skin = (weight > 0.0) & (face > 0.5)
            if int(skin.sum()) < _FEWEST:
                continue
            shown = shown + weight
            weight = weight * ((neck < 0.5) | (off_color(color.T, skin) < self.skin))
            exposed = color / color[skin].mean().clamp_min(1e-3)
            told.append((exposed.half(), camera, weight.half()))
        if not told:
            nothing = normals.new_zeros(0, len(normals))
            return Observations(nothing[..., None].expand(-1, -1, 3), (), nothing, shown)
        colors, by, weights = zip(*told, strict=True)
        shares = sum(weights, torch.zeros_like(face)) / shown.clamp_min(1e-6)
        return Observations(torch.stack(colors), by, torch.stack(weights), shares)

    def _albedo(
        self,
        seen: Observations,
        occlusion: Occlusion,
        albedo: Float[Tensor, "vertex rgb=3"],
        on_face: Float[Tensor, " vertex"],
    ) -> tuple[Float[Tensor, "vertex rgb=3"], Float[Tensor, " vertex"]]:
        """The best one in the lights that explain a given albedo best, and how many photos say so.

        Photos that agree with it, that is.
        """
        shading = albedo.new_empty(seen.colors.shape)
        sure = albedo.new_empty(seen.weights.shape)
        for index, camera in enumerate(seen.cameras):
            turned = occlusion.normals @ camera.view_from_head.T
            known = basis(turned.T) - lacking(occlusion, camera.view_from_head, 4).T
            told = seen.colors[index].float().T, albedo.T, known, seen.weights[index] * on_face
            arriving, sure[index] = light_arriving(*told)
            shading[index] = arriving.T
        found = [
            self._best(*(one.float() for one in some))
            for some in zip(
                *(one.split(_AT_ONCE, dim=1) for one in (seen.colors, shading, sure, seen.weights)),
                strict=True,
            )
        ]
        best, say = (torch.cat(one) for one in zip(*found, strict=True))
        return best, (seen.shares > 0.5) * say

    def _best(
        self,
        colors: Float[Tensor, "photo vertex rgb=3"],
        shading: Float[Tensor, "photo vertex rgb=3"],
        sure: Float[Tensor, "photo vertex"],
        weights: Float[Tensor, "photo vertex"],
    ) -> tuple[Float[Tensor, "vertex rgb=3"], Float[Tensor, " vertex"]]:
        """Of some vertices, the albedo by known light, and how many photos say so."""
        dimmest = shading.amin(dim=2)
        weights = weights * (dimmest > _DIMMEST)
        # Little light says little, but more than the face's does not say more.
        told = sure * dimmest.clamp(0.0, 1.0).square()
        found = _median(colors / shading.clamp_min(_DIMMEST), weights * told)
        say = weights[..., None]
        for _ in range(_ROUNDS):
            off = (colors - found * shading).norm(dim=2)
            size = self.robust * found.norm(dim=1).clamp_min(_DIMMEST)
            say = (weights / (1.0 + (off / size) ** 2) ** 2)[..., None]
            square = (say * shading**2).sum(dim=0)
            found = (say * colors * shading).sum(dim=0) / square.clamp_min(1e-6)
        return found, (told * say[..., 0]).sum(dim=0)


def _median(
    values: Float[Tensor, "photo vertex rgb=3"], weights: Float[Tensor, "photo vertex"]
) -> Float[Tensor, "vertex rgb=3"]:
    """Of each vertex, the value of the photo that is its weighted median in brightness."""
    order = values.mean(dim=2).argsort(dim=0)
    risen = weights.gather(0, order).cumsum(dim=0)
    middle = (risen >= 0.5 * risen[-1:]).float().argmax(dim=0, keepdim=True)
    photo = order.gather(0, middle)[..., None].expand(-1, -1, 3)
    return values.gather(0, photo)[0]
