"""Integration of normals beside the solver that one would take instead."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec

import numpy as np
import scipy.sparse as sp
import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.evaluate.race import Row, in_turns, wait
from headrecon.geometry.camera import pixel_centres
from headrecon.geometry.multigrid import GridLaplacian, solve

_TOLERANCE = 1e-8


def integration(sides: Sequence[int], turns: int, device: torch.device) -> Iterator[Row]:
    """A row for each size of canvas; none if PyAMG is not there to compare with."""
    if find_spec("pyamg") is None:
        return
    import pyamg

    for side in sides:
        operator, truth = oval(side)
        right_side = operator.apply(truth)
        mask = (operator.diagonal() != 1.0).numpy()
        matrix, wanted = as_matrix(operator, mask), right_side.numpy()[mask]
        found: dict[str, Float[np.ndarray, " pixel"]] = {}
        there = GridLaplacian(
            *(w.to(device) for w in (operator.right, operator.down, operator.anchor))
        )
        asked = right_side.to(device)

        def ours(
            there: GridLaplacian = there, asked: Tensor = asked, mask=mask, found=found
        ) -> None:
            found["ours"] = solve(there, asked, _TOLERANCE, 500).cpu().numpy()[mask]
            wait(device)

        def theirs(matrix=matrix, wanted=wanted, found=found) -> None:
            solver = pyamg.ruge_stuben_solver(matrix)
            found["theirs"] = solver.solve(wanted, tol=_TOLERANCE, accel="cg")

        seconds = in_turns([ours, theirs], turns)
        true = truth.numpy()[mask]
        off = [
            float(np.linalg.norm(found[name] - true) / np.linalg.norm(true))
            for name in ("ours", "theirs")
        ]
        quality = f"depth off by {off[0]:.0e} against {off[1]:.0e}"
        size = int(mask.sum())
        yield Row(f"integration, {size} pixels", "PyAMG Ruge-Stuben CG", seconds, quality, size)


def oval(side: int) -> tuple[GridLaplacian, Float[Tensor, "h w"]]:
    """The equations of a wavy surface on an oval with a hole, known in a band; and its depth."""
    x, y = (2.0 * pixel_centres(side, side).double() / side - 1.0).unbind(-1)
    mask = (x**2 / 0.7 + y**2 / 0.95 < 1.0) & ((x - 0.3) ** 2 + (y + 0.3) ** 2 > 0.01)
    n_z = (1.0 - 0.5 * (x**2 + y**2)).clamp_min(0.05).sqrt()
    right, down = mask & mask.roll(-1, 1), mask & mask.roll(-1, 0)
    right[:, -1], down[-1] = False, False
    truth = 0.25 * side * torch.sin(6.0 * x) * torch.cos(5.0 * y) * mask
    anchor = 1e-4 * mask * (x.abs() < 0.2)
    return GridLaplacian(n_z**2 * right, n_z**2 * down, anchor.double()), truth


def as_matrix(operator: GridLaplacian, mask: np.ndarray) -> sp.csr_matrix:
    """The operator as a sparse matrix over the pixels of the mask."""
    index = np.full(mask.shape, -1)
    index[mask] = np.arange(mask.sum())
    rows, columns, values = [], [], []
    for weight, axis in ((operator.right, 1), (operator.down, 0)):
        w, other = weight.numpy(), np.roll(index, -1, axis)
        edge = w > 0.0
        rows += [index[edge], other[edge]]
        columns += [other[edge], index[edge]]
        values += [-w[edge], -w[edge]]
    size = int(mask.sum())
    where = (np.concatenate(rows), np.concatenate(columns))
    off = sp.coo_matrix((np.concatenate(values), where), shape=(size, size)).tocsr()
    return sp.csr_matrix(off + sp.diags(operator.diagonal().numpy()[mask]))
