"""Lines of sight through a scene of triangles: what they meet, and what is in their way."""

from dataclasses import dataclass

import numpy as np
import trimesh
from jaxtyping import Bool, Float, Int
from trimesh.ray.ray_pyembree import RayMeshIntersector

from headrecon.truth import Lens


@dataclass(frozen=True)
class Hits:
    """Where rays first meet the scene; one entry for each ray that meets anything."""

    ray: Int[np.ndarray, " hit"]
    face: Int[np.ndarray, " hit"]
    barycentric: Float[np.ndarray, "hit 3"]


class Tracer:
    """Triangles ready to be met by rays; embree, on the CPU."""

    def __init__(
        self, vertices: Float[np.ndarray, "vertex xyz=3"], faces: Int[np.ndarray, "face 3"]
    ) -> None:
        """Rays meet the triangles from both sides."""
        self._corners = vertices[faces].astype(np.float64)
        self._embree = RayMeshIntersector(trimesh.Trimesh(vertices, faces, process=False))

    def met(
        self, origins: Float[np.ndarray, "ray 3"], directions: Float[np.ndarray, "ray 3"]
    ) -> Int[np.ndarray, " ray"]:
        """The nearest triangle that each ray meets, or -1."""
        return np.asarray(self._embree.intersects_first(origins, directions), dtype=np.int64)

    def first(
        self, origins: Float[np.ndarray, "ray 3"], directions: Float[np.ndarray, "ray 3"]
    ) -> Hits:
        """The nearest triangle that each ray meets, and where."""
        met = self.met(origins, directions)
        ray = np.flatnonzero(met >= 0)
        face = met[ray]
        shares = _barycentric(self._corners[face], origins[ray], directions[ray])
        return Hits(ray, face, shares)

    def blocked(
        self, origins: Float[np.ndarray, "ray 3"], directions: Float[np.ndarray, "ray 3"]
    ) -> Bool[np.ndarray, " ray"]:
        """Whether anything lies on each ray; origins are best lifted a little off their surface."""
        return np.asarray(self._embree.intersects_any(origins, directions), dtype=bool)


def rays(
    lens: Lens, xy: Float[np.ndarray, "pixel 2"]
) -> tuple[Float[np.ndarray, "pixel 3"], Float[np.ndarray, "pixel 3"]]:
    """Origins and unit directions, in the head frame, of the rays through image points."""
    rotation = lens.view_from_head.double().numpy()
    centre = -lens.translation.double().numpy() @ rotation
    offset = xy - lens.principal.double().numpy()
    view = np.column_stack([offset[:, 0], -offset[:, 1], np.full(len(xy), -lens.focal)])
    directions = view / np.linalg.norm(view, axis=1, keepdims=True) @ rotation
    return np.broadcast_to(centre, directions.shape), directions


def _barycentric(
    corners: Float[np.ndarray, "hit 3 3"],
    origins: Float[np.ndarray, "hit 3"],
    directions: Float[np.ndarray, "hit 3"],
) -> Float[np.ndarray, "hit 3"]:
    """Shares of the corners in the point where each ray meets the plane of its triangle.

    Reference: Moeller and Trumbore, "Fast, minimum storage ray/triangle intersection", Journal of
    Graphics Tools 1997.
    """
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    start = origins - corners[:, 0]
    p, q = np.cross(directions, two), np.cross(start, one)
    determinant = (one * p).sum(axis=1)
    # embree meets triangles edge-on that have no share of their plane to give.
    safe = np.where(np.abs(determinant) < 1e-12, 1e-12, determinant)
    u, v = (start * p).sum(axis=1) / safe, (directions * q).sum(axis=1) / safe
    shares = np.clip(np.column_stack([1.0 - u - v, u, v]), 0.0, 1.0)
    return shares / shares.sum(axis=1, keepdims=True).clip(1e-9)
