import os
import socket
from pathlib import Path

import pytest

from headrecon.photos.gather import Gather, NoPhotos
from headrecon.types import Photo, Rejection, Video

GATHER = Gather(photos=[".jpg", ".png"], videos=[".mp4"], most_bytes=1000, most_video_bytes=2000)


def reasons(folder: Path) -> dict[str, str]:
    return {one.name: one.reason for one in GATHER(folder) if isinstance(one, Rejection)}


def test_names_are_sorted_relative_posix_paths(tmp_path: Path):
    (tmp_path / "b").mkdir()
    for name in ("z.jpg", "b/a.PNG", "a.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    photos = [photo for photo in GATHER(tmp_path) if isinstance(photo, Photo)]
    assert [photo.name for photo in photos] == ["a.jpg", "b/a.PNG", "z.jpg"]
    assert photos[1].encoded.numpy().tobytes() == b"b/a.PNG"


def test_hidden_files_and_the_tables_of_the_folder_are_left_out(tmp_path: Path):
    (tmp_path / ".thumbs").mkdir()
    for name in ("a.jpg", ".b.jpg", ".thumbs/c.jpg"):
        (tmp_path / name).write_bytes(b"x")
    for name in ("overrides.csv", "sources.csv"):
        (tmp_path / name).touch()
    assert GATHER(tmp_path).names == ("a.jpg",)


def test_other_files_have_a_verdict_without_being_read(tmp_path: Path):
    for name in ("a.jpg", "notes.txt", "b/sources.csv", "photo"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    said = "not a photo, by the end of its name"
    assert reasons(tmp_path) == dict.fromkeys(["b/sources.csv", "notes.txt", "photo"], said)


def test_videos_are_told_from_photos_by_their_names(tmp_path: Path):
    (tmp_path / "a.MP4").write_bytes(bytes(1500))
    (video,) = GATHER(tmp_path)
    assert isinstance(video, Video)
    assert video.encoded.shape == (1500,)


def test_files_of_too_many_bytes_are_not_read(tmp_path: Path):
    for name, length in (("a.jpg", 1000), ("b.jpg", 1001), ("c.mp4", 2001)):
        (tmp_path / name).write_bytes(bytes(length))
    assert reasons(tmp_path) == {"b.jpg": "more than 1000 bytes", "c.mp4": "more than 2000 bytes"}


def test_what_is_no_file_has_a_verdict_and_nothing_waits_for_it(tmp_path: Path):
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "folder.jpg" / "a.jpg").touch()
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "device.jpg").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        # The names of sockets are short.
        place = Path.cwd()
        os.chdir(tmp_path)
        listening.bind("socket.jpg")
        os.chdir(place)
        found = reasons(tmp_path)
    assert found.pop("folder.jpg") == "a folder, not a photo"
    assert "cannot be read" in found.pop("socket.jpg")
    said = "not a file, but a pipe or a device"
    assert found == {"pipe.jpg": said, "device.jpg": said}


def test_links_that_lead_nowhere_or_in_circles_have_a_verdict(tmp_path: Path):
    (tmp_path / "a.jpg").touch()
    (tmp_path / "linked.jpg").symlink_to("a.jpg")
    (tmp_path / "nowhere.jpg").symlink_to("missing.jpg")
    (tmp_path / "circle.jpg").symlink_to("circle.jpg")
    (tmp_path / "up").symlink_to(tmp_path)
    assert reasons(tmp_path) == {
        "circle.jpg": "cannot be read (Too many levels of symbolic links)",
        "nowhere.jpg": "cannot be read (No such file or directory)",
        "up": "a link to a folder, which is not followed",
    }


def test_files_that_vanish_or_fail_while_they_are_read_have_a_verdict(tmp_path: Path):
    (tmp_path / "a.jpg").touch()
    # Reading the first page of a process's memory fails as a broken disk does.
    (tmp_path / "b.jpg").symlink_to("/proc/self/mem")
    photos = GATHER(tmp_path)
    (tmp_path / "a.jpg").unlink()
    assert [one.reason for one in photos if isinstance(one, Rejection)] == [
        "cannot be read (No such file or directory)",
        "cannot be read (Input/output error)",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="everything may be read by root")
def test_files_and_folders_that_may_not_be_read_have_a_verdict(tmp_path: Path):
    (tmp_path / "a.jpg").touch(mode=0)
    (tmp_path / "b").mkdir(mode=0)
    assert reasons(tmp_path) == {
        "a.jpg": "cannot be read (Permission denied)",
        "b": "cannot be opened (Permission denied)",
    }


def test_names_that_cannot_be_printed_are_escaped_and_stay_different(tmp_path: Path):
    for name in (b"\xff.jpg", b"\\udcff.jpg", b"line\nbreak.jpg", "\u00e4 b.jpg".encode()):
        (tmp_path / os.fsdecode(name)).touch()
    photos = GATHER(tmp_path)
    assert sorted(photos.names) == [
        *("\\\\udcff.jpg", "\\udcff.jpg", "line\\nbreak.jpg", "\u00e4 b.jpg"),
    ]
    assert all(isinstance(photo, Photo) for photo in photos)


def test_an_empty_file_is_gathered(tmp_path: Path):
    (tmp_path / "a.jpg").touch()
    (photo,) = GATHER(tmp_path)
    assert isinstance(photo, Photo)
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
