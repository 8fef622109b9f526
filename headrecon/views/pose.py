"""Where a view's average photo was taken from, by the head that is grown so far."""

import logging
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.resection import turned_towards
from headrecon.geometry.rotation import angles
from headrecon.geometry.surface import at, vertex_normals
from headrecon.render.reproject import lift
from headrecon.types import Camera, Factors, Head, Template

log = logging.getLogger(__name__)

Marks = tuple[Float[Tensor, "fiducial=468 xyz=3"], Float[Tensor, " fiducial=468"]]
"""Places, and how well they look at the viewer."""


@dataclass(frozen=True)
class Pose:
    """Stage: the factors of a view, with the camera that sees the head grown so far.

    The photos of a view were aligned to the template, a stranger. Where this person's nose is
    longer or eyes are wider apart, the head so far and the new view do not meet. So the camera is
    moved and scaled to see the fiducials of the template that is bent to this person where the
    view's average photo has them. Without such a template it is those of the nearest solved view,
    lifted to its depth, for views that are turned by less than `max_azimuth`, beyond which they
    slide off the profile. They slide before, too, so that the rotation, which many photos have
    told, goes only a part of the way to theirs, and not at all if it is further than `max_turn`.
    Angles in degrees. An average photo is taken from as near as its photos are on average.

    Reference: Liang, Shapiro and Kemelmacher-Shlizerman, "Head Reconstruction from Internet
    Photos", ECCV 2016, section 5.
    """

    turn: float
    """Share of the way."""
    max_turn: float
    max_azimuth: float
    min_cosine: float
    """Least n_z, in the old view and in the new, of a fiducial that takes part."""
    min_points: int

    def __call__(
        self, factors: Factors, cameras: tuple[Camera, ...], head: Head, template: Template
    ) -> Factors:
        """Find the camera; without a fitted template the first view keeps its own.

        `cameras` are those of the view's photos.
        """
        if template.fitted:
            points, cosines = self._of_template(factors, template)
        else:
            points, cosines = self._of_neighbour(factors, head)
        used = cosines > self.min_cosine
        if int(used.sum()) < self.min_points:
            return factors
        seen, weights = factors.fiducials[used], cosines[used]
        nearness = sum(camera.nearness for camera in cameras) / len(cameras)
        aligned = replace(factors.camera, nearness=nearness)
        camera, angle = turned_towards(aligned, points[used], seen, weights, self.turn)
        kept = angle <= self.max_turn
        log.info(
            "%s: fiducials turn the camera by %.1f degrees, scale by %.3f%s",
            factors.label,
            self.turn * angle,
            camera.scale / factors.camera.scale,
            "" if kept else "; too much, it stays",
        )
        return replace(factors, camera=camera) if kept else factors

    def _of_template(self, factors: Factors, template: Template) -> Marks:
        """The fiducials of the person's own head."""
        normals = vertex_normals(template.vertices, template.faces)
        points, outward = (
            at(template.fiducials, template.faces, values)
            for values in (template.vertices, normals)
        )
        return points, outward @ factors.camera.view_from_head[2]

    def _of_neighbour(self, factors: Factors, head: Head) -> Marks:
        """Those of the nearest solved view, lifted to its depth; none where they slide too far."""
        rotation = factors.camera.view_from_head
        if not head.surfaces or abs(angles(rotation)[0]) > self.max_azimuth:
            return factors.fiducials.new_zeros(468, 3), factors.fiducials.new_zeros(468)
        solved = head.nearest(factors.camera)
        points, normals, whole = lift(solved, solved.normals.fiducials)
        cosines = torch.minimum(
            normals @ rotation[2], normals @ solved.depth.camera.view_from_head[2]
        )
        return points, cosines * whole
