"""Low-rank approximation of matrices with missing entries."""

from collections.abc import Callable, Sequence
from typing import no_type_check

import torch
from jaxtyping import Float
from torch import Tensor

_MANY_ROWS = 256
"""Rows up to which the Gram matrix is the fastest way."""
_SAMPLED, _BYTES, _BYTES_OF_GPU = 8, 2**21, 2**28
"""One block of columns in this many is in the sample; bytes of a block in single precision."""
_FEW_BLOCKS = 16
"""Blocks below which all columns are the sample."""
_MORE, _ROUNDS = 12, 2
"""Vectors that are iterated on beyond those asked for, and how often on the sample."""

Block = Float[Tensor, "row column"]
Blocks = Callable[[slice], Block]
"""Some columns of a matrix that need not exist as a whole."""


def principal_rows(matrix: Float[Tensor, "row column"], rank: int) -> Float[Tensor, "row rank"]:
    """Orthonormal basis of the dominant column space, by the eigenvectors of matrix matrix^T.

    For few rows and many columns (photos and pixels) the Gram matrix is small and one product of
    the large matrix is all that is read. Its squared condition number does not hurt the leading few
    vectors, which are all that is asked for; it is added up in float64 all the same.

    For many rows its n^2 p operations are too many, and the vectors are iterated on instead: to
    convergence on a sample of the columns, then with two products of the whole matrix, X^T Q and
    X (X^T Q), a block of columns at a time, so that the matrix is read once. Rayleigh and Ritz
    choose the leading vectors in the space of Q; the product that is there already makes one more
    step with them for nothing.

    Reference: Halko, Martinsson and Tropp, "Finding structure with randomness: probabilistic
    algorithms for constructing approximate matrix decompositions", SIAM Review 2011.
    """
    return _leading(lambda part: matrix[:, part], _parts(matrix), rank)


def _parts(matrix: Float[Tensor, "row column"]) -> list[slice]:
    """Columns that are looked at together: on a CPU so few that they stay in its cache."""
    count = (_BYTES_OF_GPU if matrix.is_cuda else _BYTES) // (4 * max(1, len(matrix)))
    count = max(1, count)
    return [slice(start, start + count) for start in range(0, matrix.shape[1], count)]


def _leading(blocks: Blocks, parts: Sequence[slice], rank: int) -> Float[Tensor, "row rank"]:
    first = blocks(parts[0])
    if len(first) > _MANY_ROWS:
        return _iterated(blocks, parts, rank)
    gram = first.new_zeros(len(first), len(first), dtype=torch.float64)
    for part in parts:
        block = blocks(part)
        gram += block @ block.T
    _, vectors = torch.linalg.eigh((gram + gram.T) / 2.0)
    return vectors[:, -rank:].flip(-1).to(first)


def _iterated(blocks: Blocks, parts: Sequence[slice], rank: int) -> Float[Tensor, "row rank"]:
    chosen = parts[:: _SAMPLED if len(parts) >= _FEW_BLOCKS else 1]
    sample = torch.cat([blocks(part) for part in chosen], dim=1)
    few = torch.linspace(0, len(sample) - 1, rank + _MORE).long()
    image = sample @ sample[few].T
    for _ in range(_ROUNDS):
        basis = torch.linalg.qr(image)[0]
        image = sample @ (sample.T @ basis)
    basis = torch.linalg.qr(image)[0]
    image = torch.zeros_like(basis)
    for part in parts:
        block = blocks(part)
        image += block @ (block.T @ basis)
    _, vectors = torch.linalg.eigh((basis.T @ image).double())
    leading = image @ vectors[:, -rank:].flip(-1).to(image)
    return torch.linalg.qr(leading)[0]


def approximate(
    matrix: Float[Tensor, "row column"],
    weights: Float[Tensor, "row column"],
    trust: Float[Tensor, " row"],
    rank: int,
    rounds: int,
) -> tuple[Float[Tensor, "row rank"], Float[Tensor, "rank column"]]:
    """Orthonormal U and U^T X, whose product has rank k, X being the matrix with its gaps filled.

    A gap (weight times trust 0) is filled by the average row at the row's own gain, then by the
    approximation itself, `rounds` times; entries in between are blended. On complete data this is
    the truncated singular value decomposition, whatever the number of rounds. What fills is a
    product of two small matrices, so that nothing as large as the matrix is made; this may be in
    half precision.

    Reference: Eckart and Young, "The approximation of one matrix by another of lower rank",
    Psychometrika 1936; Srebro and Jaakkola, "Weighted low-rank approximations", ICML 2003.
    """
    parts = _parts(matrix)

    @no_type_check
    def known(part: slice) -> tuple[Block, Block]:
        return matrix[:, part].to(trust), weights[:, part].to(trust) * trust[:, None]

    average, above, below = [], torch.zeros_like(trust), torch.zeros_like(trust)
    for part in parts:
        x, w = known(part)
        mean = (w * x).sum(dim=0) / w.sum(dim=0).clamp_min(1e-6)
        above += (w * x) @ mean
        below += w @ mean.square()
        average.append(mean)
    basis = (above / below.clamp_min(1e-12))[:, None]
    rows = torch.cat(average)[None]

    @no_type_check
    def filled(part: slice) -> Block:
        x, w = known(part)
        return torch.lerp(basis @ rows[:, part], x, w)

    for _ in range(max(rounds, 1)):
        leading = _leading(filled, parts, rank)
        rows = torch.cat([leading.T @ filled(part) for part in parts], dim=1)
        basis = leading
    return basis, rows
