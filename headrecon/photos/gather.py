"""The photos of a folder."""

import csv
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from headrecon.types import Photo

OVERRIDES = "overrides.csv"
_WISHES = ("keep", "drop")
_log = logging.getLogger(__name__)


class NoPhotos(ValueError):
    """The folder is missing, or holds nothing that could be a photo."""


@dataclass(frozen=True)
class Folder:
    """The photos of a folder in the order of their names, each read only when it is asked for."""

    root: Path
    names: tuple[str, ...]
    """Paths relative to `root`, with forward slashes."""
    overrides: dict[str, str]
    """What the user has decided about photos: keep or drop, by name."""

    def __len__(self) -> int:
        """The number of photos."""
        return len(self.names)

    def __iter__(self) -> Iterator[Photo]:
        """One photo after the other; none stays in memory."""
        return (self.read(name) for name in self.names)

    def read(self, name: str) -> Photo:
        """The photo of that name."""
        content = np.fromfile(self.root / name, dtype=np.uint8)
        return Photo(name, torch.from_numpy(content))


@dataclass(frozen=True)
class Gather:
    """The photos in a folder and its subfolders, hidden ones left out.

    Files are chosen by the ends of their names, so that notes beside the photos are no error, while
    a broken photo is gathered, and later rejected with a reason.
    """

    suffixes: tuple[str, ...] | list[str]
    """Endings of the names of photos, in lower case and with the dot."""

    def __call__(self, folder: str | Path) -> Folder:
        """List the folder; nothing is read yet."""
        root = Path(folder)
        if not root.is_dir():
            raise NoPhotos(f"the photo folder {root} does not exist; put the photos there")
        paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
        names = sorted(path.as_posix() for path in paths if self._is_photo(path))
        if not names:
            raise NoPhotos(
                f"the photo folder {root} holds no photos (looked for {' '.join(self.suffixes)})"
            )
        return Folder(root, tuple(names), read_overrides(root / OVERRIDES, set(names)))

    def _is_photo(self, path: Path) -> bool:
        hidden = any(part.startswith(".") for part in path.parts)
        return not hidden and path.suffix.lower() in self.suffixes


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
