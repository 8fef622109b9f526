"""Distance of a mesh's outline to the outline of the photos."""

from collections.abc import Container, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from headrecon.geometry.signed_distance import signed_distance
from headrecon.mesh.photo_outline import OUTLINE_SIDE, PhotoOutline, from_all_directions
from headrecon.types import Camera, HeadMesh, Portrait


@dataclass(frozen=True)
class Outline:
    """The outline of a view's head."""

    distance: Float[Tensor, "h w"]
    """Signed distance in pixels, positive outside."""
    bottom: float
    """Canvas y from which on the mask ends because the neck is cut, not because the head does."""


def outline(mask: Bool[Tensor, "h w"], margin: float) -> Outline:
    """The outline of a mask; its lowest `margin` pixels are taken as cut off."""
    rows = mask.any(dim=1).nonzero()
    lowest = float(rows.max()) + 1.0 if len(rows) else 0.0
    return Outline(signed_distance(mask), lowest - margin)


@dataclass(frozen=True)
class Contour:
    """The outline of a photo, and which vertices of a mesh are on the mesh's own."""

    sight: PhotoOutline
    rim: Int[Tensor, " rim"]
    drawn: Float[Tensor, " rim"]
    """Millimetres that they are beyond the mesh's outline as it is drawn."""

    @classmethod
    def of(
        cls,
        sight: PhotoOutline,
        vertices: Float[Tensor, "vertex xyz=3"],
        faces: Int[Tensor, "face 3"],
        band: float,
        reach: float,
        free: Float[Tensor, " vertex"],
    ) -> "Contour":
        """Of the vertices that are `free`; those further off than `reach` are on another one."""
        off = sight.offsets(vertices, faces, band)
        rim = ((off.abs() < reach) & (free > 0.0)).nonzero()[:, 0]
        return cls(sight, rim, sight.beyond(vertices[rim], sight.camera) - off[rim])


@dataclass(frozen=True)
class Contours:
    """Which outlines a mesh is compared with."""

    photos: int
    """Of each direction, most."""
    direction: float
    """Degrees of azimuth that count as one direction."""
    band: float
    """Largest cosine between a normal and the line of sight on an outline."""
    reach: float
    """Millimetres between a vertex and the outline beyond which it is another one."""

    def __call__(
        self,
        mesh: HeadMesh,
        free: Float[Tensor, " vertex"],
        portraits: Sequence[Portrait],
        cameras: Sequence[Camera],
        used: Container[str],
    ) -> list[Contour]:
        """Those of the photos of these names, from all sides."""
        pairs = zip(portraits, cameras, strict=True)
        those = [(one, camera) for one, camera in pairs if one.name in used]
        chosen = from_all_directions(
            *([one for one, _ in those], [camera for _, camera in those]),
            *(self.photos, self.direction),
        )
        sights = [PhotoOutline.of(*pair, OUTLINE_SIDE) for pair in chosen]
        where = mesh.vertices, mesh.faces, self.band, self.reach, free
        return [Contour.of(sight, *where) for sight in sights]


def outline_error(
    vertices: Float[Tensor, "vertex xyz=3"], contours: Sequence[Contour]
) -> Float[Tensor, ""]:
    """Mean distance of the mesh's outlines from those of photos, millimetres.

        mean of sqrt(d^2 + s^2) - s,    d = d_photo(v) - d_drawn(v),    s = 1 mm

    over vertices v on the outline as it is drawn, with d_photo and d_drawn their signed distances
    from the two outlines, each seen through the camera of the photo. Least distances end in the
    median, which photos with other hair do not move. No slope goes through d_drawn: what is nearly
    on the outline is some way within it, and is to stay there.
    """
    off = [
        contour.sight.beyond(vertices[contour.rim], contour.sight.camera) - contour.drawn
        for contour in contours
    ]
    all_off = torch.cat([vertices.new_zeros(0), *off])
    return ((all_off**2 + 1.0).sqrt() - 1.0).sum() / max(len(all_off), 1)
