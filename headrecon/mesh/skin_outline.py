"""Outlines of photos that are those of skin, and not of clothes."""

import numpy as np
import torch
from jaxtyping import Bool
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn import functional

from headrecon.geometry.color import off_color
from headrecon.mesh.parts import is_part
from headrecon.mesh.photo_outline import PhotoOutline
from headrecon.render.rasterize import Scene, interpolate
from headrecon.types import Portrait, Template

_WITHIN = 1.0, 2.5
"""Pixels within an outline between which colors are the person's, and still those of its edge."""


def skin_outline(
    portrait: Portrait, seen: PhotoOutline, template: Template, scene: Scene, deviations: float
) -> Bool[Tensor, "h w"]:
    """Whether the outline that a pixel is nearest to has the color of the face along it.

    Within so many standard deviations (`off_color`); nowhere if the photo shows no face. The scene
    is the template, which tells where the face is.
    """
    size = seen.distance.shape
    image = functional.interpolate(portrait.image[None], size, mode="area")[0]
    face = is_part(template.vertices, template, ("face",))
    drawn = interpolate(scene.rasterized(seen.camera), template.faces, face[:, None])[0]
    on_face = (drawn > 0.5) & (seen.distance < -_WITHIN[0])
    edge = (seen.distance < -_WITHIN[0]) & (seen.distance > -_WITHIN[1])
    if not (bool(on_face.any()) and bool(edge.any())):
        return torch.zeros(size, dtype=torch.bool)
    off = off_color(image.flatten(1), on_face.flatten()).reshape(size)
    nearest = distance_transform_edt(~edge.numpy(), return_distances=False, return_indices=True)
    row, column = torch.from_numpy(np.asarray(nearest)).long()
    return (off < deviations)[row, column]
