"""All that can be said of a run on photos whose truth is known."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from headrecon.baselines.mean_head import MeanHead
from headrecon.evaluate.detection import detection_errors
from headrecon.evaluate.flow import Tracks, flow_errors
from headrecon.evaluate.surface import surface_error, truth_from_mesh
from headrecon.evaluate.views import ambiguity_errors, view_errors
from headrecon.synthetic.record import read_labels, read_photos, read_truth
from headrecon.truth import PhotoTruth, Truth
from headrecon.types import Portrait, Reconstruction, Stack

FITTED = ("face_median_mm", "head_median_mm", "ears_median_mm")
"""What is also said of the fitted template, as if it were the result."""


def measures(found: Reconstruction, folder: Path) -> dict[str, float]:
    """Errors of the head, of each view, and of what was said about the photos.

    `folder` holds the truth that was written with the photos. Units are at the ends of the names.
    """
    truth, photos = read_truth(folder), read_photos(folder)

    def labels(name: str) -> UInt8[np.ndarray, "h w"]:
        """What each pixel of a photo shows."""
        return read_labels(folder / f"{Path(name).stem}_labels.png")

    numbers = surface_error(found.mesh, truth)
    fitted = surface_error(MeanHead()(found.fitted, ()), truth)
    numbers |= {f"fitted/{name}": fitted[name] for name in FITTED}
    numbers |= _over_views(_view_numbers(found, truth, photos))
    return numbers | detection_errors(
        found.collection.portraits, found.rejections, found.views, photos, labels
    )


def _view_numbers(
    found: Reconstruction, truth: Truth, photos: tuple[PhotoTruth, ...]
) -> dict[str, float]:
    """Errors of normals, depth, ambiguity and flow of each view."""
    aligned = truth_from_mesh(found.mesh, truth)
    numbers = view_errors(found.head, truth, aligned)
    numbers |= ambiguity_errors(found.factors, found.head, truth, aligned)
    portraits = {portrait.name: portrait for portrait in found.collection.portraits}
    known = {photo.name: photo for photo in photos}
    subject = max(known.values(), key=lambda photo: _count(photo, photos)).identity
    for stack in found.stacks:
        numbers |= flow_errors(stack, _tracks(stack, portraits, known, subject))
    return numbers


def _count(photo: PhotoTruth, photos: tuple[PhotoTruth, ...]) -> int:
    """Number of photos of the same person."""
    return sum(other.identity == photo.identity for other in photos)


def _tracks(
    stack: Stack,
    portraits: dict[str, Portrait],
    known: dict[str, PhotoTruth],
    subject: int,
) -> Tracks:
    """True fiducials in the portraits of a view; strangers and mirror images do not count."""
    xy, visible = [], []
    for name in stack.names:
        if name not in portraits:
            xy.append(torch.zeros(468, 2))
            visible.append(torch.zeros(468, dtype=torch.bool))
            continue
        portrait, truth = portraits[name], known[name]
        xy.append((truth.fiducials - portrait.corner) / portrait.step)
        visible.append(truth.visible & (truth.identity == subject))
    return Tracks(torch.stack(xy), torch.stack(visible))


def _over_views(numbers: dict[str, float]) -> dict[str, float]:
    """The numbers of each view, and their means over the views."""
    names = {name.partition("/")[2] for name in numbers}
    means = {
        f"views/{name}": float(
            np.nanmean([value for key, value in numbers.items() if key.endswith(f"/{name}")])
        )
        for name in sorted(names)
    }
    return numbers | means
