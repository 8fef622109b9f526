from pathlib import Path

import pytest

from headrecon.photos.gather import Gather, NoPhotos

GATHER = Gather(suffixes=[".jpg", ".png"])


def test_names_are_sorted_relative_posix_paths(tmp_path: Path):
    (tmp_path / "b").mkdir()
    for name in ("z.jpg", "b/a.PNG", "a.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    photos = list(GATHER(tmp_path))
    assert [photo.name for photo in photos] == ["a.jpg", "b/a.PNG", "z.jpg"]
    assert photos[1].encoded.numpy().tobytes() == b"b/a.PNG"


def test_hidden_files_and_notes_are_left_out(tmp_path: Path):
    (tmp_path / ".thumbs").mkdir()
    for name in ("a.jpg", ".b.jpg", ".thumbs/c.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert GATHER(tmp_path).names == ("a.jpg",)


def test_an_empty_file_is_gathered(tmp_path: Path):
    (tmp_path / "a.jpg").touch()
    (photo,) = GATHER(tmp_path)
    assert photo.encoded.shape == (0,)


def test_missing_and_empty_folders_say_so_in_one_line(tmp_path: Path):
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(NoPhotos, match=str(folder)) as raised:
            GATHER(folder)
        assert "\n" not in str(raised.value)


def test_wishes_are_read_from_a_table_beside_the_photos(tmp_path: Path):
    (tmp_path / "a.jpg").touch()
    table = "name,verdict\na.jpg, Keep\n\nsub/b c.png,drop\n"
    (tmp_path / "overrides.csv").write_text(table, "utf-8-sig")
    assert GATHER(tmp_path).overrides == {"a.jpg": "keep", "sub/b c.png": "drop"}


def test_wishes_for_photos_that_are_not_there_are_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "a.jpg").touch()
    (tmp_path / "overrides.csv").write_text("b.jpg,drop\n")
    GATHER(tmp_path)
    assert "line 1: there is no photo b.jpg" in caplog.text


@pytest.mark.parametrize("row", ["a.jpg", "a.jpg,maybe", "a.jpg,keep,really"])
def test_a_wish_that_is_none_is_refused_with_its_line(tmp_path: Path, row: str):
    (tmp_path / "a.jpg").touch()
    (tmp_path / "overrides.csv").write_text(f"name,verdict\n{row}\n")
    with pytest.raises(ValueError, match=f"line 2: '{row}' is no name,keep"):
        GATHER(tmp_path)


def test_without_a_table_there_are_no_wishes(tmp_path: Path):
    (tmp_path / "a.jpg").touch()
    assert GATHER(tmp_path).overrides == {}
