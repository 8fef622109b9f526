from dataclasses import replace

import pytest
import torch

from headrecon.geometry.lighting import basis
from headrecon.shading.factorize import Factorize
from headrecon.shading.subset import Everything, Irls
from tests.shading.spheres import SIZE, photos, sphere

FACTORIZE = Factorize(
    subset=Irls(cutoff=2.0, bright_cutoff=2.0, floor=0.005),
    harmonics=1,
    rounds=4,
    saturation=0.98,
    darkness=0.02,
    majority=0.5,
    ridge=1e-6,
    fill_rounds=3,
)


def test_photos_of_first_order_light_factorize_without_residual():
    factors = FACTORIZE(photos(30, 0.0, 0))
    assert float(factors.residual.max()) < 1e-3


def test_pseudo_normals_span_the_true_ones():
    factors = FACTORIZE(photos(30, 0.0, 1))
    normals, albedo, mask = sphere()
    truth = (albedo * torch.cat([torch.ones_like(albedo)[None], normals]))[:, mask].T
    solved = torch.linalg.lstsq(factors.shape[:, mask].T, truth).solution
    misfit = factors.shape[:, mask].T @ solved - truth
    assert float(misfit.abs().max()) < 5e-3


def test_the_order_of_the_photos_changes_nothing():
    stack = photos(20, 0.01, 2)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(3))
    shuffled = replace(stack, images=stack.images[order], masks=stack.masks[order])
    one, other = FACTORIZE(stack), FACTORIZE(shuffled)
    assert torch.allclose(one.residual, other.residual, atol=1e-4)
    products = one.lighting[order] @ one.shape.flatten(1)
    assert torch.allclose(products, other.lighting @ other.shape.flatten(1), atol=1e-3)


def test_exposure_changes_the_lighting_only():
    stack = photos(20, 0.0, 4)
    exposures = torch.linspace(0.3, 1.0, 20)[:, None, None, None]
    one, other = FACTORIZE(stack), FACTORIZE(replace(stack, images=stack.images * exposures))
    assert torch.allclose(one.color, other.color, atol=2e-2)
    assert float(other.residual.max()) < 2e-3


def test_shadows_that_cross_a_third_of_the_photos_here_and_there_are_left_out():
    stack = photos(60, 0.002, 5)
    images = stack.images.clone()
    for index in range(0, 60, 3):
        images[index, :, :, index // 2 : index // 2 + 6] *= 0.3
    factors = FACTORIZE(replace(stack, images=images))
    normals, albedo, mask = sphere()
    truth = (albedo * torch.cat([torch.ones_like(albedo)[None], normals]))[:, mask].T
    solved = torch.linalg.lstsq(factors.shape[:, mask].T, truth).solution
    misfit = (factors.shape[:, mask].T @ solved - truth).abs()
    assert float(misfit.mean()) < 0.01
    plain = FACTORIZE(stack)
    assert float(factors.support[mask].mean()) < float(plain.support[mask].mean()) - 1.0


def test_the_error_falls_with_the_root_of_the_number_of_photos():
    def misfit(count: int) -> float:
        factors = FACTORIZE(photos(count, 0.02, 6))
        normals, albedo, mask = sphere()
        truth = (albedo * torch.cat([torch.ones_like(albedo)[None], normals]))[:, mask].T
        solved = torch.linalg.lstsq(factors.shape[:, mask].T, truth).solution
        return float((factors.shape[:, mask].T @ solved - truth).square().mean().sqrt())

    assert 1.4 < misfit(25) / misfit(100) < 2.8


def test_too_few_photos_are_refused_in_words():
    with pytest.raises(ValueError, match="3 photos cannot be factorized"):
        FACTORIZE(photos(3, 0.0, 7))


def test_the_error_is_what_cramer_and_rao_allow():
    """Mean squares of all four components, against the inverse of the Fisher information."""
    noise = 0.01
    stack = photos(100, noise, 8)
    plain = replace(FACTORIZE, subset=Everything())
    for factorize, most in ((plain, 1.15), (FACTORIZE, 1.4)):
        factors = factorize(stack)
        normals, albedo, mask = sphere()
        truth = (albedo * torch.cat([torch.ones_like(albedo)[None], normals]))[:, mask].T
        solved = torch.linalg.lstsq(factors.shape[:, mask].T, truth).solution
        error = (factors.shape[:, mask].T @ solved - truth).square().mean(dim=0)
        exposure = stack.images[:, 0, mask].mean(dim=1)
        fisher = factors.lighting.T @ (factors.lighting * (exposure / noise)[:, None].square())
        bound = (solved.T @ torch.linalg.inv(fisher) @ solved).diagonal()
        ratio = error / bound
        assert float(ratio.min()) > 0.85
        assert float(ratio.mean()) < most


def test_light_of_second_order_factorizes_at_rank_9_without_residual():
    generator = torch.Generator().manual_seed(9)
    normals, albedo, mask = sphere()
    first = photos(60, 0.0, 9)
    light = torch.cat(
        [torch.full((60, 1), 0.8), 0.12 * torch.randn(60, 8, generator=generator)], dim=1
    )
    shaded = torch.einsum("pk,kj->pj", light, basis(normals.flatten(1), 2)).reshape(60, SIZE, SIZE)
    images = (0.5 * albedo * shaded).clamp(0.01, 0.97)[:, None].expand(-1, 3, -1, -1).clone()
    stack = replace(first, images=images)
    at_four, at_nine = (replace(FACTORIZE, harmonics=order)(stack) for order in (1, 2))
    assert float(at_four.residual[mask].mean()) > 0.01
    assert float(at_nine.residual[mask].mean()) < 2e-3
    assert at_nine.shape.shape[0] == at_nine.lighting.shape[1] == 9
    truth = (albedo * basis(normals.flatten(1), 2).reshape(9, SIZE, SIZE))[:, mask].T
    solved = torch.linalg.lstsq(at_nine.shape[:, mask].T, truth).solution
    misfit = (at_nine.shape[:, mask].T @ solved - truth).abs()
    assert float(misfit.mean()) < 0.01


def test_few_photos_are_factorized_at_rank_4_whatever_is_asked():
    factors = replace(FACTORIZE, harmonics=2)(photos(12, 0.0, 10))
    assert factors.shape.shape[0] == 4
    assert float(factors.residual.max()) < 1e-3
