"""The photos that a list names: files and addresses on the web."""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from headrecon.files import write
from headrecon.photos.connect import NotFetched
from headrecon.photos.download import Download
from headrecon.photos.gather import OVERRIDES, NoPhotos, Pile, read_overrides
from headrecon.photos.source import File, Source, reason_of, shown
from headrecon.types import Photo, Rejection, Video

_COLUMNS = ("url", "path")


@dataclass(frozen=True)
class Remote:
    """A photo or video on the web, which is fetched once and kept in a folder."""

    name: str
    url: str
    kept: File
    """Where it is kept."""
    download: Download
    most_total_bytes: int
    """Of all files in the folder; when they are as many, nothing more is fetched."""

    def read(self) -> Photo | Video | Rejection:
        """What is kept, or else what the server gives, or why there is nothing."""
        try:
            if not self.kept.path.exists():
                write(self.kept.path, self._fetched())
        except (NotFetched, OSError) as error:
            return Rejection(self.name, f"cannot be fetched ({reason_of(error)})")
        return self.kept.read()

    def _fetched(self) -> bytes:
        folder = self.kept.path.parent
        used = sum(path.stat().st_size for path in folder.glob("*") if path.is_file())
        rest = self.most_total_bytes - used
        if rest <= 0:
            raise NotFetched(f"all files together have {self.most_total_bytes} bytes already")
        return self.download(self.url, min(rest, self.kept.most_bytes))


@dataclass(frozen=True)
class Manifest:
    """The photos and videos that a text names, a path or URL a line, or a CSV table.

    A table has a column `url` or `path`, or both; its other columns are left alone. In a text,
    lines that begin with # are left out. Paths begin at the folder of the list.
    """

    videos: list[str]
    """Endings of the names of videos, in lower case and with the dot."""
    most_bytes: int
    """Larger photos are neither fetched nor read."""
    most_video_bytes: int
    most_total_bytes: int
    """Of all downloads together."""
    allow_outside: bool
    """Whether paths may lead out of the folder of the list."""
    downloads: str
    """The folder where downloads are kept."""
    download: Download

    def __call__(self, file: str | Path) -> Pile:
        """Read the list; nothing is fetched yet."""
        path = Path(file)
        if not path.is_file():
            raise NoPhotos(f"there is no list {path.resolve()} of paths and URLs of photos")
        try:
            entries = _table(path) if path.suffix.lower() == ".csv" else _lines(path)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise NoPhotos(f"the list {path.resolve()} cannot be read ({error})") from error
        if not entries:
            raise NoPhotos(f"the list {path.resolve()} names no photos")
        sources = {shown(entry): self._source(entry, path.parent) for entry in entries}
        ordered = tuple(sources[name] for name in sorted(sources))
        return Pile(ordered, read_overrides(path.parent / OVERRIDES, set(sources)))

    def _source(self, entry: str, root: Path) -> Source | Rejection:
        name, scheme = shown(entry), entry.partition("://")[0].lower()
        if scheme == entry.lower():
            path = root / entry
            inside = path.resolve().is_relative_to(root.resolve())
            if not inside and not self.allow_outside:
                return Rejection(name, "lies outside the folder of the list")
            return self._file(name, path, entry)
        if scheme not in ("http", "https"):
            return Rejection(name, "cannot be fetched (only http and https are)")
        kept = Path(self.downloads) / hashlib.sha256(entry.encode()).hexdigest()[:32]
        try:
            target = urlsplit(entry).path
        except ValueError as error:
            return Rejection(name, f"cannot be fetched ({reason_of(error)})")
        file = self._file(name, kept, target)
        return Remote(name, entry, file, self.download, self.most_total_bytes)

    def _file(self, name: str, path: Path, said: str) -> File:
        """A file of the kind that the end of what is `said` about it names."""
        if PurePosixPath(said).suffix.lower() in self.videos:
            return File(name, path, Video, self.most_video_bytes)
        return File(name, path, Photo, self.most_bytes)


def _lines(path: Path) -> list[str]:
    lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _table(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig") as opened:
        table = csv.DictReader(opened)
        columns = [column for column in table.fieldnames or () if column.lower() in _COLUMNS]
        if not columns:
            raise NoPhotos(f"the table {path.resolve()} has no column {' or '.join(_COLUMNS)}")
        rows = [[(row[column] or "").strip() for column in columns] for row in table]
    return [next(filter(None, cells)) for cells in rows if any(cells)]
