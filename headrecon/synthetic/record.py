"""The truth about made-up photos as files: written by a session, read by whoever judges."""

import base64
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from headrecon.synthetic.chance import Framing, Pose, Taking
from headrecon.synthetic.light import Lamp, Light
from headrecon.truth import Lens, PhotoTruth, Truth

_FLOW_STEPS = 64.0
"""Per pixel; with an offset of 2^15, the encoding of the KITTI flow benchmark."""


def photo_record(truth: PhotoTruth, seen: str) -> dict[str, Any]:
    """The truth about a photo as JSON has it, with the vertices that it shows, packed."""
    lens = truth.lens
    return {
        **asdict(truth),
        "lens": {
            **asdict(lens),
            "view_from_head": lens.view_from_head.tolist(),
            "translation": lens.translation.tolist(),
            "principal": lens.principal.tolist(),
        },
        "picture_from_lens": truth.picture_from_lens.tolist(),
        "expression": truth.expression.tolist(),
        "fiducials": truth.fiducials.tolist(),
        "visible": truth.visible.long().tolist(),
        "seen": seen,
    }


def photo_truth(record: dict[str, Any]) -> PhotoTruth:
    """The inverse of `photo_record`."""
    lens = record["lens"]
    return PhotoTruth(
        **{
            name: record[name]
            for name in ("name", "identity", "duplicate_of", "azimuth", "elevation", "roll")
        },
        dirt=tuple(record["dirt"]),
        lens=Lens(
            view_from_head=torch.tensor(lens["view_from_head"]),
            translation=torch.tensor(lens["translation"]),
            focal=lens["focal"],
            principal=torch.tensor(lens["principal"]),
            height=lens["height"],
            width=lens["width"],
        ),
        picture_from_lens=torch.tensor(record["picture_from_lens"]),
        expression=torch.tensor(record["expression"]),
        style=record["style"],
        fiducials=torch.tensor(record["fiducials"]),
        visible=torch.tensor(record["visible"]).bool(),
    )


def pack_seen(seen: Bool[Tensor, " vertex"]) -> str:
    """Which vertices a photo shows, in few characters."""
    return f"{len(seen)}:{base64.b64encode(np.packbits(seen.numpy()).tobytes()).decode()}"


def unpack_seen(text: str) -> Bool[Tensor, " vertex"]:
    """The inverse of `pack_seen`."""
    count, _, packed = text.partition(":")
    bits = np.frombuffer(base64.b64decode(packed), np.uint8)
    return torch.from_numpy(np.unpackbits(bits, count=int(count)).astype(bool))


def taking(record: dict[str, Any]) -> Taking:
    """All that a recorded photo depended on, to take it again."""
    light = record["light"]
    values = {
        **record,
        "pose": Pose(**record["pose"]),
        "framing": Framing(**record["framing"]),
        "expression": tuple(record["expression"]),
        "gaze": tuple(record["gaze"]),
        "light": Light(
            ambient=tuple(light["ambient"]),
            glows=tuple(map(_lamp, light["glows"])),
            lamps=tuple(map(_lamp, light["lamps"])),
            specular=light["specular"],
        ),
    }
    return Taking(**values)


def _lamp(record: dict[str, Any]) -> Lamp:
    return Lamp(tuple(record["direction"]), tuple(record["color"]), record["size"])


def encode_flow(flow: Float[np.ndarray, "h w xy=2"]) -> bytes:
    """A 16-bit PNG: x, y and whether there is any flow, in this order of channels."""
    valid = np.isfinite(flow).all(axis=2, keepdims=True)
    coded = np.where(valid, _FLOW_STEPS * flow + 2.0**15, 0.0)
    layers = np.dstack([coded, valid]).round().clip(0, 2**16 - 1).astype(np.uint16)
    # OpenCV writes the last channel first.
    return cv2.imencode(".png", layers[..., ::-1])[1].tobytes()


def read_flow(path: Path) -> Float[np.ndarray, "h w xy=2"]:
    """From each pixel of the head to its place with a neutral face; NaN where there is no head."""
    coded = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if coded is None:
        raise FileNotFoundError(f"no flow in {path}")
    valid, y, x = np.moveaxis(np.asarray(coded, dtype=np.float64), 2, 0)
    flow = (np.dstack([x, y]) - 2.0**15) / _FLOW_STEPS
    flow[valid == 0.0] = np.nan
    return flow


def encode_labels(labels: UInt8[np.ndarray, "h w"]) -> bytes:
    """An 8-bit PNG of indices into `headrecon.truth.LABELS`."""
    return cv2.imencode(".png", labels)[1].tobytes()


def read_labels(path: Path) -> UInt8[np.ndarray, "h w"]:
    """What each pixel of a photo shows, as an index into `headrecon.truth.LABELS`."""
    labels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if labels is None:
        raise FileNotFoundError(f"no labels in {path}")
    return np.asarray(labels, dtype=np.uint8)


def read_photos(folder: Path) -> tuple[PhotoTruth, ...]:
    """The truth about all photos that a session has taken, by name."""
    records = (json.loads(path.read_text()) for path in sorted(folder.glob("photo_*.json")))
    return tuple(photo_truth(record["truth"]) for record in records)


def read_truth(folder: Path) -> Truth:
    """The head that a session has written; raises `ValueError` if there is none."""
    if not (folder / "head.npz").is_file():
        raise ValueError(f"{folder} holds no truth: head.npz is missing")
    with np.load(folder / "head.npz", allow_pickle=False) as arrays:
        return Truth(**{name: torch.from_numpy(arrays[name]) for name in arrays})
