"""How much of the light that comes from all around a head keeps from itself."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from headrecon.geometry.lighting import basis
from headrecon.geometry.surface import vertex_normals
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.render.trace import Tracer
from headrecon.types import Camera

_DIRECTIONS = 256
_LIFT = 0.5
"""Millimetres off the surface, where rays begin."""
_BANDS = (1.0 / math.pi, *[3.0 / (2.0 * math.pi)] * 3, *[4.0 / math.pi] * 5)
"""One over the integral of cosine times a harmonic, in harmonics of the normal."""
_AT_ONCE = 8192
"""Vertices whose rays are in memory together."""


@dataclass(frozen=True)
class Occlusion:
    """Light that would reach the vertices of a mesh if the mesh were not in its way."""

    vertices: Float[Tensor, "vertex xyz=3"]
    faces: Int[Tensor, "face 3"]
    directions: Float[Tensor, "direction xyz=3"]
    """Unit, evenly all around."""
    blocked: Float[Tensor, "vertex direction"]
    """Cosine to the normal times solid angle, of the directions in which the mesh is in the way."""

    @classmethod
    def of(
        cls, vertices: Float[Tensor, "vertex xyz=3"], faces: Int[Tensor, "face 3"]
    ) -> "Occlusion":
        """By a ray from every vertex into every direction of its upper half."""
        places = vertices.detach().cpu().double().numpy()
        normals = vertex_normals(vertices.detach(), faces).cpu().double().numpy()
        directions = _all_around(_DIRECTIONS)
        tracer = Tracer(places, faces.cpu().numpy())
        blocked = torch.zeros(len(places), _DIRECTIONS).to(vertices)
        for first in range(0, len(places), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            cosines = (normals[some] @ directions.T).clip(0.0)
            vertex, direction = np.nonzero(cosines)
            origins = (places[some] + _LIFT * normals[some])[vertex]
            met = tracer.blocked(origins, directions[direction])
            cosines[vertex[~met], direction[~met]] = 0.0
            blocked[some] = torch.from_numpy(4.0 * math.pi / _DIRECTIONS * cosines).to(vertices)
        return cls(vertices, faces, torch.from_numpy(directions).to(vertices), blocked)

    @cached_property
    def share(self) -> Float[Tensor, " vertex"]:
        """Of the light of an even sky, what is blocked."""
        return (self.blocked.sum(dim=1) / math.pi).clamp(0.0, 1.0)

    @cached_property
    def normals(self) -> Float[Tensor, "vertex xyz=3"]:
        """Unit, in the head frame."""
        return vertex_normals(self.vertices, self.faces)

    @cached_property
    def _first(self) -> Float[Tensor, "vertex k=4"]:
        """What is missing of the first four harmonics in the head frame."""
        return self.blocked @ basis(self.directions.T).T * self.blocked.new_tensor(_BANDS[:4])

    def harmonics(
        self, view_from_head: Float[Tensor, "3 3"], count: int
    ) -> Float[Tensor, "vertex k"]:
        """What is missing of each of 4 or 9 harmonics.

            h_k = 1/z_k  integral over w of  blocked(w) max(0, n . w) Y_k(w)

        with z_k the integral's factor where nothing is in the way, so that light received is
        proportional to Y_k(n) - h_k. Y_k is taken in the frame of a view. A crease does not only
        get less light than its sides: what it gets comes from where it is open, so that its
        normals seem to turn there, which makes noses flat.

        Reference: Sloan, Kautz and Snyder, "Precomputed radiance transfer for real-time rendering
        in dynamic, low-frequency lighting environments", SIGGRAPH 2002.
        """
        if count == 4:
            # They turn as the vector does that they are.
            return torch.cat([self._first[:, :1], self._first[:, 1:] @ view_from_head.T], dim=1)
        values = basis(view_from_head @ self.directions.T, 2)
        return self.blocked @ values.T * values.new_tensor(_BANDS)

    def seen_by(self, camera: Camera, count: int) -> Float[Tensor, "k h w"]:
        """The same behind each pixel of a camera, in its frame; 0 where it sees no mesh."""
        fragments = rasterize(self.vertices, self.faces, camera)
        return interpolate(fragments, self.faces, self.harmonics(camera.view_from_head, count))


def _all_around(count: int) -> Float[np.ndarray, "direction 3"]:
    """Unit vectors on a spiral of even steps of height and of the golden angle."""
    step = np.arange(count) + 0.5
    z, angle = 1.0 - 2.0 * step / count, math.pi * (1.0 + math.sqrt(5.0)) * step
    radius = np.sqrt(1.0 - z**2)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle), z])
