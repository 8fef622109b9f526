"""Pictures of the surfaces of all views as they have been grown, before they are one mesh."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor

from headrecon.draw.panel import sheet, stacked
from headrecon.draw.turntable import plaster
from headrecon.geometry.camera import pixel_centres, unproject
from headrecon.render.reproject import pixel_faces
from headrecon.types import Head

AZIMUTHS = (-90.0, -45.0, 0.0, 45.0, 90.0)
GRAZING = 0.2
"""n_z below which a surface is not drawn: its depth there is a sum of steep steps."""


def comparison(heads: Mapping[str, Head], size: int = 240) -> Image.Image:
    """Each head's surfaces from five sides in a row of its own, with its name."""
    rows = []
    for name, head in heads.items():
        vertices, faces = surfaces(head)
        rows.append(sheet([plaster(vertices, faces, AZIMUTHS, size)], [name]))
    return stacked(rows)


def surfaces(
    head: Head,
) -> tuple[Float[Tensor, "vertex xyz=3"], Int[Tensor, "face 3"]]:
    """The depth maps of all views as one mesh of pixels, which overlap where views do."""
    vertices, faces, count = [], [], 0
    for surface in head.surfaces:
        depth = surface.depth
        xy = pixel_centres(*depth.z.shape).to(depth.z)
        xyz = torch.cat([xy, depth.z[..., None]], dim=-1).flatten(0, 1)
        trusted = depth.mask & (surface.normals.normals[2] > GRAZING)
        vertices.append(unproject(xyz, depth.camera))
        faces.append(pixel_faces(trusted) + count)
        count += len(xyz)
    used, corners = torch.cat(faces).unique(return_inverse=True)
    return torch.cat(vertices)[used], corners
