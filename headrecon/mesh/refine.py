"""Differentiable reprojection: the mesh that renders into the photos."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.surface import at, nearest_points, vertex_normals
from headrecon.mesh.agreement import Told, disagreement, fiducial_error
from headrecon.mesh.aside import grey_levels_off, in_turns, skin_areas, takes_part
from headrecon.mesh.diffusion import both_ways, diffused
from headrecon.mesh.expression import expressions_of
from headrecon.mesh.nudge import MOVES, Deviation, nudged_camera
from headrecon.mesh.parts import is_part
from headrecon.mesh.photometric import Subject, photometric_error
from headrecon.mesh.repaint import KeepPaint, Repaint
from headrecon.mesh.shot import Shot
from headrecon.mesh.silhouette import Contour, Contours, outline_error
from headrecon.render.occlusion import Occlusion
from headrecon.render.torch3d import (
    Meshes,
    laplacian_smoothness,
    mesh_normal_consistency,
    topology_of,
)
from headrecon.types import Camera, Head, HeadMesh, Portrait, Refinement, Template

TERMS = (
    *("photometric", "outline", "fiducial", "agreement"),
    *("anchor", "still", "laplacian", "normal"),
)
VARIABLES = ("vertex", "camera")
_SHOWN = 30
"""Photos, most, of those that take part, that an epoch is told the reprojection error of."""


@dataclass(frozen=True)
class Refine:
    """Stage: one epoch of gradient descent on the vertices and the photos' cameras.

    A step takes a few photos, as they were found, and one view. It renders the mesh into each of
    the photos through a camera of its own, in its best light, and descends

        photometric   robust |photo - albedo * light . (Y(n) - h)|, in units of the face's mean
        outline       distance of the mesh's outline to those of photos, millimetres
        fiducial      robust squared distance of landmarks to fiducials of the average photo, mm^2
        agreement     1 - cosine between its normals and the photometric ones, on skin
        anchor        squared distance to where the refinement began, square millimetres
        still         |move|^2 of the photos' cameras and expressions, in standard deviations
        laplacian     |L d|, d the displacement of this epoch (pytorch3d, uniform weights)
        normal        1 - cosine between adjacent faces (pytorch3d)

    The photos of a view that flow has warped onto each other would need one rendering for all. But
    they have the depth of the head that they were turned by, and a camera that none was taken with.

    Skin and hair are compared with photos each in a light of its own. Skin that a template was bent
    to does not follow outlines: they are a pixel off, and hair may be before it. Necks end in
    clothes, which have outlines of their own.

    The vertices move along their normals m, by d = S^k u m with u what is descended on and S an
    average over each vertex and its neighbours: the gradient reaches whole patches, so that normals
    change without spikes, and thin parts (lids, lips, nostrils) keep their order, which sliding
    triangles would fold.

    Shape and albedo are solved in turn: an epoch begins with the albedo under which its mesh looks
    like the photos. In that of the average photos, or in one that is descended on along with the
    shape, what is wrong in the albedo bends the surface, away from the truth even where it began
    there: shape would have to explain what all photos alike show. Under the best albedo of a shape,
    only what the light does from photo to photo is left for it to explain. It is found anew from
    that of the average photos each time, which the mesh keeps: light and albedo that are solved in
    turn without end drift.

    Each photo's camera is a variable of its own, that steps which do not look at the photo leave as
    it is. The gradient goes through the fit of the light, to which what all pixels of a photo share
    belongs. Adam divides a vertex's slope by no less than what one slope in ten exceeds, since what
    few photos show would else move as far as the rest.

    Some photos take no part, neither in the albedo. An epoch after which the mesh, in its own best
    albedo, renders the first part, the face, into them worse than before is taken back, so that the
    result is never worse there than the start.

    Reference: Ravi et al., "Accelerating 3D Deep Learning with PyTorch3D", 2020; Nicolet, Jacobson
    and Jakob, "Large steps in inverse rendering of geometry", SIGGRAPH Asia 2021.
    """

    steps: int
    """Of each epoch."""
    photos: int
    """Of each step."""
    side: int
    """Pixels of a photo's longer side, cut down to the head; photos are not magnified."""
    parts: Sequence[Sequence[str]]
    """Regions of the template that are compared with photos, each part in a light of its own."""
    aside: int
    """One photo in so many takes no part; 0 for none."""
    paint: Repaint | KeepPaint
    """The albedo in which photos are descended on, and judge."""
    vertex_rate: float
    """Millimetres a step, as the next at the beginning of an epoch; they end at 0, by a cosine,
    since what the last few photos say is not to be believed more than the others."""
    camera_rate: float
    """Standard deviations a step, of expressions too."""
    camera_deviation: Deviation
    diffusion: Sequence[int]
    """k of each epoch; falling, so that features move whole parts before details follow."""
    light_order: int
    """Of the spherical harmonics of the light: 1 or 2."""
    glossy: bool
    """Whether skin also mirrors the light, roughly."""
    expression: bool
    """Whether the face of each photo is pulled as it likes; else it is at rest in all of them."""
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
        self, start: Refinement, head: Head, template: Template, portraits: tuple[Portrait, ...]
    ) -> Refinement:
        """Refine for one epoch."""
        part = takes_part(len(portraits), self.aside)
        used, unused = (which.nonzero()[:, 0].tolist() for which in (part, ~part))
        photos = tuple(portraits[index] for index in used)

        def painted(mesh: HeadMesh, cameras: tuple[Camera, ...]) -> HeadMesh:
            return self.paint(mesh, photos, tuple(cameras[index] for index in used), template)

        mesh, faces = start.mesh, start.mesh.faces
        colored = painted(mesh, start.cameras)
        generator = torch.Generator().manual_seed(self.seed + start.epoch)
        edges, times = both_ways(faces), self.diffusion[start.epoch]
        topology, normals = topology_of(mesh.vertices, faces), vertex_normals(mesh.vertices, faces)
        subject = self.subject(mesh, template)
        scalp, neck = (is_part(mesh.vertices, template, (name,)) for name in ("scalp", "neck"))
        skin = 1.0 - scalp
        held = skin * float(template.fitted)
        turns = list(islice(in_turns(used, self.photos, generator), self.steps))
        judged = used[:: max(1, -(-len(used) // _SHOWN))], unused
        where = mesh.vertices[neck < 0.5]
        shots = {
            index: Shot.of(portraits[index], start.cameras[index], where, self.side)
            for index in {*chain(*turns, *judged)}
        }
        names = {portraits[index].name for index in used}
        free = (1.0 - held) * (1.0 - neck)
        contours = self.contours(mesh, free, portraits, start.cameras, names)
        told = [Told.by(surface, mesh, self.grazing) for surface in head.surfaces]
        u = torch.zeros_like(mesh.vertices[:, :1], requires_grad=True)
        none = mesh.vertices.new_zeros(MOVES + len(subject.expressions))
        moves = [none.clone().requires_grad_(True) for _ in portraits]
        rates = (([u], self.vertex_rate), (moves, self.camera_rate))
        optimizer = torch.optim.Adam([{"params": those, "lr": rate} for those, rate in rates])
        slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(len(turns), 1))
        history, gradients, speeds = [], [], []
        for chosen in turns:
            displacement = diffused(u, edges, times) * normals
            vertices = mesh.vertices + displacement
            terms = self.terms(
                *(vertices, displacement, colored.albedo, torch.stack([moves[i] for i in chosen])),
                *(topology, [shots[index] for index in chosen], self._some(contours, generator)),
                *(told[len(history) % len(told)], subject, skin),
            )
            off = (vertices - start.rest).square().sum(dim=1).mean()
            terms["anchor"] = float(template.fitted) * off
            loss = torch.stack([getattr(self, name) * terms[name] for name in TERMS]).sum()
            optimizer.zero_grad()
            loss.backward()
            gradients.append(torch.stack([_length(those) for those, _ in rates]))
            speeds.append(u.new_tensor(slower.get_last_lr()))
            optimizer.param_groups[0]["eps"] = _steep(u)
            optimizer.step()
            slower.step()
            history.append(torch.stack([terms[name].detach() for name in TERMS]))

        found = self.camera_deviation(torch.stack([move.detach()[:MOVES] for move in moves]))
        cameras = tuple(map(nudged_camera, start.cameras, found))
        made = _moved(mesh, mesh.vertices + diffused(u.detach(), edges, times) * normals)
        taken = {
            index: replace(shot, camera=nudged_camera(shot.camera, found[index]))
            for index, shot in shots.items()
        }
        recolored, hidden = painted(made, cameras), Occlusion.of(made.vertices, faces)
        rest = replace(mesh, vertices=start.rest)
        errors = []
        for which in judged:
            before, after = ([of[index] for index in which] for of in (shots, taken))
            areas = skin_areas(rest, before, subject.counted[0])
            was = grey_levels_off(colored, subject.hidden, before, areas)
            errors.append([was, grey_levels_off(recolored, hidden, after, areas)])
        worse = errors[1][1] > errors[1][0]
        return replace(
            start,
            mesh=mesh if worse else made,
            cameras=start.cameras if worse else cameras,
            epoch=start.epoch + 1,
            losses=torch.cat([start.losses, torch.stack(history)]),
            gradients=torch.cat([start.gradients, torch.stack(gradients)]),
            rates=torch.cat([start.rates, torch.stack(speeds)]),
            errors=torch.cat([start.errors, start.errors.new_tensor([errors])]),
        )

    def subject(self, mesh: HeadMesh, template: Template) -> Subject:
        """What is known of a mesh before its first step."""
        pulled = expressions_of(mesh.vertices, template)
        return Subject(
            faces=mesh.faces,
            hidden=Occlusion.of(mesh.vertices, mesh.faces),
            counted=torch.stack([is_part(mesh.vertices, template, part) for part in self.parts]),
            expressions=pulled if self.expression else pulled[:0],
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
        moves: Float[Tensor, "photo move"],
        topology: Meshes,
        shots: Sequence[Shot],
        contours: Sequence[Contour],
        told: Told,
        subject: Subject,
        skin: Float[Tensor, " vertex"],
    ) -> dict[str, Float[Tensor, ""]]:
        """The losses of one step but for the anchor, not yet weighted."""
        surface, shift = (topology.update_padded(v[None]) for v in (vertices, displacement))
        return {
            "photometric": photometric_error(
                *(vertices, albedo, moves, shots, subject, self.camera_deviation),
                *(self.light_order, self.glossy, self.robust),
            ),
            "outline": outline_error(vertices, contours),
            "fiducial": fiducial_error(vertices, subject.faces, told),
            "agreement": disagreement(vertex_normals(vertices, subject.faces), told, skin),
            "still": moves.square().sum(dim=1).mean(),
            "laplacian": laplacian_smoothness(shift),
            "normal": mesh_normal_consistency(surface),
        }


def not_yet_refined(mesh: HeadMesh, cameras: tuple[Camera, ...]) -> Refinement:
    """A mesh, and the cameras of the photos, before the first epoch."""
    losses, gradients = (mesh.vertices.new_zeros(0, n) for n in (len(TERMS), len(VARIABLES)))
    return Refinement(
        mesh=mesh,
        cameras=cameras,
        rest=mesh.vertices,
        epoch=0,
        losses=losses,
        gradients=gradients,
        rates=gradients,
        errors=mesh.vertices.new_zeros(0, 2, 2),
    )


def _steep(u: Float[Tensor, "vertex 1"]) -> float:
    """What one slope in ten exceeds, of those that there are."""
    assert u.grad is not None
    slopes = u.grad[u.grad != 0.0].abs()
    return float(slopes.quantile(0.9)) if len(slopes) else 1.0


def _length(variables: Sequence[Tensor]) -> Float[Tensor, ""]:
    """Of their gradient, in which those without one have no share."""
    return torch.cat([one.grad.flatten() for one in variables if one.grad is not None]).norm()


def _moved(mesh: HeadMesh, vertices: Float[Tensor, "vertex xyz=3"]) -> HeadMesh:
    """The mesh with other vertices; the landmarks move with the surface."""
    points = nearest_points(mesh.landmarks, mesh.vertices, mesh.faces)
    return replace(mesh, vertices=vertices, landmarks=at(points, mesh.faces, vertices))
