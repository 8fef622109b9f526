"""Low-rank approximation of matrices with missing entries."""

import torch
from jaxtyping import Float
from torch import Tensor


def principal_rows(matrix: Float[Tensor, "row column"], rank: int) -> Float[Tensor, "row rank"]:
    """Orthonormal basis of the dominant column space, by the eigenvectors of matrix matrix^T.

    For few rows and many columns (photos and pixels) the Gram matrix is small and one product of
    the large matrix is all that is read. Its squared condition number does not hurt the leading few
    vectors, which are all that is asked for; it is formed in float64 all the same.
    """
    gram = (matrix @ matrix.T).double()
    _, vectors = torch.linalg.eigh((gram + gram.T) / 2.0)
    return vectors[:, -rank:].flip(-1).to(matrix)


def approximate(
    matrix: Float[Tensor, "row column"],
    weights: Float[Tensor, "row column"],
    rank: int,
    rounds: int,
) -> tuple[Float[Tensor, "row rank"], Float[Tensor, "row column"]]:
    """Orthonormal rows U and the rank-k matrix U U^T X, X being the matrix with its gaps filled.

    A gap (weight 0) is filled by the average row at the row's own gain, then by the approximation
    itself, `rounds` times; entries in between are blended. On complete data this is the truncated
    singular value decomposition, whatever the number of rounds.

    Reference: Eckart and Young, "The approximation of one matrix by another of lower rank",
    Psychometrika 1936; Srebro and Jaakkola, "Weighted low-rank approximations", ICML 2003.
    """
    total = weights.sum(dim=0)
    average = (weights * matrix).sum(dim=0) / total.clamp_min(1e-6)
    gain = (weights * matrix * average).sum(dim=1) / (weights * average**2).sum(dim=1).clamp_min(
        1e-12
    )
    filling = gain[:, None] * average
    basis = matrix.new_zeros(len(matrix), rank)
    for _ in range(max(rounds, 1)):
        filled = weights * matrix + (1.0 - weights) * filling
        basis = principal_rows(filled, rank)
        filling = basis @ (basis.T @ filled)
    return basis, filling
