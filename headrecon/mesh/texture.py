"""The albedo of the head as a picture that is wrapped around it."""

from dataclasses import dataclass

import numpy as np
import torch
import xatlas
from jaxtyping import Float, Int, UInt8
from kornia.color import linear_rgb_to_rgb
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.surface import vertex_normals
from headrecon.geometry.warp import inside, sample
from headrecon.mesh.deform import laplacian, smoothed
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.types import Atlas, Camera, Head, HeadMesh, Surface

_FADE = 6.0
"""Pixels from the rim of a view's mask over which its say fades in."""


@dataclass(frozen=True)
class Texture:
    """Stage: an atlas of the mesh, and the albedo of the views in it.

    Vertices are further apart than the pixels of the views. So the tone of a texel is the
    refined albedo of the vertices around it, which has no seams, and its detail is what the views
    say there beyond what they say at those vertices,

        texel = albedo(vertices) exp(sum_v w_v (log a_v(texel) - log a_v(vertices)) / sum_v w_v)

    with a_v the albedo of view v, sampled where it shows the point, and w_v = n_z^2 there, fading
    out towards the rim of the view's mask and where no view sees the point. Each view is compared
    with itself only, so that views of different light or color join.

    Reference: the charts are those of xatlas, after Levy, Petitjean, Ray and Maillot, "Least
    squares conformal maps for automatic texture atlas generation", SIGGRAPH 2002.
    """

    size: int
    """Side of the picture in texels."""
    tolerance: float
    """Millimetres between a point and the depth map of a view that shows it."""
    most_detail: float
    """Factor by which a texel may be brighter or darker than the vertices around it."""
    smoothness: float
    """Of the weights of the views over the mesh."""
    gutter: int
    """Texels around the charts that repeat their border."""

    def __call__(self, mesh: HeadMesh, head: Head) -> Atlas:
        """Unwrap the mesh and paint."""
        old, faces, uv = _charts(mesh, self.gutter, self.size)
        flat = torch.nn.functional.pad(uv * uv.new_tensor([1.0, -1.0]) * self.size, (0, 1))
        fragments = rasterize(flat, faces, self._table())
        mask = fragments.mask
        normals = vertex_normals(mesh.vertices, mesh.faces)
        layers = torch.cat([mesh.vertices, normals, mesh.albedo], dim=1)[old]
        points, facing, tone = interpolate(fragments, faces, layers)[:, mask].T.split(3, dim=1)
        detail = torch.zeros_like(tone)
        total = torch.full_like(tone[:, :1], 0.05)
        energy = self.smoothness * laplacian(mesh.vertices, mesh.faces)
        for surface in head.surfaces:
            here, weight = self._seen(surface, points, facing)
            coarse, told = self._seen(surface, mesh.vertices, normals)
            coarse = smoothed(energy, coarse, told)
            around = interpolate(fragments, faces, coarse[old])[:, mask].T
            detail = detail + weight[:, None] * (here - around)
            total = total + weight[:, None]
        bound = float(np.log(self.most_detail))
        texels = tone * torch.exp((detail / total).clamp(-bound, bound))
        coded = linear_rgb_to_rgb(texels.clamp(0.0, 1.0).T[:, :, None])[..., 0]
        picture = torch.zeros(3, self.size, self.size, dtype=torch.uint8, device=coded.device)
        picture[:, mask] = (255.0 * coded).round().to(torch.uint8)
        return Atlas(old, faces, uv, _padded(picture, mask.cpu().numpy()))

    def _table(self) -> Camera:
        """The camera that looks straight down on the unwrapped mesh; y of the canvas is v."""
        return Camera(torch.eye(3), 1.0, torch.zeros(2), self.size, self.size)

    def _seen(
        self,
        surface: Surface,
        points: Float[Tensor, "point xyz=3"],
        normals: Float[Tensor, "point xyz=3"],
    ) -> tuple[Float[Tensor, "point rgb=3"], Float[Tensor, " point"]]:
        """Logarithm of a view's albedo at points of the mesh, and how well it sees them."""
        camera, depth = surface.depth.camera, surface.depth
        xyz = project(points, camera)
        padded = np.pad(depth.mask.cpu().numpy(), 1)
        within = np.asarray(distance_transform_edt(padded))[1:-1, 1:-1]
        fade = (torch.from_numpy(within).to(depth.z) / _FADE).clamp(0.0, 1.0)
        layers = torch.cat([surface.normals.albedo, depth.z[None], fade[None]])
        seen = sample(layers[None], xyz[None, None, :, :2])[0, :, 0].T
        n_z = (normals @ camera.view_from_head[2]).clamp_min(0.0)
        off = (xyz[:, 2] - seen[:, 3]).abs() / (self.tolerance * camera.scale)
        near = (1.0 - off).clamp(0.0, 1.0)
        weight = n_z**2 * near * seen[:, 4] * inside(xyz[:, :2], camera.height, camera.width)
        return seen[:, :3].clamp_min(1e-3).log(), weight


def _charts(
    mesh: HeadMesh, gutter: int, size: int
) -> tuple[Int[Tensor, " corner"], Int[Tensor, "face 3"], Float[Tensor, "corner uv=2"]]:
    """The mesh cut into charts: which vertex each corner was, faces of corners, and their places.

    Places are in [0, 1], v downward.
    """
    atlas = xatlas.Atlas()
    atlas.add_mesh(mesh.vertices.cpu().numpy(), mesh.faces.cpu().numpy().astype(np.uint32))
    packing = xatlas.PackOptions()
    packing.padding, packing.resolution, packing.bilinear = gutter, size, True
    atlas.generate(xatlas.ChartOptions(), packing)
    old, faces, uv = atlas[0]
    device = mesh.vertices.device
    return (
        torch.from_numpy(old.astype(np.int64)).to(device),
        torch.from_numpy(faces.astype(np.int64)).to(device),
        torch.from_numpy(np.ascontiguousarray(uv)).to(mesh.vertices),
    )


def _padded(picture: UInt8[Tensor, "rgb=3 h w"], mask: np.ndarray) -> UInt8[Tensor, "rgb=3 h w"]:
    """The picture with the nearest texel of a chart wherever there is none."""
    nearest = distance_transform_edt(~mask, return_distances=False, return_indices=True)
    row, column = torch.from_numpy(np.asarray(nearest)).to(picture.device)
    return picture[:, row, column]
