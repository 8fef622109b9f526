"""Differentiable reprojection: the mesh that renders into the photos."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.surface import vertex_normals
from headrecon.mesh.agreement import Told, disagreement, fiducial_error
from headrecon.mesh.aside import Jury, in_turns, takes_part
from headrecon.mesh.descent import VARIABLES, Descent
from headrecon.mesh.nudge import MOVES, Deviation, nudged_camera
from headrecon.mesh.parts import is_part
from headrecon.mesh.photometric import Subject, photometric_error
from headrecon.mesh.repaint import KeepPaint, Repaint
from headrecon.mesh.shot import Shot
from headrecon.mesh.silhouette import Contour, Contours, outline_error
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

    The vertices move along their normals, by what is averaged over patches (`Descent`): so normals
    change without spikes, and thin parts (lids, lips, nostrils) keep their order, which sliding
    triangles would fold.

    Shape and albedo are solved in turn: an epoch begins with the albedo under which its mesh looks
    like the photos. In that of the average photos, or in one that is descended on along with the
    shape, what is wrong in the albedo bends the surface, away from the truth even where it began
    there: shape would have to explain what all photos alike show. Under the best albedo of a shape,
    only what the light does from photo to photo is left for it to explain. It is found anew from
    that of the average photos each time, which the mesh keeps: light and albedo that are solved in
    turn without end drift.

    The gradient goes through the fit of the light, to which what all pixels of a photo share
    belongs.

    Some photos take no part, neither in the albedo. Where the mesh after an epoch, in its own best
    albedo, renders the first part, the face, into them worse than before, it goes back some of the
    way (a backtracking line search), if need be all of it, so that the result is never worse there
    than the start.

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
    """k of each epoch; falling, so that features move whole parts before details follow. It ends
    early where an epoch was taken back and the next has the same k (early stopping)."""
    light_order: int
    """Of the spherical harmonics of the light: 1 or 2."""
    glossy: bool
    """Whether skin also mirrors the light, roughly."""
    expression: bool
    """Whether the face of each photo is pulled as it likes; else it is at rest in all of them."""
    backtracking: Sequence[float]
    """Shares of an epoch's way, of which the first counts that photos aside are not worse after."""
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

    def __post_init__(self) -> None:
        """Raise `ValueError` where no step can be taken, or no photo would take part in it."""
        if min(self.steps, self.photos) < 1 or self.aside < 0 or self.aside == 1:
            raise ValueError("refine needs steps and photos of 1 or more, aside of 0, 2 or more")

    @property
    def epochs(self) -> int:
        """How many epochs there are at most."""
        return len(self.diffusion)

    def settled(self, refined: Refinement) -> bool:
        """Whether the latest epoch was taken back, and the next would be of the same kind."""
        same = set(self.diffusion[refined.epoch - 1 : refined.epoch + 1])
        return refined.taken_back and len(same) == 1

    def __call__(
        self, start: Refinement, head: Head, template: Template, portraits: tuple[Portrait, ...]
    ) -> Refinement:
        """Refine for one epoch."""
        part = takes_part([one.name for one in portraits], self.aside)
        used, unused = (which.nonzero()[:, 0].tolist() for which in (part, ~part))
        photos = tuple(portraits[index] for index in used)

        def painted(mesh: HeadMesh, cameras: tuple[Camera, ...]) -> HeadMesh:
            return self.paint(mesh, photos, tuple(cameras[index] for index in used), template)

        mesh, colored = start.mesh, painted(start.mesh, start.cameras)
        generator = torch.Generator().manual_seed(self.seed + start.epoch)
        turns = list(islice(in_turns(used, self.photos, generator), self.steps))
        judged = used[:: max(1, -(-len(used) // _SHOWN))], unused
        # As it all began, so that photos aside judge by the same pixels in every epoch.
        rest = replace(mesh, vertices=start.rest)
        scalp, neck = (is_part(rest.vertices, template, (name,)) for name in ("scalp", "neck"))
        counted = torch.stack([is_part(rest.vertices, template, part) for part in self.parts])
        where = rest.vertices[neck < 0.5]
        shots = {
            index: Shot.of(portraits[index], start.cameras[index], where, self.side)
            for index in {*chain(*turns, *judged)}
        }
        skin, fitted = 1.0 - scalp, float(template.fitted)
        free, names = (1.0 - fitted * skin) * (1.0 - neck), {photo.name for photo in photos}
        contours = self.contours(mesh, free, portraits, start.cameras, names)
        told = [Told.by(surface, mesh, self.grazing) for surface in head.surfaces]
        subject = Subject.of(mesh, counted, template, self.expression)
        topology = topology_of(mesh.vertices, mesh.faces)
        descent = Descent(
            *(mesh, len(portraits), self.diffusion[start.epoch], len(subject.expressions)),
            *((self.vertex_rate, self.camera_rate), len(turns)),
        )
        history = []
        for chosen in turns:
            displacement = descent.displacement
            vertices = mesh.vertices + displacement
            terms = self.terms(
                *(vertices, displacement, colored.albedo, descent.moves(chosen), topology),
                *([shots[index] for index in chosen], self._some(contours, generator)),
                *(told[len(history) % len(told)], subject, skin),
            )
            terms["anchor"] = fitted * (vertices - start.rest).square().sum(dim=1).mean()
            descent.step(torch.stack([getattr(self, name) * terms[name] for name in TERMS]).sum())
            history.append(torch.stack([terms[name].detach() for name in TERMS]))

        jury = Jury.of(rest, {i: shots[i] for i in chain(*judged)}, counted[0])
        before = jury.errors(colored, mesh.vertices.new_zeros(len(portraits), MOVES), judged)
        end, after = start, before
        for share in self.backtracking:
            made, moved = descent.after(share)
            moves = self.camera_deviation(moved)
            cameras = tuple(map(nudged_camera, start.cameras, moves))
            after = jury.errors(painted(made, cameras), moves, judged)
            if not after[1] > before[1]:
                end = replace(start, mesh=made, cameras=cameras)
                break
        return replace(
            end,
            epoch=start.epoch + 1,
            losses=torch.cat([start.losses, torch.stack(history)]),
            gradients=torch.cat([start.gradients, torch.stack(descent.gradients)]),
            rates=torch.cat([start.rates, torch.stack(descent.rates)]),
            errors=torch.cat([start.errors, start.errors.new_tensor([before, after]).T[None]]),
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
