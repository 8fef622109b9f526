"""Two hundred files that are not what they seem: each gets a verdict, and nothing falls over."""

import csv
import io
import os
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from PIL import Image

from headrecon.outputs import as_csv, photo_table
from headrecon.photos.detect import Detect
from headrecon.photos.gather import Pile
from headrecon.pipeline import Pipeline
from headrecon.store import Store
from headrecon.types import Collection, Rejection
from tests import artifacts
from tests.photos.settings import CONF, configured

COUNT = 200
KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF")
SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif"}


def whole(kind: str) -> bytes:
    y, x = np.mgrid[:37, :61]
    picture = Image.fromarray(np.stack([4 * x, 6 * y, x * y % 256], axis=-1).astype(np.uint8))
    buffer = io.BytesIO()
    picture.save(buffer, kind, exif=Image.Exif().tobytes() if kind == "JPEG" else b"")
    return buffer.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png_bomb(random_: random.Random) -> bytes:
    """A few bytes that claim to hold a picture of any size, and maybe do."""
    side = random_.choice([20_000, 100_000, 2**31 - 1])
    size = struct.pack(">IIBBBBB", side, side, random_.choice([1, 8]), 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def text_bomb(_: random.Random) -> bytes:
    """A picture of one pixel with a comment of a hundred megabytes."""
    comment = b"a\0\0" + zlib.compress(bytes(100_000_000), 9)
    size = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", size), chunk(b"zTXt", comment), chunk(b"IDAT", zlib.compress(b"\0\0"))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def gif_bomb(_: random.Random) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b"," + bytes(40)


def fuzzed_header(random_: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(random_.randint(4, 32)):
        changed[random_.randrange(min(len(changed), 64))] = random_.randrange(256)
    return bytes(changed)


def fuzzed_anywhere(random_: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(random_.randint(40, 400)):
        changed[random_.randrange(len(changed))] = random_.randrange(256)
    return bytes(changed)


def truncated(random_: random.Random, content: bytes) -> bytes:
    return content[: random_.randrange(len(content))]


def hostile(folder: Path, seed: int) -> None:
    """Writes the files; those of a kind differ by what the generator says."""
    random_ = random.Random(seed)
    originals = {kind: whole(kind) for kind in KINDS}
    spoil: list[Callable[[random.Random, bytes], bytes]]
    spoil = [fuzzed_header, fuzzed_anywhere, truncated]
    links(folder)
    bare = {
        **{"empty.jpg": b"", "empty.mp4": b"", "notes.txt": b"my notes", "text.png": b"my notes"},
        **{
            "page.jpg": b"<html><img src=http://127.0.0.1/></html>",
            "zip.webp": b"PK\3\4" + bytes(30),
        },
        **{"program.jpg": b"\x7fELF" + bytes(99), "zeros.tiff": bytes(4096), "png": b"\x89PNG"},
        **{"list.mp4": b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/a.ts\n", "script.jpg": b"%!PS\n"},
        **{"drawing.gif": b"<svg xmlns='http://www.w3.org/2000/svg'/>", '\n\r,".jpg': b"x"},
        **{os.fsdecode(b"\xff\xfe.jpg"): b"x", "-rf.jpg": b"x", "a" * 240 + ".jpg": b"x"},
        **{"text bomb.png": text_bomb(random_), "bomb.gif": gif_bomb(random_)},
    }
    for name, content in bare.items():
        (folder / name).write_bytes(content)
    for index in range(6):
        (folder / f"bomb {index}.png").write_bytes(png_bomb(random_))
    for index in range(COUNT - len(list(folder.iterdir()))):
        kind, other = random_.choice(KINDS), random_.choice(KINDS)
        suffix = SUFFIXES.get(other, f".{other.lower()}")
        content = spoil[index % 3](random_, originals[kind])
        (folder / f"{index:03d}{suffix}").write_bytes(content)


def links(folder: Path) -> None:
    """What is no file of its own."""
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    for name, target in {
        **{"nowhere.jpg": "gone", "circle.jpg": "circle.jpg", "up": ".", "device.png": "/dev/zero"},
        "memory.jpg": "/proc/self/mem",
    }.items():
        (folder / name).symlink_to(target)


@pytest.fixture
def pile(tmp_path: Path) -> Pile:
    folder = tmp_path / "photos"
    folder.mkdir()
    hostile(folder, 5)
    return configured("gather/folder.yaml")(folder)


def test_two_hundred_hostile_files_have_two_hundred_verdicts(
    pile: Pile, detect: Detect, tmp_path: Path
):
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("config", ["+subject=folder", "subject.name=a", "subject.photos=b"])
    pipeline: Pipeline = instantiate(config.pipeline, _convert_="all")
    _, seen = pipeline.look(pile, Store(tmp_path / "artifacts"))
    # None of them shows a face, so all are rejected.
    rejections = tuple(found for found in seen if isinstance(found, Rejection))
    assert len(rejections) == len(seen) == len({found.name for found in seen}) == COUNT
    assert all(found.reason and found.reason.isprintable() for found in rejections)
    # Not by one and the same fault.
    assert len({found.reason.partition("(")[0] for found in rejections}) >= 10
    table = as_csv(
        photo_table(
            replace(
                artifacts.reconstruction(),
                collection=Collection((), ()),
                views=(),
                rejections=rejections,
            ),
            (),
        )
    )
    rows = list(csv.DictReader(io.StringIO(table.encode().decode(), newline="")))
    assert len(rows) == COUNT
    assert {row["kept"] for row in rows} == {"false"}
    assert all(row["reason"] for row in rows)
