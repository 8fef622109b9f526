"""Which point of a mesh each pixel of a camera sees."""

from dataclasses import dataclass

import numpy as np
import torch
import trimesh
from jaxtyping import Bool, Float, Int
from torch import Tensor
from trimesh.ray.ray_pyembree import RayMeshIntersector

from headrecon.geometry.camera import pixel_centres, project, unproject
from headrecon.render.trace import Tracer
from headrecon.types import Camera

_SMALLEST_AREA = 1e-12
"""Square pixels; below it a projected triangle counts as a line."""


@dataclass(frozen=True)
class Fragments:
    """The front-most point of a mesh behind each pixel centre."""

    face: Int[Tensor, "h w"]
    """Index of the triangle, -1 where the ray meets none."""
    barycentric: Float[Tensor, "h w 3"]
    """Differentiable with respect to the vertices; 0 in the background."""
    z: Float[Tensor, "h w"]
    """Height towards the viewer in pixels; 0 in the background."""

    @property
    def mask(self) -> Bool[Tensor, "h w"]:
        """Where the mesh is seen."""
        return self.face >= 0


def rasterize(
    vertices: Float[Tensor, "vertex xyz=3"], faces: Int[Tensor, "face 3"], camera: Camera
) -> Fragments:
    """The mesh as `camera` sees it along the rays through the pixel centres.

    Visibility has no gradient and comes from embree (CPU) or pytorch3d (CUDA); barycentrics and z
    are computed from the projected vertices in the same way for both, and carry gradients.

    Convention: vertices in the head frame, millimetres.
    """
    projected = project(vertices, camera)
    cast = cast_with_pytorch3d if vertices.is_cuda else cast_with_embree
    return fragments_of(
        projected, faces, cast(projected.detach(), faces, camera.height, camera.width)
    )


def fragments_of(
    projected: Float[Tensor, "vertex xyz=3"],
    faces: Int[Tensor, "face 3"],
    face: Int[Tensor, "h w"],
) -> Fragments:
    """What pixels show of vertices in canvas pixels, given the triangle behind each of them."""
    mask = face >= 0
    corners = projected[faces[face[mask]]]
    height, width = face.shape
    centres = pixel_centres(height, width, projected)[mask]
    weights = _barycentric(centres, corners[..., :2])
    barycentric = projected.new_zeros(*face.shape, 3).index_put((mask,), weights)
    z = (weights * corners[..., 2]).sum(-1)
    return Fragments(face, barycentric, projected.new_zeros(face.shape).index_put((mask,), z))


class Scene:
    """A mesh that many cameras look at.

    For embree, what takes longest is to make triangles ready for rays. It is done once.
    """

    def __init__(
        self, vertices: Float[Tensor, "vertex xyz=3"], faces: Int[Tensor, "face 3"]
    ) -> None:
        """Vertices in the head frame, millimetres."""
        self._vertices, self._faces = vertices.detach(), faces
        self._tracer = None
        if not vertices.is_cuda:
            self._tracer = Tracer(self._vertices.double().numpy(), faces.numpy())

    def rasterized(self, camera: Camera) -> Fragments:
        """What `rasterize` says of this camera, without slopes."""
        return fragments_of(project(self._vertices, camera), self._faces, self.seen_by(camera))

    def seen_by(self, camera: Camera) -> Int[Tensor, "h w"]:
        """Triangle behind each pixel centre, or -1."""
        projected = project(self._vertices, camera)
        size = camera.height, camera.width
        if self._tracer is None:
            return cast_with_pytorch3d(projected, self._faces, *size)
        front = float(projected[:, 2].max()) + 1.0
        xy = pixel_centres(*size, self._vertices)
        near, far = (
            unproject(torch.cat([xy, xy.new_full((*size, 1), z)], dim=-1), camera)
            .double()
            .reshape(-1, 3)
            .numpy()
            for z in (front, front - camera.scale)
        )
        return torch.from_numpy(self._tracer.met(near, far - near)).reshape(size)


def interpolate(
    fragments: Fragments, faces: Int[Tensor, "face 3"], values: Float[Tensor, "vertex c"]
) -> Float[Tensor, "c h w"]:
    """Values given at the vertices, at every pixel; 0 in the background."""
    mask = fragments.mask
    corners = values[faces[fragments.face[mask]]]
    seen = (fragments.barycentric[mask][..., None] * corners).sum(-2)
    image = seen.new_zeros(*mask.shape, values.shape[1]).index_put((mask,), seen)
    return image.permute(2, 0, 1)


def cast_with_embree(
    projected: Float[Tensor, "vertex xyz=3"], faces: Int[Tensor, "face 3"], height: int, width: int
) -> Int[Tensor, "h w"]:
    """Face behind each pixel centre, or -1, for vertices in canvas pixels; embree, on the CPU."""
    mesh = trimesh.Trimesh(projected.double().numpy(), faces.numpy(), process=False)
    xy = pixel_centres(height, width).double().reshape(-1, 2).numpy()
    front = float(projected[:, 2].max()) + 1.0
    origins = np.column_stack([xy, np.full(len(xy), front)])
    directions = np.broadcast_to([0.0, 0.0, -1.0], origins.shape)
    hit = RayMeshIntersector(mesh).intersects_first(origins, directions)
    return torch.from_numpy(np.asarray(hit, dtype=np.int64)).reshape(height, width)


def cast_with_pytorch3d(
    projected: Float[Tensor, "vertex xyz=3"], faces: Int[Tensor, "face 3"], height: int, width: int
) -> Int[Tensor, "h w"]:
    """Face behind each pixel centre, or -1, for vertices in canvas pixels; pytorch3d.

    Its frame has x to the left, y up and z into the scene, and its unit is half of the shorter side
    of the canvas; it draws what lies at positive z.
    """
    from headrecon.render.torch3d import Meshes, rasterize_meshes

    x, y, z = projected.float().unbind(-1)
    half = min(height, width) / 2
    ndc = torch.stack([width / 2 - x, height / 2 - y, z.max() + half - z], dim=-1) / half
    face, _, _, _ = rasterize_meshes(
        Meshes(ndc[None], faces[None]),
        image_size=(height, width),
        blur_radius=0.0,
        faces_per_pixel=1,
        perspective_correct=False,
    )
    return face[0, ..., 0]


def _barycentric(
    xy: Float[Tensor, "pixel 2"], corners: Float[Tensor, "pixel 3 2"]
) -> Float[Tensor, "pixel 3"]:
    """Shares of the triangle's area opposite to its corners, which sum to 1."""
    edges = corners.roll(-2, dims=1) - corners.roll(-1, dims=1)
    spokes = xy[:, None] - corners.roll(-1, dims=1)
    opposite = edges[..., 0] * spokes[..., 1] - edges[..., 1] * spokes[..., 0]
    area = opposite.sum(-1, keepdim=True)
    shares = opposite / torch.where(area.abs() < _SMALLEST_AREA, _SMALLEST_AREA, area)
    # A pixel that meets a triangle on its edge, or edge-on, must not be carried off by rounding.
    inside = shares.clamp(0.0, 1.0)
    total = inside.sum(-1, keepdim=True)
    return torch.where(total > 0.5, inside / total.clamp(min=0.5), 1 / 3)
