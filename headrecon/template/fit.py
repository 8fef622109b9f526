"""The template, bent towards the person whom the photos show, before any view is solved."""

import logging
import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.resection import turned_towards
from headrecon.geometry.surface import at, vertex_normals
from headrecon.render.occlusion import Occlusion
from headrecon.template.marks import marks_of
from headrecon.template.model import head_model
from headrecon.template.sight import Sight, skin_seen, turned
from headrecon.template.smooth import SmoothModes
from headrecon.types import Camera, Factors, Template

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KeepTemplate:
    """Stage: the template as it is, a head of somebody else, as in the paper."""

    def __call__(self, factors: tuple[Factors, ...], template: Template) -> Template:
        """The same."""
        return template


@dataclass(frozen=True)
class FitTemplate:
    """Stage: the head of the linear space that explains the shading of all views at once.

    A stranger's normals resolve the ambiguity of a view to a stranger's skull: whatever of the
    difference to them is linear in the normals goes into the matrix. So the head is found first in
    a space of few dimensions, where no matrix can imitate a change of shape: those in which
    random heads differ, and smooth deformations, since nobody is a mixture of them (`beyond`). Its
    coefficients c minimize

        |c|^2 / 2 + sum_v |w_v|^2 / 2 g^2
                  + sum_v (a / 2 s^2) mean_j psi(|N_v(P_v Y_j(c)) / rho_vj - B_v h_vj(c)| / l_v)
                  + sum_v (b / 2) mean_k |(P_v X_k(c))' - f_vk|^2 / t_vk^2
                  + sum_v (o / 2 u^2) mean_r rho(d_v(P_v X_r(c)))

    with N_v the pseudo-normals of view v, Y_j the points of the skin that its pixels show, h_vj =
    (1, n_vj) - o_vj the harmonics of the normal there, less those of the light that the head itself
    is in the way of, as much of it as is missing (the sides of noses would seem to face the
    viewer), rho_vj the albedo, and l_v^2 = |B_v|^2 / 3 over the three columns of directed light;
    X_k the fiducials in sight, (.)' what the detectors make of them, who draw them to those of the
    average head (`Bias`), f_vk where the average photo has them, and P_v the view's camera in
    millimetres; d_v the distance from the view's outline, and X_r the vertices of the head's own,
    where it is skin: jaw, cheeks, ears and the line of the profile tell how wide and how deep a
    face is. The scale and the shift of P_v are the best ones for each c, as are B_v and rho_vj
    (variable projection), so that c descends along what neither a camera nor a matrix explains.
    Points are looked up where c has them: what is turned rightly but lies in the wrong place, such
    as the base of a nose, is in error, too. psi is a square that is bounded (`Skin.misfit`).

    P_v is turned by w_v from the pose that the detectors gave the view, who take a person's heads
    to be turned by a degree or two too far or too little, from one side otherwise than from
    another, in all photos alike. A head that is seen from less far aside than it is taken to be
    would be found too flat. Features move with a turn as with no change of a head that looks the
    same from all other sides, so that heads and turns are found together (bundle adjustment).

    Pixels of a view deviate together, by shadows and misaligned photos: they count for `normals`
    (a) independent ones with a deviation of `normal_deviation` (s). So do fiducials: `fiducials`
    (b); and outlines, which hair may hide: `outlines` (o), `outline_deviation` (u).
    Cameras, what is in sight, albedo and robust weights are found anew in each round.

    Reference: Blanz and Vetter, "A morphable model for the synthesis of 3D faces", SIGGRAPH 1999;
    Roth, Tong and Liu, "Adaptive 3D face reconstruction from unconstrained photo collections", CVPR
    2016; Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares
    problems whose variables separate", SIAM J. Numerical Analysis 1973.
    """

    size: float
    """Scale of the template."""
    components: int
    """Of identity; those that are left out say nothing at the resolution of a photo."""
    beyond: SmoothModes
    """What heads have besides."""
    rounds: int
    steps: int
    """Of descent, in each round."""
    normals: float
    normal_deviation: float
    fiducials: float
    fiducial_bias: bool
    """Whether it is reckoned with how detectors err; it was measured on those of the default."""
    fiducial_deviation: float
    """Millimetres, where it is not."""
    outlines: float
    outline_deviation: float
    outline_reach: float
    """Millimetres; from what is further away comes no more pull."""
    cutoff: float
    """Misfit at which a pixel has lost three quarters of its say."""
    min_cosine: float
    """Least n_z of a pixel or a fiducial that takes part."""
    turn: float
    """g: standard deviation of a view's pose about each axis, degrees."""
    min_pixels: int
    """Of a view that takes part."""

    def __call__(self, factors: tuple[Factors, ...], template: Template) -> Template:
        """Fit; the template stays as it is if no view shows enough of its skin."""
        random = self.size * head_model().identity[: self.components].to(template.vertices)
        basis = torch.cat([random, self.beyond(template)])
        coefficients, deviation = basis.new_zeros(len(basis)), math.radians(self.turn)
        turns = {view.label: basis.new_zeros(3) for view in factors}
        fitted = template
        for _ in range(self.rounds):
            cameras = [turned(view.camera, deviation * turns[view.label]) for view in factors]
            views = tuple(
                replace(view, camera=camera) for view, camera in zip(factors, cameras, strict=True)
            )
            sights = self.sights(views, fitted, template)
            if not sights:
                log.warning("too little skin is seen to fit the template; it stays as it is")
                return template
            before = torch.stack([turns[sight.label] for sight in sights])
            coefficients, after = self._descended(coefficients, before, basis, template, sights)
            turns |= {sight.label: turn for sight, turn in zip(sights, after, strict=True)}
            fitted = replace(_bent(template, coefficients, basis), fitted=True)
        for label, turn in turns.items():
            angle = self.turn * float(turn.norm())
            log.info("%s: the fit turns the camera by %.1f degrees", label, angle)
        return fitted

    def _descended(
        self,
        start: Float[Tensor, " component"],
        turns: Float[Tensor, "sight xyz=3"],
        basis: Float[Tensor, "component vertex xyz=3"],
        template: Template,
        sights: list[Sight],
    ) -> tuple[Float[Tensor, " component"], Float[Tensor, "sight xyz=3"]]:
        """Coefficients and turns (rotation vectors, in deviations) of less energy."""
        deviation = math.radians(self.turn)
        found = torch.cat([start, start.new_zeros(turns.numel())]).requires_grad_(True)
        optimizer = torch.optim.LBFGS([found], max_iter=self.steps, line_search_fn="strong_wolfe")

        def parts() -> tuple[Tensor, Tensor]:
            """The coefficients, and by how much sights are turned more than they are."""
            return found[: len(start)], found[len(start) :].reshape(turns.shape)

        def energy() -> Tensor:
            optimizer.zero_grad()
            coefficients, more = parts()
            seen = [s.turned(deviation * m) for s, m in zip(sights, more, strict=True)]
            total = 0.5 * (coefficients.square().sum() + (turns + more).square().sum())
            total = total + self.energy(_bent(template, coefficients, basis), seen)
            total.backward()
            return total

        optimizer.step(energy)
        coefficients, more = (part.detach() for part in parts())
        return coefficients, turns + more

    def energy(self, template: Template, sights: list[Sight]) -> Float[Tensor, ""]:
        """What a head says against the views; differentiable in its vertices."""
        normals = vertex_normals(template.vertices, template.faces)
        marks = at(template.fiducials, template.faces, template.vertices)
        places, off = zip(*(s.placed(marks) for s in sights), strict=True)
        of_normals = torch.stack(
            [
                s.misfit(template.vertices, normals, template.faces, place)
                for s, place in zip(sights, places, strict=True)
            ]
        ).sum()
        of_outlines = torch.stack(
            [
                s.rim.misfit(template.vertices, s.camera, place, self.outline_reach)
                for s, place in zip(sights, places, strict=True)
            ]
        ).sum()
        return (
            0.5 * self.outlines / self.outline_deviation**2 * of_outlines
            + 0.5 * self.normals / self.normal_deviation**2 * of_normals
            + 0.5 * self.fiducials * torch.stack(off).sum()
        )

    def sights(
        self, factors: tuple[Factors, ...], head: Template, average: Template
    ) -> list[Sight]:
        """What the views that show enough skin say about the head as it is now."""
        found, usual = [], at(average.fiducials, average.faces, average.vertices)
        known, deviation = self.fiducial_bias, self.fiducial_deviation
        occlusion = Occlusion.of(head.vertices, head.faces)
        for view in factors:
            camera, shown = self._camera(view, head)
            skin = skin_seen(
                *(view, head, occlusion, camera),
                *(self.min_cosine, self.min_pixels, self.cutoff),
            )
            if skin is not None:
                marks = marks_of(view.fiducials, shown, usual, camera, known, deviation)
                found.append(Sight(**vars(skin), label=view.label, marks=marks))
        return found

    def _camera(
        self, factors: Factors, head: Template
    ) -> tuple[Camera, Float[Tensor, " fiducial"]]:
        """The camera, moved to see the head's fiducials where they are, and which it sees."""
        aligned = factors.camera
        marks = at(head.fiducials, head.faces, head.vertices)
        normals = at(head.fiducials, head.faces, vertex_normals(head.vertices, head.faces))
        cosines = normals @ aligned.view_from_head[2]
        shown = (cosines > self.min_cosine).to(marks)
        weights = cosines.clamp_min(0.0)
        return turned_towards(aligned, marks, factors.fiducials, weights, 0.0)[0], shown


def _bent(
    template: Template,
    coefficients: Float[Tensor, " component"],
    basis: Float[Tensor, "component vertex xyz=3"],
) -> Template:
    """The head with these coefficients, its fiducials as far apart as the template's.

    Photos do not tell how large somebody is. A head that shrinks would be seen from relatively
    further away.
    """
    vertices = template.vertices + torch.einsum("k,kvx->vx", coefficients, basis)
    marks, goal = (at(template.fiducials, template.faces, v) for v in (vertices, template.vertices))
    size = ((goal - goal.mean(dim=0)).norm() / (marks - marks.mean(dim=0)).norm()).clamp(0.5, 2.0)
    return replace(template, vertices=size * vertices)
