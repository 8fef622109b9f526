import os
from pathlib import Path

import pytest

from headrecon.files import write


def test_contents_arrive_in_folders_that_were_missing_and_nothing_else_stays(tmp_path: Path):
    write(tmp_path / "a" / "b.txt", "größe")
    write(tmp_path / "a" / "c.bin", b"\x00\xff")
    assert (tmp_path / "a" / "b.txt").read_text("utf-8") == "größe"
    assert (tmp_path / "a" / "c.bin").read_bytes() == b"\x00\xff"
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["b.txt", "c.bin"]


def test_others_may_read_what_they_may_read_by_the_umask(tmp_path: Path):
    before = os.umask(0o022)
    try:
        write(tmp_path / "a.txt", "a")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644


def test_what_was_there_stays_when_nothing_can_be_written(tmp_path: Path):
    write(tmp_path / "a.txt", "old")
    with pytest.raises(TypeError):
        write(tmp_path / "a.txt", 5)  # pyright: ignore[reportArgumentType]
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
