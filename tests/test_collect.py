"""Collecting as a command, from a server on this machine that answers as Commons does."""

import csv
import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from headrecon import collect
from headrecon.photos.gather import Gather
from tests.commands import start
from tests.photos.settings import configured
from tests.web import Page, Web, web

CATEGORIES = {
    "Category:Ada": ["File:Ada 1.jpg", "File:Ada 2.jpg", "File:Ada, über.png", "File:Ada.pdf"],
    "Category:Ada as a child": ["File:Ada 1.jpg", "File:Child.jpg"],
    "Category:Empty": [],
}
BELOW = {"Category:Ada": ["Category:Ada as a child", "Category:Ada"]}
EVERY = ["Ada,_über.png", "Ada_1.jpg", "Ada_2.jpg"]


class Wiki:
    """Answers of a MediaWiki, two members at a time, and details in an answer of their own."""

    def __init__(self, served: Web) -> None:
        self.served = served
        self.busy = 0
        served.pages["/w/api.php"] = self.answer
        for title in chain.from_iterable(CATEGORIES.values()):
            served.pages[self.place(title)] = Page(title.encode())

    def place(self, title: str) -> str:
        return f"/1920/{sum(title.encode())}"

    def answer(self, target: str) -> Page:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
        assert (asked["action"], asked["format"], asked["maxlag"]) == ("query", "json", "1")
        if self.busy:
            self.busy -= 1
            error = {"error": {"code": "maxlag", "info": "Waiting: 7 seconds lagged."}}
            return Page(json.dumps(error).encode())
        if "list" in asked:
            members = [{"title": title} for title in BELOW.get(asked["cmtitle"], [])]
            return Page(json.dumps({"query": {"categorymembers": members}}).encode())
        if asked["gcmtitle"] not in CATEGORIES:
            return Page(b'{"batchcomplete": true}')
        members = CATEGORIES[asked["gcmtitle"]]
        start, later = int(asked.get("gcmcontinue", 0)), "iicontinue" in asked
        pages = [
            {"pageid": start + index, "title": title}
            | ({"imageinfo": [self.about(title)]} if (index == 1) == later else {})
            for index, title in enumerate(members[start : start + 2])
        ]
        more = {}
        if not later and len(pages) > 1:
            more = {"iicontinue": "1", "gcmcontinue": str(start)}
        elif start + 2 < len(members):
            more = {"gcmcontinue": str(start + 2)}
        answer = {"query": {"pages": pages}, **({"continue": more} if more else {})}
        return Page(json.dumps(answer).encode())

    def about(self, title: str) -> dict[str, Any]:
        kind = {"jpg": "image/jpeg", "png": "image/png"}.get(title[-3:], "application/pdf")
        return {
            **{"mime": kind, "size": 9, "width": 4000, "height": 3000},
            **{"thumburl": self.served.url(self.place(title)), "url": "http://127.0.0.1:1/"},
            **{"thumbwidth": 1920, "thumbheight": 1440},
            "descriptionurl": f"https://commons.wikimedia.org/wiki/{title.replace(' ', '_')}",
            "extmetadata": {
                "LicenseShortName": {"value": "CC BY-SA 4.0", "source": "commons-desc-page"},
                "LicenseUrl": {"value": "https://creativecommons.org/licenses/by-sa/4.0"},
                "Artist": {"value": '<a href="//x" title="y">B. &amp; <b>Söhne</b></a>,\nKöln'},
            },
        }


@pytest.fixture
def wiki() -> Iterator[Wiki]:
    with web() as served:
        yield Wiki(served)


def run(wiki: Wiki, folder: Path, *more: str) -> tuple[int, str, str]:
    settings = {
        **{"endpoint": wiki.served.url("/w/api.php"), "maxlag": 1, "batch": 2},
        **{"download.allow_private": "true", "download.pause": 0.0, "download.patience": 0.1},
        "download.retries": 2,
    }
    words = [f"commons.{name}={value}" for name, value in settings.items()]
    return start(collect, folder, "category=Ada", "folder=photos", *words, *more)


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "photos" / "sources.csv").open(newline="", encoding="utf-8") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "photos").iterdir() if path.suffix != ".csv")


def test_photos_come_with_licence_and_author(wiki: Wiki, tmp_path: Path):
    code, out, err = run(wiki, tmp_path)
    assert (code, err) == (0, "")
    assert "photos: 0 there before, 3 fetched, 0 failed" in out
    assert names(tmp_path) == EVERY
    assert (tmp_path / "photos" / "Ada_1.jpg").read_bytes() == b"File:Ada 1.jpg"
    assert sorted(rows(tmp_path)) == EVERY
    assert rows(tmp_path)["Ada_1.jpg"] == {
        "name": "Ada_1.jpg",
        "page": "https://commons.wikimedia.org/wiki/File:Ada_1.jpg",
        "url": wiki.served.url(wiki.place("File:Ada 1.jpg")),
        "licence": "CC BY-SA 4.0",
        "licence_url": "https://creativecommons.org/licenses/by-sa/4.0",
        "author": "B. & Söhne , Köln",
        "width": "1920",
        "height": "1440",
    }
    assert all("headrecon" in agent for agent in wiki.served.agents)


