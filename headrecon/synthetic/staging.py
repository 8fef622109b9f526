"""Where things stand in the scene of a photo."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.surface import vertex_normals
from headrecon.render.trace import Tracer
from headrecon.synthetic.light import Light, coefficients
from headrecon.synthetic.scene import Part
from headrecon.truth import Lens

_LIFT = 0.5
"""Millimetres between a surface and the start of a line of sight from it."""


@dataclass(frozen=True)
class Placed:
    """A part where it is in the scene, whose frame is the head frame of the main person."""

    part: Part
    neutral: Float[Tensor, "vertex xyz=3"]
    """Its vertices, were the face neutral."""
    transfer: Float[np.ndarray, "vertex 9"]
    """What its vertices keep of each harmonic of the environment, in the person's own frame."""
    person_from_scene: Float[np.ndarray, "3 3"]
    main: bool
    """Whether it is the head of the person whom the photo shows, or its hair."""

    def moved(self, rotation: Float[Tensor, "3 3"], shift: Float[Tensor, "3"]) -> "Placed":
        """The same part elsewhere, belonging to somebody in the background."""
        part = self.part
        return Placed(
            Part(
                part.vertices @ rotation.T + shift,
                part.faces,
                torch.zeros_like(part.label),
                part.marks,
                part.paint,
            ),
            self.neutral @ rotation.T + shift,
            self.transfer,
            self.person_from_scene @ rotation.double().numpy().T,
            main=False,
        )


class Scene:
    """All parts as one set of triangles, ready for rays."""

    def __init__(self, placed: tuple[Placed, ...]) -> None:
        """Gather the triangles of all parts."""
        self.placed = placed
        if not placed:
            return
        counts = [len(one.part.vertices) for one in placed]
        starts = np.cumsum([0, *counts[:-1]])
        self.vertices = torch.cat([one.part.vertices for one in placed]).double().numpy()
        self.normals = np.concatenate(
            [vertex_normals(one.part.vertices, one.part.faces).double().numpy() for one in placed]
        )
        self.neutral = np.concatenate([_home(one).double().numpy() for one in placed])
        self.label = torch.cat([one.part.label for one in placed]).numpy().astype(np.uint8)
        faces = [one.part.faces.numpy() + k for one, k in zip(placed, starts, strict=True)]
        self.faces = np.concatenate(faces)
        self.first_face = np.cumsum([0, *map(len, faces[:-1])])
        """Where the triangles of each part begin."""
        self.tracer = Tracer(self.vertices, self.faces)

    def received(
        self, light: Light, scene_from_view: Float[np.ndarray, "3 3"]
    ) -> Float[np.ndarray, "vertex rgb=3"]:
        """What each vertex receives from the environment."""
        return np.concatenate(
            [
                one.transfer @ coefficients(light, one.person_from_scene @ scene_from_view)
                for one in self.placed
            ]
        )

    def shows(
        self,
        points: Float[np.ndarray, "point xyz=3"],
        normals: Float[np.ndarray, "point xyz=3"],
        lens: Lens,
    ) -> Bool[np.ndarray, " point"]:
        """Points that face the camera and that nothing in the scene hides from it."""
        centre = lens.translation.double().numpy() @ -lens.view_from_head.double().numpy()
        sight = centre - points
        sight /= np.linalg.norm(sight, axis=1, keepdims=True)
        facing = (sight * normals).sum(axis=1) > 0.1
        origins = points + _LIFT * normals + _LIFT * sight
        return facing & ~self.tracer.blocked(origins, sight)


def _home(placed: Placed) -> Float[Tensor, "vertex xyz=3"]:
    """Where flow leads from the vertices of a part: nowhere, unless it is the main head's."""
    return placed.neutral if placed.main else torch.full_like(placed.neutral, torch.nan)
