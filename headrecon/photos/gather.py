"""The photos of a folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from headrecon.types import Photo


class NoPhotos(ValueError):
    """The folder is missing, or holds nothing that could be a photo."""


@dataclass(frozen=True)
class Folder:
    """The photos of a folder in the order of their names, each read only when it is asked for."""

    root: Path
    names: tuple[str, ...]
    """Paths relative to `root`, with forward slashes."""

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
        return Folder(root, tuple(names))

    def _is_photo(self, path: Path) -> bool:
        hidden = any(part.startswith(".") for part in path.parts)
        return not hidden and path.suffix.lower() in self.suffixes
