"""Differentiable reprojection: the mesh that renders into the photos."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from headrecon.geometry.lighting import basis, fit_lighting
from headrecon.geometry.surface import at, nearest_points, vertex_normals
from headrecon.mesh.silhouette import outline_error, signed_distance
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.render.torch3d import (
    Meshes,
    mesh_laplacian_smoothing,
    mesh_normal_consistency,
)
from headrecon.types import HeadMesh, Refinement, Stack

TERMS = ("photometric", "outline", "laplacian", "normal")


@dataclass(frozen=True)
class Refine:
    """Stage: one epoch of gradient descent on the vertices and the albedo.

    The warped photos of a view share their camera, so one rasterization serves them all. A step
    takes one view and a few of its photos, fits the light of each (closed form, no gradient), and
    descends

        photometric   robust |photo - albedo * light . (1, n)|, in grey levels of unit exposure
        outline       distance of the mesh's outline to the photos' majority mask
        laplacian     |L d|, d the displacement of this epoch (pytorch3d, uniform weights)
        normal        1 - cosine between adjacent faces (pytorch3d)

    The descent moves coefficients u with d = S^k u, S the average over each vertex and its
    neighbours: the gradient reaches whole patches, so that normals change without spikes.

    Reference: Ravi et al., "Accelerating 3D Deep Learning with PyTorch3D", 2020; Nicolet, Jacobson
    and Jakob, "Large steps in inverse rendering of geometry", SIGGRAPH Asia 2021.
    """

    epochs: int
    steps: int
    """Of each epoch."""
    photos: int
    """Of each step."""
    vertex_rate: float
    """Millimetres a step."""
    albedo_rate: float
    diffusion: int
    """k."""
    robust: float
    """Photometric error at which a pixel's pull stops growing, in units of the face's mean."""
    outline_band: float
    outline_reach: float
    photometric: float
    """Weight of the term, as the next three."""
    outline: float
    laplacian: float
    normal: float
    seed: int

    def __call__(self, start: Refinement, stacks: tuple[Stack, ...]) -> Refinement:
        """Refine for one epoch."""
        mesh, faces = start.mesh, start.mesh.faces
        generator = torch.Generator().manual_seed(self.seed + start.epoch)
        average = _averaging(faces, len(mesh.vertices)).to(mesh.vertices)
        outlines = [signed_distance(stack.masks.mean(dim=0) > 0.5) for stack in stacks]
        u = torch.zeros_like(mesh.vertices, requires_grad=True)
        albedo = mesh.albedo.clone().requires_grad_(True)
        optimizer = torch.optim.Adam(
            [{"params": [u], "lr": self.vertex_rate}, {"params": [albedo], "lr": self.albedo_rate}]
        )
        history = []
        for step in range(self.steps):
            index = step % len(stacks)
            displacement = u
            for _ in range(self.diffusion):
                displacement = average @ displacement
            vertices = mesh.vertices + displacement
            terms = self._terms(
                vertices, displacement, albedo, faces, stacks[index], outlines[index], generator
            )
            loss = torch.stack([getattr(self, name) * terms[name] for name in TERMS]).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            history.append(torch.stack([terms[name].detach() for name in TERMS]))

        with torch.no_grad():
            displacement = u.detach()
            for _ in range(self.diffusion):
                displacement = average @ displacement
        return replace(
            start,
            mesh=_moved(mesh, mesh.vertices + displacement, albedo.detach().clamp(0.0, 1.0)),
            epoch=start.epoch + 1,
            losses=torch.cat([start.losses, torch.stack(history)]),
        )

    def _terms(
        self,
        vertices: Float[Tensor, "vertex xyz=3"],
        displacement: Float[Tensor, "vertex xyz=3"],
        albedo: Float[Tensor, "vertex rgb=3"],
        faces: Int[Tensor, "face 3"],
        stack: Stack,
        outline: Float[Tensor, "h w"],
        generator: torch.Generator,
    ) -> dict[str, Float[Tensor, ""]]:
        """The losses of one step, not yet weighted."""
        chosen = torch.randperm(len(stack.images), generator=generator)[: self.photos]
        surface = Meshes(verts=[vertices], faces=[faces])
        shift = Meshes(verts=[displacement], faces=[faces])
        return {
            "photometric": self._photometric(vertices, albedo, faces, stack, chosen),
            "outline": outline_error(
                vertices, faces, stack.camera, outline, self.outline_band, self.outline_reach
            ),
            "laplacian": mesh_laplacian_smoothing(shift, method="uniform"),
            "normal": mesh_normal_consistency(surface),
        }

    def _photometric(
        self,
        vertices: Float[Tensor, "vertex xyz=3"],
        albedo: Float[Tensor, "vertex rgb=3"],
        faces: Int[Tensor, "face 3"],
        stack: Stack,
        chosen: Int[Tensor, " photo"],
    ) -> Float[Tensor, ""]:
        """Mean Geman-McClure error between the chosen photos and their renderings."""
        fragments = rasterize(vertices, faces, stack.camera)
        normals = vertex_normals(vertices, faces) @ stack.camera.view_from_head.T
        layers = interpolate(fragments, faces, torch.cat([albedo, normals], dim=1))
        seen = fragments.mask & (layers[5].detach() > 0.2)
        color = layers[:3, seen]
        unit = torch.nn.functional.normalize(layers[3:, seen], dim=0)

        photos = stack.images[chosen][:, :, seen]
        weights = stack.masks[chosen][:, seen] * (photos.amax(dim=1) < 0.98)
        exposure = (photos.mean(dim=1) * weights).sum(1) / weights.sum(1).clamp_min(1.0)
        photos = photos / exposure.clamp_min(1e-3)[:, None, None]
        with torch.no_grad():
            lighting = fit_lighting(photos, color, unit, weights)
        rendered = color * torch.einsum("pck,kj->pcj", lighting, basis(unit))
        squared = ((rendered - photos) ** 2).sum(dim=1)
        robust = squared / (1.0 + squared / self.robust**2)
        return (weights * robust).sum() / weights.sum().clamp_min(1.0)


def _averaging(faces: Int[Tensor, "face 3"], count: int) -> Tensor:
    """Sparse matrix of the mean of each vertex and its neighbours, half and half."""
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = torch.unique(torch.cat([edges, edges.flip(1)]), dim=0)
    degree = torch.bincount(edges[:, 0], minlength=count).clamp_min(1).float()
    own = torch.arange(count, device=faces.device)
    index = torch.cat([edges.T, torch.stack([own, own])], dim=1)
    value = torch.cat([0.5 / degree[edges[:, 0]], torch.full((count,), 0.5).to(degree)])
    return torch.sparse_coo_tensor(index, value, (count, count)).coalesce()


def _moved(
    mesh: HeadMesh, vertices: Float[Tensor, "vertex xyz=3"], albedo: Float[Tensor, "vertex 3"]
) -> HeadMesh:
    """The mesh with other vertices; the landmarks move with the surface."""
    points = nearest_points(mesh.landmarks, mesh.vertices, mesh.faces)
    return replace(
        mesh, vertices=vertices, albedo=albedo, landmarks=at(points, mesh.faces, vertices)
    )
