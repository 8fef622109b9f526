"""Resolving the ambiguity of the factorization by normals that are known elsewhere."""

import logging
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.color import luminance
from headrecon.render.reproject import Seen, see_surface, see_template
from headrecon.types import Factors, Head, NormalField, Template

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Disambiguate:
    """Stage: the normals of a view, from pseudo-normals and the normals of a reference.

    L N = (L A^-1)(A N) for every invertible A. The reference chooses it:

        min over A of  sum_j w_j |A N_j - rho_j (1, n_j)|^2

    with n_j the reference's normals and rho_j the albedo, at first the average photo, then that of
    the solution. The reference of the first view is the template, a head of somebody else; each
    further view takes the surface of its nearest solved neighbour, seen from the new pose.

    No normal is left turned away from the viewer: n_z is at least `min_n_z`.

    Reference: Basri, Jacobs and Kemelmacher, IJCV 2007; Liang, Shapiro and
    Kemelmacher-Shlizerman, "Head Reconstruction from Internet Photos", ECCV 2016.
    """

    rounds: int
    cutoff: float
    """Misfit, relative to the albedo, at which a pixel has lost three quarters of its say."""
    ambiguity_recovery: bool
    """False takes the template for every view, which the paper shows to fail at the sides."""
    grazing: float
    """Least cosine at which a solved surface is believed."""
    min_overlap: int
    """Pixels of the neighbour that must be seen, below which the template is taken after all."""
    min_n_z: float
    """Least n_z of the result."""

    def __call__(self, factors: Factors, head: Head, template: Template) -> NormalField:
        """Normals, albedo and support of one view."""
        reference = self._reference(factors, head, template)
        usable = reference.mask & factors.mask
        pseudo = factors.shape[:, usable]
        ambiguity = self._fit(
            pseudo,
            reference.normals[:, usable],
            reference.weight[usable],
            luminance(factors.color)[usable],
        )
        shape = torch.einsum("kl,lhw->khw", ambiguity, factors.shape)
        direction = shape[1:]
        normals = torch.nn.functional.normalize(direction, dim=0)
        n_z = normals[2].clamp_min(self.min_n_z)
        normals = torch.nn.functional.normalize(torch.stack([normals[0], normals[1], n_z]), dim=0)
        brightness = luminance(factors.color).clamp_min(1e-6)
        albedo = (direction.norm(dim=0) / brightness) * factors.color
        return NormalField(
            label=factors.label,
            camera=factors.camera,
            normals=normals * factors.mask,
            albedo=albedo * factors.mask,
            mask=factors.mask,
            support=factors.support,
            lighting=factors.lighting @ torch.linalg.inv(ambiguity),
        )

    def _reference(self, factors: Factors, head: Head, template: Template) -> Seen:
        """Known normals from the view's camera, on the face for the template."""
        if head.surfaces and self.ambiguity_recovery:
            neighbour = head.nearest(factors.camera)
            seen = see_surface(neighbour, factors.camera, self.grazing)
            if int((seen.mask & factors.mask).sum()) >= self.min_overlap:
                return seen
            log.warning(
                "%s: too little of %s is seen from here; the template resolves the ambiguity",
                factors.label,
                neighbour.depth.label,
            )
        seen = see_template(template, factors.camera)
        return Seen(seen.normals, seen.z, seen.weight * factors.face, seen.mask & factors.face)

    def _fit(
        self,
        pseudo: Float[Tensor, "4 pixel"],
        normals: Float[Tensor, "3 pixel"],
        weight: Float[Tensor, " pixel"],
        albedo: Float[Tensor, " pixel"],
    ) -> Float[Tensor, "4 4"]:
        """The matrix A; alternates between A, the albedo and robust weights."""
        known = torch.cat([torch.ones_like(normals[:1]), normals])
        albedo = albedo / albedo.mean()
        robust = weight
        ambiguity = torch.eye(4).to(pseudo)
        for _ in range(self.rounds):
            target = albedo * known
            left = (robust * pseudo) @ pseudo.T
            right = (robust * target) @ pseudo.T
            ambiguity = torch.linalg.solve(left, right.T).T
            solved = ambiguity @ pseudo
            misfit = (solved - target).norm(dim=0) / albedo.clamp_min(0.1)
            robust = weight / (1.0 + (misfit / self.cutoff) ** 2) ** 2
            # Along (1, n) of the reference lies the albedo, whose squared length is 2.
            albedo = ((solved * known).sum(dim=0) / 2.0).clamp_min(0.05)
            albedo = albedo / albedo.mean()
        return ambiguity
