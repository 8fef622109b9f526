"""Arrays in `.npz` files whose contents are read only when they are looked at.

A collection of a thousand portraits is larger than the memory of a laptop. Its arrays are mapped
from their files instead of read, so that the system can drop what is not looked at. Any program
that reads `.npz` reads these files; they are only laid out so that arrays begin at whole multiples
of `_ALIGNMENT` bytes, as mapping needs it.
"""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

_ALIGNMENT = 64
_LOCAL_HEADER = 30
"""Bytes of the header before each member of a zip file, without its name and extra field."""
_PADDING_ID = b"\x35\xd9"
"""Of extra fields that mean nothing but their length (as zipalign writes them)."""


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an `.npz` file without compression."""
    with path.open("wb") as raw, zipfile.ZipFile(raw, "w", zipfile.ZIP_STORED) as file:
        for name, array in arrays.items():
            content = io.BytesIO()
            # The header of the array within is padded to the same alignment by numpy.
            np.lib.format.write_array(content, np.asarray(array, order="C"), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy")
            begin = raw.tell() + _LOCAL_HEADER + len(entry.filename.encode()) + 4
            padding = -begin % _ALIGNMENT
            entry.extra = _PADDING_ID + padding.to_bytes(2, "little") + bytes(padding)
            file.writestr(entry, content.getbuffer())


def map_arrays(path: Path) -> dict[str, Tensor | str]:
    """The arrays of a file that `write_arrays` wrote, by name; texts are read.

    What is written to the tensors stays in memory and never reaches the file. Raises `ValueError`
    if the file is damaged, and `FileNotFoundError` if another process has just taken it away.
    """
    with path.open("rb") as raw, zipfile.ZipFile(raw) as file:
        damaged = file.testzip()
        if damaged:
            raise ValueError(f"{damaged} is damaged")
        size = path.stat().st_size
        try:
            whole = torch.UntypedStorage.from_file(str(path), shared=False, nbytes=size)
        except RuntimeError as error:
            if path.exists():
                raise
            raise FileNotFoundError(path) from error
        return {
            entry.filename.removesuffix(".npy"): _mapped(file, entry, raw, whole)
            for entry in file.infolist()
        }


def _mapped(
    file: zipfile.ZipFile, entry: zipfile.ZipInfo, raw: BinaryIO, whole: Any
) -> Tensor | str:
    """One array of the file."""
    with file.open(entry) as member:
        version = np.lib.format.read_magic(member)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            raise ValueError(f"{entry.filename} has format {version}")
        shape, _, dtype = read(member)
        begin = member.tell()
        if dtype.kind not in "biuf":
            member.seek(0)
            return str(np.lib.format.read_array(member, allow_pickle=False))
    start = entry.header_offset + _LOCAL_HEADER + len(entry.filename.encode()) + begin
    # The extra field before the member itself may differ from the directory's.
    raw.seek(entry.header_offset + _LOCAL_HEADER - 2)
    start += int.from_bytes(raw.read(2), "little")
    kind = torch.from_numpy(np.empty(0, dtype)).dtype
    strides = torch.empty(shape, device="meta").stride()
    return torch.empty(0, dtype=kind).set_(whole, start // dtype.itemsize, shape, strides)
