"""Photos that show the same picture: cut, reduced, compressed again, or mirrored."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from headrecon.geometry.color import luminance
from headrecon.types import Portrait

_SMALL, _LARGE = 24, 96
_BLUR = 5
_INSIDE = 0.99
"""Share of a pixel that has to lie in the photo."""
_OVERLAP = 0.3
"""Share of the pixels that two windows have to share."""
_AS_LARGE, _AS_LONG = 0.9, 0.75
"""Shares of the largest face and of the longest file that an original has at least."""
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)


@dataclass(frozen=True)
class Copies:
    """Which portraits are copies of which.

    Portraits show hair and background, too, which differ from photo to photo. Pairs that correlate
    when they are small, as they are or mirrored, are looked at closely: an affine map is fitted
    (enhanced correlation), and they are copies if they agree then. What is outside of either photo
    does not count. The original is taken to be, of those with about the largest face and the
    longest file, the one with the shortest name: copies are called "a (1)" or "a-300x200".

    Reference: Evangelidis and Psarakis, "Parametric image alignment using enhanced correlation
    coefficient maximization", PAMI 2008.
    """

    alike: float
    """Correlation of the small windows from which on a pair is looked at closely."""
    same: float
    """Correlation after alignment from which on it is the same picture."""

    def __call__(self, portraits: list[Portrait]) -> tuple[tuple[int, int], ...]:
        """Index of each copy and of its original."""
        if len(portraits) < 2:
            return ()
        small, large = (torch.stack([window(p, n) for p in portraits]) for n in (_SMALL, _LARGE))
        upright = self._same(small, small, large, large)
        mirrored = self._same(small, small.flip(2), large, large.flip(2))
        return _to_originals(sorted({*upright, *mirrored}), portraits)

    def _same(
        self,
        small: Float[Tensor, "portrait h w"],
        other_small: Float[Tensor, "portrait h w"],
        large: Float[Tensor, "portrait height width"],
        other_large: Float[Tensor, "portrait height width"],
    ) -> list[tuple[int, int]]:
        """Pairs, the first index smaller, whose windows an affine map makes equal."""
        close = torch.triu(masked_correlation(small, other_small), 1) > self.alike
        return [
            (i, j)
            for i, j in close.nonzero().tolist()
            if aligned_correlation(large[i], other_large[j]) > self.same
        ]


def window(portrait: Portrait, size: int) -> Float[Tensor, "size size"]:
    """The portrait's brightness as displays show it; NaN outside of the photo."""
    known = (portrait.image.amax(dim=0) > 0.0).float()
    grey = luminance(portrait.image).clamp_min(0.0) ** (1 / 2.2)
    layers = torch.stack([grey, known])[None]
    seen = torch.nn.functional.interpolate(layers, (size, size), mode="area")[0]
    return seen[0].masked_fill(seen[1] < _INSIDE, torch.nan)


def masked_correlation(
    ones: Float[Tensor, "one h w"], others: Float[Tensor, "other h w"]
) -> Float[Tensor, "one other"]:
    """Correlation of every pair over the pixels that both know; 0 if they share too few."""
    one, other = ones.flatten(1).double(), others.flatten(1).double()
    a, b = one.isfinite().double(), other.isfinite().double()
    x, y = one.nan_to_num(0.0), other.nan_to_num(0.0)
    count = (a @ b.T).clamp_min(1.0)
    mean_x, mean_y = x @ b.T / count, a @ y.T / count
    variance_x = x.square() @ b.T / count - mean_x.square()
    variance_y = a @ y.square().T / count - mean_y.square()
    covariance = x @ y.T / count - mean_x * mean_y
    correlation = covariance / (variance_x * variance_y).clamp_min(1e-9).sqrt()
    return correlation.masked_fill(count < _OVERLAP * one.shape[1], 0.0).float()


def aligned_correlation(one: Float[Tensor, "h w"], other: Float[Tensor, "h w"]) -> float:
    """Correlation after the affine map that makes it the largest; 0 if none is found."""
    template, source = (image.nan_to_num(0.0).numpy().astype(np.float32) for image in (one, other))
    known = other.isfinite().numpy().astype(np.uint8)
    matrix = np.eye(2, 3, dtype=np.float32)
    try:
        _, matrix = cv2.findTransformECC(
            template, source, matrix, cv2.MOTION_AFFINE, _STOP, known, _BLUR
        )
    except cv2.error:
        # It says so when there is no map that makes the pictures alike.
        return 0.0
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = template.shape[::-1]
    moved = cv2.warpAffine(source, matrix, size, flags=flags)
    inside = cv2.warpAffine(known.astype(np.float32), matrix, size, flags=flags) > _INSIDE
    back = torch.from_numpy(np.where(inside, moved, np.nan).astype(np.float32))
    return float(masked_correlation(one[None], back[None])[0, 0])


def _to_originals(
    pairs: list[tuple[int, int]], portraits: list[Portrait]
) -> tuple[tuple[int, int], ...]:
    """Every copy in a group, and the original of the group."""
    if not pairs:
        return ()
    rows, columns = np.array(pairs).T
    size = (len(portraits), len(portraits))
    _, group = connected_components(coo_array((np.ones(len(pairs)), (rows, columns)), size))
    found = []
    for label in np.unique(group[rows]):
        members = np.flatnonzero(group == label).tolist()
        best = _original(members, portraits)
        found += [(member, best) for member in members if member != best]
    return tuple(sorted(found))


def _original(members: list[int], portraits: list[Portrait]) -> int:
    """The portrait of a group that the others were most likely made from."""
    size = max(portraits[k].face_size for k in members)
    large = [k for k in members if portraits[k].face_size > _AS_LARGE * size]
    length = max(portraits[k].file_bytes for k in large)
    long = [k for k in large if portraits[k].file_bytes > _AS_LONG * length]
    return min(long, key=lambda k: (len(portraits[k].name), k))
