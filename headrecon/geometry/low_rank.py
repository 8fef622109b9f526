"""Low-rank approximation of matrices with missing entries."""

import torch
from jaxtyping import Float
from torch import Tensor

_MANY_ROWS = 256
"""Rows up to which the Gram matrix is the fastest way."""
_SAMPLED, _BLOCK = 8, 512
"""One block of so many columns in this many is in the sample."""
_MORE, _ROUNDS = 12, 2
"""Vectors that are iterated on beyond those asked for, and how often on the sample."""


def principal_rows(matrix: Float[Tensor, "row column"], rank: int) -> Float[Tensor, "row rank"]:
    """Orthonormal basis of the dominant column space, by the eigenvectors of matrix matrix^T.

    For few rows and many columns (photos and pixels) the Gram matrix is small and one product of
    the large matrix is all that is read. Its squared condition number does not hurt the leading few
    vectors, which are all that is asked for; it is formed in float64 all the same.

    For many rows its n^2 p operations are too many, and the vectors are iterated on instead: to
    convergence on a sample of the columns, then with two products of the whole matrix, X^T Q and
    X (X^T Q). Rayleigh and Ritz choose the leading vectors in the space of Q; the product that is
    there already makes one more step with them for nothing.

    Reference: Halko, Martinsson and Tropp, "Finding structure with randomness: probabilistic
    algorithms for constructing approximate matrix decompositions", SIAM Review 2011.
    """
    if len(matrix) > _MANY_ROWS and matrix.shape[1] > _BLOCK * _SAMPLED:
        return _iterated(matrix, rank)
    gram = (matrix @ matrix.T).double()
    _, vectors = torch.linalg.eigh((gram + gram.T) / 2.0)
    return vectors[:, -rank:].flip(-1).to(matrix)


def _iterated(matrix: Float[Tensor, "row column"], rank: int) -> Float[Tensor, "row rank"]:
    blocks = matrix.split(_BLOCK, dim=1)[::_SAMPLED]
    sample = torch.cat(blocks, dim=1)
    chosen = torch.linspace(0, len(matrix) - 1, rank + _MORE).long()
    image = sample @ sample[chosen].T
    for _ in range(_ROUNDS):
        image, _ = _multiplied(sample, image)
    image, basis = _multiplied(matrix, image)
    _, vectors = torch.linalg.eigh((basis.T @ image).double())
    leading = image @ vectors[:, -rank:].flip(-1).to(matrix)
    return torch.linalg.qr(leading)[0]


def _multiplied(
    matrix: Float[Tensor, "row column"], image: Float[Tensor, "row vector"]
) -> tuple[Float[Tensor, "row vector"], Float[Tensor, "row vector"]]:
    """X X^T Q, and Q, an orthonormal basis of the vectors so far."""
    basis = torch.linalg.qr(image)[0]
    return matrix @ (basis.T @ matrix).T, basis


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
        filled = torch.lerp(filling, matrix, weights)
        basis = principal_rows(filled, rank)
        filling = basis @ (basis.T @ filled)
    return basis, filling
