"""Factorization of a view's photos into lighting and shape."""

import logging
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.color import luminance
from headrecon.geometry.low_rank import approximate
from headrecon.geometry.mean import mean_photo
from headrecon.shading.pixels import (
    Subset,
    believed_pixels,
    information,
    scattered,
    solve_pixels,
    squared_residual,
)
from headrecon.types import Factors, Stack

log = logging.getLogger(__name__)

_CHUNK = 64
"""Photos that are looked at together."""
HARMONICS = {1: 4, 2: 9}
"""Number of the spherical harmonics up to an order."""


@dataclass(frozen=True)
class Factorize:
    """Stage: lighting L and pseudo-normals N with intensity = L N, up to an invertible matrix.

    Under distant light a Lambertian pixel is nearly linear in (1, n_x, n_y, n_z): the first-order
    spherical harmonics. So the photos have rank 4, or 9 if the second order is taken in:

        1. Q = U S V^T on the face only, where the model holds; L = sqrt(n) U, n x 4.
        2. With L fixed, each pixel of the head, ears and hair too, solves
           min over N_j of sum_i w_ij (Q_ij - L_i N_j)^2.
        3. w_ij from the residuals (`subset`), then L from the face with those weights; repeat.

    Photos are divided by their mean over the face beforehand: an exposure changes L only.

    Reference: Kemelmacher-Shlizerman and Seitz, "Face Reconstruction in the Wild", ICCV 2011;
    Basri, Jacobs and Kemelmacher, "Photometric stereo with general, unknown lighting", IJCV 2007.
    """

    subset: Subset
    harmonics: int
    """Order: 1 has 4 numbers a pixel and 2 has 9, if there are at least twice as many photos."""
    rounds: int
    saturation: float
    """Channel value from which a pixel is taken as clipped."""
    darkness: float
    """Share of the photo's mean face below which shading is lost in noise and quantization."""
    majority: float
    """Share of the photos that must show the person for a pixel to belong to the head."""
    ridge: float
    """Pull of the pseudo-normals towards 0, in photos."""
    fill_rounds: int

    def __call__(self, stack: Stack) -> Factors:
        """Factorize a warped stack; raises `ValueError` if it has fewer than 4 photos."""
        count = len(stack.images)
        if count < HARMONICS[1]:
            raise ValueError(f"{stack.label}: {count} photos cannot be factorized at rank 4")
        rank = HARMONICS[self.harmonics]
        if count < 2 * rank and self.harmonics > 1:
            log.warning("%s: %d photos are too few for rank %d: 4", stack.label, count, rank)
            rank = HARMONICS[1]
        mask = mean_photo(stack.masks) > self.majority
        intensity, base, exposure = self._observations(stack, mask)
        on_face = stack.face[mask]

        even = torch.ones(count).to(intensity)
        seen, known = intensity[on_face].T, base[on_face].T
        rows, _ = approximate(seen, known, even, rank, self.fill_rounds)
        lighting, weights, room = rows * count**0.5, base, torch.empty_like(base)
        for _ in range(self.rounds):
            shape = believed_pixels(
                lighting, intensity, base, weights, self.ridge, self.subset, 1, room
            )
            weights = room
            seen, believed = intensity[on_face].T, weights[on_face].T
            lighting = solve_pixels(shape[on_face], seen, believed, self.ridge)
        shape = solve_pixels(lighting, intensity, weights, self.ridge)
        support = weights.sum(dim=1)
        squared = squared_residual(lighting, intensity, weights, shape)
        residual = (squared / support.clamp_min(1e-6)).sqrt()
        color = torch.zeros(3, len(intensity)).to(intensity)
        for start in range(0, count, _CHUNK):
            part = slice(start, start + _CHUNK)
            share = weights[:, part] / exposure[part]
            color += torch.einsum("jp,pcj->cj", share, stack.images[part][:, :, mask].float())
        return Factors(
            label=stack.label,
            camera=stack.camera,
            lighting=lighting,
            shape=scattered(shape.T, mask),
            color=scattered(color / support.clamp_min(1e-6), mask),
            support=scattered(support, mask),
            information=scattered(information(lighting, weights).permute(1, 2, 0), mask),
            fiducials=stack.fiducials,
            face=stack.face & mask,
            mask=mask,
            residual=scattered(residual, mask),
        )

    def _observations(
        self, stack: Stack, mask: Bool[Tensor, "h w"]
    ) -> tuple[
        Float[Tensor, "pixel photo"],  # intensity at unit exposure
        Float[Tensor, "pixel photo"],  # belief before any fit
        Float[Tensor, " photo"],  # exposure: the photo's mean over the face
    ]:
        """What the photos say inside the mask."""
        face = stack.face[mask]
        if int(face.sum()) < 16:
            raise ValueError(f"{stack.label}: the photos' masks leave no face to factorize")
        intensity = stack.belief.new_empty(int(mask.sum()), len(stack.images))
        base = torch.empty_like(intensity)
        exposures = []
        for start in range(0, len(stack.images), _CHUNK):
            part = slice(start, start + _CHUNK)
            photos = stack.images[part].float()
            gray = luminance(photos)[:, mask]
            believed = stack.masks[part][:, mask].float() * stack.belief[part, None]
            total = (gray * believed)[:, face].sum(dim=1)
            exposure = (total / believed[:, face].sum(dim=1).clamp_min(1e-6)).clamp_min(1e-4)
            gray = gray / exposure[:, None]
            usable = (photos.amax(dim=1)[:, mask] < self.saturation) & (gray > self.darkness)
            intensity[:, part], base[:, part] = gray.T, (believed * usable).T
            exposures.append(exposure)
        return intensity, base, torch.cat(exposures)
