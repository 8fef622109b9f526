"""A head without paint."""

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.surface import at
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.types import HeadMesh, Template


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
