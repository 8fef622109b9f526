"""Differentiable reprojection: the mesh that renders into the photos."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.surface import at, nearest_points, vertex_normals
from headrecon.mesh.diffusion import both_ways, diffused
from headrecon.mesh.expression import Expressions, expressions_of
from headrecon.mesh.parts import is_part
from headrecon.mesh.photometric import photometric_error
from headrecon.mesh.silhouette import Outline, outline, outline_error
from headrecon.render.relit import relit_errors
from headrecon.render.rim import on_rim
from headrecon.render.torch3d import (
    Meshes,
    laplacian_smoothness,
    mesh_normal_consistency,
    topology_of,
)
from headrecon.types import HeadMesh, Refinement, Stack, Template

MOST_TINT = 0.2
"""Bound of what all epochs together do to the logarithm of the albedo: a factor of at most 1.22."""
TINT_DIFFUSION = 2
"""k of the tint: vertices are about as dense as pixels, and neighbours differ by noise."""
TERMS = ("photometric", "outline", "anchor", "laplacian", "normal")
VARIABLES = ("vertex", "albedo")


@dataclass(frozen=True)
class Refine:
    """Stage: one epoch of gradient descent on the vertices and the albedo.

    The warped photos of a view share their camera, so one rasterization serves them all. A step
    takes one view and a few of its photos, fits the light of each in closed form, and descends

        photometric   robust |photo - albedo * light . basis(n)|, in grey levels of unit exposure
        outline       distance of the mesh's outline to the photos' majority mask
        anchor        distance to where the refinement began, square millimetres
        laplacian     |L d|, d the displacement of this epoch (pytorch3d, uniform weights)
        normal        1 - cosine between adjacent faces (pytorch3d)

    Light of low order, cast shadows and outlines that are a pixel off bend a face smoothly by more
    than a fitted template errs. So where that is bare, vertices are held by the anchor and do not
    follow the outline; hair, which it knows nothing of, is free.

    The vertices move along their normals m, by d = S^k u m with u what is descended on and S an
    average over each vertex and its neighbours: the gradient reaches whole patches, so that normals
    change without spikes, and thin parts (lids, lips, nostrils) keep their order, which sliding
    triangles would fold.

    Albedo changes by a factor e^t, the same for all channels: hue is told by the average photos,
    and left free it takes up every speck of colored light. All epochs together keep |t| within
    `MOST_TINT`, or else it takes up the highlight that most photos have on the tip of the nose.
    What all pixels of a photo share belongs to its light: the gradient goes through the fit of the
    light, which makes up for any common factor, and so has no share along it. A light taken as
    given would let the albedo drift.

    The photos are warped, so that they share the pose and the places of a face at rest. What is
    left of a photo's own pose is a turn of its light, which is fitted. What is left of its
    expression is the shading of its folds: with `expression` each has its own (`Expressions`).

    Some photos of each view take no part in the descent. An epoch after which the mesh renders into
    them worse than before is taken back, so that the result is never worse there than the start.

    Reference: Ravi et al., "Accelerating 3D Deep Learning with PyTorch3D", 2020; Nicolet, Jacobson
    and Jakob, "Large steps in inverse rendering of geometry", SIGGRAPH Asia 2021.
    """

    steps: int
    """Of each epoch."""
    photos: int
    """Of each step."""
    aside: int
    """One photo in so many of a view takes no part; 0 for none."""
    vertex_rate: float
    """Millimetres a step."""
    albedo_rate: float
    diffusion: Sequence[int]
    """k of each epoch; falling, so that outlines move whole parts before details follow."""
    light_order: int
    """Of the spherical harmonics of the light: 1 or 2."""
    glossy: bool
    """Whether skin and hair also mirror the light, roughly."""
    expression: float
    """Pixels that a photo counts for where it says how its face is pulled; 0: faces are at rest."""
    robust: float
    """Photometric error at which a pixel's pull stops growing, in units of the face's mean."""
    outline_band: float
    outline_reach: float
    photometric: float
    """Weight of the term, as the next four."""
    outline: float
    anchor: float
    laplacian: float
    normal: float
    seed: int

    @property
    def epochs(self) -> int:
        """How many epochs there are."""
        return len(self.diffusion)

    def __call__(
        self, start: Refinement, stacks: tuple[Stack, ...], template: Template
    ) -> Refinement:
        """Refine for one epoch."""
        mesh, faces = start.mesh, start.mesh.faces
        generator = torch.Generator().manual_seed(self.seed + start.epoch)
        edges, times = both_ways(faces), self.diffusion[start.epoch]
        topology = topology_of(mesh.vertices, faces)
        outlines = [outline(stack.masks.mean(dim=0) > 0.5, self.outline_reach) for stack in stacks]
        rims = [on_rim(mesh.vertices, faces, s.camera, self.outline_band) for s in stacks]
        normals = vertex_normals(mesh.vertices, faces)
        held = (1.0 - is_part(mesh.vertices, template, ("scalp",))) * float(template.fitted)
        pulls = None
        if self.expression and template.expressions is not None:
            pulls = expressions_of(mesh.vertices, template, self.expression)
        u = torch.zeros_like(mesh.vertices[:, :1], requires_grad=True)
        tint = torch.zeros_like(mesh.albedo[:, :1], requires_grad=True)
        optimizer = torch.optim.Adam(
            [{"params": [u], "lr": self.vertex_rate}, {"params": [tint], "lr": self.albedo_rate}]
        )
        history, gradients = [], []
        for step in range(self.steps):
            index = step % len(stacks)
            displacement = diffused(u, edges, times) * normals
            vertices = mesh.vertices + displacement
            terms = self.terms(
                vertices,
                displacement,
                _tinted(start, diffused(tint, edges, TINT_DIFFUSION)),
                topology,
                stacks[index],
                outlines[index],
                rims[index],
                1.0 - held,
                generator,
                pulls,
            )
            off = (vertices - start.rest).square().sum(dim=1)
            terms["anchor"] = (held * off).sum() / held.sum().clamp_min(1.0)
            loss = torch.stack([getattr(self, name) * terms[name] for name in TERMS]).sum()
            optimizer.zero_grad()
            loss.backward()
            gradients.append(torch.stack([_length(u), _length(tint)]))
            optimizer.step()
            history.append(torch.stack([terms[name].detach() for name in TERMS]))

        vertices = mesh.vertices + diffused(u.detach(), edges, times) * normals
        painted = _tinted(start, diffused(tint.detach(), edges, TINT_DIFFUSION))
        made = _moved(mesh, vertices, painted.clamp(0.0, 1.0))
        unseen = torch.tensor([[self._on_kept_aside(one, stacks) for one in (mesh, made)]])
        return replace(
            start,
            mesh=mesh if bool(unseen[0, 1] > unseen[0, 0]) else made,
            epoch=start.epoch + 1,
            losses=torch.cat([start.losses, torch.stack(history)]),
            gradients=torch.cat([start.gradients, torch.stack(gradients)]),
            kept_aside=torch.cat([start.kept_aside, unseen.to(start.kept_aside)]),
        )

    def _takes_part(self, count: int) -> Bool[Tensor, " photo"]:
        """Which photos of a view are descended on."""
        index = torch.arange(count)
        return index % self.aside != self.aside - 1 if self.aside else index >= 0

    def _on_kept_aside(self, mesh: HeadMesh, stacks: Sequence[Stack]) -> float:
        """Mean grey levels on the photos that take no part, each view alike; NaN if all do."""
        means = []
        for stack in stacks:
            unseen = ~self._takes_part(len(stack.images))
            if not bool(unseen.any()):
                continue
            images, masks = stack.images[unseen], stack.masks[unseen]
            mask = stack.masks.mean(dim=0) > 0.5
            weights = masks[:, mask]
            off = weights * relit_errors(mesh, stack.camera, images, masks, mask)
            means.append(float(off.sum() / weights.sum().clamp_min(1e-6)))
        return sum(means) / len(means) if means else float("nan")

    def terms(
        self,
        vertices: Float[Tensor, "vertex xyz=3"],
        displacement: Float[Tensor, "vertex xyz=3"],
        albedo: Float[Tensor, "vertex rgb=3"],
        topology: Meshes,
        stack: Stack,
        goal: Outline,
        rim: tuple[Bool[Tensor, " vertex"], Float[Tensor, " vertex"]],
        free: Float[Tensor, " vertex"],
        generator: torch.Generator,
        expressions: Expressions | None = None,
    ) -> dict[str, Float[Tensor, ""]]:
        """The losses of one step, not yet weighted."""
        taking_part = self._takes_part(len(stack.images)).nonzero()[:, 0]
        order = torch.randperm(len(taking_part), generator=generator)
        chosen = taking_part[order[: self.photos]]
        surface, shift = (topology.update_padded(v[None]) for v in (vertices, displacement))
        faces = torch.as_tensor(topology.faces_packed())
        return {
            "photometric": photometric_error(
                *(vertices, albedo, faces, stack, chosen),
                *(self.light_order, self.glossy, self.robust, expressions),
            ),
            "outline": outline_error(vertices, rim, stack.camera, goal, self.outline_reach, free),
            "laplacian": laplacian_smoothness(shift),
            "normal": mesh_normal_consistency(surface),
        }


def not_yet_refined(mesh: HeadMesh) -> Refinement:
    """A mesh before the first epoch."""
    counts = (len(TERMS), len(VARIABLES), 2)
    nothing = (mesh.vertices.new_zeros(0, n) for n in counts)
    return Refinement(mesh, mesh.vertices, mesh.albedo, 0, *nothing)


def _length(variable: Float[Tensor, "vertex 1"]) -> Float[Tensor, ""]:
    """Of its gradient."""
    assert variable.grad is not None
    return variable.grad.norm()


def _tinted(start: Refinement, tint: Float[Tensor, "vertex 1"]) -> Float[Tensor, "vertex rgb=3"]:
    """The mesh's albedo times e^tint, softly bounded around the albedo before the first epoch."""
    whole = start.tone.sum(dim=1, keepdim=True).clamp_min(1e-6)
    before = (start.mesh.albedo.sum(dim=1, keepdim=True) / whole).clamp_min(1e-6).log()
    bound = MOST_TINT - 1e-3
    inverse = MOST_TINT * torch.atanh(before.clamp(-bound, bound) / MOST_TINT)
    return start.tone * torch.exp(MOST_TINT * torch.tanh((inverse + tint) / MOST_TINT))


def _moved(
    mesh: HeadMesh, vertices: Float[Tensor, "vertex xyz=3"], albedo: Float[Tensor, "vertex 3"]
) -> HeadMesh:
    """The mesh with other vertices; the landmarks move with the surface."""
    points = nearest_points(mesh.landmarks, mesh.vertices, mesh.faces)
    return replace(
        mesh, vertices=vertices, albedo=albedo, landmarks=at(points, mesh.faces, vertices)
    )