def test_the_table_of_sources_is_no_photo_but_a_list_of_them(wiki: Wiki, tmp_path: Path):
    run(wiki, tmp_path)
    gather: Gather = configured("gather/folder.yaml")
    assert list(gather(tmp_path / "photos").names) == EVERY
    kept = {"downloads": str(tmp_path / "kept")}
    listed = configured("gather/manifest.yaml", **kept)(tmp_path / "photos" / "sources.csv")
    assert sorted(listed.names) == sorted(row["url"] for row in rows(tmp_path).values())


def test_what_is_there_is_not_fetched_again_and_what_failed_is(wiki: Wiki, tmp_path: Path):
    place = wiki.place("File:Ada 2.jpg")
    page = wiki.served.pages.pop(place)
    _, out, _ = run(wiki, tmp_path)
    assert "Ada_2.jpg: the server says 404" in out
    assert "0 there before, 2 fetched, 1 failed" in out
    assert "Ada_2.jpg" not in rows(tmp_path)
    wiki.served.pages[place] = page
    _, out, _ = run(wiki, tmp_path)
    assert "2 there before, 1 fetched, 0 failed" in out
    assert wiki.served.asked.count(wiki.place("File:Ada 1.jpg")) == 1
    assert sorted(rows(tmp_path)) == EVERY


def test_rows_of_another_category_stay(wiki: Wiki, tmp_path: Path):
    run(wiki, tmp_path)
    run(wiki, tmp_path, "category=Category:Ada as a child")
    assert sorted(rows(tmp_path)) == sorted([*EVERY, "Child.jpg"]) == names(tmp_path)


def test_subcategories_are_searched_as_deep_as_is_said_and_not_in_circles(
    wiki: Wiki, tmp_path: Path
):
    code, _, err = run(wiki, tmp_path, "commons.depth=5")
    assert (code, err) == (0, "")
    assert names(tmp_path) == sorted([*EVERY, "Child.jpg"])


def test_no_more_photos_and_bytes_come_than_are_wanted(wiki: Wiki, tmp_path: Path):
    run(wiki, tmp_path, "most=2")
    assert len(names(tmp_path)) == len(rows(tmp_path)) == 2
    _, out, _ = run(wiki, tmp_path, "most_bytes=14")
    assert "Ada,_über.png: more than 14 bytes" in out
    code, _, err = run(wiki, tmp_path, "most_total_bytes=14")
    assert (code, err.count("\n")) == (2, 1)
    assert "14 bytes already" in err


def test_a_busy_wiki_is_asked_again(wiki: Wiki, tmp_path: Path):
    wiki.busy = 2
    assert run(wiki, tmp_path)[0] == 0
    wiki.busy = 9
    code, _, err = run(wiki, tmp_path)
    assert (code, err) == (2, "headrecon: Ada: the wiki says Waiting: 7 seconds lagged.\n")


@pytest.mark.parametrize(
    "answer", [b"<html>", b"[]", b'{"query": {"pages": [{"imageinfo": [{}]}]}}']
)
def test_other_servers_are_refused_in_one_line(wiki: Wiki, tmp_path: Path, answer: bytes):
    wiki.served.pages["/w/api.php"] = Page(answer)
    code, _, err = run(wiki, tmp_path)
    assert (code, err.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("File:../../evil.jpg", "_.._evil-7.jpg"),
        ("File:.hidden.jpg", "hidden-7.jpg"),
        ("File:a\x00b.jpg", "a_b-7.jpg"),
        ("File:" + "ü" * 200 + ".jpg", "ü" * 75 + "-7.jpg"),
        ("File:sources.csv", "sources-7.csv"),
    ],
)
def test_titles_become_harmless_names(wiki: Wiki, tmp_path: Path, title: str, name: str):
    about = wiki.about("File:Ada 1.jpg")
    pages = [{"pageid": 7, "title": title, "imageinfo": [about]}]
    wiki.served.pages["/w/api.php"] = Page(json.dumps({"query": {"pages": pages}}).encode())
    run(wiki, tmp_path)
    assert list(rows(tmp_path)) == [name]
    assert (tmp_path / "photos" / name).read_bytes() == b"File:Ada 1.jpg"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["category=Nobody"], "Nobody has no photos that could be fetched"),
        (["folder=???"], "folder is missing"),
        (["commons.depth=much"], "commons.depth is 'much', but must be of type int"),
        (["commons.endpoint=http://127.0.0.1:1/"], "Connection refused"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(wiki: Wiki, tmp_path: Path, words: list[str], said: str):
    code, _, err = run(wiki, tmp_path, *words)
    assert (code, err.count("\n")) == (2, 1)
    assert said in err
