"""Factorization of a view's photos into lighting and shape."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.color import luminance
from headrecon.geometry.low_rank import approximate
from headrecon.types import Factors, Stack

Subset = Callable[..., Float[Tensor, "photo pixel"]]


@dataclass(frozen=True)
class Factorize:
    """Stage: lighting L and pseudo-normals N with intensity = L N, up to an invertible matrix.

    Under distant light a Lambertian pixel is nearly linear in (1, n_x, n_y, n_z): the first-order
    spherical harmonics. So the photos have rank 4:

        1. Q = U S V^T on the face only, where the model holds; L = sqrt(n) U, n x 4.
        2. With L fixed, each pixel of the head, ears and hair too, solves
           min over N_j of sum_i w_ij (Q_ij - L_i N_j)^2.
        3. w_ij from the residuals (`subset`), then L from the face with those weights; repeat.

    Photos are divided by their mean over the face beforehand: an exposure changes L only.

    Reference: Kemelmacher-Shlizerman and Seitz, "Face Reconstruction in the Wild", ICCV 2011;
    Basri, Jacobs and Kemelmacher, "Photometric stereo with general, unknown lighting", IJCV 2007.
    """

    subset: Subset
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
        if count < 4:
            raise ValueError(f"{stack.label}: {count} photos cannot be factorized at rank 4")
        mask = stack.masks.mean(dim=0) > self.majority
        intensity, base, exposure = self._observations(stack, mask)
        on_face = stack.face[mask]

        rows, _ = approximate(intensity[:, on_face], base[:, on_face], 4, self.fill_rounds)
        lighting = rows * count**0.5
        weights = base
        for _ in range(self.rounds):
            shape = solve_pixels(lighting, intensity, weights, self.ridge)
            weights = self.subset(intensity - lighting @ shape, base)
            face_shape, face_weights = shape[:, on_face], weights[:, on_face]
            lighting = solve_pixels(
                face_shape.T, intensity[:, on_face].T, face_weights.T, self.ridge
            ).T
        shape = solve_pixels(lighting, intensity, weights, self.ridge)
        squared = weights * (intensity - lighting @ shape) ** 2
        residual = (squared.sum(dim=0) / weights.sum(dim=0).clamp_min(1e-6)).sqrt()

        color = (stack.images / exposure[:, None, None, None])[:, :, mask]
        color = (weights[:, None] * color).sum(dim=0) / weights.sum(dim=0).clamp_min(1e-6)
        return Factors(
            label=stack.label,
            camera=stack.camera,
            lighting=lighting,
            shape=_scattered(shape, mask),
            color=_scattered(color, mask),
            support=_scattered(weights.sum(dim=0), mask),
            information=_scattered(
                torch.einsum("pk,pl,pj->klj", lighting, lighting, weights), mask
            ),
            fiducials=stack.fiducials,
            face=stack.face & mask,
            mask=mask,
            residual=_scattered(residual, mask),
        )

    def _observations(
        self, stack: Stack, mask: Bool[Tensor, "h w"]
    ) -> tuple[
        Float[Tensor, "photo pixel"],  # intensity at unit exposure
        Float[Tensor, "photo pixel"],  # belief before any fit
        Float[Tensor, " photo"],  # exposure: the photo's mean over the face
    ]:
        """What the photos say inside the mask."""
        gray, believed = luminance(stack.images), stack.masks * stack.belief[:, None, None]
        face = stack.face & mask
        if int(face.sum()) < 16:
            raise ValueError(f"{stack.label}: the photos' masks leave no face to factorize")
        seen = believed[:, face]
        exposure = (gray[:, face] * seen).sum(dim=1) / seen.sum(dim=1).clamp_min(1e-6)
        exposure = exposure.clamp_min(1e-4)
        intensity = gray[:, mask] / exposure[:, None]
        clipped = stack.images.amax(dim=1)[:, mask] >= self.saturation
        usable = ~clipped & (intensity > self.darkness)
        return intensity, believed[:, mask] * usable, exposure


def solve_pixels(
    design: Float[Tensor, "row 4"],
    values: Float[Tensor, "row column"],
    weights: Float[Tensor, "row column"],
    ridge: float,
) -> Float[Tensor, "4 column"]:
    """For each column j the x that minimizes sum_i w_ij (v_ij - design_i x)^2 + ridge |x|^2."""
    normal = torch.einsum("rk,rl,rc->ckl", design, design, weights)
    right = torch.einsum("rk,rc->ck", design, weights * values)
    normal = normal + ridge * torch.eye(design.shape[1]).to(design)
    return torch.linalg.solve(normal, right).T


def _scattered(
    values: Float[Tensor, "*channels pixel"], mask: Bool[Tensor, "h w"]
) -> Float[Tensor, "*channels h w"]:
    """Values of the masked pixels on the canvas, 0 elsewhere."""
    canvas = values.new_zeros(*values.shape[:-1], *mask.shape)
    canvas[..., mask] = values
    return canvas
