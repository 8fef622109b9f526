import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from headrecon.photos.gather import NoPhotos, Pile
from headrecon.photos.manifest import Manifest
from headrecon.types import Photo, Rejection, Video
from tests.photos.settings import configured
from tests.web import Page, Web, web


@pytest.fixture
def served() -> Iterator[Web]:
    with web() as started:
        yield started


def stage(folder: Path, **changes: object) -> Manifest:
    """As configured, but for servers of this machine."""
    download = {"allow_private": True, "pause": 0.0, "seconds": 5.0, "retries": 0}
    settings = {"downloads": str(folder / "kept"), "download": download, **changes}
    return configured("gather/manifest.yaml", **settings)


def listed(folder: Path, text: str, name: str = "list.txt") -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder / name


def contents(pile: Pile) -> dict[str, bytes | str]:
    """What each photo holds, or why there is none."""
    return {
        one.name: one.reason if isinstance(one, Rejection) else one.encoded.numpy().tobytes()
        for one in pile
    }


def test_lines_are_paths_and_addresses_in_the_order_of_their_names(tmp_path: Path, served: Web):
    served.pages["/b"] = Page(b"from the web")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a c.jpg").write_bytes(b"from the disk")
    text = f"\ufeff# photos\n\nin/a c.jpg\n{served.url('/b')}\n{served.url('/b')}\nmissing.jpg\n"
    assert list(contents(stage(tmp_path)(listed(tmp_path, text))).items()) == [
        (served.url("/b"), b"from the web"),
        ("in/a c.jpg", b"from the disk"),
        ("missing.jpg", "cannot be read (No such file or directory)"),
    ]


def test_a_table_has_columns_of_addresses_and_paths(tmp_path: Path, served: Web):
    served.pages["/b"] = Page(b"b")
    (tmp_path / "a.jpg").write_bytes(b"a")
    table = f'licence,URL,path\n"by, sa",{served.url("/b")},c.jpg\nfree,,a.jpg\n,,\n'
    pile = stage(tmp_path)(listed(tmp_path, table, "list.csv"))
    assert contents(pile) == {served.url("/b"): b"b", "a.jpg": b"a"}


def test_what_is_there_is_not_fetched_again_and_what_failed_is(tmp_path: Path, served: Web):
    served.pages["/a"] = Page(b"a")
    file = listed(tmp_path, f"{served.url('/a')}\n{served.url('/b')}\n")
    first = contents(stage(tmp_path)(file))
    assert first[served.url("/b")] == "cannot be fetched (the server says 404 Not Found)"
    served.pages["/b"] = Page(b"b")
    assert set(contents(stage(tmp_path)(file)).values()) == {b"a", b"b"}
    assert served.asked == ["/a", "/b", "/b"]
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_nothing_is_fetched_before_it_is_asked_for(tmp_path: Path, served: Web):
    pile = stage(tmp_path)(listed(tmp_path, served.url("/a")))
    assert (len(pile), served.asked) == (1, [])


def test_paths_do_not_lead_out_of_the_folder_of_the_list(tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "a.jpg").write_bytes(b"a")
    (folder / "link.jpg").symlink_to(tmp_path / "a.jpg")
    file = listed(folder, f"../a.jpg\n{tmp_path / 'a.jpg'}\nlink.jpg\nnowhere/../../a.jpg\n")
    assert set(contents(stage(folder)(file)).values()) == {"lies outside the folder of the list"}
    found = contents(stage(folder, allow_outside=True)(file))
    assert found["../a.jpg"] == found["link.jpg"] == b"a"


def test_only_http_is_spoken(tmp_path: Path):
    (tmp_path / "a.jpg").touch()
    text = f"file://{tmp_path}/a.jpg\nftp://127.0.0.1/a.jpg\nhttp://[broken\n"
    found = contents(stage(tmp_path)(listed(tmp_path, text)))
    assert len(found) == 3
    assert all("cannot be fetched" in str(reason) for reason in found.values())


def test_private_addresses_are_refused_as_it_is_configured(tmp_path: Path, served: Web):
    pile = stage(tmp_path, download={"pause": 0.0})(listed(tmp_path, served.url("/a")))
    (reason,) = contents(pile).values()
    assert "not a public address" in str(reason)
    assert served.asked == []


def test_large_files_are_refused_one_by_one_and_all_together(tmp_path: Path, served: Web):
    for name in "abc":
        served.pages[f"/{name}"] = Page(bytes(8))
    served.pages["/large"] = Page(bytes(11))
    file = listed(tmp_path, "\n".join(served.url(path) for path in served.pages))
    found = contents(stage(tmp_path, most_bytes=10, most_total_bytes=16)(file))
    assert [found[served.url(path)] for path in ("/a", "/b", "/c", "/large")] == [
        *(bytes(8), bytes(8)),
        *("cannot be fetched (all files together have 16 bytes already)",) * 2,
    ]
    found = contents(stage(tmp_path, most_bytes=10, most_total_bytes=100)(file))
    assert found[served.url("/large")] == "cannot be fetched (more than 10 bytes)"


def test_videos_are_told_by_the_ends_of_paths(tmp_path: Path, served: Web):
    served.pages["/a.mp4"] = Page(b"a")
    (tmp_path / "b.MOV").write_bytes(b"b")
    text = f"{served.url('/a.mp4')}?size=1\nb.MOV\n{served.url('/c')}?a.mp4\n"
    served.pages["/c"] = Page(b"c")
    kinds = {one.name[-7:]: type(one) for one in stage(tmp_path)(listed(tmp_path, text))}
    assert kinds == {"?size=1": Video, "b.MOV": Video, "c?a.mp4": Photo}


def test_wishes_are_read_beside_the_list(tmp_path: Path):
    listed(tmp_path, "a.jpg,drop\n", "overrides.csv")
    assert stage(tmp_path)(listed(tmp_path, "a.jpg\n")).overrides == {"a.jpg": "drop"}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("list.txt", b"# none\n", "names no photos"),
        ("list.txt", b"\xff\xfe\x00", "cannot be read"),
        ("list.csv", b"", "has no column url or path"),
        ("list.csv", b"name,place\na,b\n", "has no column url or path"),
        ("list.csv", b'url\n"' + b"a" * 200_000, "cannot be read"),
        ("other.txt", b"", "there is no list"),
    ],
)
def test_lists_that_are_none_are_refused_in_one_line(
    tmp_path: Path, name: str, content: bytes, words: str
):
    (tmp_path / name).write_bytes(content)
    file = tmp_path / ("list.txt" if name == "other.txt" else name)
    with pytest.raises(NoPhotos, match=words) as raised:
        stage(tmp_path)(file)
    assert "\n" not in str(raised.value)


def test_a_photo_from_the_web_is_a_photo_like_any_other(tmp_path: Path, served: Web):
    picture = io.BytesIO()
    Image.new("RGB", (4, 3)).save(picture, "PNG")
    served.pages["/a"] = Page(picture.getvalue())
    (photo,) = stage(tmp_path)(listed(tmp_path, served.url("/a")))
    assert isinstance(photo, Photo)
    assert Image.open(io.BytesIO(photo.encoded.numpy().tobytes())).size == (4, 3)
