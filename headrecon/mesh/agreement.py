"""What a solved view says about a mesh, as something to descend on."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from headrecon.geometry.camera import project, sight
from headrecon.geometry.rotation import angles
from headrecon.geometry.surface import at, nearest_points, vertex_normals
from headrecon.geometry.warp import sample
from headrecon.ibug68 import INNER, INNER_FROM_MESH
from headrecon.mesh.shown import in_front
from headrecon.render.rasterize import Scene
from headrecon.types import Camera, HeadMesh, Surface, SurfacePoints

_BEHIND = 2.0
"""Millimetres behind what the camera sees at which a vertex is hidden."""
_FRONTAL = 45.0
"""Degrees of azimuth beyond which fiducials are where a network expects them."""
_CUTOFF = 3.0
"""Millimetres at which a fiducial has lost half of its say."""


@dataclass(frozen=True)
class Told:
    """The normals and fiducials of a view, at the vertices and landmarks of a mesh."""

    camera: Camera
    normals: Float[Tensor, "vertex xyz=3"]
    """Photometric, in the head frame."""
    sure: Float[Tensor, " vertex"]
    """n_z where the view has a normal of the vertex, else 0."""
    landmarks: SurfacePoints
    fiducials: Float[Tensor, "mark xy=2"]
    """Of the average photo, on the canvas."""

    @classmethod
    def by(cls, surface: Surface, mesh: HeadMesh, grazing: float) -> "Told":
        """What a view says about the mesh as it is."""
        field, camera = surface.normals, surface.depth.camera
        normals = vertex_normals(mesh.vertices, mesh.faces)
        xyz = project(mesh.vertices, camera)
        layers = torch.cat([field.normals, field.mask[None].to(xyz)])
        found = sample(layers[None], xyz[None, None, :, :2])[0, :, 0].T
        n_z = (normals * sight(mesh.vertices, camera)).sum(dim=1)
        scene = Scene(mesh.vertices, mesh.faces)
        seen = in_front(mesh.vertices, scene, camera, _BEHIND) & (found[:, 3] > 0.99)
        seen = seen & (n_z > grazing) & (found[:, 2] > grazing)
        inner = nearest_points(mesh.landmarks[INNER], mesh.vertices, mesh.faces)
        return cls(
            camera=camera,
            normals=torch.nn.functional.normalize(found[:, :3], dim=1) @ camera.view_from_head,
            sure=n_z * seen,
            landmarks=inner,
            fiducials=field.fiducials[list(INNER_FROM_MESH)],
        )


def disagreement(
    normals: Float[Tensor, "vertex xyz=3"], told: Told, say: Float[Tensor, " vertex"]
) -> Float[Tensor, ""]:
    """Mean of 1 - the cosine between the mesh's normals and the photometric ones.

    It is half the square of the angle, in radians. `say` is what vertices count for.
    """
    weights = say * told.sure
    off = 1.0 - (normals * told.normals).sum(dim=1)
    return (weights * off).sum() / weights.sum().clamp_min(1.0)


def fiducial_error(
    vertices: Float[Tensor, "vertex xyz=3"], faces: Int[Tensor, "face 3"], told: Told
) -> Float[Tensor, ""]:
    """Mean robust squared distance of landmarks from the average photo's fiducials, square mm.

    0 in views from aside, where fiducials are guessed.
    """
    if abs(angles(told.camera.view_from_head)[0]) > _FRONTAL:
        return vertices.new_zeros(())
    marks = at(told.landmarks, faces, vertices)
    off = (project(marks, told.camera)[:, :2] - told.fiducials) / told.camera.scale
    square = off.square().sum(dim=1)
    return (square / (1.0 + square / _CUTOFF**2)).mean()
