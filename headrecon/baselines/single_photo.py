"""One photo, and the head of somebody else."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.ndimage import binary_erosion
from scipy.sparse import csc_matrix, csr_matrix, vstack
from scipy.sparse.linalg import spsolve
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.color import luminance
from headrecon.geometry.grey import grey_mesh
from headrecon.geometry.portrait_camera import portrait_camera
from headrecon.geometry.surface import at, vertex_normals
from headrecon.geometry.warp import sample
from headrecon.render.reproject import see_template
from headrecon.types import HeadMesh, Portrait, Template

FACE = ("face", "lips")


@dataclass(frozen=True)
class SinglePhoto:
    """Baseline: shape from the shading of the photo that shows the face best.

    The template, seen in the photo's pose, is the reference: its normals n give the light l, then
    the depth z that explains the photo in this light is solved for with the reference's lengths
    |(-z_x, -z_y, 1)|, which makes it linear, and then the albedo:

        min over l of  sum_j (I_j - l . (1, n_j))^2
        min over z of  sum_j (I_j - l_0 - (-l_1 z_x - l_2 z_y + l_3) / N_j)^2
                       + smooth sum_j (lap (z - z_ref))_j^2,   z = z_ref on the rim of the face

    where the albedo of the reference, which has no texture, is 1. Everything but the face is the
    template's.

    Reference: Kemelmacher-Shlizerman and Basri, "3D face reconstruction from a single image using a
    single reference face shape", PAMI 2011.
    """

    smooth: float
    """Weight of the smoothness of the difference to the reference."""

    def __call__(self, template: Template, portraits: tuple[Portrait, ...]) -> HeadMesh:
        """Solve for the photo that is turned the least; raises `ValueError` if there is none."""
        if not portraits:
            raise ValueError("there is no photo to take the shading from")
        portrait = min(portraits, key=_turned)
        marks = at(template.fiducials, template.faces, template.vertices)
        camera = portrait_camera(portrait, marks)
        seen = see_template(template, camera, FACE)
        face = seen.mask & (seen.normals[2] > 0.3) & (portrait.mask > 0.5)
        lift = torch.zeros_like(seen.z)
        if int(face.sum()) > 50:
            gray = luminance(portrait.image)
            gray = gray / gray[face].mean().clamp_min(1e-4)
            lift = self._lift(gray, seen.normals, face)

        normals = vertex_normals(template.vertices, template.faces) @ camera.view_from_head[2]
        xyz = project(template.vertices, camera)
        layers = torch.stack([lift, seen.z, face.to(lift)])[None]
        there = sample(layers, xyz[None, None, :, :2])[0, :, 0]
        shown = (normals > 0.0) & (there[2] > 0.999) & ((xyz[:, 2] - there[1]).abs() < 1.0)
        up = (shown * there[0] / camera.scale)[:, None] * camera.view_from_head[2]
        return replace(grey_mesh(template, template.vertices + up), support=shown.to(up))

    def _lift(
        self,
        gray: Float[Tensor, "h w"],
        normals: Float[Tensor, "xyz=3 h w"],
        face: Bool[Tensor, "h w"],
    ) -> Float[Tensor, "h w"]:
        """The difference z - z_ref in pixels, 0 outside of the face and on its rim."""
        mask, n = face.cpu().numpy(), normals[:, face].double().cpu().numpy()
        intensity = gray[face].double().cpu().numpy()
        light, *_ = np.linalg.lstsq(np.vstack([np.ones(n.shape[1]), n]).T, intensity, rcond=None)
        left_over = intensity - light[0] - light[1:] @ n
        index = np.full(mask.shape, -1)
        inner = np.asarray(binary_erosion(mask), dtype=bool)
        index[inner] = np.arange(inner.sum())
        if not inner.any():
            return torch.zeros_like(gray)
        right, down, laplacian = (_stencil(index, inner, kind) for kind in _STENCILS)
        # The reference explains its own part: what is left over is due to the difference d, which
        # adds -d_x and -d_up = d_down to the first two parts of the normal times its length.
        in_face = inner[mask]
        lengths = n[2, in_face]
        rows = csr_matrix((-light[1] * lengths)[:, None]).multiply(right)
        rows = rows + csr_matrix((light[2] * lengths)[:, None]).multiply(down)
        system = csc_matrix(vstack([rows, self.smooth**0.5 * laplacian]))
        values = np.concatenate([left_over[in_face], np.zeros(int(inner.sum()))])
        lift = np.zeros(mask.shape)
        transposed = system.transpose()
        normal = csc_matrix(transposed @ system)
        lift[inner] = np.asarray(spsolve(normal, transposed @ values))
        return torch.from_numpy(lift).to(gray)


_STENCILS = (
    {(0, 1): 0.5, (0, -1): -0.5},
    {(1, 0): 0.5, (-1, 0): -0.5},
    {(0, 0): 4.0, (0, 1): -1.0, (0, -1): -1.0, (1, 0): -1.0, (-1, 0): -1.0},
)
"""Central differences to the right and down, and the Laplacian: shares of the neighbours."""


def _stencil(
    index: Int[np.ndarray, "h w"],
    inner: Bool[np.ndarray, "h w"],
    shares: dict[tuple[int, int], float],
) -> csr_matrix:
    """A matrix with a row for each inner pixel; unknowns outside are 0."""
    y, x = inner.nonzero()
    rows, columns, values = [], [], []
    for (down, right), share in shares.items():
        there = index[y + down, x + right]
        known = there >= 0
        rows.append(np.flatnonzero(known))
        columns.append(there[known])
        values.append(np.full(known.sum(), share))
    shape = (len(y), int(index.max()) + 1)
    entries = (np.concatenate(rows), np.concatenate(columns))
    return csr_matrix((np.concatenate(values), entries), shape=shape)


def _turned(portrait: Portrait) -> float:
    """How far a photo is from a frontal one; nothing else is asked of it."""
    return portrait.azimuth**2 + portrait.elevation**2
