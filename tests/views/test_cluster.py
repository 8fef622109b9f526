import pytest
import torch

from headrecon.types import Portrait
from headrecon.views.cluster import Cluster


def portrait(name: str, azimuth: float, elevation: float = 0.0) -> Portrait:
    return Portrait(
        name=name,
        image=torch.zeros(3, 4, 4),
        mask=torch.zeros(4, 4),
        fiducials=torch.zeros(468, 2),
        keypoints=torch.zeros(6, 2),
        azimuth=azimuth,
        elevation=elevation,
        roll=0.0,
        face_score=1.0,
        corner=torch.zeros(2),
        step=1.0,
        face_size=100.0,
        identity=torch.zeros(128),
        file_bytes=1,
    )


def clusters(count: int, minimum: int = 1) -> Cluster:
    return Cluster(count=count, reach=20.0, max_elevation=30.0, minimum=minimum)


@pytest.mark.parametrize("count", range(1, 14, 2))
def test_centres_are_even_over_half_a_turn_and_start_at_the_front(count):
    centres = clusters(count).centres
    assert len(set(centres)) == count
    assert centres[0] == 0.0
    assert sorted(centres) == pytest.approx([-c for c in sorted(centres, reverse=True)])
    if count > 1:
        assert max(centres) == 90.0
        assert list(map(abs, centres)) == sorted(map(abs, centres))


@pytest.mark.parametrize("count", [0, 2, 15, -7])
def test_counts_that_leave_no_frontal_view_are_refused(count):
    with pytest.raises(ValueError, match="must be odd and from 1 to 13"):
        clusters(count)


def test_a_photo_belongs_to_its_nearest_centre_with_its_sign():
    views = clusters(7)((portrait("a", 31.0), portrait("b", -58.0), portrait("c", 4.0)))
    assert {v.label: v.names for v in views} == {
        "view+00": ("c",),
        "view+30": ("a",),
        "view-60": ("b",),
    }


def test_the_view_looks_from_the_median_of_its_members():
    views = clusters(7)((portrait("a", 26.0, 1.0), portrait("b", 33.0, 9.0), portrait("c", 34.0)))
    assert (views[0].azimuth, views[0].elevation) == (33.0, 1.0)


def test_photos_too_far_from_any_centre_or_tipped_are_left_out():
    portraits = (portrait("a", 45.0), portrait("b", 2.0, 40.0), portrait("c", 88.0))
    assert [v.names for v in clusters(3)(portraits)] == [("c",)]


def test_a_view_with_too_few_photos_is_skipped_and_named(caplog):
    portraits = (*(portrait(f"{i}", 0.0) for i in range(5)), portrait("side", 62.0))
    views = clusters(7, minimum=3)(portraits)
    assert [v.label for v in views] == ["view+00"]
    assert "view+60: skipped, 1 photos but 3 needed" in caplog.text
