"""Where a view's average photo was taken from, by the head that is grown so far."""

import logging
from dataclasses import dataclass, replace

import torch

from headrecon.geometry.camera import from_afar
from headrecon.geometry.resection import resect
from headrecon.geometry.rotation import angles
from headrecon.render.reproject import lift
from headrecon.types import Factors, Head

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pose:
    """Stage: the factors of a view, with the camera that sees the head grown so far.

    The photos of a view were aligned to the template, a stranger. Where this person's nose is
    longer or eyes are wider apart, the head so far and the new view do not meet. So the average
    fiducials of the nearest solved view are lifted to its depth, and the new camera is the one that
    sees them where the new view's average photo has them.

    A view turned by more than `max_azimuth`, where fiducials slide off the profile, or a camera
    that would turn by more than `max_turn`, stays as it was aligned. Angles in degrees.

    Reference: Liang, Shapiro and Kemelmacher-Shlizerman, "Head Reconstruction from Internet
    Photos", ECCV 2016, section 5.
    """

    max_turn: float
    max_azimuth: float
    min_cosine: float
    """Least n_z, in the old view and in the new, of a fiducial that takes part."""
    min_points: int

    def __call__(self, factors: Factors, head: Head) -> Factors:
        """Find the camera; the first view keeps its own."""
        rotation = factors.camera.view_from_head
        if not head.surfaces or abs(angles(rotation)[0]) > self.max_azimuth:
            return factors
        solved = head.nearest(factors.camera)
        points, normals, whole = lift(solved, solved.normals.fiducials)
        cosines = torch.minimum(
            normals @ rotation[2], normals @ solved.depth.camera.view_from_head[2]
        )
        used = whole & (cosines > self.min_cosine)
        if int(used.sum()) < self.min_points:
            return factors
        seen = from_afar(points, factors.fiducials, factors.camera)
        turned, scale, origin = resect(points[used], seen[used], cosines[used])
        cosine = ((turned * rotation).sum() - 1.0) / 2.0
        angle = float(torch.rad2deg(cosine.clamp(-1.0, 1.0).acos()))
        kept = angle <= self.max_turn
        log.info(
            "%s: camera turns by %.1f degrees, scale by %.3f%s",
            factors.label,
            angle,
            scale / factors.camera.scale,
            "" if kept else "; too much, it stays",
        )
        if not kept:
            return factors
        camera = replace(factors.camera, view_from_head=turned, scale=scale, origin=origin)
        return replace(factors, camera=camera)
