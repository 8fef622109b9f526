from dataclasses import replace

import pytest
import torch

from headrecon.draw.advice import Advice, advise, side
from headrecon.geometry.rotation import view_from_head
from headrecon.types import Portrait, View
from tests import artifacts


def portraits(count: int, azimuth: float, elevation: float = 0.0) -> list[Portrait]:
    named = [f"{azimuth:g} {elevation:g} {index}.jpg" for index in range(count)]
    return [replace(artifacts.portrait(n, azimuth), elevation=elevation) for n in named]


def view(members: list[Portrait]) -> View:
    return View("view+00", 0.0, 0.0, 0.0, tuple(portrait.name for portrait in members))


def said(given: tuple[Advice, ...], place: str) -> str:
    [line] = [str(one) for one in given if one.place.startswith(place)]
    return line


@pytest.mark.parametrize("azimuth", [-90.0, -60.0, 60.0, 90.0])
def test_a_side_is_called_by_the_ear_that_is_seen(azimuth: float) -> None:
    # The head frame is the view of somebody who faces the camera: x grows to the person's left.
    left_ear = torch.tensor([75.0, 0.0, 0.0])
    z_left = float((view_from_head(azimuth) @ left_ear)[2])
    assert side(azimuth).startswith("left" if z_left > 0 else "right")


def test_sides_have_names() -> None:
    assert [side(azimuth) for azimuth in (0.0, 30.0, -67.5, 90.0, -95.0)] == [
        *("front", "right side at 30 degrees", "left side at 68 degrees"),
        *("right profile", "left profile"),
    ]


def test_a_profile_with_two_photos_needs_about_twenty() -> None:
    found = portraits(2, -88.0)
    assert said(advise(found, [view(found)]), "left profile") == (
        "left profile: 2 photos, add about 20"
    )
    assert said(advise(found, []), "left profile") == (
        "left profile: 2 photos, none of them in a view, add about 20"
    )
    assert said(advise(found[:1], [view(found)]), "left profile").startswith("left profile: 1 ph")


def test_what_is_enough_is_said_to_be_enough() -> None:
    found = [*portraits(40, 3.0), *portraits(19, 31.0)]
    given = advise(found, [view(found)])
    assert said(given, "front") == "front: 40 photos, enough"
    assert said(given, "right side at 30") == "right side at 30 degrees: 19 photos, enough"


def test_the_less_there_is_the_more_is_asked_for() -> None:
    asked = [
        next(one for one in advise(portraits(count, 60.0), []) if "right side at 60" in one.place)
        for count in range(25)
    ]
    assert [one.add for one in asked] == sorted((one.add for one in asked), reverse=True)
    assert (asked[0].add, asked[-1].add) == (20, 0)


def test_every_upright_photo_counts_for_one_side() -> None:
    found = [
        portrait for azimuth in range(-120, 121, 5) for portrait in portraits(1, float(azimuth))
    ]
    *sides, top = advise(found, [])
    assert sum(one.photos for one in sides) == len(found)
    assert [one.place for one in sides] == [side(float(a)) for a in range(-90, 91, 30)]
    assert top.photos == 0


def test_bowed_heads_show_the_top_and_raised_ones_do_not() -> None:
    bowed, raised = portraits(3, 0.0, -40.0), portraits(4, 0.0, 40.0)
    given = advise([*bowed, *raised], [])
    assert said(given, "top of the head") == (
        "top of the head, bowed or from above: 3 photos, none of them in a view, add about 10"
    )
    assert said(given, "front") == "front: 0 photos, add about 30"
