"""From the refined mesh to a closed one that says what each of its vertices rests on."""

import logging
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial import KDTree
from torch import Tensor

from headrecon.geometry.borders import loops_of
from headrecon.geometry.surface import at, nearest_points
from headrecon.mesh.cap import cap
from headrecon.mesh.crossings import crossing_faces, uncrossed
from headrecon.mesh.deform import extended, thin_shell
from headrecon.mesh.evidence import on_outlines, on_surfaces
from headrecon.mesh.parts import is_part
from headrecon.types import (
    SOURCES,
    CompleteHead,
    Evidence,
    Head,
    HeadMesh,
    Stack,
    Template,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Complete:
    """Stage: a closed mesh that does not pass through itself, and the evidence for it.

    The cut of the neck becomes a disc; folds that cross each other, inside of lips, lids and
    nostrils, are smoothed until they do not. A vertex rests on photos where the surfaces of the
    views hold it, with at least `min_support` photos behind it; on outlines where only those do;
    the rest is filled by the template and its smooth continuation of what is known. How far a
    vertex may be off, its deviation, is

        on photos    how far the surfaces of the views that see it are from it
        on outlines  how far the outlines of single photos are apart there
        filled       what is known nearby says of it by itself, and beside that how far random
                     people are from such a smooth continuation of their own known part; under
                     hair, which these people do not have, also how much thicker or thinner it
                     may be than the nearest hair that is known
    """

    min_support: float
    """Photos."""
    tolerance: float
    """Millimetres between a vertex and the surface of a view that is to hold it."""
    outline_band: float
    """Largest |n_z| of a vertex that an outline holds."""
    outline_reach: float
    """Pixels between such a vertex and the outline."""
    bending: float
    """Of the smooth continuation, as in the merge."""
    hair: float
    """Millimetres by which the thickness of hair differs between people."""
    hair_reach: float
    """Millimetres over which hair is about as thick."""
    rounds: int
    """Most rounds of smoothing where the mesh crosses itself."""

    def __call__(
        self, mesh: HeadMesh, head: Head, stacks: tuple[Stack, ...], template: Template
    ) -> CompleteHead:
        """Close the mesh and weigh its evidence."""
        whole = self._uncrossed(closed(mesh))
        return CompleteHead(whole, self._evidence(whole, head, stacks, template))

    def _uncrossed(self, mesh: HeadMesh) -> HeadMesh:
        """Without crossings; landmarks stay where they are, but on the surface.

        With the surface they would slide along lids and lips, whose inside is what is smoothed.
        """
        faces = mesh.faces.cpu().numpy()
        moved = uncrossed(mesh.vertices.cpu().numpy(), faces, self.rounds)
        if left := len(crossing_faces(moved, faces)):
            log.warning("the mesh still crosses itself at %d triangles", left)
        vertices = torch.from_numpy(moved).to(mesh.vertices)
        points = nearest_points(mesh.landmarks, vertices, mesh.faces)
        return replace(mesh, vertices=vertices, landmarks=at(points, mesh.faces, vertices))

    def _evidence(
        self, mesh: HeadMesh, head: Head, stacks: tuple[Stack, ...], template: Template
    ) -> Evidence:
        held, between = on_surfaces(mesh, head, self.tolerance)
        photos = held & (mesh.support >= self.min_support)
        outlined, outline_spread = on_outlines(mesh, stacks, self.outline_band, self.outline_reach)
        outlined = outlined & ~photos

        energy = thin_shell(mesh.vertices, mesh.faces, self.bending)
        known = (photos | outlined).to(mesh.vertices)
        variance = torch.where(photos, between, outline_spread) ** 2
        carried = extended(energy, variance[:, None] * known[:, None], known)[:, 0].clamp_min(0.0)
        people = _carried_over(template, mesh.vertices)
        told = extended(energy, (people * known[:, None, None]).flatten(1), known)
        unlike = (people.flatten(1) - told).reshape(people.shape).square().sum(dim=2).mean(dim=1)
        unlike = unlike + self._hair(mesh.vertices, known) * is_part(
            mesh.vertices, template, ("scalp",)
        )
        filled = carried + unlike * (1.0 - known)
        source = torch.full_like(mesh.faces[:1, 0].expand(len(known)), SOURCES.index("filled"))
        source = torch.where(outlined, SOURCES.index("outline"), source)
        source = torch.where(photos, SOURCES.index("photos"), source)
        return Evidence(source, torch.where(known > 0.5, variance, filled).sqrt())

    def _hair(
        self, vertices: Float[Tensor, "vertex xyz=3"], known: Float[Tensor, " vertex"]
    ) -> Float[Tensor, " vertex"]:
        """Variance of the thickness of hair, given that of the nearest vertex that is known."""
        if not bool(known.any()):
            return torch.full_like(known, self.hair**2)
        places = vertices.cpu().numpy()
        away, _ = KDTree(places[known.cpu().numpy() > 0.5]).query(places)
        away = torch.from_numpy(np.asarray(away)).to(vertices)
        return self.hair**2 * (1.0 - torch.exp(-0.5 * (away / self.hair_reach) ** 2))


def closed(mesh: HeadMesh) -> HeadMesh:
    """The mesh with a disc in each of its openings, which no photo supports."""
    faces = mesh.faces.cpu().numpy()
    for rim in loops_of(faces):
        weights, disc = cap(mesh.vertices[torch.from_numpy(rim)].cpu().numpy())
        count = len(mesh.vertices)
        index = np.concatenate([rim, count + np.arange(len(weights))])
        inner = torch.from_numpy(weights).to(mesh.vertices)
        around = torch.from_numpy(rim)
        mesh = replace(
            mesh,
            vertices=torch.cat([mesh.vertices, inner @ mesh.vertices[around]]),
            faces=torch.cat([mesh.faces, torch.from_numpy(index[disc]).to(mesh.faces)]),
            albedo=torch.cat([mesh.albedo, inner @ mesh.albedo[around]]),
            support=torch.cat([mesh.support, mesh.support.new_zeros(len(inner))]),
        )
    return mesh


def _carried_over(
    template: Template, vertices: Float[Tensor, "vertex xyz=3"]
) -> Float[Tensor, "vertex person xyz=3"]:
    """How people differ, at the points of the template that are nearest to these vertices."""
    points = nearest_points(vertices, template.vertices, template.faces)
    corners = template.faces[points.face]
    shares = points.barycentric.to(template.people)
    return torch.einsum("pvcx,vc->vpx", template.people[:, corners], shares)
