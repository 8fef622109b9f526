"""A Lambertian sphere of varied albedo under many lights, whose factors are known."""

import torch

from headrecon.geometry.camera import pixel_centres
from headrecon.geometry.lighting import basis
from headrecon.geometry.rotation import view_from_head
from headrecon.types import Camera, Stack

SIZE = 40


def sphere() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normals, albedo and mask of a sphere seen from the front."""
    xy = (pixel_centres(SIZE, SIZE) - SIZE / 2.0) / (0.45 * SIZE)
    squared = (xy**2).sum(dim=-1)
    mask = squared < 0.9
    z = (1.0 - squared).clamp_min(0.01).sqrt()
    normals = torch.stack([xy[..., 0], -xy[..., 1], z])
    albedo = 0.6 + 0.2 * torch.sin(9.0 * xy[..., 0]) * torch.cos(7.0 * xy[..., 1])
    return torch.nn.functional.normalize(normals, dim=0), albedo, mask


def photos(count: int, noise: float, seed: int) -> Stack:
    """Gray photos of the sphere, each with its own first-order light; no pixel is in shadow."""
    generator = torch.Generator().manual_seed(seed)
    normals, albedo, mask = sphere()
    lighting = torch.cat(
        [
            0.7 + 0.1 * torch.rand(count, 1, generator=generator),
            0.25 * torch.randn(count, 3, generator=generator).clamp(-1.0, 1.0),
        ],
        dim=1,
    )
    shaded = torch.einsum("pk,khw->phw", lighting, basis(normals.flatten(1)).reshape(4, SIZE, SIZE))
    images = 0.6 * albedo * shaded
    images = images + noise * torch.randn(images.shape, generator=generator)
    return Stack(
        label="view+00",
        camera=Camera(view_from_head(0.0), 0.2, torch.tensor([SIZE / 2.0, SIZE / 2.0]), SIZE, SIZE),
        names=tuple(f"{i}.jpg" for i in range(count)),
        images=images.clamp(0.0, 0.97)[:, None].expand(-1, 3, -1, -1).clone(),
        masks=mask.float().expand(count, -1, -1).clone(),
        flows=torch.zeros(count, 2, SIZE, SIZE),
        belief=torch.ones(count),
        motion=torch.zeros(0),
        portrait_from_canvas=torch.eye(2, 3).repeat(count, 1, 1),
        fiducials=torch.zeros(468, 2),
        face=mask,
    )
