"""How well a mesh renders into the photos."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.render.relit import relit_errors
from headrecon.types import HeadMesh, Stack


@dataclass(frozen=True)
class Reprojection:
    """|photo - render| of one view in grey levels 0..255."""

    label: str
    error: Float[Tensor, "h w"]
    """Mean over the photos that show the pixel."""
    mask: Bool[Tensor, "h w"]
    mean: float
    """Over all pixels of all photos, each pixel counted by its mask."""


def reproject(mesh: HeadMesh, stack: Stack) -> Reprojection:
    """Render the mesh into every photo of a view, each with its own fitted light.

    The error is taken over the pixels that most photos of the view give to the person, whatever the
    mesh covers of them. The mesh and its albedo are the same for all photos.
    """
    mask = stack.masks.mean(dim=0) > 0.5
    difference = relit_errors(mesh, stack.camera, stack.images, stack.masks, mask)
    weights = stack.masks[:, mask].float()
    total = (weights * difference).sum(dim=0) / weights.sum(dim=0).clamp_min(1e-6)
    error = total.new_zeros(mask.shape)
    error[mask] = total
    mean = float((weights * difference).sum() / weights.sum().clamp_min(1e-6))
    return Reprojection(stack.label, error, mask, mean)
