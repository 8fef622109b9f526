"""The photos of a folder."""

import csv
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from headrecon.photos.source import File, Source, reason_of, shown
from headrecon.types import Photo, Rejection, Video

OVERRIDES = "overrides.csv"
SOURCES = "sources.csv"
_WISHES = ("keep", "drop")
_log = logging.getLogger(__name__)


class NoPhotos(ValueError):
    """The photos are missing, or there is nothing that could be one."""


@dataclass(frozen=True)
class Pile:
    """The photos of a subject in the order of their names, each read only when it is asked for."""

    sources: tuple[Source | Rejection, ...]
    """What could not even be a photo is there with the reason."""
    overrides: dict[str, str]
    """What the user has decided about photos: keep or drop, by name."""

    @property
    def names(self) -> tuple[str, ...]:
        """What tells them apart."""
        return tuple(source.name for source in self.sources)

    def __len__(self) -> int:
        """The number of files."""
        return len(self.sources)

    def __iter__(self) -> Iterator[Photo | Video | Rejection]:
        """One after the other; none stays in memory."""
        for source in self.sources:
            yield source if isinstance(source, Rejection) else source.read()


@dataclass(frozen=True)
class Gather:
    """The photos and videos in a folder and its subfolders, hidden ones left out.

    They are told by the ends of their names. Whatever else lies there is gathered as a rejection,
    so that nothing is missed without a word; the tables that belong to the folder are not.
    """

    photos: list[str]
    """Endings of the names of photos, in lower case and with the dot."""
    videos: list[str]
    most_bytes: int
    """Larger photos are not read."""
    most_video_bytes: int

    def __call__(self, folder: str | Path) -> Pile:
        """List the folder; nothing is read yet."""
        root = Path(folder)
        if not root.is_dir():
            raise NoPhotos(f"there is no folder {root.resolve()}: put the photos there")
        found = {entry.name: entry for entry in self._entries(root)}
        if not any(isinstance(entry, File) for entry in found.values()):
            kinds = " ".join([*self.photos, *self.videos])
            raise NoPhotos(f"the folder {root.resolve()} holds no photos (looked for {kinds})")
        sources = tuple(found[name] for name in sorted(found))
        return Pile(sources, read_overrides(root / OVERRIDES, set(found)))

    def _entries(self, root: Path) -> Iterator[File | Rejection]:
        """Everything below a folder, in no order."""
        failures: list[OSError] = []
        for place, folders, files in os.walk(root, onerror=failures.append):
            folders[:] = [name for name in folders if not name.startswith(".")]
            here = Path(place)
            for name in folders:
                yield from self._folder(here / name, root)
            for name in files:
                beside = here == root and name in (OVERRIDES, SOURCES)
                if not name.startswith(".") and not beside:
                    yield self._file(here / name, root)
        for failure in failures:
            name = _name(Path(failure.filename), root)
            yield Rejection(name, f"cannot be opened ({reason_of(failure)})")

    def _folder(self, path: Path, root: Path) -> Iterator[Rejection]:
        """What there is to say about a subfolder."""
        if path.is_symlink():
            yield Rejection(_name(path, root), "a link to a folder, which is not followed")
        elif path.suffix.lower() in (*self.photos, *self.videos):
            yield Rejection(_name(path, root), "a folder, not a photo")

    def _file(self, path: Path, root: Path) -> File | Rejection:
        suffix, name = path.suffix.lower(), _name(path, root)
        if suffix in self.photos:
            return File(name, path, Photo, self.most_bytes)
        if suffix in self.videos:
            return File(name, path, Video, self.most_video_bytes)
        return Rejection(name, "not a photo, by the end of its name")


def _name(path: Path, root: Path) -> str:
    return shown(path.relative_to(root).as_posix())


def read_overrides(file: Path, names: set[str]) -> dict[str, str]:
    """Rows `name,keep` or `name,drop`; a header is allowed, and so is a missing file.

    Raises `ValueError` for a row that is anything else; a photo that does not exist is only said.
    """
    if not file.is_file():
        return {}
    found = {}
    with file.open(newline="", encoding="utf-8-sig") as opened:
        for number, row in enumerate(csv.reader(opened), start=1):
            cells = [cell.strip() for cell in row]
            if not any(cells) or (number == 1 and cells[0].lower() == "name"):
                continue
            if len(cells) != 2 or cells[1].lower() not in _WISHES:
                raise ValueError(f"{file} line {number}: {','.join(row)!r} is no name,keep|drop")
            if cells[0] not in names:
                _log.warning("%s line %d: there is no photo %s", file.name, number, cells[0])
            found[cells[0]] = cells[1].lower()
    return found
