"""What the outlines of all photos leave of a block."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
import trimesh
from jaxtyping import Float, Int
from kornia.filters import gaussian_blur2d
from torch import Tensor
from torch.nn import functional

from headrecon.geometry.camera import project
from headrecon.geometry.portrait_camera import portrait_camera
from headrecon.geometry.surface import at
from headrecon.geometry.warp import inside, sample
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.render.head_area import head_area
from headrecon.render.rasterize import Scene
from headrecon.render.torch3d import marching_cubes
from headrecon.types import HeadMesh, Portrait, Template

_BIN = 30.0
"""Degrees of azimuth whose photos together count as one view."""


@dataclass(frozen=True)
class SpaceCarving:
    """Baseline: the visual hull of the photos' outlines, and no look at what is inside of them.

        share(x) = sum_i w_i mask_i(P_i x) / sum_i w_i,   the surface is where share = `level`

    over the photos that show x at all. An exact hull, level 1, would be eaten away by the worst
    outline and the worst pose; w_i is one over the number of photos from the same side, so that
    many portraits from the front do not outvote the profiles. P_i, at a `distance`, sees
    the template's fiducials at the photo's, so the landmarks are the template's: the hull has none
    of its own.

    Reference: Laurentini, "The visual hull concept for silhouette-based image understanding", PAMI
    1994; Kutulakos and Seitz, "A theory of shape by space carving", IJCV 2000.
    """

    distance: float | None
    """Millimetres from which photos were taken, on average; none for weak perspective."""
    voxel: float
    """Side of the voxels in millimetres."""
    margin: float
    """How far the block reaches beyond the template, in millimetres: hair."""
    level: float
    """Share of the views in which a point has to lie within the outline."""
    smoothing: float
    """Standard deviation in voxels by which the shares are smoothed, each outline being jagged."""
    jaw: float
    """Where the head ends in an outline, as in the alignment; as the next two."""
    neck: float
    collar: float

    def __call__(self, template: Template, portraits: tuple[Portrait, ...]) -> HeadMesh:
        """Carve; raises `ValueError` if no photo is left or nothing of the block is."""
        if not portraits:
            raise ValueError("there is no outline to carve with")
        low = template.vertices.amin(dim=0) - self.margin
        high = template.vertices.amax(dim=0) + self.margin
        low[1] = template.vertices[:, 1].amin()
        axes = [
            torch.arange(float(a), float(b), self.voxel) for a, b in zip(low, high, strict=True)
        ]
        grid = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).to(template.vertices)
        share = self._share(grid, template, portraits)
        # Closed at the rim of the block: the neck is cut there.
        share = functional.pad(share, (1, 1, 1, 1, 1, 1))
        vertices, faces = _surface(share.cpu(), self.level)
        vertices = (vertices - 1.0) * self.voxel + low.cpu()
        marks = at(template.fiducials, template.faces, template.vertices)[list(IBUG68_FROM_MESH)]
        return HeadMesh(
            vertices=vertices,
            faces=faces,
            albedo=torch.full_like(vertices, 0.5),
            support=torch.zeros_like(vertices[:, 0]),
            landmarks=marks,
        )

    def _share(
        self, grid: Float[Tensor, "x y z xyz=3"], template: Template, portraits: Iterable[Portrait]
    ) -> Float[Tensor, "x y z"]:
        """The share of the views that have each voxel inside; 0 where no photo looks."""
        marks = at(template.fiducials, template.faces, template.vertices)
        places = grid.reshape(-1, 3)
        within, total = torch.zeros_like(places[:, 0]), torch.zeros_like(places[:, 0])
        portraits = tuple(portraits)
        side = [round(portrait.azimuth / _BIN) for portrait in portraits]
        nearness = 1.0 / self.distance if self.distance else 0.0
        scene = Scene(template.vertices, template.faces)
        for portrait, one in zip(portraits, side, strict=True):
            camera = portrait_camera(portrait, marks, nearness=nearness)
            xy = project(places, camera)[:, :2]
            silhouette = scene.rasterized(camera).mask
            area = head_area(silhouette, camera, self.jaw, self.neck, self.collar)
            # What is beyond the photo, or was painted black, says nothing.
            shown = (portrait.image.amax(dim=0) > 0.0).to(places)
            layers = torch.stack([(portrait.mask > 0.5) & area, shown > 0.5]).to(places)
            seen = sample(layers[None], xy[None, None])[0, :, 0]
            weight = seen[1] * inside(xy, *shown.shape) / side.count(one)
            within, total = within + weight * seen[0], total + weight
        share = within / total.clamp_min(1e-6)
        return self._smooth(share.reshape(grid.shape[:3]))

    def _smooth(self, share: Float[Tensor, "x y z"]) -> Float[Tensor, "x y z"]:
        if self.smoothing <= 0.0:
            return share
        reach = 2 * int(2.0 * self.smoothing + 0.5) + 1
        plane, line = (reach, reach), (reach, 1)
        spread = (self.smoothing, self.smoothing)
        flat = gaussian_blur2d(share[:, None], plane, spread, border_type="replicate")[:, 0]
        deep = flat.permute(1, 0, 2)[:, None]
        return gaussian_blur2d(deep, line, spread, border_type="replicate")[:, 0].permute(1, 0, 2)


def _surface(
    share: Float[Tensor, "x y z"], level: float
) -> tuple[Float[Tensor, "vertex xyz=3"], Int[Tensor, "face 3"]]:
    """The largest piece of the surface at a level, in voxels, counter-clockwise from outside."""
    vertices, faces = marching_cubes(share, level)
    if not len(faces):
        raise ValueError("the outlines of the photos leave nothing of the block")
    pieces = trimesh.Trimesh(vertices.numpy(), faces.numpy()).split(only_watertight=False)
    largest = max(pieces, key=lambda piece: len(piece.faces))
    if largest.volume < 0.0:
        largest.invert()
    return (
        torch.from_numpy(np.array(largest.vertices)).to(share),
        torch.from_numpy(np.array(largest.faces)).long(),
    )
