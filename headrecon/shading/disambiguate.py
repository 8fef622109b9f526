"""Resolving the ambiguity of the factorization by normals that are known elsewhere."""

import logging
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.color import luminance
from headrecon.render.reproject import Seen, see_surface, see_template
from headrecon.shading.prior import expected_normals
from headrecon.types import Factors, Head, NormalField, Template

ALBEDO_ROUNDS = 6

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Disambiguate:
    """Stage: the normals of a view, from pseudo-normals and the normals of a reference.

    L N = (L A^-1)(A N) for every invertible A. The reference chooses it:

        min over A of  sum_j w_j |A N_j - rho_j (1, n_j)|^2

    with n_j the reference's normals and rho_j the albedo, at first the average photo, then that of
    the solution. The reference of the first view is the template, a head of somebody else; each
    further view takes the surface of its nearest solved neighbour, seen from the new pose.

    What A N_j says about pixel j is weighed against what is expected there, the reference's normals
    and their smoothest continuation:

        min over s of (s - A N_j)^T P_j (s - A N_j) + |s - rho_j (1, n_j)|^2 / (deviation rho_j)^2

    with P_j the precision that the lights of the believed photos and the residual give. Directions
    that no light has probed, and dark hair, are so filled in instead of amplified. No normal is
    left turned away from the viewer.

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
    deviation: float
    """Standard deviation of the true normals around the expected ones."""
    noise: float
    """Least standard deviation of a photo around the model, in units of the face's mean."""
    reference_strength: float
    """Weight of the reference against the smoothness of its continuation."""
    min_n_z: float
    """Least n_z of the result."""

    def __call__(self, factors: Factors, head: Head, template: Template) -> NormalField:
        """Normals, albedo and support of one view."""
        reference = self._reference(factors, head, template)
        usable = reference.mask & factors.mask
        ambiguity = fit_ambiguity(
            factors.shape[:, usable],
            reference.normals[:, usable],
            reference.weight[usable],
            luminance(factors.color)[usable],
            self.rounds,
            self.cutoff,
        )
        shape, rho = self._posterior(factors, ambiguity, reference)
        normals = torch.nn.functional.normalize(shape[1:], dim=0)
        n_z = normals[2].clamp_min(self.min_n_z)
        normals = torch.nn.functional.normalize(torch.stack([normals[0], normals[1], n_z]), dim=0)
        albedo = factors.color * rho / luminance(factors.color).clamp_min(1e-6)
        return NormalField(
            label=factors.label,
            camera=factors.camera,
            normals=normals * factors.mask,
            albedo=albedo * factors.mask,
            mask=factors.mask,
            support=factors.support,
            lighting=factors.lighting @ torch.linalg.inv(ambiguity),
            fiducials=factors.fiducials,
        )

    def _posterior(
        self, factors: Factors, ambiguity: Float[Tensor, "4 4"], reference: Seen
    ) -> tuple[Float[Tensor, "4 h w"], Float[Tensor, "h w"]]:
        """Shape after the ambiguity, completed by what is expected, and its albedo."""
        mask = factors.mask
        solved = torch.einsum("kl,lj->jk", ambiguity, factors.shape[:, mask])
        expected = expected_normals(reference, mask, self.reference_strength)[:, mask].T
        known = torch.cat([torch.ones_like(expected[:, :1]), expected], dim=1)
        rho = (solved * known).sum(dim=1).clamp_min(0.04) / 2.0

        inverse = torch.linalg.inv(ambiguity)
        information = torch.einsum(
            "km,klj,ln->jmn", inverse, factors.information[:, :, mask], inverse
        )
        precision = information / factors.residual[mask].clamp_min(self.noise)[:, None, None] ** 2
        pull = 1.0 / (self.deviation * rho) ** 2
        # Scaled by the pull, the system is at least the identity, however little was seen.
        precision = precision / pull[:, None, None]
        left = precision + torch.eye(4).to(precision)
        right = (precision @ solved[..., None])[..., 0] + rho[:, None] * known
        shape = torch.linalg.solve(left, right)
        canvas = shape.new_zeros(5, *mask.shape)
        canvas[:, mask] = torch.cat([shape, shape[:, 1:].norm(dim=1, keepdim=True)], dim=1).T
        return canvas[:4], canvas[4]

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


def fit_ambiguity(
    pseudo: Float[Tensor, "4 pixel"],
    normals: Float[Tensor, "xyz=3 pixel"],
    weight: Float[Tensor, " pixel"],
    albedo: Float[Tensor, " pixel"],
    rounds: int,
    cutoff: float,
) -> Float[Tensor, "4 4"]:
    """The matrix A that brings pseudo-normals N_j to albedo times (1, n_j), robustly.

        min over A and rho of  sum_j w_j |A N_j - rho_j (1, n_j)|^2,   mean of rho = 1

    alternates between its two linear halves, from `albedo` as the first guess of rho; the weights
    fall with the misfit after Geman and McClure.
    """
    known = torch.cat([torch.ones_like(normals[:1]), normals])
    albedo = albedo / albedo.mean()
    robust = weight
    ambiguity = torch.eye(4).to(pseudo)
    for _ in range(rounds):
        target = albedo * known
        moments = (robust * pseudo) @ pseudo.T
        ambiguity = torch.linalg.solve(moments, (robust * pseudo) @ target.T).T
        solved = ambiguity @ pseudo
        misfit = (solved - target).norm(dim=0) / albedo.clamp_min(0.1)
        robust = weight / (1.0 + (misfit / cutoff) ** 2) ** 2
        # Along (1, n) of the reference lies the albedo; its squared length is 2.
        albedo = ((solved * known).sum(dim=0) / 2.0).clamp_min(0.05)
        albedo = albedo / albedo.mean()
    return ambiguity
