"""What is expected of a view's normals before its photos are asked."""

import torch
from jaxtyping import Bool, Float
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from headrecon.geometry.camera import pixel_centres
from headrecon.geometry.multigrid import GridLaplacian, solve
from headrecon.geometry.warp import gradient
from headrecon.render.reproject import Seen
from headrecon.types import Camera

DOWN = -0.5
"""Outlines whose normal points further down are no outlines, but where the neck is cut off."""


def expected_normals(
    reference: Seen, mask: Bool[Tensor, "h w"], strength: float, camera: Camera
) -> Float[Tensor, "xyz=3 h w"]:
    """Unit normals on the whole mask: the reference's, and the smoothest ones where it has none.

        min over n of  sum |n_a - n_b|^2 + strength sum_j w_j |n_j - reference_j|^2
                       + strength sum on the outline |n_j - outward_j|^2

    On the outline of the head the surface turns away from the viewer: its normal points outward and
    is perpendicular to the line of sight, in perspective a little to the viewer. That is how hair
    and the back of a head get their roundness where nothing else is known. The minimizer is a
    harmonic field between its data.

    Reference: Horn and Brooks, "The variational approach to shape from shading", CVGIP 1986.
    """
    outward, rim = _outline(mask, camera)
    anchored = reference.mask & mask
    weight = strength * (reference.weight * anchored + rim)
    known = torch.where(anchored, reference.normals * reference.weight, torch.zeros(1).to(outward))
    known = strength * (known + outward * rim)
    pair_right = (mask & mask.roll(-1, 1)).double()
    pair_right[:, -1] = 0.0
    pair_down = (mask & mask.roll(-1, 0)).double()
    pair_down[-1] = 0.0
    operator = GridLaplacian(
        pair_right.expand(3, -1, -1), pair_down.expand(3, -1, -1), weight.double().expand(3, -1, -1)
    )
    field = solve(operator, known.double(), 1e-4, 200).to(outward)
    # A field that nothing anchors faces the viewer.
    field[2] = field[2].clamp_min(1e-3)
    return torch.nn.functional.normalize(field, dim=0) * mask


def _outline(
    mask: Bool[Tensor, "h w"], camera: Camera
) -> tuple[Float[Tensor, "xyz=3 h w"], Bool[Tensor, "h w"]]:
    """Outward normals of the mask's outline, in the view frame, and the pixels that lie on it."""
    depth = distance_transform_edt(mask.cpu().numpy())
    inward = torch.from_numpy(depth).to(mask.device, torch.float32)
    # A few pixels of blur give the stair-steps of the mask one direction.
    smooth = torch.nn.functional.avg_pool2d(inward[None, None], 9, 1, 4, count_include_pad=False)
    right, down = gradient(smooth)
    across, up = -right[0, 0], down[0, 0]
    x, y = (pixel_centres(*mask.shape, like=inward) - camera.origin.to(inward)).unbind(-1)
    towards = camera.nearness / camera.scale * (x * across - y * up)
    outward = torch.nn.functional.normalize(torch.stack([across, up, towards]), dim=0)
    border = torch.ones_like(mask)
    border[2:-2, 2:-2] = False
    rim = mask & (inward <= 1.5) & ~border & (outward[1] > DOWN)
    return outward, rim
