"""Photographing as a command."""

from pathlib import Path

from PIL import Image

from headrecon import photograph
from headrecon.synthetic.record import read_photos, read_truth
from tests.commands import start

TINY = (
    "+subject=synthetic",
    "subject.session.photos=2",
    "subject.session.chance.max_side=220",
    "run_dir=out",
)


def test_photos_and_truth_are_written_and_their_places_said(tmp_path: Path):
    code, out, err = start(photograph, tmp_path, *TINY)
    assert (code, err) == (0, "")
    folder = tmp_path / "out" / "synthetic"
    assert f"photos: {folder / 'photos'}" in out
    assert f"truth: {folder / 'truth'}" in out
    truths = read_photos(folder / "truth")
    assert [truth.name for truth in truths] == ["photo_0000.jpg", "photo_0001.jpg"]
    for truth in truths:
        with Image.open(folder / "photos" / truth.name) as picture:
            assert picture.size == (truth.lens.width, truth.lens.height)
    assert read_truth(folder / "truth").vertices.isfinite().all()


def test_real_people_are_not_photographed(tmp_path: Path):
    code, _, err = start(photograph, tmp_path, "+subject=tom_hanks")
    assert code == 2
    assert err == (
        "headrecon: tom_hanks is a real person: only +subject=synthetic is photographed\n"
    )


def test_shares_of_dirt_that_leave_nobody_are_refused_in_one_line(tmp_path: Path):
    code, _, err = start(photograph, tmp_path, *TINY, "subject.session.dirt.wrong_person=1.0")
    assert (code, err.count("\n")) == (2, 1)
    assert "shares of dirt" in err
