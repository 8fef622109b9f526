"""The other ways to integrate: bilateral, and Poisson's equation on the whole canvas."""

from dataclasses import replace

import pytest
import torch

from headrecon.depth.bilateral import BilateralIntegrate, _Axis
from headrecon.depth.boundary import Anchor, Boundary
from headrecon.depth.integrate import integrate
from headrecon.depth.poisson import integrate_canvas
from headrecon.geometry.camera import pixel_centres
from headrecon.geometry.multigrid import GridLaplacian
from tests.depth.test_integrate import centred_error, free, normals_of_slopes

BOUNDARY = Boundary(1.0, 1e-3, 4e-3, 4e-3, 0.1, 0.02, True, 0.35, 2)
BILATERAL = BilateralIntegrate(
    boundary=BOUNDARY,
    sharpness=2.0,
    rounds=40,
    coarsest=16,
    settled=1e-4,
    tolerance=1e-6,
    max_iterations=20,
)


def places(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rightward and upward, from -1 to 1."""
    xy = 2.0 * pixel_centres(size, size).double() / size - 1.0
    return xy[..., 0], -xy[..., 1]


def test_planes_are_exact_for_bilateral_weights_too():
    x, y = places(40)
    mask = x**2 + y**2 < 0.9
    mask[12:20, 15:30] = False
    truth = 20.0 * (0.3 * x + 0.7 * y)
    normals = normals_of_slopes(torch.full_like(x, 0.3), torch.full_like(x, 0.7))
    found = replace(BILATERAL, settled=0.0).integrate(normals, mask, free(40))
    assert centred_error(found, truth, mask).max() < 1e-3
    assert found[~mask].abs().max() == 0.0


def test_the_bilateral_operator_is_the_gradient_of_its_energy():
    generator = torch.Generator().manual_seed(0)
    n_z, rise, z = torch.rand(3, 7, 9, generator=generator, dtype=torch.float64)
    mask = torch.rand(7, 9, generator=generator) > 0.2
    axes = [_Axis(n_z * mask, rise * mask, mask, dim) for dim in (-1, -2)]
    weights = [axis.weights(z, 2.0) for axis in axes]
    z.requires_grad_(True)
    energy = torch.stack([a.energy(z, *w) for a, w in zip(axes, weights, strict=True)]).sum()
    [gradient] = torch.autograd.grad(energy, z)
    (along, s_along), (below, s_below) = (a.edges(*w) for a, w in zip(axes, weights, strict=True))
    operator = GridLaplacian(along, below, torch.zeros_like(along))
    divergence = s_along.roll(1, -1) - s_along + s_below.roll(1, -2) - s_below
    torch.testing.assert_close(2.0 * (operator.apply(z.detach()) - divergence), gradient)


def test_a_cliff_is_kept_where_least_squares_spreads_it():
    size = 96
    x, y = places(size)
    behind = (x > 0).double()
    # A crack that begins at the lower border and opens upward: its height follows from slopes.
    truth = size / 2 * (0.2 * x**2 + behind * 0.3 * (1.0 + y) ** 1.5)
    slopes = 0.4 * x, behind * 0.45 * (1.0 + y).sqrt()
    mask = x**2 + y**2 < 0.95
    normals = normals_of_slopes(*slopes)
    spread = centred_error(integrate(normals, mask, free(size), 1e-8, 500), truth, mask).mean()
    kept = centred_error(BILATERAL.integrate(normals, mask, free(size)), truth, mask).mean()
    assert float(spread) > 3.0
    assert float(kept) < 0.4 * float(spread)


def test_bilateral_weights_cost_nothing_where_there_is_no_cliff():
    def error(size: int) -> float:
        x, y = places(size)
        truth = 0.15 * size * torch.sin(3.0 * x) * torch.cos(2.0 * y)
        z_x = 0.9 * torch.cos(3.0 * x) * torch.cos(2.0 * y)
        z_y = -0.6 * torch.sin(3.0 * x) * torch.sin(2.0 * y)
        mask = x**2 + y**2 < 0.9
        found = BILATERAL.integrate(normals_of_slopes(z_x, z_y), mask, free(size))
        return float(centred_error(found, truth, mask).square().mean().sqrt()) * 2.0 / size

    assert error(80) < 0.4 * error(40) < 0.01


def test_an_anchor_sets_the_height_at_all_resolutions():
    x, _ = places(48)
    weight = torch.zeros(48, 48)
    weight[10, 31] = 1.0
    mask, flat = torch.ones_like(x) > 0, normals_of_slopes(0 * x, 0 * x)
    anchor = Anchor(torch.full((48, 48), 7.0), weight)
    for found in (BILATERAL.integrate(flat, mask, anchor), integrate_canvas(flat, mask, anchor)):
        assert torch.allclose(found, torch.full_like(found, 7.0), atol=1e-3)


def test_cosine_transforms_are_right_to_second_order_on_the_whole_canvas():
    def error(size: int) -> float:
        x, y = places(size)
        truth = size / 2 * 0.2 * torch.cos(torch.pi * x) * torch.cos(torch.pi * y)
        z_x = -0.2 * torch.pi * torch.sin(torch.pi * x) * torch.cos(torch.pi * y)
        z_y = -0.2 * torch.pi * torch.cos(torch.pi * x) * torch.sin(torch.pi * y)
        mask = torch.ones_like(x) > 0
        found = integrate_canvas(normals_of_slopes(z_x, z_y), mask, free(size))
        return float(centred_error(found, truth, mask).square().mean().sqrt()) * 2.0 / size

    assert error(64) < 0.02
    assert error(32) / error(64) == pytest.approx(4.0, abs=1.0)
