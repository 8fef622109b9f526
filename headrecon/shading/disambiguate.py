"""Resolving the ambiguity of the factorization by normals that are known elsewhere."""

import logging
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.bas_relief import fit_bas_relief, integrable_rows
from headrecon.geometry.color import luminance
from headrecon.geometry.mixing import (
    fit_mixing,
    harmonics,
    mixing_of,
    nearest_in_angle,
    uncovered,
)
from headrecon.render.occlusion import Occlusion
from headrecon.render.reproject import Seen, see_surface, see_template
from headrecon.shading.matte import matte
from headrecon.shading.pixels import scattered
from headrecon.shading.posterior import model_error, near_average, posterior
from headrecon.shading.prior import expected_normals
from headrecon.shading.reference import before, skin_of, with_hair
from headrecon.types import Factors, Head, NormalField, Template

log = logging.getLogger(__name__)

_SKIN_AROUND = 12.0
"""Millimetres within which skin has about one color."""
_SHADING = 1.5
"""Largest factor between a pixel's mean shading and the median's."""


@dataclass(frozen=True)
class Disambiguate:
    """Stage: the normals of a view, from pseudo-normals and the normals of a reference.

    L N = (L B)(B^-1 N) for every invertible B. The reference chooses it:

        min over B of  sum_j w_j |N_j - rho_j B ((1, n_j) - o_j)|^2

    with n_j the reference's normals, o_j the harmonics of the light that the template says the head
    itself is in the way of, as much of it as is missing, and rho_j the albedo, at first the average
    photo, then that of the solution. The reference of the first view is the template, a head of
    somebody else; each further view takes the surface of its nearest solved neighbour, seen from
    the new pose. If the template is bent to this person, it stays the reference of its skin in all
    views, and the matrix is then the one whose normals are nearest in angle to what is expected of
    all pixels.

    What the photos then say about pixel j is weighed against what is expected there, the
    reference's normals and their smoothest continuation:

        min over s of  (N_j - B s)^T M_j (N_j - B s) / v_j
                       + |s - rho_j ((1, n_j) - o_j)|^2 / (deviation_j rho_j)^2

    with M_j the information of the believed photos' lights, and v_j the variance of a photo around
    the model: its noise, which averages out over photos, and the model's own error (shadows, higher
    harmonics), which does not and shows on the skin. Directions that no light has probed, and dark
    hair, are so filled in instead of amplified. The normal is along (s_2, s_3, s_4) / rho_j + o_j.
    No normal is left turned away from the viewer.

    Reference: Basri, Jacobs and Kemelmacher, IJCV 2007; Liang, Shapiro and
    Kemelmacher-Shlizerman, "Head Reconstruction from Internet Photos", ECCV 2016.
    """

    rounds: int
    cutoff: float
    """Misfit, relative to the albedo, at which a pixel has lost three quarters of its say."""
    angle_cutoff: float
    """Distance of unit normals at which a pixel has lost three quarters of its say about the
    angles, with a fitted template; 0 leaves it at the regression."""
    integrable: bool
    """Whether the normals have to be those of a surface; the reference only chooses its relief."""
    ambiguity_recovery: bool
    """False takes the template for every view, which the paper shows to fail at the sides."""
    grazing: float
    """Least cosine at which a solved surface is believed."""
    min_overlap: int
    """Pixels of the neighbour that must be seen, below which the template is taken after all."""
    deviation: float
    """Standard deviation of the true normals around the expected ones, radians, each way."""
    skin_deviation: float
    """The same where the reference is seen."""
    least_model_error: float
    """Least standard deviation of the photos' common deviation from first-order light; what it is
    shows on the skin."""
    reference_strength: float
    """Weight of the reference against the smoothness of its continuation."""
    min_n_z: float
    """Least n_z of the result."""
    min_likeness: float
    """Correlation with the slopes of the reference below which the user is warned."""

    def __call__(self, factors: Factors, head: Head, template: Template) -> NormalField:
        """Normals, albedo and support of one view."""
        reference = self._reference(factors, head, template)
        usable = reference.mask & factors.mask
        occlusion = Occlusion.of(template.vertices, template.faces)
        hidden = occlusion.seen_by(factors.camera, len(factors.shape)) * factors.mask
        mixing, share = fit_mixing(
            factors.shape[:, usable],
            harmonics(reference.normals[:, usable], len(factors.shape)),
            hidden[:, usable],
            reference.weight[usable],
            luminance(factors.color)[usable],
            self.rounds,
            self.cutoff,
        )
        hidden, mask = share * hidden, factors.mask
        likely_shape = with_hair(reference, factors, template, self.grazing)
        expected = expected_normals(likely_shape, mask, self.reference_strength, factors.camera)
        if template.fitted and self.angle_cutoff > 0.0:
            likely = (self.skin_deviation / self._deviation(reference)[mask]).square()
            mixing = nearest_in_angle(
                factors.shape[:, mask],
                expected[:, mask],
                hidden[:, mask],
                likely,
                mixing,
                self.angle_cutoff,
            )
        if self.integrable:
            mixing = self._integrable(factors, mixing, reference, hidden, usable)
        received = harmonics(expected.flatten(1), len(factors.shape)).view_as(hidden) - hidden
        shape, deviation = self._posterior(factors, mixing, reference, received)
        normals, _ = uncovered(
            shape[1:4].flatten(1), received[1:4].flatten(1).norm(dim=0), hidden.flatten(1)
        )
        normals = normals.view_as(expected)
        n_z = normals[2].clamp_min(self.min_n_z)
        normals = torch.nn.functional.normalize(torch.stack([normals[0], normals[1], n_z]), dim=0)
        gray = luminance(factors.color)
        rho = scattered(near_average(shape[1:4].norm(dim=0)[mask], gray[mask], _SHADING), mask)
        self._warn_of_flips(factors.label, normals[:, usable], reference.normals[:, usable])
        bare = see_template(template, factors.camera, ("face", "ears")).mask & mask
        reach = _SKIN_AROUND * factors.camera.scale
        albedo = matte(factors.color * rho / gray.clamp_min(1e-6), bare, reach)
        return NormalField(
            label=factors.label,
            camera=factors.camera,
            normals=normals * factors.mask,
            deviation=deviation,
            albedo=albedo * factors.mask,
            mask=factors.mask,
            support=factors.support,
            lighting=factors.lighting @ mixing,
            fiducials=factors.fiducials,
        )

    def _integrable(
        self,
        factors: Factors,
        mixing: Float[Tensor, "k k"],
        reference: Seen,
        hidden: Float[Tensor, "k h w"],
        usable: Bool[Tensor, "h w"],
    ) -> Float[Tensor, "k k"]:
        """The matrix whose normals are integrable, and whose relief is that of the reference."""
        start = torch.linalg.inv(mixing)[1:4]
        rows = integrable_rows(factors.shape, usable, start, self.deviation)
        directed = rows @ factors.shape[:, usable]
        relief = fit_bas_relief(
            torch.nn.functional.normalize(directed, dim=0),
            reference.normals[:, usable],
            reference.weight[usable],
            self.rounds,
            self.cutoff,
        )
        missing = hidden[:, usable]
        length = (reference.normals[:, usable] - missing[1:4]).norm(dim=0)
        return mixing_of(
            *(relief @ directed, length, missing),
            *(factors.shape[:, usable], reference.weight[usable]),
        )

    def _posterior(
        self,
        factors: Factors,
        mixing: Float[Tensor, "k k"],
        reference: Seen,
        expected: Float[Tensor, "k h w"],
    ) -> tuple[Float[Tensor, "k h w"], Float[Tensor, "h w"]]:
        """Albedo times harmonics, and by how many degrees normals may be off."""
        mask, skin = factors.mask, factors.mask & reference.mask
        error = model_error(
            factors.shape[:, skin],
            factors.information[:, :, skin],
            mixing,
            factors.support[skin],
            expected[:, skin],
            self.least_model_error,
        )
        variance = factors.residual**2 + factors.support.clamp_min(1.0) * error**2
        shape, angle = posterior(
            factors.shape[:, mask],
            factors.information[:, :, mask],
            mixing,
            variance[mask],
            expected[:, mask],
            self._deviation(reference)[mask],
            luminance(factors.color)[mask],
        )
        return scattered(shape, mask), scattered(angle, mask)

    def _deviation(self, reference: Seen) -> Float[Tensor, "h w"]:
        """By how much, in radians, normals may differ from what is expected of them."""
        return torch.where(reference.mask, self.skin_deviation, self.deviation)

    def _warn_of_flips(
        self,
        label: str,
        found: Float[Tensor, "xyz=3 pixel"],
        known: Float[Tensor, "xyz=3 pixel"],
    ) -> None:
        """Say so if the relief runs against the reference's in one direction or more.

        The matrix is chosen by the reference, so that no flip survives where light has varied. If
        slopes are not alike even so, photos of one light have left them open.
        """
        if found.shape[1] < 2:
            return
        for axis, name in enumerate(("left and right", "up and down")):
            alike = float(torch.corrcoef(torch.stack([found[axis], known[axis]]))[0, 1])
            if not alike > self.min_likeness:
                log.warning(
                    "%s: slopes to the %s are not those of a head (correlation %.2f): light varies "
                    "too little",
                    *(label, name, alike),
                )

    def _reference(self, factors: Factors, head: Head, template: Template) -> Seen:
        """Known normals from the view's camera, on the face for a template of somebody else."""
        if template.fitted:
            own = skin_of(template, factors, self.grazing)
            if not (head.surfaces and self.ambiguity_recovery):
                return own
            return before(
                own, see_surface(head.nearest(factors.camera), factors.camera, self.grazing)
            )
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
