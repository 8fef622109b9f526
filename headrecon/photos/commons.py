"""The photos of a category of Wikimedia Commons, or of any other MediaWiki."""

import html
import itertools
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode

from headrecon.photos.connect import NotFetched
from headrecon.photos.download import Download
from headrecon.photos.gather import OVERRIDES, SOURCES

_BUSY = ("maxlag", "ratelimited", "readonly")
_ANSWER_BYTES = 20_000_000


@dataclass(frozen=True)
class Finding:
    """A photo that a wiki offers, and what has to be said when it is used."""

    name: str
    """Of the file that it becomes: neither hidden nor in another folder."""
    page: str
    """Where the wiki describes it."""
    url: str
    licence: str
    licence_url: str
    author: str
    width: int
    height: int


@dataclass(frozen=True)
class Commons:
    """The photos of a category in the wiki's order, and then those of its subcategories."""

    endpoint: str
    """URL of the wiki's `api.php`."""
    depth: int
    """Levels of subcategories that are searched as well; 0 for none."""
    kinds: list[str]
    """MIME types of photos."""
    side: int
    """Width of the copies that are asked for, where the original is wider; 0 for originals."""
    batch: int
    """Photos in one answer."""
    maxlag: int
    """Seconds that the wiki's copies may lag behind before it asks to be left alone."""
    download: Download

    def __call__(self, category: str) -> Iterator[Finding]:
        """Each photo once; `NotFetched` if the wiki cannot be asked."""
        try:
            yield from self._search(category)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise NotFetched(f"{self.endpoint} answers unlike a MediaWiki") from error

    def _search(self, category: str) -> Iterator[Finding]:
        """The categories level by level."""
        level, known = [_titled(category)], {_titled(category)}
        names: set[str] = set()
        for depth in range(self.depth + 1):
            for title in level:
                for finding in self._photos(title):
                    if finding.name not in names:
                        names.add(finding.name)
                        yield finding
            if depth < self.depth:
                below = dict.fromkeys(itertools.chain.from_iterable(map(self._below, level)))
                level = [title for title in below if title not in known]
                known.update(level)

    def _photos(self, title: str) -> Iterator[Finding]:
        """The photos right in a category."""
        question = {
            **{"generator": "categorymembers", "gcmtitle": title, "gcmtype": "file"},
            **{"gcmlimit": str(self.batch), "prop": "imageinfo"},
            "iiprop": "url|size|mime|extmetadata",
            "iiextmetadatafilter": "LicenseShortName|LicenseUrl|Artist",
            **({"iiurlwidth": str(self.side)} if self.side else {}),
        }
        for answer in self._answers(question):
            for page in answer.get("pages", []):
                # Pages without it get it in a later answer.
                for about in page.get("imageinfo", [])[:1]:
                    if about.get("mime") in self.kinds:
                        yield _finding(page, about)

    def _below(self, title: str) -> Iterator[str]:
        """The subcategories right in a category."""
        question = {
            **{"list": "categorymembers", "cmtitle": title, "cmtype": "subcat"},
            "cmlimit": str(self.batch),
        }
        for answer in self._answers(question):
            for member in answer.get("categorymembers", []):
                yield str(member["title"])

    def _answers(self, question: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """What the wiki says to a question, one part after the other."""
        common = {
            **{"action": "query", "format": "json", "formatversion": "2"},
            "maxlag": str(self.maxlag),
        }
        more: dict[str, str] = {}
        while True:
            asked = f"{self.endpoint}?{urlencode({**common, **question, **more})}"
            answer = self._answer(asked)
            yield answer.get("query", {})
            if answer.get("continue", more) == more:
                return
            more = answer["continue"]

    def _answer(self, url: str) -> dict[str, Any]:
        """One answer of a wiki, which is asked again if it is busy."""
        for attempt in itertools.count():
            answer = json.loads(self.download(url, _ANSWER_BYTES))
            fault = answer.get("error")
            if not fault:
                return answer
            if fault.get("code") not in _BUSY or attempt == self.download.retries:
                raise NotFetched(f"the wiki says {_plain(str(fault.get('info', fault)))}")
            time.sleep(min(2.0**attempt * self.maxlag, self.download.patience))
        raise AssertionError


def _titled(category: str) -> str:
    """The full title of a category."""
    return category if category.lower().startswith("category:") else f"Category:{category}"


def _finding(page: Mapping[str, Any], about: Mapping[str, Any]) -> Finding:
    said = about.get("extmetadata", {})
    told = {name: _plain(str(value.get("value", ""))) for name, value in said.items()}
    # The wiki tells of a smaller copy beside the original.
    kind = "thumb" if about.get("thumburl") else ""
    return Finding(
        name=_file_name(str(page["title"]), int(page["pageid"])),
        page=str(about["descriptionurl"]),
        url=str(about[f"{kind}url"]),
        licence=told.get("LicenseShortName", ""),
        licence_url=told.get("LicenseUrl", ""),
        author=told.get("Artist", ""),
        width=int(about[f"{kind}width"]),
        height=int(about[f"{kind}height"]),
    )


def _plain(text: str) -> str:
    """The words of a piece of HTML."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def _file_name(title: str, number: int) -> str:
    """A harmless file name for a title; one that had to be changed gets the page's number."""
    named = title.partition(":")[2].strip().replace(" ", "_")
    harmless = re.sub(r"[^\w.()',&+-]", "_", named).lstrip(".")
    suffix = PurePosixPath(harmless).suffix[:10]
    short = harmless.removesuffix(suffix).encode()[:150].decode(errors="ignore")
    changed = f"{short}{suffix}" != named or named in (OVERRIDES, SOURCES)
    return f"{short}-{number}{suffix}" if changed else named
