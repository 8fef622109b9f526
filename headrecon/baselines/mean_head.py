"""The head of nobody in particular, as if it were a result."""

from dataclasses import dataclass

from headrecon.geometry.grey import grey_mesh
from headrecon.types import HeadMesh, Portrait, Template


@dataclass(frozen=True)
class MeanHead:
    """Baseline: what one would say without having looked at a photo.

    Only a smaller error than its own is worth anything.
    """

    def __call__(self, template: Template, portraits: tuple[Portrait, ...]) -> HeadMesh:
        """The template, grey, and supported by no photo."""
        return grey_mesh(template, template.vertices)
