"""Where a photo or a video is read from, when it is asked for."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch

from headrecon.types import Photo, Rejection, Video


@runtime_checkable
class Source(Protocol):
    """Something that may turn out to be a photo."""

    @property
    def name(self) -> str:
        """What the photo will be called."""
        ...

    def read(self) -> Photo | Video | Rejection:
        """The photo, or why there is none; nothing is raised."""
        ...


@dataclass(frozen=True)
class File:
    """A photo or a video in a file."""

    name: str
    path: Path
    kind: type[Photo] | type[Video]
    most_bytes: int
    """A larger file is not read."""

    def read(self) -> Photo | Video | Rejection:
        """The file, which may have vanished, or never have been one."""
        try:
            # Opening a pipe would wait for somebody to write to it.
            with open(self.path, "rb", opener=_open_at_once) as file:
                about = os.fstat(file.fileno())
                if not stat.S_ISREG(about.st_mode):
                    return Rejection(self.name, "not a file, but a pipe or a device")
                if about.st_size > self.most_bytes:
                    return Rejection(self.name, f"more than {self.most_bytes} bytes")
                # One byte more tells a file that cannot be read from one that is empty.
                content = np.empty(about.st_size + 1, dtype=np.uint8)
                count = min(file.readinto(content.data), about.st_size)
        except (OSError, ValueError) as error:
            return Rejection(self.name, f"cannot be read ({reason_of(error)})")
        return self.kind(self.name, torch.from_numpy(content[:count]))


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def reason_of(error: Exception) -> str:
    """What the system says, in one line and without the path."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(said.split()) or type(error).__name__


def shown(path: str) -> str:
    """A file's name as it can be printed and written to tables; no two names become the same.

    Names may hold line breaks, and bytes that are no UTF-8.
    """
    return "".join(
        c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode() for c in path
    )
