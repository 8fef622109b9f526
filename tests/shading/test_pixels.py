import numpy as np
import torch

from headrecon.shading import pixels
from headrecon.shading.pixels import believed_pixels, information, scattered, solve_pixels
from headrecon.shading.subset import Irls

PIXELS, PHOTOS = 700, 40
RIDGE = 1e-3


def problem(k: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Design, values with outliers, and what is known beforehand: a third of it is missing."""
    generator = torch.Generator().manual_seed(k)
    design = torch.randn(PHOTOS, k, generator=generator)
    values = torch.randn(PIXELS, k, generator=generator) @ design.T
    values = values + 0.05 * torch.randn(values.shape, generator=generator)
    values[torch.rand(values.shape, generator=generator) < 0.1] += 3.0
    base = torch.rand(values.shape, generator=generator)
    return design, values, base * (base > 0.3)


def slowly(design, values, base, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """One pixel after the other, as one would write it."""
    shapes, beliefs = [], []
    for seen, known in zip(values.numpy(), base.numpy(), strict=True):
        weights = known
        for _ in range(rounds + 1):
            if shapes and len(shapes) > len(beliefs):
                residual = seen - design.numpy() @ shapes.pop()
                there = np.sort(np.abs(residual[known > 0]))
                scale = 2.0 * max(1.4826 * there[(len(there) - 1) // 2], 0.02)
                weights = known / (1.0 + (residual / scale) ** 2) ** 2
            weighted = design.numpy() * weights[:, None]
            normal = weighted.T @ design.numpy() + RIDGE * np.eye(design.shape[1])
            shapes.append(np.linalg.solve(normal, weighted.T @ seen))
        beliefs.append(weights)
    return np.stack(shapes), np.stack(beliefs)


def test_all_pixels_at_once_are_the_pixels_one_by_one():
    for k in (4, 9):
        design, values, base = problem(k)
        belief = torch.empty_like(base)
        shape = believed_pixels(design, values, base, base, RIDGE, Irls(2.0, 2.0, 0.02), 3, belief)
        true_shape, true_belief = slowly(design, values, base, 3)
        assert np.abs(shape.numpy() - true_shape).max() < 1e-3
        assert np.abs(belief.numpy() - true_belief).max() < 1e-3


def test_without_rounds_the_weights_are_those_that_are_given():
    design, values, base = problem(4)
    belief = torch.full_like(base, 7.0)
    shape = believed_pixels(design, values, base, base, RIDGE, Irls(2.0, 2.0, 0.02), 0, belief)
    assert (belief == 7.0).all()
    assert torch.equal(shape, solve_pixels(design, values, base, RIDGE))


def test_last_weights_may_take_the_place_of_the_first_ones():
    design, values, base = problem(4)
    apart, start = torch.empty_like(base), 0.5 * base
    subset = Irls(2.0, 2.0, 0.02)
    shape = believed_pixels(design, values, base, start, RIDGE, subset, 2, apart)
    same = believed_pixels(design, values, base, start, RIDGE, subset, 2, start)
    assert torch.equal(same, shape)
    assert torch.equal(start, apart)


def test_it_does_not_matter_how_many_pixels_a_thread_takes_at_a_time(monkeypatch):
    design, values, base = problem(4)
    whole, parts = torch.empty_like(base), torch.empty_like(base)
    subset = Irls(2.0, 2.0, 0.02)
    shape = believed_pixels(design, values, base, base, RIDGE, subset, 3, whole)
    monkeypatch.setattr(pixels, "_BYTES", 7 * PHOTOS * 4)
    same = believed_pixels(design, values, base, base, RIDGE, subset, 3, parts)
    assert torch.allclose(same, shape, atol=1e-4)
    assert torch.allclose(parts, whole, atol=1e-4)


def test_a_pixel_that_no_photo_shows_is_0():
    design, values, base = problem(4)
    base[5] = 0.0
    belief = torch.empty_like(base)
    shape = believed_pixels(design, values, base, base, RIDGE, Irls(2.0, 2.0, 0.02), 2, belief)
    assert torch.equal(shape[5], torch.zeros(4))
    assert torch.equal(belief[5], torch.zeros(PHOTOS))


def test_information_is_the_sum_over_the_photos():
    design, _, base = problem(4)
    slow = torch.zeros(PIXELS, 4, 4)
    for weights, row in zip(base.T, design, strict=True):
        slow += weights[:, None, None] * torch.outer(row, row)
    assert torch.allclose(information(design, base), slow, atol=1e-4)


def test_pixels_go_back_to_where_they_are():
    mask = torch.tensor([[True, False], [False, True]])
    assert scattered(torch.tensor([1.0, 2.0]), mask).tolist() == [[1.0, 0.0], [0.0, 2.0]]
