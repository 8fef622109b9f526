import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from headrecon.draw.collection import collection_page
from headrecon.draw.coverage import coverage
from headrecon.draw.report import Contacts, Section, Thumbnail, report
from headrecon.types import Collection, Rejection, View
from tests import artifacts

COPY = "shows the same picture as photo 0.jpg"


def page() -> str:
    found = artifacts.collection()
    others = [(artifacts.portrait(f"copy {k}.jpg"), artifacts.verdict("", COPY)) for k in range(2)]
    evil = (artifacts.portrait('<script>"x" & y'), artifacts.verdict("", "blurred"))
    portraits, verdicts = zip(*others, evil, strict=True)
    named = [replace(v, name=p.name) for p, v in zip(portraits, verdicts, strict=True)]
    together = Collection((*found.portraits, *portraits), (*found.verdicts, *named))
    reasons = {verdict.name: verdict.reason or "in no view" for verdict in together.verdicts}
    names = (*artifacts.NAMES, "photo 0.jpg (mirrored)")
    return collection_page(
        "me",
        together,
        [Rejection("<b>.jpg", "no face"), Rejection("small.jpg", "face too small (9 pixels)")],
        [View("view+30", 30.0, 20.0, -3.0, names), View("view+00down40", 0.0, 0.0, -38.0, names)],
        reasons,
    )


def section(text: str, heading: str) -> str:
    """The HTML of a section by its heading."""
    return re.split(r"<h2>", text.split(f"<h2>{heading}</h2>")[1])[0]


def test_every_view_shows_its_photos_with_name_pose_and_scores() -> None:
    shown = section(page(), r"view+30")
    assert shown.count("<img ") == len(artifacts.NAMES)
    assert "Right side at 30 degrees: 6 photos and 1 mirror images." in shown
    for name in artifacts.NAMES:
        assert f'<summary title="{name}\nazimuth +20, elevation -3, roll +2\nidentity' in shown
    assert "identity distance 0.31" in shown
    assert "Front, from above: 6 photos" in section(page(), r"view+00down40")


def test_what_was_left_out_is_grouped_by_reason() -> None:
    shown = section(page(), "Left out")
    headings = re.findall(r"<h3>(.*?)</h3>", shown)
    assert headings[0] == "Shows the same picture as another photo: 2"
    assert set(headings[1:]) == {"Shows somebody else: 1", "Blurred: 1", "In no view: 1"}
    assert shown.count(COPY) == 2 * 2
    assert "face too small (9 pixels)" in shown
    assert shown.count("<img ") == 5


def test_names_cannot_break_the_page_and_nothing_is_loaded_from_elsewhere() -> None:
    text = page()
    assert "<script" not in text
    assert "<b>.jpg" not in text
    sources = re.findall(r'\b(?:src|href)="([^"]*)"', text)
    assert {s for s in sources if not s.startswith(("data:image/", "#"))} == {"index.html"}


def test_three_hundred_photos_weigh_less_than_three_megabytes() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    # Of a picture as busy as leaves before the sun: noise, blurred by half a pixel or so.
    busy = Image.fromarray(noise).resize((56, 56), Image.Resampling.BOX).resize((112, 112))
    shown = tuple(Thumbnail(busy, f"{k}.jpg", ("azimuth +1",)) for k in range(300))
    text = report("t", "l", [Section("s", "", (Contacts("", shown, told=False),))])
    assert len(text) < 3_000_000


def test_a_collection_without_anything_makes_a_page_too() -> None:
    text = collection_page("me", Collection((), ()), [], [], {})
    assert "0 of 0 photos are in views" in text
    assert "left profile: 0 photos, add about 20" in text


@pytest.mark.parametrize(("azimuth", "left"), [(80.0, True), (-80.0, False)])
def test_cameras_that_see_the_right_cheek_stand_on_the_left_of_the_map(
    azimuth: float, left: bool
) -> None:
    empty = np.asarray(coverage([], []), dtype=int)
    drawn = np.asarray(coverage([artifacts.portrait("a", azimuth)], []), dtype=int)
    assert drawn.shape == empty.shape
    # The upper two thirds have no legend.
    _, columns = np.nonzero(np.abs(drawn - empty).sum(axis=2)[: 2 * len(empty) // 3] > 90)
    assert len(columns)
    assert (columns.mean() < empty.shape[1] / 2) == left
