import re
from dataclasses import replace

import numpy as np
import pytest

from headrecon.types import Portrait
from headrecon.views.cluster import Cluster
from tests import artifacts


def portrait(name: str, azimuth: float, elevation: float = 0.0) -> Portrait:
    return replace(artifacts.portrait(name, azimuth), elevation=elevation)


def clusters(count: int, minimum: int = 1, overlap: float = 0.0, elevations=()) -> Cluster:
    return Cluster(
        count=count,
        mirror=False,
        overlap=overlap,
        reach=20.0,
        max_elevation=30.0,
        elevations=elevations,
        minimum=minimum,
    )


@pytest.mark.parametrize("count", [1, 2, 3, 6, 7, 8, 9, 30, 180, 181])
def test_centres_are_even_over_half_a_turn_and_go_outward(count):
    centres = clusters(count).centres
    assert len(centres) == count
    assert sorted(centres) == pytest.approx([-c for c in sorted(centres, reverse=True)])
    assert list(map(abs, centres)) == sorted(map(abs, centres))
    if count > 1:
        assert np.diff(sorted(centres)) == pytest.approx(180.0 / (count - 1))
        assert max(centres) == pytest.approx(90.0)


def test_odd_counts_begin_at_the_front_and_even_ones_to_the_image_right_of_it():
    assert clusters(7).centres == (0.0, 30.0, -30.0, 60.0, -60.0, 90.0, -90.0)
    assert clusters(4).centres == (30.0, -30.0, 90.0, -90.0)


@pytest.mark.parametrize("count", [0, 182, -7])
def test_counts_that_cannot_be_are_refused(count):
    with pytest.raises(ValueError, match="must be from 1 to 181"):
        clusters(count)


@pytest.mark.parametrize("count", [1, 2, 6, 7, 8, 9, 30, 180, 181])
def test_every_view_has_a_name_of_its_own_by_whole_degrees(count):
    chosen = clusters(count, elevations=(-40, 35))
    tipped = (portrait(f"{a} {e}", a, e) for a in chosen.centres for e in (0.0, -40.0, 35.0))
    labels = [view.label for view in chosen(tuple(tipped))]
    assert len(set(labels)) == 3 * count
    assert all(re.fullmatch(r"view[-+]\d+((up|down)\d+)?", label) for label in labels)


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


def test_no_photos_make_no_views():
    assert clusters(7)(()) == ()


def test_with_an_overlap_photos_near_a_border_belong_to_both_views():
    portraits = tuple(portrait(f"{a:g}", a) for a in (2.0, 11.0, 14.0, 16.0, 19.0))
    views = {view.label: view.names for view in clusters(7, overlap=3.0)(portraits)}
    assert views == {"view+00": ("2", "11", "14", "16"), "view+30": ("14", "16", "19")}
    apart = {view.label: view.names for view in clusters(7)(portraits)}
    assert apart == {"view+00": ("2", "11", "14"), "view+30": ("16", "19")}


def test_an_overlap_does_not_go_past_the_reach():
    portraits = (portrait("near", 19.0), portrait("far", 22.0))
    views = {view.label: view.names for view in clusters(7, overlap=30.0)(portraits)}
    assert views == {"view+00": ("near",), "view+30": ("near", "far")}


def test_tipped_photos_make_views_of_their_own_which_come_last():
    portraits = (
        portrait("upright", 0.0, 5.0),
        portrait("bowed", 3.0, -45.0),
        portrait("between", -2.0, -25.0),
        portrait("aside", 62.0, -38.0),
        portrait("profile", -88.0),
    )
    views = clusters(7, elevations=[-40])(portraits)
    assert [(view.label, view.names) for view in views] == [
        ("view+00", ("upright", "between")),
        ("view-90", ("profile",)),
        ("view+00down40", ("bowed", "between")),
        ("view+60down40", ("aside",)),
    ]
    assert (views[2].nominal, views[2].elevation) == (0.0, -35.0)


def test_without_elevations_tipped_photos_change_nothing():
    portraits = (portrait("upright", 0.0), portrait("bowed", 0.0, -45.0))
    assert [view.names for view in clusters(7)(portraits)] == [("upright",)]


@pytest.mark.parametrize("elevations", [[0], [-40, -40.4], [85]])
def test_elevations_that_have_no_name_of_their_own_are_refused(elevations):
    with pytest.raises(ValueError, match="must be a degree or more from 0"):
        clusters(7, elevations=elevations)


def test_the_mirror_images_of_photos_make_the_mirror_images_of_views():
    azimuths = (3.0, 17.0, 29.0, 33.0, 58.0, -62.0, 91.0)
    portraits = tuple(portrait(f"{a:g}", a) for a in azimuths)
    images = tuple(portrait(f"{-a:g}", -a) for a in azimuths)
    views = {view.nominal: view for view in clusters(7)(portraits + images)}
    assert set(views) == {-a for a in views}
    for centre, view in views.items():
        assert views[-centre].azimuth == -view.azimuth
        assert len(views[-centre].names) == len(view.names)
