"""The head of nobody in particular, as if it were a result."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.surface import at
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.types import HeadMesh, Portrait, Template


@dataclass(frozen=True)
class MeanHead:
    """Baseline: what one would say without having looked at a photo.

    Only a smaller error than its own is worth anything.
    """

    def __call__(self, template: Template, portraits: tuple[Portrait, ...]) -> HeadMesh:
        """The template, grey, and supported by no photo."""
        return grey_mesh(template, template.vertices)


def grey_mesh(template: Template, vertices: Float[Tensor, "vertex xyz=3"]) -> HeadMesh:
    """The template with other vertices, grey, and supported by no photo."""
    marks = at(template.fiducials, template.faces, vertices)
    return HeadMesh(
        vertices=vertices,
        faces=template.faces,
        albedo=torch.full_like(vertices, 0.5),
        support=torch.zeros_like(vertices[:, 0]),
        landmarks=marks[list(IBUG68_FROM_MESH)],
    )
