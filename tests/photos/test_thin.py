from dataclasses import replace

import pytest

from headrecon.photos.thin import Thin
from headrecon.types import Collection, Portrait
from tests import artifacts

THIN = Thin(apart=5.0, most=10)
Pose = tuple[str, float, float, float]


def collection(*poses: Pose) -> Collection:
    """Frames by name, azimuth, elevation and sharpness."""
    whole = artifacts.reconstruction().collection
    portraits = tuple(
        replace(whole.portraits[0], name=name, azimuth=azimuth, elevation=elevation)
        for name, azimuth, elevation, _ in poses
    )
    verdicts = tuple(
        replace(whole.verdicts[0], name=name, kept=True, reason="", sharpness=sharpness)
        for name, _, _, sharpness in poses
    )
    return Collection(portraits, verdicts)


def names(portraits: tuple[Portrait, ...]) -> list[str]:
    return [portrait.name for portrait in portraits]


def frame(second: int, azimuth: float, elevation: float = 0.0, sharpness: float = 0.1) -> Pose:
    return f"a/clip.mp4@{second:04d}.000s", azimuth, elevation, sharpness


def test_frames_of_a_pose_that_a_sharper_one_has_are_left_out_with_its_name():
    thinned = THIN(collection(frame(0, 1.0), frame(1, 0.0, sharpness=0.2), frame(2, 8.0)), {})
    assert names(thinned.kept) == ["a/clip.mp4@0001.000s", "a/clip.mp4@0002.000s"]
    assert thinned.verdicts[0].reason == "its pose is that of a/clip.mp4@0001.000s"


def test_the_largest_gain_comes_first():
    poses = [frame(i, azimuth) for i, azimuth in enumerate([0.0, 10.0, 20.0, 40.0, 70.0])]
    assert names(Thin(apart=5.0, most=3)(collection(*poses), {}).kept) == [
        *("a/clip.mp4@0000.000s", "a/clip.mp4@0003.000s", "a/clip.mp4@0004.000s"),
    ]


def test_tipping_the_head_is_a_gain_too():
    assert len(THIN(collection(frame(0, 0.0, 0.0), frame(1, 0.0, 9.0)), {}).kept) == 2


def test_photos_and_frames_of_other_videos_are_not_compared():
    poses = [("a.jpg", 0.0, 0.0, 0.1), ("b.jpg", 0.0, 0.0, 0.1), ("b.mp4@0000.000s", 0.0, 0.0, 0.1)]
    assert len(THIN(collection(*poses, frame(0, 0.0)), {}).kept) == 4


@pytest.mark.parametrize("wish", ["keep", "drop"])
def test_what_the_user_has_decided_is_not_judged(wish: str):
    poses = collection(frame(0, 0.0), frame(1, 0.0))
    assert THIN(poses, {"a/clip.mp4@0001.000s": wish}) == poses


def test_frames_that_were_dropped_before_take_no_pose_away():
    poses = collection(frame(0, 0.0, sharpness=9.0), frame(1, 0.0))
    dropped = replace(poses.verdicts[0], kept=False, reason="blurred")
    judged = THIN(Collection(poses.portraits, (dropped, poses.verdicts[1])), {})
    assert [verdict.reason for verdict in judged.verdicts] == ["blurred", ""]
