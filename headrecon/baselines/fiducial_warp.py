"""The template, bent so that its fiducials lie where all photos together put them."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from scipy.interpolate import RBFInterpolator
from torch import Tensor

from headrecon.geometry.grey import grey_mesh
from headrecon.geometry.resection import resect
from headrecon.geometry.surface import at
from headrecon.types import HeadMesh, Portrait, Template


@dataclass(frozen=True)
class FiducialWarp:
    """Baseline: structure from the fiducials' motion, and no look at shading at all.

    In turns, each photo's weak-perspective camera is resected from the points, and each point is
    moved to

        min over p of  sum_i w_i |P_i p - s_i|^2 / scale_i^2 + prior |p - p_0|^2

    with p_0 the template's point. A thin plate spline carries the rest of the surface along.

    Reference: Tomasi and Kanade, "Shape and motion from image streams under orthography", IJCV
    1992; Bookstein, "Principal warps: thin-plate splines and the decomposition of deformations",
    PAMI 1989.
    """

    rounds: int
    max_azimuth: float
    """Photos turned further are left out: their fiducials slide off the profile."""
    prior: float
    """Photos that the template counts for."""
    smoothing: float
    """Of the thin plate spline, square millimetres."""

    def __call__(self, template: Template, portraits: tuple[Portrait, ...]) -> HeadMesh:
        """Warp the template; it stays as it is without photos."""
        rest = at(template.fiducials, template.faces, template.vertices)
        chosen = [p for p in portraits if abs(p.azimuth) <= self.max_azimuth]
        points = self._points(rest, torch.stack([p.fiducials for p in chosen])) if chosen else rest
        spline = RBFInterpolator(
            rest.cpu().numpy(),
            (points - rest).cpu().numpy(),
            kernel="thin_plate_spline",
            smoothing=self.smoothing,
        )
        shift = torch.from_numpy(spline(template.vertices.cpu().numpy())).to(template.vertices)
        return grey_mesh(template, template.vertices + shift)

    def _points(
        self, rest: Float[Tensor, "point 3"], seen: Float[Tensor, "photo point 2"]
    ) -> Float[Tensor, "point 3"]:
        """The points that the photos agree on."""
        points, weights = rest, torch.ones(len(rest)).to(rest)
        up = torch.tensor([1.0, -1.0]).to(rest)
        for _ in range(self.rounds):
            cameras = [resect(points, one, weights) for one in seen]
            rows = torch.stack([rotation[:2] for rotation, _, _ in cameras])
            scales = torch.tensor([scale for _, scale, _ in cameras]).to(rest)
            origins = torch.stack([origin for _, _, origin in cameras])
            flat = (seen - origins[:, None]) * up / scales[:, None, None]
            normal = torch.einsum("pax,pay->xy", rows, rows) + self.prior * torch.eye(3).to(rest)
            right = torch.einsum("pax,pka->kx", rows, flat) + self.prior * rest
            points = torch.linalg.solve(normal, right.T).T
        return points
