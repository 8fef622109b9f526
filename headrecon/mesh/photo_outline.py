"""The outline that a photo has, and how far a mesh is from it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from headrecon.geometry.camera import project
from headrecon.geometry.signed_distance import signed_distance
from headrecon.geometry.warp import sample
from headrecon.render.rim import on_rim
from headrecon.types import Camera, Portrait

OUTLINE_SIDE = 128
"""Pixels of the portraits in which outlines of heads are compared: 3 to 4 millimetres each."""


@dataclass(frozen=True)
class PhotoOutline:
    """The outline of a photo."""

    camera: Camera
    distance: Float[Tensor, "h w"]
    """From the outline in pixels, positive outside."""
    shown: Bool[Tensor, "h w"]
    """Whether the pixel lies within the photo."""

    @classmethod
    def of(cls, portrait: Portrait, camera: Camera, side: int) -> "PhotoOutline":
        """With a picture of so many pixels a side; no larger than the portrait."""
        side = min(side, camera.height)
        smaller = side / camera.height
        layers = torch.stack([portrait.mask, _within_photo(portrait).to(portrait.mask)])[None]
        mask, shown = functional.interpolate(layers, (side, side), mode="area")[0]
        camera = replace(
            camera,
            scale=camera.scale * smaller,
            origin=camera.origin * smaller,
            height=side,
            width=side,
        )
        return cls(camera, signed_distance(mask > 0.5), shown > 0.99)

    def beyond(
        self, points: Float[Tensor, "point xyz=3"], camera: Camera
    ) -> Float[Tensor, " point"]:
        """How far outside of the outline points are seen by a camera, millimetres."""
        xyz = project(points, camera)
        distance = sample(self.distance[None, None], xyz[None, None, :, :2])[0, 0, 0]
        return distance * _millimetres(xyz[:, 2], camera)

    def offsets(
        self, vertices: Float[Tensor, "vertex xyz=3"], faces: Int[Tensor, "face 3"], band: float
    ) -> Float[Tensor, " vertex"]:
        """How far vertices on the mesh's outline are out of the photo's, millimetres.

        NaN for vertices that are not on the mesh's outline (`on_rim`), or where the photo ends.
        """
        xyz = project(vertices, self.camera)
        counts, drawn = on_rim(vertices, faces, self.camera, band)
        shown = sample(self.shown.to(vertices)[None, None], xyz[None, None, :, :2])[0, 0, 0]
        drawn = drawn * _millimetres(xyz[:, 2], self.camera)
        off = self.beyond(vertices, self.camera) - drawn
        return torch.where(counts & (shown > 0.99), off, torch.nan)


def from_all_directions(
    portraits: Sequence[Portrait], cameras: Sequence[Camera], photos: int, direction: float
) -> list[tuple[Portrait, Camera]]:
    """So many photos, most, of each direction, spread over the collection.

    `direction` is how many degrees of azimuth count as one.
    """
    directions: dict[int, list[tuple[Portrait, Camera]]] = {}
    for portrait, camera in zip(portraits, cameras, strict=True):
        directions.setdefault(round(portrait.azimuth / direction), []).append((portrait, camera))
    return [
        some[index * len(some) // min(photos, len(some))]
        for some in directions.values()
        for index in range(min(photos, len(some)))
    ]


def _millimetres(z: Float[Tensor, " point"], camera: Camera) -> Float[Tensor, " point"]:
    """Of a pixel, at these heights in pixels."""
    return (1.0 - camera.nearness * z / camera.scale) / camera.scale


def _within_photo(portrait: Portrait) -> Bool[Tensor, "h w"]:
    """The part of the portrait's square that the photo has, outside of which it is black."""
    lit = portrait.image.amax(dim=0) > 0.0
    rows, columns = lit.any(dim=1), lit.any(dim=0)
    return _between(rows)[:, None] & _between(columns)


def _between(lit: Bool[Tensor, " line"]) -> Bool[Tensor, " line"]:
    """From the first that is lit to the last."""
    return (lit.long().cumsum(0) > 0) & (lit.flip(0).long().cumsum(0).flip(0) > 0)
