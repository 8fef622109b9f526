import pytest
import torch

from headrecon.geometry.low_rank import approximate, principal_rows


def low_rank(rows: int, columns: int, rank: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    left = torch.randn(rows, rank, generator=generator, dtype=torch.float64)
    right = torch.randn(rank, columns, generator=generator, dtype=torch.float64)
    return left @ right


def test_complete_data_gives_the_truncated_svd():
    matrix = low_rank(12, 80, 6, 0)
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    basis, rows = approximate(matrix, torch.ones_like(matrix), torch.ones(12).double(), 3, 4)
    assert torch.allclose(basis @ rows, u[:, :3] * s[:3] @ vh[:3], atol=1e-9)


def test_principal_rows_are_orthonormal_and_ordered():
    basis = principal_rows(low_rank(9, 60, 5, 1), 4)
    assert torch.allclose(basis.T @ basis, torch.eye(4, dtype=torch.float64), atol=1e-10)
    energy = (basis.T @ low_rank(9, 60, 5, 1)).square().sum(dim=1)
    assert bool((energy[:-1] >= energy[1:]).all())


def test_gaps_of_a_low_rank_matrix_are_filled_by_what_it_is():
    matrix = 5.0 + low_rank(20, 200, 2, 2)
    generator = torch.Generator().manual_seed(3)
    weights = (torch.rand(matrix.shape, generator=generator) > 0.1).double()
    hidden = torch.where(weights > 0, matrix, torch.full_like(matrix, 1e3))
    basis, rows = approximate(hidden, weights, torch.ones(20).double(), 3, 60)
    assert (basis @ rows - matrix).abs().max() < 1e-3 * matrix.abs().max()


@pytest.mark.parametrize("gap", [0.5, 0.95])
def test_of_many_rows_the_residual_is_that_of_the_svd_to_four_digits(gap: float):
    """Singular values fall by `gap` from one to the next, over noise in all directions."""
    rows, columns, rank = 300, 9000, 4
    generator = torch.Generator().manual_seed(5)
    left = torch.linalg.qr(torch.randn(rows, 40, generator=generator))[0]
    right = torch.linalg.qr(torch.randn(columns, 40, generator=generator))[0]
    matrix = (left * 3000.0 * gap ** torch.arange(40)) @ right.T
    matrix += torch.randn(rows, columns, generator=generator)
    basis = principal_rows(matrix, rank)
    assert torch.allclose(basis.T @ basis, torch.eye(rank), atol=1e-5)
    left_over = float((matrix.double() - basis @ (basis.T @ matrix)).square().sum())
    best = float(torch.linalg.svdvals(matrix.double())[rank:].square().sum())
    assert left_over < (1.0 + 1e-4) * best
    energy = (basis.T @ matrix).square().sum(dim=1)
    assert bool((energy[:-1] > energy[1:]).all())


def test_a_matrix_of_many_rows_and_less_than_the_rank_is_spanned():
    matrix = low_rank(300, 9000, 2, 6).float()
    basis = principal_rows(matrix, 4)
    assert (matrix - basis @ (basis.T @ matrix)).norm() < 1e-4 * matrix.norm()
