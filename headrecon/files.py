"""Files that appear whole or not at all."""

import os
import tempfile
from pathlib import Path


def write(path: Path, contents: str | bytes) -> None:
    """Write beside the place, then rename: a reader never meets half a file.

    Folders that are missing are made; text is UTF-8.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    encoded = contents.encode("utf-8", "replace") if isinstance(contents, str) else contents
    # In a folder of its own, since a temporary file could be read by its owner only.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        scratch = Path(folder) / "scratch"
        scratch.write_bytes(encoded)
        os.replace(scratch, path)
