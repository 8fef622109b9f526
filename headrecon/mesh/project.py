"""The views' depth maps, projected onto the mesh of a head."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from headrecon.geometry.camera import project, unproject
from headrecon.geometry.surface import at, nearest_points, vertex_normals
from headrecon.geometry.warp import inside, sample
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.mesh.deform import extended, thin_shell
from headrecon.mesh.merge import subdivided
from headrecon.mesh.paint import paint
from headrecon.mesh.parts import is_part
from headrecon.render.rasterize import rasterize
from headrecon.types import Head, HeadMesh, Surface, Template


@dataclass(frozen=True)
class ProjectAndGather:
    """Stage: each vertex of the template where the depth maps have the head, along their own rays.

        v  ->  sum over the views of w (v moved along the line of sight to the depth map) / sum of w

    with w = support n_z^2 over the views that see the vertex. Nothing is smoothed and no vertex
    slides: what the views disagree on is averaged, as in the paper. Vertices that no view sees
    follow as smoothly as can be.

    Reference: Liang, Shapiro and Kemelmacher-Shlizerman, "Head Reconstruction from Internet
    Photos", ECCV 2016.
    """

    subdivisions: int
    grazing: float
    """Least cosine between a vertex's normal and the line of sight."""
    tolerance: float
    """Millimetres by which a vertex may lie behind what a view sees of the template."""
    bending: float
    """Of what no view sees, in square millimetres."""
    paint_tolerance: float
    paint_smoothness: float

    def __call__(self, head: Head, template: Template) -> HeadMesh:
        """Gather what has been grown."""
        rest, faces = subdivided(template.vertices, template.faces, self.subdivisions)
        normals = vertex_normals(rest, faces)
        moved, total = torch.zeros_like(rest), torch.zeros_like(rest[:, 0])
        for surface in head.surfaces:
            place, weight = self._projected(rest, faces, normals, surface)
            moved, total = moved + weight[:, None] * place, total + weight
        known = (total > 0.0).to(rest)
        mean = torch.where(known[:, None] > 0.0, moved / total.clamp_min(1e-9)[:, None], rest)
        shift = extended(thin_shell(rest, faces, self.bending), mean - rest, known)
        vertices = torch.where(known[:, None] > 0.0, mean, rest + shift)
        hairy = is_part(rest, template, ("scalp",))
        painted = paint(vertices, faces, head, hairy, self.paint_tolerance, self.paint_smoothness)
        marks = at(template.fiducials, template.faces, template.vertices)
        points = nearest_points(marks[list(IBUG68_FROM_MESH)], rest, faces)
        landmarks = at(points, faces, vertices)
        return HeadMesh(vertices, faces, painted.albedo, painted.support, landmarks)

    def _projected(
        self,
        rest: Float[Tensor, "vertex xyz=3"],
        faces: Int[Tensor, "face 3"],
        normals: Float[Tensor, "vertex xyz=3"],
        surface: Surface,
    ) -> tuple[Float[Tensor, "vertex xyz=3"], Float[Tensor, " vertex"]]:
        """Where a view's depth map wants each vertex, and how much it has to say."""
        depth, camera = surface.depth, surface.depth.camera
        xyz = project(rest, camera)
        fragments = rasterize(rest, faces, camera)
        layers = torch.stack(
            [depth.z, depth.mask.to(depth.z), surface.normals.support, fragments.z]
        )
        seen = sample(layers[None], xyz[None, None, :, :2])[0, :, 0]
        n_z = normals @ camera.view_from_head[2]
        hidden = xyz[:, 2] < seen[3] - self.tolerance * camera.scale
        whole = (seen[1] > 0.999) & (n_z > self.grazing) & ~hidden
        shown = whole * inside(xyz[:, :2], camera.height, camera.width)
        there = unproject(torch.cat([xyz[:, :2], seen[0][:, None]], dim=1), camera)
        return there, shown * seen[2] * n_z.clamp_min(0.0) ** 2
