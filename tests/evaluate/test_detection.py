"""What is said about photos, against what they are."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from headrecon.evaluate.detection import detection_errors, fiducial_error, mask_iou
from headrecon.truth import LABELS, Lens, PhotoTruth
from headrecon.types import Portrait, Rejection, View
from tests import artifacts

SIDE = 48


def photo(name: str, azimuth: float = 20.0, identity: int = 7, **changes) -> PhotoTruth:
    """The truth about a photo of `artifacts.portrait`."""
    portrait = artifacts.portrait(name)
    truth = PhotoTruth(
        name=name,
        identity=identity,
        dirt=(),
        duplicate_of="",
        azimuth=azimuth,
        elevation=-3.0,
        roll=1.5,
        lens=Lens(torch.eye(3), torch.zeros(3), 1.0, torch.zeros(2), SIDE, SIDE),
        picture_from_lens=torch.eye(2, 3),
        expression=torch.zeros(2),
        style=0,
        fiducials=portrait.fiducials,
        visible=torch.ones(468, dtype=torch.bool),
    )
    return replace(truth, **changes)


def labels(name: str) -> np.ndarray:
    """A person in the left half."""
    found = np.zeros((SIDE, SIDE), np.uint8)
    found[:, : SIDE // 2] = LABELS.index("face")
    return found


def view(*names: str) -> View:
    return View("view+30", 30.0, 20.0, -3.0, names)


def errors(portraits: list[Portrait], truths: list[PhotoTruth], *used: str) -> dict[str, float]:
    missed = {t.name for t in truths} - {p.name for p in portraits}
    rejections = tuple(Rejection(name, "no face") for name in missed)
    return detection_errors(
        tuple(portraits), rejections, (view(*used),) if used else (), tuple(truths), labels
    )


def test_angles_are_judged_one_by_one():
    found = replace(artifacts.portrait("a"), azimuth=24.0, elevation=-3.0, roll=0.5)
    numbers = errors([found], [photo("a")])
    assert numbers["photos/azimuth_mae_degrees"] == pytest.approx(4.0)
    assert numbers["photos/elevation_mae_degrees"] == pytest.approx(0.0)
    assert numbers["photos/roll_mae_degrees"] == pytest.approx(1.0)


def test_faces_found_are_counted_where_they_truly_look():
    truths = [photo("a"), photo("b"), photo("c", azimuth=-80.0), photo("d", identity=-1)]
    numbers = errors([artifacts.portrait("a")], truths)
    assert numbers["photos/azimuth_15_to_30/found_share"] == 0.5
    assert numbers["photos/azimuth_75_to_95/found_share"] == 0.0
    # Nobody is to be found in the picture of nobody.
    assert sum(value for name, value in numbers.items() if name.endswith("/count")) == 3


def test_fiducials_are_compared_in_the_photo_in_shares_of_the_face():
    portrait = replace(
        artifacts.portrait("a"), corner=torch.tensor([100.0, 50.0]), step=2.0, face_size=80.0
    )
    right = photo("a", fiducials=2.0 * portrait.fiducials + portrait.corner)
    assert fiducial_error(portrait, right) == pytest.approx(0.0, abs=1e-6)
    off = replace(right, fiducials=right.fiducials + torch.tensor([8.0, 0.0]))
    assert fiducial_error(portrait, off) == pytest.approx(0.1, rel=1e-4)
    far = off.fiducials.clone()
    far[:100] += 1000.0
    hidden = replace(off, fiducials=far, visible=torch.arange(468) >= 100)
    assert fiducial_error(portrait, hidden) == pytest.approx(0.1, rel=1e-4)


def test_the_mask_is_compared_inside_the_photo():
    whole = torch.zeros(SIDE, SIDE)
    whole[:, : SIDE // 2] = 1.0
    portrait = replace(artifacts.portrait("a"), mask=whole)
    assert mask_iou(portrait, labels("a")) == 1.0
    whole[:, SIDE // 4 :] = 0.0
    assert mask_iou(portrait, labels("a")) == pytest.approx(0.5)
    # The right half of this portrait lies outside of the photo, where nothing can be known.
    beside = replace(portrait, mask=torch.ones(SIDE, SIDE), corner=torch.tensor([-24.0, 0.0]))
    assert mask_iou(beside, labels("a")) == 1.0
    assert mask_iou(replace(portrait, mask=torch.ones(SIDE, SIDE)), labels("a")) == 0.5


def test_occluders_are_not_the_person():
    covered = labels("a")
    covered[: SIDE // 2] = LABELS.index("occluder")
    whole = torch.zeros(SIDE, SIDE)
    whole[:, : SIDE // 2] = 1.0
    assert mask_iou(replace(artifacts.portrait("a"), mask=whole), covered) == pytest.approx(0.5)


def test_strangers_and_copies_that_are_used_count_against_the_collection():
    truths = [
        *(photo(name) for name in "abcd"),
        photo("stranger", identity=1_000_000, dirt=("wrong_person",)),
        photo("other stranger", identity=1_000_001, dirt=("wrong_person",)),
        photo("copy of a", duplicate_of="a", dirt=("duplicate",)),
        photo("copy of b", duplicate_of="b", dirt=("duplicate",)),
    ]
    portraits = [artifacts.portrait(truth.name) for truth in truths]
    # The copy of b is used in place of b, which is as good; d is lost for no reason.
    used = ("a", "c", "stranger", "copy of a", "copy of b")
    numbers = errors(portraits, truths, *used)
    assert numbers["photos/strangers_left_out_share"] == 0.5
    assert numbers["photos/copies_left_out_share"] == 0.5
    assert numbers["photos/left_out_share"] == pytest.approx(3 / 8)
    assert numbers["photos/left_out_rightly_share"] == pytest.approx(1 / 3)


def test_what_could_not_be_judged_is_nan():
    numbers = errors([], [photo("a")])
    assert np.isnan(numbers["photos/azimuth_mae_degrees"])
    assert np.isnan(numbers["photos/strangers_left_out_share"])


def test_a_photo_belongs_to_the_view_that_is_nearest_to_its_true_azimuth():
    views = (view("a", "b"), View("view+00", 0.0, 0.0, 0.0, ("c",)))
    truths = (photo("a", azimuth=28.0), photo("b", azimuth=5.0), photo("c", azimuth=2.0))
    portraits = tuple(artifacts.portrait(name) for name in "abc")
    numbers = detection_errors(portraits, (), views, truths, labels)
    assert numbers["photos/clustered_right_share"] == pytest.approx(2 / 3)


def test_of_a_photo_in_two_views_one_has_to_be_right_and_mirror_images_do_not_count():
    views = (
        View("view+30", 30.0, 20.0, -3.0, ("a", "b")),
        View("view+00", 0.0, 0.0, 0.0, ("a", "b (mirrored)")),
    )
    truths = (photo("a", azimuth=2.0), photo("b", azimuth=28.0))
    portraits = tuple(artifacts.portrait(name) for name in "ab")
    numbers = detection_errors(portraits, (), views, truths, labels)
    assert numbers["photos/clustered_right_share"] == 1.0


def test_a_head_is_judged_without_its_shoulders() -> None:
    dressed = labels("a")
    dressed[SIDE // 2 :][dressed[SIDE // 2 :] > 0] = LABELS.index("clothes")
    head = torch.from_numpy(dressed == LABELS.index("face")).float()
    portrait = replace(artifacts.portrait("a"), mask=head)
    assert mask_iou(portrait, dressed) == pytest.approx(0.5)
    assert mask_iou(portrait, dressed, ("clothes", "occluder")) == 1.0
