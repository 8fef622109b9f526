import math

import torch

from headrecon.geometry.similarity import fit_similarity


def turned(degrees: float, scale: float) -> torch.Tensor:
    a = math.radians(degrees)
    return scale * torch.tensor(
        [[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]], dtype=torch.float64
    )


def test_a_known_similarity_is_found():
    source = torch.randn(30, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    matrix, shift = turned(25.0, 1.7), torch.tensor([3.0, -8.0], dtype=torch.float64)
    found, translation = fit_similarity(source, source @ matrix.T + shift, torch.ones(30).double())
    assert torch.allclose(found, matrix)
    assert torch.allclose(translation, shift)


def test_a_fifth_of_wild_points_does_not_turn_the_rest():
    generator = torch.Generator().manual_seed(1)
    source = torch.randn(40, 2, generator=generator, dtype=torch.float64)
    matrix, shift = turned(-40.0, 0.6), torch.tensor([1.0, 2.0], dtype=torch.float64)
    target = source @ matrix.T + shift
    target += 0.005 * torch.randn(40, 2, generator=generator, dtype=torch.float64)
    target[::5] += torch.tensor([2.0, 1.0])
    found, translation = fit_similarity(source, target, torch.ones(40).double(), rounds=20)
    assert torch.allclose(found, matrix, atol=0.01)
    assert torch.allclose(translation, shift, atol=0.01)


def test_points_of_no_weight_do_not_count():
    source = torch.randn(10, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    target = source @ turned(10.0, 2.0).T
    target[7:] = 100.0
    weights = torch.ones(10).double()
    weights[7:] = 0.0
    found, _ = fit_similarity(source, target, weights)
    assert torch.allclose(found, turned(10.0, 2.0))
