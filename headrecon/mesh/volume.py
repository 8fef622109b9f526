"""One surface from the depth maps of all views, by a volume of signed distances."""

from dataclasses import dataclass

import numpy as np
import torch
import trimesh
from jaxtyping import Float, Int
from scipy import ndimage
from scipy.spatial import KDTree
from skimage.measure import marching_cubes
from torch import Tensor

from headrecon.geometry.borders import loops_of
from headrecon.geometry.camera import project
from headrecon.geometry.surface import at, nearest_points, vertex_normals
from headrecon.geometry.warp import inside, sample
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.mesh.merge import subdivided
from headrecon.mesh.paint import paint
from headrecon.mesh.parts import is_part
from headrecon.types import Head, HeadMesh, Surface, Template

_CHUNK = 2**20
"""Voxels whose distances are computed at a time."""


@dataclass(frozen=True)
class FuseVolume:
    """Stage: the surface on which the weighted mean of signed distances is 0.

        f(x) = (u t(x) + sum_v w_v(x) d_v(x)) / (u + sum_v w_v(x)),    surface: f = 0

    with d_v the distance of x from the depth map of view v, positive before it, and t that from the
    template; both end at `truncation`. w_v is the support, relative to the view's median, times
    n_z^2, and falls to nothing from `truncation` to `reach` behind the surface, of whose inside
    a view knows nothing. The template's u closes what no view sees, and ears follow the views
    by the share `ears`, since pixels are as wide as their folds. Cavities are filled, and the
    neck ends in a plane: the surface is closed.

    Unlike a template that is deformed, it may have any shape, such as glasses and hair that hangs
    free; but its triangles know nothing of lids and lips, and no detail is finer than
    a voxel. Marching cubes are scikit-image's. Poisson reconstruction, which is the other
    usual way, was left out: its kept-up libraries are as large as all others together.

    Reference: Curless and Levoy, "A volumetric method for building complex models from range
    images", SIGGRAPH 1996; Lewiner et al., "Efficient implementation of marching cubes' cases with
    topological guarantees", J. Graphics Tools 2003.
    """

    voxel: float
    """Millimetres."""
    margin: float
    """Millimetres around the template in which there may be a surface."""
    truncation: float
    """Millimetres."""
    reach: float
    """Millimetres."""
    grazing: float
    """Least n_z of a pixel that takes part."""
    template: float
    """u, as the weight of a photographed pixel that faces its viewer."""
    ears: float
    """Share of the views' say that ears follow."""
    softness: float
    """Standard deviation, in voxels, of the smoothing of f, which closes what is thinner."""
    smoothing: int
    """Rounds of Taubin's smoothing, which takes the steps of the voxels away."""
    paint_tolerance: float
    paint_smoothness: float

    def __call__(self, head: Head, template: Template) -> HeadMesh:
        """Fuse what has been grown."""
        rest, faces = subdivided(template.vertices, template.faces, 1)
        corner, shape = self._grid(rest)
        fused = torch.cat(
            [
                self._fused(corner + self.voxel * places, head, rest, faces, template)
                for places in _places(shape).to(rest).split(_CHUNK)
            ]
        ).reshape(shape)
        vertices, triangles = self._surface(fused.cpu().numpy(), corner.cpu().numpy())
        made = torch.from_numpy(vertices).to(rest), torch.from_numpy(triangles).to(faces)
        hairy = is_part(made[0], template, ("scalp",))
        painted = paint(*made, head, hairy, self.paint_tolerance, self.paint_smoothness)
        marks = at(template.fiducials, template.faces, template.vertices)
        points = nearest_points(marks[list(IBUG68_FROM_MESH)], *made)
        landmarks = at(points, made[1], made[0])
        return HeadMesh(*made, painted.albedo, painted.support, landmarks)

    def _grid(
        self, rest: Float[Tensor, "vertex xyz=3"]
    ) -> tuple[Float[Tensor, "xyz=3"], tuple[int, int, int]]:
        """Centre of the first voxel, and their number; the neck ends where the template's does."""
        low, high = rest.amin(dim=0) - self.margin, rest.amax(dim=0) + self.margin
        low[1] = rest[:, 1].min()
        x, y, z = ((high - low) / self.voxel).ceil().long().tolist()
        return low, (x, y, z)

    def _fused(
        self,
        points: Float[Tensor, "point xyz=3"],
        head: Head,
        rest: Float[Tensor, "vertex xyz=3"],
        faces: Int[Tensor, "face 3"],
        template: Template,
    ) -> Float[Tensor, " point"]:
        """The mean distance at some points."""
        rim = np.concatenate(loops_of(faces.cpu().numpy()) or [np.zeros(0, dtype=np.int64)])
        at_cut = torch.zeros_like(rest[:, 0])
        at_cut[torch.from_numpy(rim).to(faces)] = 1.0
        nearest, distance = self._from_template(points, rest, vertex_normals(rest, faces), at_cut)
        # What is nearest to the cut of the neck is shoulders or clothes.
        follows = 1.0 - (1.0 - self.ears) * is_part(rest, template, ("ears",)) - at_cut
        followed = follows.clamp_min(0.0)[nearest]
        total = torch.full_like(distance, self.template)
        summed = self.template * distance
        for surface in head.surfaces:
            off, weight = self._from_view(points, surface)
            total = total + followed * weight
            summed = summed + followed * weight * off
        return summed / total

    def _from_template(
        self,
        points: Float[Tensor, "point xyz=3"],
        rest: Float[Tensor, "vertex xyz=3"],
        normals: Float[Tensor, "vertex xyz=3"],
        at_cut: Float[Tensor, " vertex"],
    ) -> tuple[Int[Tensor, " point"], Float[Tensor, " point"]]:
        """The nearest vertex, and the distance from its tangent plane; beside a cut, from it."""
        found = KDTree(rest.cpu().numpy()).query(points.cpu().numpy(), workers=-1)[1]
        nearest = torch.from_numpy(np.asarray(found)).to(points.device)
        apart = points - rest[nearest]
        off = (apart * normals[nearest]).sum(dim=1)
        away = apart.norm(dim=1)
        beside = (at_cut[nearest] > 0.0) & (off.abs() < 0.7 * away)
        return nearest, torch.where(beside, away, off).clamp(-self.truncation, self.truncation)

    def _from_view(
        self, points: Float[Tensor, "point xyz=3"], surface: Surface
    ) -> tuple[Float[Tensor, " point"], Float[Tensor, " point"]]:
        """Distance from a view's depth map, and what it has to say."""
        depth, camera, field = surface.depth, surface.depth.camera, surface.normals
        middle = field.support[depth.mask].median().clamp_min(1e-6)
        support = (field.support / middle).clamp_max(1.0)
        layers = torch.stack([depth.z, depth.mask.to(depth.z), field.normals[2], support])
        xyz = project(points, camera)
        z, shown, n_z, relative = sample(layers[None], xyz[None, None, :, :2])[0, :, 0]
        used = (shown > 0.999) & (n_z > self.grazing)
        used &= inside(xyz[:, :2], camera.height, camera.width) > 0.5
        off = n_z * (xyz[:, 2] - z) / camera.scale
        fading = (off + self.reach) / max(self.reach - self.truncation, 1e-6)
        weight = used * relative * n_z.square() * fading.clamp(0.0, 1.0)
        return off.clamp(-self.truncation, self.truncation), weight

    def _surface(
        self, fused: Float[np.ndarray, "x y z"], corner: Float[np.ndarray, "xyz=3"]
    ) -> tuple[Float[np.ndarray, "vertex xyz=3"], Int[np.ndarray, "face 3"]]:
        """The outside of the largest body, without steps."""
        soft = np.asarray(ndimage.gaussian_filter(fused, self.softness))
        padded = np.pad(soft, 1, constant_values=self.truncation)
        solid = np.asarray(ndimage.binary_fill_holes(padded < 0.0))
        padded = np.where(solid & (padded >= 0.0), -self.truncation, padded)
        spacing = (self.voxel,) * 3
        vertices, faces, _, _ = marching_cubes(padded, 0.0, spacing=spacing)
        mesh = trimesh.Trimesh(vertices - self.voxel + corner, faces, process=False)
        bodies = mesh.split(only_watertight=True)
        if not len(bodies):
            raise ValueError("the views' surfaces and the template enclose nothing")
        body = max(bodies, key=lambda one: one.volume)
        trimesh.smoothing.filter_taubin(body, iterations=self.smoothing)
        return np.asarray(body.vertices), np.asarray(body.faces, dtype=np.int64)


def _places(shape: tuple[int, int, int]) -> Float[Tensor, "voxel xyz=3"]:
    """Indices of all voxels, the last one fastest."""
    axes = (torch.arange(count, dtype=torch.float32) for count in shape)
    return torch.cartesian_prod(*axes)
