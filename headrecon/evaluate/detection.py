"""How well photos were understood: found, turned, marked, cut out, and told apart."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import UInt8

from headrecon.geometry.warp import sample
from headrecon.truth import LABELS, PhotoTruth
from headrecon.types import Portrait, Rejection, View

BINS = (0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 96.0)
"""Bounds of the bins of azimuth, degrees."""
_VISIBLE = 0.1
"""Share of the fiducials that a photo must show to count as a photo of a face."""
Labels = Callable[[str], UInt8[np.ndarray, "h w"]]


def detection_errors(
    portraits: tuple[Portrait, ...],
    rejections: tuple[Rejection, ...],
    views: tuple[View, ...],
    truths: tuple[PhotoTruth, ...],
    labels: Labels,
) -> dict[str, float]:
    """Errors of all that is said about single photos; NaN where there was nothing to judge."""
    known = {truth.name: truth for truth in truths}
    found = [
        (p, known[p.name]) for p in portraits if p.name in known and known[p.name].identity >= 0
    ]
    used = {name for view in views for name in view.names}
    numbers = _pose_errors(found) | _by_azimuth(found, truths)
    alone = [p for p, truth in found if "second_face" not in truth.dirt]
    overlap = [mask_iou(p, labels(p.name)) for p in alone]
    numbers["photos/mask_iou_median_share"] = _median(overlap)
    numbers["photos/mask_iou_mean_share"] = _mean(overlap)
    heads = [mask_iou(p, labels(p.name), ("clothes", "occluder")) for p in alone]
    numbers["photos/head_iou_mean_share"] = _mean(heads)
    return numbers | _clusters(views, known) | _curation(truths, used)


def _pose_errors(found: list[tuple[Portrait, PhotoTruth]]) -> dict[str, float]:
    """Mean absolute errors of the pose in degrees."""
    numbers = {}
    for angle in ("azimuth", "elevation", "roll"):
        errors = [abs(getattr(p, angle) - getattr(truth, angle)) for p, truth in found]
        numbers[f"photos/{angle}_mae_degrees"] = _mean(errors)
    return numbers


def _by_azimuth(
    found: list[tuple[Portrait, PhotoTruth]], truths: tuple[PhotoTruth, ...]
) -> dict[str, float]:
    """Share of faces found, azimuth and fiducials by true azimuth.

    Fiducials are those that the photo shows; their error is in shares of the face's box.
    """
    names = {portrait.name for portrait, _ in found}
    numbers = {}
    for low, high in pairwise(BINS):
        here = [t for t in truths if low <= abs(t.azimuth) < high and _shows_a_face(t)]
        mine = [(p, t) for p, t in found if low <= abs(t.azimuth) < high and _shows_a_face(t)]
        name = f"photos/azimuth_{low:02.0f}_to_{min(high, 95.0):02.0f}"
        numbers[f"{name}/count"] = float(len(here))
        numbers[f"{name}/found_share"] = _mean([t.name in names for t in here])
        numbers[f"{name}/azimuth_mae_degrees"] = _mean(
            [abs(p.azimuth - t.azimuth) for p, t in mine]
        )
        numbers[f"{name}/fiducials_median_share"] = _median([fiducial_error(p, t) for p, t in mine])
    return numbers


def fiducial_error(portrait: Portrait, truth: PhotoTruth) -> float:
    """Median distance of visible fiducials from their true places, in sides of the face's box."""
    if not truth.visible.any():
        return float("nan")
    places = portrait.corner + portrait.step * portrait.fiducials
    distance = (places - truth.fiducials).norm(dim=1)[truth.visible]
    return float(distance.median()) / portrait.face_size


def mask_iou(
    portrait: Portrait, labels: UInt8[np.ndarray, "h w"], ignored: Sequence[str] = ()
) -> float:
    """Intersection over union of the person's outline and the true one, within the portrait.

    Pixels that show something of `ignored` do not count: without clothes and occluders it is the
    outline of the head, by which masks with and without shoulders can be compared.
    """
    person = (labels > 0) & (labels != LABELS.index("occluder"))
    counted = ~np.isin(labels, [LABELS.index(name) for name in ignored])
    height, width = portrait.mask.shape
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    xy = portrait.corner + portrait.step * torch.stack([x, y], dim=-1)
    size = torch.tensor([labels.shape[1], labels.shape[0]])
    inside = ((xy > 0) & (xy < size)).all(dim=-1)
    layers = torch.from_numpy(np.stack([person, counted])).float()[None]
    true, counts = sample(layers, xy[None].float())[0] > 0.5
    true, found = true & inside & counts, (portrait.mask > 0.5) & inside & counts
    return float((true & found).sum() / (true | found).sum().clamp_min(1))


def _clusters(views: tuple[View, ...], known: dict[str, PhotoTruth]) -> dict[str, float]:
    """Share of the photos of which a view has its centre the nearest to their true azimuth."""
    centres = np.array([view.nominal for view in views])
    placed: dict[str, list[float]] = {}
    for view in views:
        for name in view.names:
            placed.setdefault(name, []).append(view.nominal)
    right = [
        centres[np.abs(centres - known[name].azimuth).argmin()] in mine
        for name, mine in placed.items()
        if name in known and known[name].identity >= 0
    ]
    return {"photos/clustered_right_share": _mean(right)}


def _curation(truths: tuple[PhotoTruth, ...], used: set[str]) -> dict[str, float]:
    """Precision and recall of leaving out strangers and copies.

    A copy is well treated if one photo at most of its group is used. Precision is the share of
    what was left out that deserved it, which is NaN if nothing was.
    """
    strangers = {t.name for t in truths if "wrong_person" in t.dirt}
    left_out = {t.name for t in truths} - used
    unfit = strangers | {t.name for t in truths if t.identity < 0 or t.duplicate_of}
    groups: dict[str, set[str]] = {}
    for truth in truths:
        if truth.duplicate_of:
            groups.setdefault(truth.duplicate_of, {truth.duplicate_of}).add(truth.name)
    more = sum(len(group) - 1 for group in groups.values())
    kept_copies = sum(max(len(group & used) - 1, 0) for group in groups.values())
    return {
        "photos/strangers_left_out_share": _mean([name in left_out for name in strangers]),
        "photos/copies_left_out_share": 1.0 - kept_copies / more if more else float("nan"),
        "photos/left_out_rightly_share": _mean([name in unfit for name in left_out]),
        "photos/left_out_share": _mean([t.name in left_out for t in truths]),
    }


def _shows_a_face(truth: PhotoTruth) -> bool:
    return truth.identity >= 0 and float(truth.visible.float().mean()) > _VISIBLE


def _mean(values: list) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _median(values: list) -> float:
    return float(np.nanmedian(values)) if len(values) else float("nan")
