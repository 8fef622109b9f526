"""Near-duplicates: a photo cropped, scaled, mirrored and compressed again, with its truth."""

import functools
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from headrecon.geometry.surface import at
from headrecon.geometry.symmetry import mirror_partners
from headrecon.synthetic.develop import reworked
from headrecon.template.build import BuildTemplate
from headrecon.truth import PhotoTruth


@dataclass(frozen=True)
class Copy:
    """A copy of a photo, with what is known of it."""

    encoded: UInt8[np.ndarray, " byte"]
    truth: PhotoTruth
    labels: UInt8[np.ndarray, "h w"]
    flow: Float[np.ndarray, "h w xy=2"]


def copied(original: Copy, name: str, random: np.random.Generator) -> Copy:
    """A near-duplicate of a photo, which becomes the photo called `name`."""
    encoded, matrix, mirrored = reworked(original.encoded, random)
    picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert picture is not None
    height, width = picture.shape[:2]
    flow = _moved(original.flow, matrix, width, height, np.nan) @ matrix[:, :2].T
    return Copy(
        encoded=encoded,
        truth=_copied_truth(original.truth, name, matrix, mirrored, width, height),
        labels=_moved(original.labels, matrix, width, height, 0.0),
        flow=flow,
    )


def _copied_truth(
    truth: PhotoTruth,
    name: str,
    matrix: Float[np.ndarray, "2 3"],
    mirrored: bool,
    width: int,
    height: int,
) -> PhotoTruth:
    """The truth about the copy; mirroring turns the head the other way and swaps left and right."""
    affine = torch.from_numpy(matrix).float()
    order = mirror_order() if mirrored else torch.arange(468)
    xy = (truth.fiducials @ affine[:, :2].T + affine[:, 2])[order]
    inside = (xy > 0).all(dim=1) & (xy[:, 0] < width) & (xy[:, 1] < height)
    before = truth.picture_from_lens
    linear = affine[:, :2] @ before[:, :2]
    shift = affine[:, :2] @ before[:, 2] + affine[:, 2]
    sign = -1.0 if mirrored else 1.0
    return replace(
        truth,
        name=name,
        dirt=(*truth.dirt, "duplicate", *(["mirrored"] if mirrored else [])),
        duplicate_of=truth.name,
        azimuth=sign * truth.azimuth,
        roll=sign * truth.roll,
        picture_from_lens=torch.column_stack([linear, shift]),
        fiducials=xy,
        visible=truth.visible[order] & inside,
    )


def _moved(
    layer: np.ndarray, matrix: Float[np.ndarray, "2 3"], width: int, height: int, outside: float
) -> np.ndarray:
    """A layer of the original on the pixels of the copy; values are picked, not blended."""
    # OpenCV counts from the centre of the first pixel.
    integer = matrix.copy()
    integer[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    return cv2.warpAffine(
        layer,
        integer,
        (width, height),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(outside,) * 4,
    )


@functools.cache
def mirror_order() -> Int[Tensor, " fiducial=468"]:
    """For each fiducial the one on the other side of the face."""
    template = BuildTemplate(size=1.0, people=2)()
    return mirror_partners(at(template.fiducials, template.faces, template.vertices))
