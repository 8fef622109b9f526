"""Light in spherical harmonics."""

import pytest
import torch
from torch import Tensor

from headrecon.geometry.lighting import basis, fit_lighting, light_arriving


def ball(count: int = 4000) -> Tensor:
    """Normals of the half of a ball that is seen."""
    generator = torch.Generator().manual_seed(0)
    normals = torch.nn.functional.normalize(torch.randn(3, count, generator=generator), dim=0)
    normals[2] = normals[2].abs()
    return normals


@pytest.mark.parametrize("order", [1, 2])
def test_harmonics_are_orthogonal_over_the_sphere(order: int):
    half = ball(200_000)
    whole = torch.cat([half, -half], dim=1)
    gram = basis(whole, order) @ basis(whole, order).T / whole.shape[1]
    off = gram - torch.diag(gram.diagonal())
    assert float(off.abs().max()) < 0.01
    assert len(gram) == (order + 1) ** 2


@pytest.mark.parametrize("order", [1, 2])
def test_light_of_that_order_is_found(order: int):
    generator = torch.Generator().manual_seed(1)
    normals, albedo = ball(), 0.2 + 0.6 * torch.rand(3, 4000, generator=generator)
    light = torch.randn(2, 3, (order + 1) ** 2, generator=generator)
    images = albedo * torch.einsum("pck,kj->pcj", light, basis(normals, order))
    found = fit_lighting(images, albedo, normals, torch.ones(2, 4000), order)
    rendered = albedo * torch.einsum("pck,kj->pcj", found, basis(normals, order))
    assert float((rendered - images).abs().mean()) < 0.02 * float(images.abs().mean())


def test_a_lamp_from_the_side_needs_the_second_order():
    """Attached shadow is what the first order lacks: of the energy of max(0, n . l) an eighth."""
    normals = ball()
    lamp = torch.nn.functional.normalize(torch.tensor([1.0, 0.3, 0.4]), dim=0)
    images = (lamp @ normals).clamp_min(0.0).expand(1, 3, -1)
    white, even = torch.ones(3, 4000), torch.ones(1, 4000)

    def off(order: int) -> float:
        light = fit_lighting(images, white, normals, even, order)
        rendered = torch.einsum("pck,kj->pcj", light, basis(normals, order))
        return float((rendered - images).square().sum() / images.square().sum())

    assert off(2) < 0.25 * off(1)
    assert off(1) > 0.01


def test_light_is_sure_where_it_was_told_and_not_on_the_other_side():
    normals = ball()
    left = normals[0] < -0.2
    albedo = torch.full_like(normals, 0.4)
    light = torch.tensor([[0.7, 0.2, 0.1, 0.1]]).expand(3, -1)
    image = albedo * (light @ basis(normals))
    image[:, :20] = 1.0
    arriving, sure = light_arriving(image, albedo, basis(normals), left.float())
    true = light @ basis(normals)
    # The least squares have a small ridge.
    torch.testing.assert_close(arriving, true / true[:, left].mean(), atol=0.0, rtol=0.03)
    assert float(sure[left].median()) > 0.8
    assert float(sure[normals[0] > 0.7].max()) < 0.2
    assert float(sure.max()) <= 1.0
