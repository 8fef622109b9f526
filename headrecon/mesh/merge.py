"""One mesh of the head from the surfaces of all views."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import trimesh
from jaxtyping import Float, Int
from torch import Tensor

from headrecon.geometry.rotation import angles
from headrecon.geometry.surface import at, nearest_points, vertex_normals
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.mesh.cloud import attract, gather
from headrecon.mesh.deform import interpolation, smooth_fit, thin_shell
from headrecon.mesh.paint import paint
from headrecon.mesh.parts import is_part
from headrecon.render.reproject import lift
from headrecon.types import Head, HeadMesh, Surface, SurfacePoints, Template

_LOOP_ROUNDS = 8
"""On a regular mesh each leaves at most 9/16 of the distance to the vertices."""


@dataclass(frozen=True)
class Merge:
    """Stage: the template's surface, displaced as smoothly as can be onto the points of all views.

    The views give many overlapping points of the head and none of its back; the template gives a
    whole head of somebody else. The merged mesh is the template's vertices v plus the displacement
    d that minimizes

        stiffness (|grad d|^2 + bending |lap d|^2)
            + sum_v w_v |v + d_v - target_v|^2 + sum_f u |(v + d)(f) - q_f|^2

    with target_v where the points want vertex v to be (`attract`), found anew while the stiffness
    falls, and q_f the fiducials of the average photo lifted to the depth map, which bring a
    stranger's eyes, nose and lips to where this person has them; a fitted template has them there,
    and better than the fiducials, which slide with the view. What no photo sees follows. Ears,
    whose folds are cliffs a few pixels wide, keep the template's shape; those of a stranger follow
    as a whole, those of a fitted template are held where it has them.

    Reference: Allen, Curless and Popovic, "The space of human body shapes", SIGGRAPH 2003; Amberg,
    Romdhani and Vetter, "Optimal step nonrigid ICP algorithms for surface registration", CVPR 2007.
    """

    subdivisions: int
    stiffness: Sequence[float]
    """One round each, the stiffest first."""
    bending: float
    """Square millimetres."""
    reach: float
    neighbours: int
    agreement: float
    grazing: float
    rim: int
    fiducial_weight: float
    fiducial_azimuth: float
    """Views turned further than this are not asked for fiducials, which slide with the view."""
    ears: float
    """Share of their points' pull that ears follow."""
    hold: float
    """What holds the ears of a fitted template where they are; 1 is the pull of a point."""
    paint_tolerance: float
    paint_smoothness: float

    def __call__(self, head: Head, template: Template) -> HeadMesh:
        """Merge what has been grown."""
        rest, faces = subdivided(template.vertices, template.faces, self.subdivisions)
        places = at(template.fiducials, template.faces, template.vertices)
        points = nearest_points(places, rest, faces)
        marks, pinned = self._lifted(() if template.fitted else head.surfaces, points, rest, faces)
        selection = interpolation(marks, faces, len(rest))
        pin_weights = rest.new_full((len(pinned),), self.fiducial_weight)

        energy = thin_shell(rest, faces, self.bending)
        ears = is_part(rest, template, ("ears",))
        followed = 1.0 - (1.0 - self.ears) * ears
        held = self.hold * ears * float(template.fitted)
        cloud = gather(head, self.grazing, self.rim)
        vertices = rest
        for stiffness in self.stiffness:
            normals = vertex_normals(vertices, faces)
            target, weights = attract(
                vertices, normals, cloud, self.reach, self.neighbours, self.agreement
            )
            pull = followed * weights
            share = pull / (pull + held).clamp_min(1e-9)
            vertices = rest + smooth_fit(
                stiffness * energy,
                share[:, None] * (target - rest),
                pull + held,
                selection,
                pinned - at(marks, faces, rest),
                pin_weights,
            )
        hairy = is_part(rest, template, ("scalp",))
        painted = paint(vertices, faces, head, hairy, self.paint_tolerance, self.paint_smoothness)
        landmarks = at(points, faces, vertices)[list(IBUG68_FROM_MESH)]
        return HeadMesh(vertices, faces, painted.albedo, painted.support, landmarks)

    def _lifted(
        self,
        surfaces: tuple[Surface, ...],
        points: SurfacePoints,
        rest: Float[Tensor, "vertex xyz=3"],
        faces: Int[Tensor, "face 3"],
    ) -> tuple[SurfacePoints, Float[Tensor, "pin xyz=3"]]:
        """Fiducials that face a frontal enough view, and their places in the head frame."""
        normals = at(points, faces, vertex_normals(rest, faces))
        face, barycentric, places = [points.face[:0]], [points.barycentric[:0]], [rest[:0]]
        for surface in surfaces:
            azimuth, _, _ = angles(surface.depth.camera.view_from_head)
            if abs(azimuth) > self.fiducial_azimuth:
                continue
            lifted, _, inside = lift(surface, surface.normals.fiducials)
            used = inside & (normals @ surface.depth.camera.view_from_head[2] > 0.5)
            face.append(points.face[used])
            barycentric.append(points.barycentric[used])
            places.append(lifted[used])
        return SurfacePoints(torch.cat(face), torch.cat(barycentric)), torch.cat(places)


def subdivided(
    vertices: Float[Tensor, "vertex xyz=3"], faces: Int[Tensor, "face 3"], times: int
) -> tuple[Float[Tensor, "finer xyz=3"], Int[Tensor, "smaller 3"]]:
    """The mesh at a finer resolution, smooth and through all of its vertices.

    Loop's scheme pulls vertices inward where the surface bulges. So control points c are
    subdivided that the scheme takes to the vertices v: c += v - loop(c), repeated.
    """
    for _ in range(times):
        goal, triangles = vertices.cpu().numpy(), faces.cpu().numpy()
        control = goal
        fine, fine_faces = trimesh.remesh.subdivide_loop(control, triangles, iterations=1)
        for _ in range(_LOOP_ROUNDS):
            control = control + goal - fine[: len(goal)]
            fine, _ = trimesh.remesh.subdivide_loop(control, triangles, iterations=1)
        vertices, faces = (
            torch.from_numpy(fine).to(vertices),
            torch.from_numpy(fine_faces).to(faces),
        )
    return vertices, faces
