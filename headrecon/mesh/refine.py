"""Differentiable reprojection: the mesh that renders into the photos."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.surface import at, nearest_points, vertex_normals
from headrecon.mesh.agreement import Told, disagreement, fiducial_error
from headrecon.mesh.aside import error_aside, names_aside, takes_part
from headrecon.mesh.diffusion import both_ways, diffused
from headrecon.mesh.expression import Expressions, expressions_of
from headrecon.mesh.nudge import MOVES, Deviation, nudged, nudged_camera
from headrecon.mesh.parts import is_part
from headrecon.mesh.photometric import photometric_error
from headrecon.mesh.silhouette import Contour, Contours, outline_error
from headrecon.mesh.tint import tinted
from headrecon.render.torch3d import (
    Meshes,
    laplacian_smoothness,
    mesh_normal_consistency,
    topology_of,
)
from headrecon.types import Camera, Head, HeadMesh, Portrait, Refinement, Stack, Template

TERMS = (
    *("photometric", "outline", "fiducial", "agreement"),
    *("anchor", "still", "laplacian", "normal"),
)
VARIABLES = ("vertex", "albedo", "camera")


@dataclass(frozen=True)
class Refine:
    """Stage: one epoch of gradient descent on the vertices, the albedo and the views' cameras.

    The warped photos of a view share their camera, so one rasterization serves them all. A step
    takes one view and a few of its photos, fits the light of each in closed form, and descends

        photometric   robust |photo - albedo * light . basis(n)|, in grey levels of unit exposure
        outline       distance of the mesh's outline to those of photos, millimetres
        fiducial      robust squared distance of landmarks to fiducials of the average photo, mm^2
        agreement     1 - cosine between its normals and the photometric ones, on skin
        anchor        squared distance to where the refinement began, square millimetres
        still         |move|^2 of the view's camera, in standard deviations
        laplacian     |L d|, d the displacement of this epoch (pytorch3d, uniform weights)
        normal        1 - cosine between adjacent faces (pytorch3d)

    Outlines are those of photos as they were found, through the camera of each: warped ones have
    the depth of a head that nobody was photographed from.

    Light of low order, cast shadows and outlines that are a pixel off bend a face smoothly by more
    than a fitted template errs. So where that is bare, vertices are held by the anchor and do not
    follow the outline; hair, which it knows nothing of, is free. Necks end in clothes, which have
    outlines of their own. And of the photometric slope only the share `shading` goes through the
    normals. The rest goes through where vertices are seen: an edge lies in one place of the head in
    all views, whatever the light.

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

    The photos are warped, so that they share the pose, which is a variable, and the places of a
    face at rest. What is left of a photo's own pose is a turn of its light, which is fitted. What
    is left of its expression is the shading of its folds: with `expression` each has its own
    (`Expressions`).

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
    camera_rate: float
    """Standard deviations a step."""
    camera_deviation: Deviation
    diffusion: Sequence[int]
    """k of each epoch; falling, so that outlines move whole parts before details follow."""
    light_order: int
    """Of the spherical harmonics of the light: 1 or 2."""
    glossy: bool
    """Whether skin and hair also mirror the light, roughly."""
    expression: float
    """Pixels that a photo counts for where it says how its face is pulled; 0: faces are at rest."""
    shading: float
    """Share of the photometric slope that goes through the normals."""
    robust: float
    """Photometric error at which a pixel's pull stops growing, in units of the face's mean."""
    contours: Contours
    grazing: float
    """Smallest n_z at which a view tells normals."""
    photometric: float
    """Weight of the term, as the next seven."""
    outline: float
    fiducial: float
    agreement: float
    anchor: float
    still: float
    laplacian: float
    normal: float
    seed: int

    @property
    def epochs(self) -> int:
        """How many epochs there are."""
        return len(self.diffusion)

    def __call__(
        self,
        start: Refinement,
        stacks: tuple[Stack, ...],
        head: Head,
        template: Template,
        portraits: tuple[Portrait, ...],
        cameras: tuple[Camera, ...],
    ) -> Refinement:
        """Refine for one epoch; the cameras are those of the portraits."""
        mesh, faces, stacks = start.mesh, start.mesh.faces, seen_through(stacks, start.cameras)
        generator = torch.Generator().manual_seed(self.seed + start.epoch)
        edges, times = both_ways(faces), self.diffusion[start.epoch]
        topology = topology_of(mesh.vertices, faces)
        normals = vertex_normals(mesh.vertices, faces)
        skin = 1.0 - is_part(mesh.vertices, template, ("scalp",))
        held = skin * float(template.fitted)
        free = (1.0 - held) * (1.0 - is_part(mesh.vertices, template, ("neck",)))
        contours = self.contours(mesh, free, portraits, cameras, names_aside(stacks, self.aside))
        told = [
            Told.by(surface.normals, stack.camera, mesh, self.grazing)
            for surface, stack in zip(head.surfaces, stacks, strict=True)
        ]
        pulls = None
        if self.expression and template.expressions is not None:
            pulls = expressions_of(mesh.vertices, template, self.expression)
        u = torch.zeros_like(mesh.vertices[:, :1], requires_grad=True)
        tint = torch.zeros_like(mesh.albedo[:, :1], requires_grad=True)
        moves = torch.zeros(len(stacks), MOVES).to(mesh.vertices).requires_grad_(True)
        rates = ((u, self.vertex_rate), (tint, self.albedo_rate), (moves, self.camera_rate))
        optimizer = torch.optim.Adam([{"params": [one], "lr": rate} for one, rate in rates])
        history, gradients = [], []
        for step in range(self.steps):
            index = step % len(stacks)
            displacement = diffused(u, edges, times) * normals
            vertices = mesh.vertices + displacement
            terms = self.terms(
                vertices,
                displacement,
                tinted(start, tint, edges),
                moves[index],
                topology,
                stacks[index],
                self._some(contours, generator),
                told[index],
                skin,
                generator,
                pulls,
            )
            off = (vertices - start.rest).square().sum(dim=1)
            terms["anchor"] = (held * off).sum() / held.sum().clamp_min(1.0)
            loss = torch.stack([getattr(self, name) * terms[name] for name in TERMS]).sum()
            optimizer.zero_grad()
            loss.backward()
            gradients.append(torch.stack([_length(one) for one, _ in rates]))
            optimizer.step()
            history.append(torch.stack([terms[name].detach() for name in TERMS]))

        vertices = mesh.vertices + diffused(u.detach(), edges, times) * normals
        painted = tinted(start, tint.detach(), edges)
        made = _moved(mesh, vertices, painted.clamp(0.0, 1.0))
        found = tuple(
            nudged_camera(stack.camera, move)
            for stack, move in zip(stacks, self.camera_deviation(moves.detach()), strict=True)
        )
        after = error_aside(made, seen_through(stacks, found), self.aside)
        unseen = torch.tensor([[error_aside(mesh, stacks, self.aside), after]])
        worse = bool(unseen[0, 1] > unseen[0, 0])
        return replace(
            start,
            mesh=mesh if worse else made,
            cameras=start.cameras if worse else found,
            epoch=start.epoch + 1,
            losses=torch.cat([start.losses, torch.stack(history)]),
            gradients=torch.cat([start.gradients, torch.stack(gradients)]),
            kept_aside=torch.cat([start.kept_aside, unseen.to(start.kept_aside)]),
        )

    def _some(self, contours: Sequence[Contour], generator: torch.Generator) -> list[Contour]:
        """Those of a step."""
        order = torch.randperm(len(contours), generator=generator)
        return [contours[index] for index in order[: self.photos].tolist()]

    def terms(
        self,
        vertices: Float[Tensor, "vertex xyz=3"],
        displacement: Float[Tensor, "vertex xyz=3"],
        albedo: Float[Tensor, "vertex rgb=3"],
        move: Float[Tensor, "move=6"],
        topology: Meshes,
        stack: Stack,
        contours: Sequence[Contour],
        told: Told,
        skin: Float[Tensor, " vertex"],
        generator: torch.Generator,
        expressions: Expressions | None = None,
    ) -> dict[str, Float[Tensor, ""]]:
        """The losses of one step but for the anchor, not yet weighted."""
        taking_part = takes_part(len(stack.images), self.aside).nonzero()[:, 0]
        order = torch.randperm(len(taking_part), generator=generator)
        chosen = taking_part[order[: self.photos]]
        surface, shift = (topology.update_padded(v[None]) for v in (vertices, displacement))
        faces = torch.as_tensor(topology.faces_packed())
        seen = nudged(vertices, stack.camera, self.camera_deviation(move))
        normals = vertex_normals(seen, faces)
        shaded = self.shading * normals + (1.0 - self.shading) * normals.detach()
        return {
            "photometric": photometric_error(
                *(seen, shaded, albedo, faces, stack, chosen),
                *(self.light_order, self.glossy, self.robust, expressions),
            ),
            "outline": outline_error(vertices, contours),
            "fiducial": fiducial_error(seen, faces, told, stack.camera),
            "agreement": disagreement(normals, told, skin),
            "still": move.square().sum(),
            "laplacian": laplacian_smoothness(shift),
            "normal": mesh_normal_consistency(surface),
        }


def seen_through(stacks: Sequence[Stack], cameras: Sequence[Camera]) -> tuple[Stack, ...]:
    """The views with these cameras."""
    return tuple(replace(one, camera=by) for one, by in zip(stacks, cameras, strict=True))


def not_yet_refined(mesh: HeadMesh, cameras: tuple[Camera, ...]) -> Refinement:
    """A mesh, and the cameras of the views, before the first epoch."""
    counts = (len(TERMS), len(VARIABLES), 2)
    nothing = (mesh.vertices.new_zeros(0, n) for n in counts)
    return Refinement(mesh, cameras, mesh.vertices, mesh.albedo, 0, *nothing)


def _length(variable: Tensor) -> Float[Tensor, ""]:
    """Of its gradient."""
    assert variable.grad is not None
    return variable.grad.norm()


def _moved(
    mesh: HeadMesh, vertices: Float[Tensor, "vertex xyz=3"], albedo: Float[Tensor, "vertex 3"]
) -> HeadMesh:
    """The mesh with other vertices; the landmarks move with the surface."""
    points = nearest_points(mesh.landmarks, mesh.vertices, mesh.faces)
    return replace(
        mesh, vertices=vertices, albedo=albedo, landmarks=at(points, mesh.faces, vertices)
    )
