"""How much of the light that comes from all around a head keeps from itself."""

import math
from dataclasses import dataclass

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
        cosines = (normals @ directions.T).clip(0.0)
        tracer = Tracer(places, faces.cpu().numpy())
        vertex, direction = np.nonzero(cosines)
        origins = (places + _LIFT * normals)[vertex]
        met = tracer.blocked(origins, directions[direction])
        cosines[vertex[~met], direction[~met]] = 0.0
        share = torch.from_numpy(4.0 * math.pi / _DIRECTIONS * cosines)
        around = torch.from_numpy(directions).to(vertices)
        return cls(vertices, faces, around, share.to(vertices))

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
        values = basis(view_from_head @ self.directions.T, {4: 1, 9: 2}[count])
        return self.blocked @ values.T * values.new_tensor(_BANDS[:count])

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
