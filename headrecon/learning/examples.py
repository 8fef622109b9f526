"""Examples to learn from: portraits of made-up people, and what each of their pixels shows."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from torch.nn import functional

from headrecon.photos.detect import Detect
from headrecon.photos.network import gamma_coded
from headrecon.synthetic.chance import Taking
from headrecon.synthetic.photograph import Photograph, Shot
from headrecon.types import Photo, Portrait, Rejection, Template

_MINE = 0.3
"""Sides of the face's box up to which fiducials are those of the person who was asked for."""


@dataclass(frozen=True)
class Example:
    """A portrait, the guess who is where in it, and what its pixels show."""

    image: UInt8[np.ndarray, "rgb=3 size size"]
    """sRGB."""
    guess: UInt8[np.ndarray, "size size"]
    """Probability that the pixel shows the person, times 255."""
    labels: UInt8[np.ndarray, "size size"]
    """Index into `headrecon.truth.LABELS`."""


def example(
    photograph: Photograph, taking: Taking, detect: Detect, template: Template, size: int
) -> Example | None:
    """The portrait of the person in a photo, if it is found; its mask is the guess."""
    shot = photograph(taking)
    seen = detect(Photo(taking.name, torch.from_numpy(shot.encoded)), template)
    if isinstance(seen, Rejection):
        return None
    mine = min(seen.portraits, key=lambda one: _off(one, shot))
    if _off(mine, shot) > _MINE:
        return None
    layers = torch.cat([gamma_coded(mine.image), mine.mask[None]])
    small = functional.interpolate(layers[None], (size, size), mode="bilinear", antialias=True)[0]
    bytes_ = (255.0 * small).round().clamp(0, 255).byte().numpy()
    return Example(bytes_[:3], bytes_[3], _labels(mine, shot.picture.labels, size))


def _off(portrait: Portrait, shot: Shot) -> float:
    """Mean distance of the fiducials from where they are, in sides of the face's box."""
    places = portrait.corner + portrait.step * portrait.fiducials
    return float((places - shot.fiducials).norm(dim=1).mean()) / portrait.face_size


def _labels(
    portrait: Portrait, labels: UInt8[np.ndarray, "h w"], size: int
) -> UInt8[np.ndarray, "size size"]:
    """What the pixels of the portrait show; background beyond the photo."""
    width = portrait.image.shape[-1]
    grid = (np.arange(size) + 0.5) * width / size * portrait.step
    column, row = (np.floor(grid + float(corner)).astype(int) for corner in portrait.corner)
    high, wide = labels.shape
    inside = ((row >= 0) & (row < high))[:, None] & ((column >= 0) & (column < wide))
    found = labels[row.clip(0, high - 1)[:, None], column.clip(0, wide - 1)]
    return np.where(inside, found, 0).astype(np.uint8)
