import numpy as np
import torch

from headrecon.geometry.multigrid import GridLaplacian, solve


def random_operator(height: int, width: int, seed: int) -> GridLaplacian:
    generator = torch.Generator().manual_seed(seed)

    def draw() -> torch.Tensor:
        return torch.rand(height, width, generator=generator, dtype=torch.float64)

    right, down = draw(), draw()
    right[:, -1] = 0.0
    down[-1] = 0.0
    return GridLaplacian(right, down, 0.01 * draw())


def as_matrix(operator: GridLaplacian) -> np.ndarray:
    """The readable twin: one row an equation, one column a pixel."""
    height, width = operator.right.shape
    index = np.arange(height * width).reshape(height, width)
    matrix = np.diag(operator.anchor.numpy().ravel())
    pairs = (
        (operator.right, np.roll(index, -1, 1)),
        (operator.down, np.roll(index, -1, 0)),
    )
    for weight, other in pairs:
        for a, b, w in zip(index.ravel(), other.ravel(), weight.numpy().ravel(), strict=True):
            if w > 0.0:
                row = np.zeros(height * width)
                row[a], row[b] = -1.0, 1.0
                matrix += w * np.outer(row, row)
    return matrix


def test_the_stencil_is_the_matrix_of_its_equations():
    operator = random_operator(5, 7, 0)
    z = torch.randn(5, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    matrix = as_matrix(operator)
    assert np.allclose(operator.apply(z).numpy().ravel(), matrix @ z.numpy().ravel())
    assert np.allclose(operator.diagonal().numpy().ravel(), matrix.diagonal())


def test_the_solution_is_that_of_a_direct_solver():
    operator = random_operator(21, 13, 2)
    right_side = torch.randn(
        21, 13, generator=torch.Generator().manual_seed(3), dtype=torch.float64
    )
    expected = np.linalg.solve(as_matrix(operator), right_side.numpy().ravel())
    found = solve(operator, right_side, 1e-12, 200)
    assert np.allclose(found.numpy().ravel(), expected, atol=1e-9 * np.abs(expected).max())


def test_views_of_a_batch_are_solved_as_if_alone():
    operators = [random_operator(16, 18, seed) for seed in (4, 5)]
    batch = GridLaplacian(
        *(
            torch.stack([getattr(o, name) for o in operators])
            for name in ("right", "down", "anchor")
        )
    )
    right_side = torch.randn(
        2, 16, 18, generator=torch.Generator().manual_seed(6), dtype=torch.float64
    )
    together = solve(batch, right_side, 1e-12, 200)
    for operator, one, found in zip(operators, right_side, together, strict=True):
        assert torch.allclose(solve(operator, one, 1e-12, 200), found, atol=1e-8)


def test_iterations_hardly_grow_with_the_image():
    def needed(size: int) -> int:
        operator = random_operator(size, size, 7)
        operator = GridLaplacian(operator.right, operator.down, operator.anchor * 1e-3)
        right_side = torch.randn(
            size, size, generator=torch.Generator().manual_seed(8), dtype=torch.float64
        )
        exact = solve(operator, right_side, 1e-12, 1000)
        for count in range(1, 200):
            found = solve(operator, right_side, 0.0, count)
            if (found - exact).norm() < 1e-4 * exact.norm():
                return count
        raise AssertionError("not converged")

    assert needed(128) <= 1.6 * needed(32)


def test_gradients_are_those_of_the_equations_and_need_no_record_of_iterations():
    operator = random_operator(4, 3, 9)
    generator = torch.Generator().manual_seed(10)
    right_side = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    # Weights of edges that leave the canvas stay 0.
    inner = torch.ones(4, 3, dtype=torch.float64)
    last_column, last_row = inner.clone(), inner.clone()
    last_column[:, -1], last_row[-1] = 0.0, 0.0

    def solution(*values: torch.Tensor) -> torch.Tensor:
        right, down, anchor, wanted = values
        found = GridLaplacian(right * last_column, down * last_row, anchor)
        return solve(found, wanted, 1e-12, 200)

    values = (operator.right + 0.1, operator.down + 0.1, operator.anchor + 0.1, right_side)
    values = tuple(value.requires_grad_(True) for value in values)
    assert torch.autograd.gradcheck(solution, values, atol=1e-5)
