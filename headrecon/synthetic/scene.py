"""What a made-up photo is taken of: surfaces that know how they look."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Finish:
    """How points of a surface look."""

    albedo: Float[np.ndarray, "point rgb=3"]
    """Linear RGB."""
    gloss: Float[np.ndarray, " point"]
    """Strength of the specular lobe; 1 for skin that is neither dry nor oily."""
    roughness: Float[np.ndarray, " point"]
    """Of the specular lobe, in (0, 1]; 0.35 for skin."""
    bump: Float[np.ndarray, "point xyz=3"]
    """What is added to the unit normal before it is shaded (head frame); zero where smooth."""


@runtime_checkable
class Paint(Protocol):
    """The look of a surface as a function of its marks."""

    def __call__(self, marks: Float[np.ndarray, "point mark"]) -> Finish:
        """The finish at points with these interpolated marks."""
        ...


@dataclass(frozen=True)
class Part:
    """A surface of the scene, in the head frame of the person, millimetres."""

    vertices: Float[Tensor, "vertex xyz=3"]
    faces: Int[Tensor, "face 3"]
    """Counter-clockwise seen from outside."""
    label: Int[Tensor, " face"]
    """Index into `headrecon.truth.LABELS` for each triangle."""
    marks: Float[Tensor, "vertex mark"]
    """What `paint` needs to know of a point, interpolated over the triangles."""
    paint: Paint
