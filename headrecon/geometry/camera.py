"""Cameras: from millimetres of the head to pixels of a canvas and back."""

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.truth import Lens
from headrecon.types import Camera


def project(
    points: Float[Tensor, "*points xyz=3"], camera: Camera
) -> Float[Tensor, "*points xyz=3"]:
    """Canvas x, canvas y (down) and height z of points of the head frame, all in pixels."""
    x, y, z = (points @ camera.view_from_head.to(points).T).unbind(-1)
    larger = camera.scale / (1.0 - camera.nearness * z)
    flat = torch.stack([larger * x, -larger * y, camera.scale * z], dim=-1)
    return flat + torch.cat([camera.origin.to(points), points.new_zeros(1)])


def unproject(
    xyz: Float[Tensor, "*points xyz=3"], camera: Camera
) -> Float[Tensor, "*points xyz=3"]:
    """Points of the head frame in millimetres, from canvas x, y and height z: inverts `project`."""
    x, y, z = (xyz - torch.cat([camera.origin.to(xyz), xyz.new_zeros(1)])).unbind(-1)
    z = z / camera.scale
    smaller = (1.0 - camera.nearness * z) / camera.scale
    return torch.stack([smaller * x, -smaller * y, z], dim=-1) @ camera.view_from_head.to(xyz)


def sight(points: Float[Tensor, "point xyz=3"], camera: Camera) -> Float[Tensor, "point xyz=3"]:
    """Unit vectors of the head frame from points to the viewer."""
    rotation = camera.view_from_head.to(points)
    to_viewer = rotation[2] - camera.nearness * points
    return torch.nn.functional.normalize(to_viewer, dim=1)


def from_afar(
    points: Float[Tensor, "point xyz=3"], seen: Float[Tensor, "point xy=2"], camera: Camera
) -> Float[Tensor, "point xy=2"]:
    """Where weak perspective would show points that a camera about like this one sees there."""
    z = points @ camera.view_from_head[2].to(points)
    return camera.origin + (1.0 - camera.nearness * z[:, None]) * (seen - camera.origin)


def project_through(
    points: Float[Tensor, "*points xyz=3"], lens: Lens
) -> Float[Tensor, "*points xyz=3"]:
    """Image x, y (down) in pixels and distance in millimetres of points seen in perspective."""
    x, y, z = (points @ lens.view_from_head.to(points).T + lens.translation.to(points)).unbind(-1)
    flat = torch.stack([-x / z, y / z], dim=-1)
    xy = lens.principal.to(points) + lens.focal * flat
    return torch.cat([xy, -z[..., None]], dim=-1)


def pixel_centres(height: int, width: int, like: Tensor | None = None) -> Float[Tensor, "h w xy=2"]:
    """The xy position of each pixel; the first is (0.5, 0.5).

    They are made where `like` is and in its type; in single precision on the CPU by default.
    """
    beside = torch.zeros(()) if like is None else like
    options = {"dtype": beside.dtype, "device": beside.device}
    down, across = (torch.arange(size, **options) + 0.5 for size in (height, width))
    y, x = torch.meshgrid(down, across, indexing="ij")
    return torch.stack([x, y], dim=-1)
