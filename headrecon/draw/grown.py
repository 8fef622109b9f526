"""Pictures of the surfaces of all views as they have been grown, before they are one mesh."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor

from headrecon.draw.panel import sheet, stacked
from headrecon.draw.turntable import FIVE_SIDES, framing, plaster
from headrecon.geometry.camera import pixel_centres, unproject
from headrecon.render.reproject import pixel_faces
from headrecon.types import Head

GRAZING = 0.2
"""n_z below which a surface is not drawn: its depth there is a sum of steep steps."""


def comparison(heads: Mapping[str, Head], size: int = 240) -> Image.Image:
    """Each head's surfaces from five sides in a row of its own, with its name.

    All are drawn as large as the first, which fills its row.
    """
    meshes = {name: surfaces(head) for name, head in heads.items()}
    first, _ = next(iter(meshes.values()))
    cameras = [framing(first, azimuth, size) for azimuth in FIVE_SIDES]
    rows = [sheet([plaster(*mesh, cameras)], [name]) for name, mesh in meshes.items()]
    return stacked(rows)


def surfaces(
    head: Head,
) -> tuple[Float[Tensor, "vertex xyz=3"], Int[Tensor, "face 3"]]:
    """The depth maps of all views as one mesh of pixels, which overlap where views do."""
    vertices, faces, count = [], [], 0
    for surface in head.surfaces:
        depth = surface.depth
        xy = pixel_centres(*depth.z.shape, like=depth.z)
        xyz = torch.cat([xy, depth.z[..., None]], dim=-1).flatten(0, 1)
        trusted = depth.mask & (surface.normals.normals[2] > GRAZING)
        vertices.append(unproject(xyz, depth.camera))
        faces.append(pixel_faces(trusted) + count)
        count += len(xyz)
    used, corners = torch.cat(faces).unique(return_inverse=True)
    return torch.cat(vertices)[used], corners
