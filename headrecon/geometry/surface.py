"""Points, normals and smoothness of triangle meshes."""

import torch
import trimesh
from jaxtyping import Float, Int
from torch import Tensor

from headrecon.types import SurfacePoints


def at(
    points: SurfacePoints, faces: Int[Tensor, "face 3"], values: Float[Tensor, "vertex channel"]
) -> Float[Tensor, "point channel"]:
    """Values of the vertices, interpolated at points of the surface."""
    corners = values[faces[points.face]]
    return (corners * points.barycentric.to(values)[..., None]).sum(dim=1)


def vertex_normals(
    vertices: Float[Tensor, "vertex xyz=3"], faces: Int[Tensor, "face 3"]
) -> Float[Tensor, "vertex xyz=3"]:
    """Outward unit normals: the area-weighted mean of the faces around each vertex."""
    a, b, c = vertices[faces].unbind(dim=1)
    face_normals = torch.linalg.cross(b - a, c - a)
    total = torch.zeros_like(vertices)
    for corner in range(3):
        total = total.index_add(0, faces[:, corner], face_normals)
    return torch.nn.functional.normalize(total, dim=-1)


def vertex_areas(
    vertices: Float[Tensor, "vertex xyz=3"], faces: Int[Tensor, "face 3"]
) -> Float[Tensor, " vertex"]:
    """A third of the area of the faces around each vertex."""
    a, b, c = vertices[faces].unbind(dim=1)
    third = torch.linalg.cross(b - a, c - a).norm(dim=1) / 6.0
    total = torch.zeros_like(vertices[:, 0])
    return total.index_add(0, faces.flatten(), third.repeat_interleave(3))


def nearest_points(
    places: Float[Tensor, "point xyz=3"],
    vertices: Float[Tensor, "vertex xyz=3"],
    faces: Int[Tensor, "face 3"],
) -> SurfacePoints:
    """The points of a mesh nearest to given places."""
    mesh = trimesh.Trimesh(vertices.cpu().numpy(), faces.cpu().numpy(), process=False)
    nearest, _, face = trimesh.proximity.closest_point(mesh, places.cpu().numpy())
    barycentric = trimesh.triangles.points_to_barycentric(mesh.triangles[face], nearest)
    return SurfacePoints(
        torch.from_numpy(face).to(faces), torch.from_numpy(barycentric).to(vertices)
    )
