"""The flow that turning a head makes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from kornia.filters import gaussian_blur2d
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from headrecon.geometry.camera import pixel_centres, project
from headrecon.geometry.similarity import fit_similarity
from headrecon.geometry.surface import at
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.types import Camera, Template


def turning_flow(
    template: Template,
    camera: Camera,
    rotations: Sequence[Float[Tensor, "3 3"]],
    fiducials: Float[Tensor, "photo fiducial=468 xy=2"],
    shown: Float[Tensor, "photo fiducial=468"],
    spread: float,
) -> Float[Tensor, "photo xy=2 h w"]:
    """Where each photo shows what the camera sees of the template, minus where the camera sees it.

        flow_i(x) = M_i (R_i X(x))_xy + t_i - x

    with X(x) the point of the template behind pixel x, R_i the photo's pose and M_i, t_i the
    similarity that brings the fiducials of the template in that pose onto those of the photo. No
    similarity of the picture can do this: within a view of profiles the tip of a nose moves by two
    centimetres. Beyond the template the flow goes on as at the nearest pixel that shows it,
    smoothed by `spread` pixels. `fiducials` are on the canvas, and count by `shown`.
    """
    fragments = rasterize(template.vertices, template.faces, camera)
    mask = fragments.mask
    points = interpolate(fragments, template.faces, template.vertices).permute(1, 2, 0)
    marks = at(template.fiducials, template.faces, template.vertices)
    outside = (~mask).cpu().numpy()
    nearest = distance_transform_edt(outside, return_distances=False, return_indices=True)
    row, column = torch.from_numpy(np.asarray(nearest)).to(mask.device)
    grid = pixel_centres(camera.height, camera.width, points)
    flows = []
    for rotation, seen, weights in zip(rotations, fiducials, shown, strict=True):
        turned = replace(camera, view_from_head=rotation)
        matrix, shift = fit_similarity(project(marks, turned)[:, :2], seen, weights)
        there = project(points, turned)[..., :2] @ matrix.T + shift
        flows.append((there - grid)[row, column].permute(2, 0, 1))
    return _smooth_beyond(torch.stack(flows), mask, spread)


def _smooth_beyond(
    flows: Float[Tensor, "photo xy=2 h w"], mask: Bool[Tensor, "h w"], spread: float
) -> Float[Tensor, "photo xy=2 h w"]:
    """The nearest neighbour's flow has steps, which are smoothed, but not on the mask itself."""
    size = 2 * int(2.0 * spread) + 1
    soft = gaussian_blur2d(flows, (size, size), (spread, spread), border_type="replicate")
    return torch.where(mask, flows, soft)
