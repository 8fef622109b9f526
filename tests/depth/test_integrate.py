import torch

from headrecon.depth.boundary import Anchor
from headrecon.depth.integrate import integrate
from headrecon.geometry.camera import pixel_centres


def free(size: int) -> Anchor:
    return Anchor(torch.zeros(size, size), torch.zeros(size, size))


def normals_of_slopes(z_x: torch.Tensor, z_y: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.stack([-z_x, -z_y, torch.ones_like(z_x)]), dim=0)


def centred_error(found: torch.Tensor, truth: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    error = (found - truth)[mask]
    return (error - error.mean()).abs()


def test_planes_are_integrated_exactly_on_a_mask_with_a_hole():
    size = 31
    xy = pixel_centres(size, size).double()
    mask = torch.ones(size, size, dtype=torch.bool)
    mask[8:15, 10:22] = False
    mask[:4, :9] = False
    # Height 0.3 per pixel to the right and 0.7 per pixel upwards; y of the canvas points down.
    truth = 0.3 * xy[..., 0] - 0.7 * xy[..., 1]
    normals = normals_of_slopes(torch.full_like(truth, 0.3), torch.full_like(truth, 0.7))
    found = integrate(normals, mask, free(size), 1e-12, 500)
    assert centred_error(found, truth, mask).max() < 1e-8
    assert found[~mask].abs().max() == 0.0


def test_spheres_are_integrated_exactly():
    size = 48
    xy = pixel_centres(size, size).double() - torch.tensor([20.0, 27.0])
    radius = 19.0
    squared = (xy**2).sum(dim=-1)
    mask = squared < (0.98 * radius) ** 2
    truth = (radius**2 - squared).clamp_min(0.0).sqrt()
    normals = torch.stack([xy[..., 0], -xy[..., 1], truth]) / radius
    found = integrate(normals, mask, free(size), 1e-12, 500)
    assert centred_error(found, truth, mask).max() < 1e-7


def test_the_error_on_a_wavy_surface_falls_with_the_square_of_the_pixel():
    def error(size: int) -> float:
        xy = 2.0 * pixel_centres(size, size).double() / size - 1.0
        x, y = xy[..., 0], -xy[..., 1]
        unit = size / 2.0
        truth = 0.3 * unit * torch.sin(3.0 * x) * torch.cos(2.0 * y)
        z_x = 0.9 * torch.cos(3.0 * x) * torch.cos(2.0 * y)
        z_y = -0.6 * torch.sin(3.0 * x) * torch.sin(2.0 * y)
        mask = (xy**2).sum(dim=-1) < 0.9
        found = integrate(normals_of_slopes(z_x, z_y), mask, free(size), 1e-12, 500)
        return float(centred_error(found, truth, mask).square().mean().sqrt()) / unit

    assert 3.3 < error(24) / error(48) < 4.7
    assert 3.3 < error(48) / error(96) < 4.7


def test_a_single_anchor_sets_the_height():
    size = 16
    weight = torch.zeros(size, size)
    weight[3, 5] = 1.0
    flat = normals_of_slopes(torch.zeros(size, size), torch.zeros(size, size))
    mask = torch.ones(size, size, dtype=torch.bool)
    found = integrate(flat, mask, Anchor(torch.full((size, size), 7.0), weight), 1e-10, 500)
    assert torch.allclose(found, torch.full_like(found, 7.0), atol=1e-4)


def test_depth_follows_its_normals_through_the_solver():
    size = 4
    generator = torch.Generator().manual_seed(0)
    slopes = 0.4 * torch.randn(2, size, size, generator=generator, dtype=torch.float64)
    mask = torch.ones(size, size, dtype=torch.bool)
    anchor = Anchor(torch.zeros(size, size), torch.full((size, size), 0.1))

    def depth(slopes: torch.Tensor) -> torch.Tensor:
        return integrate(normals_of_slopes(slopes[0], slopes[1]), mask, anchor, 1e-12, 200)

    assert torch.autograd.gradcheck(depth, slopes.requires_grad_(True), atol=1e-5)
