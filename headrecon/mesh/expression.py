"""How the faces of photos are pulled."""

from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.surface import at, nearest_points
from headrecon.types import Template


def expressions_of(
    vertices: Float[Tensor, "vertex xyz=3"], template: Template
) -> Float[Tensor, "direction vertex xyz=3"]:
    """Where one standard deviation of each of a template's expressions moves a mesh on it.

    There are no directions if the template has none.

    Reference: Blanz and Vetter, "A morphable model for the synthesis of 3D faces", SIGGRAPH 1999.
    """
    if template.expressions is None:
        return vertices.new_zeros(0, *vertices.shape)
    there = nearest_points(vertices, template.vertices, template.faces)
    moved = template.expressions.transpose(0, 1).flatten(1)
    return at(there, template.faces, moved).unflatten(1, (-1, 3)).transpose(0, 1)
