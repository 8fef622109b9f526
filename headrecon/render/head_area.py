"""Where on a canvas a head can be, hair included, without shoulders and clothes."""

import torch
from jaxtyping import Bool
from torch import Tensor

from headrecon.geometry.camera import pixel_centres
from headrecon.types import Camera


def head_area(
    silhouette: Bool[Tensor, "h w"], camera: Camera, jaw: float, neck: float, collar: float
) -> Bool[Tensor, "h w"]:
    """Anywhere down to `jaw` below the ear canals, and near the template's neck down to `neck`.

    `silhouette` is the template as the camera sees it. A person's outline includes shoulders and
    clothes, which move and are lit on their own. `jaw`, `neck` and `collar`, by how much the neck
    may be wider than the template's, are in millimetres; down is down for the head, also if it is
    tipped.
    """
    reach = round(collar * camera.scale)
    wide = torch.nn.functional.max_pool2d(silhouette[None, None].float(), 2 * reach + 1, 1, reach)
    axis = camera.view_from_head[:2, 1].to(camera.origin)
    down = torch.nn.functional.normalize(axis * axis.new_tensor([-1.0, 1.0]), dim=0)
    below = (pixel_centres(camera.height, camera.width, down) - camera.origin) @ down
    near_neck = (wide[0, 0] > 0.5) & (below < neck * camera.scale)
    return (below < jaw * camera.scale) | near_neck
