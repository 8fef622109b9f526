"""How far a run is from the truth, where that is known."""

import torch

from headrecon.evaluate.surface import surface_error
from headrecon.geometry.surface import at
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.truth import Truth
from headrecon.types import HeadMesh, Reconstruction, Template


def score(found: Reconstruction, truth: Truth) -> dict[str, float]:
    """Errors in millimetres of the head, of the head before refinement, and of the mean head.

    The mean head is what one would say without having seen a photo: only a smaller error than its
    own is worth anything.
    """
    heads = {
        "result": found.mesh,
        "before_refinement": found.merged,
        "mean_head": mean_head(found.template),
    }
    return {
        f"truth/{name}_{measure}": value
        for name, mesh in heads.items()
        for measure, value in surface_error(mesh, truth).summary().items()
    }


def mean_head(template: Template) -> HeadMesh:
    """The template as if it were a result: grey, and supported by no photo."""
    marks = at(template.fiducials, template.faces, template.vertices)
    return HeadMesh(
        vertices=template.vertices,
        faces=template.faces,
        albedo=torch.full_like(template.vertices, 0.5),
        support=torch.zeros_like(template.vertices[:, 0]),
        landmarks=marks[list(IBUG68_FROM_MESH)],
    )
