"""Many small weighted least-squares problems of one design: the pixels of a stack of photos."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import no_type_check

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from headrecon.threads import lone_threads

Subset = Callable[..., Float[Tensor, "pixel photo"]]

_BYTES = 2**22
"""Of a block's values on a CPU: all that is made of them stays in its cache. GPUs take more."""
_BYTES_OF_GPU = 2**28


def solve_pixels(
    design: Float[Tensor, "photo k"],
    values: Float[Tensor, "pixel photo"],
    weights: Float[Tensor, "pixel photo"],
    ridge: float,
) -> Float[Tensor, "pixel k"]:
    """For each pixel j the x that minimizes sum_i w_ij (v_ij - design_i . x)^2 + ridge |x|^2."""
    lights = _Design.of(design)

    def solved(seen: Tensor, belief: Tensor) -> Tensor:
        return _solved(lights, seen, belief, ridge, torch.empty_like(seen))

    return _by_block(solved, values, weights)


def believed_pixels(
    design: Float[Tensor, "photo k"],
    values: Float[Tensor, "pixel photo"],
    base: Float[Tensor, "pixel photo"],
    start: Float[Tensor, "pixel photo"],
    ridge: float,
    subset: Subset,
    rounds: int,
    weights: Float[Tensor, "pixel photo"],
) -> Float[Tensor, "pixel k"]:
    """The same with weights that follow from what the last solution leaves.

        x = solve(w),  w = subset(v - design x, base),  from `start`, `rounds` times

    The last ones are written to `weights`, which may be `start`. Each block of pixels goes through
    all rounds before the next one begins: that reads the values once, where one round after the
    other for all pixels would read them, and write the residuals and the weights, in every round.
    `subset` may write over the residual that it is given.
    """
    lights = _Design.of(design)

    def solved(seen: Tensor, known: Tensor, belief: Tensor, found: Tensor) -> Tensor:
        for _ in range(rounds):
            shape = _solved(lights, seen, belief, ridge, found)
            residual = torch.sub(seen, torch.mm(shape, lights.rows, out=found), out=found)
            belief = found.copy_(subset(residual, known))
        return _solved(lights, seen, belief, ridge, torch.empty_like(seen))

    return _by_block(solved, values, base, start, weights)


def squared_residual(
    design: Float[Tensor, "photo k"],
    values: Float[Tensor, "pixel photo"],
    weights: Float[Tensor, "pixel photo"],
    solved: Float[Tensor, "pixel k"],
) -> Float[Tensor, " pixel"]:
    """sum_i w_ij (v_ij - design_i . x_j)^2: what the solution leaves of each pixel."""

    def left(seen: Tensor, belief: Tensor, x: Tensor) -> Tensor:
        return (belief * torch.addmm(seen, x, design.T, alpha=-1.0).square()).sum(dim=1)

    return _by_block(left, values, weights, solved)


def information(
    design: Float[Tensor, "photo k"], weights: Float[Tensor, "pixel photo"]
) -> Float[Tensor, "pixel k k"]:
    """sum_i w_ij design_i design_i^T: what the photos say about each component of a pixel."""
    return _information(_Design.of(design), weights)


def scattered(
    values: Float[Tensor, "*channels pixel"], mask: Bool[Tensor, "h w"]
) -> Float[Tensor, "*channels h w"]:
    """Values of the masked pixels on the canvas, 0 elsewhere."""
    canvas = values.new_zeros(*values.shape[:-1], *mask.shape)
    canvas[..., mask] = values
    return canvas


@dataclass(frozen=True)
class _Design:
    """A design, laid out in memory so that it is multiplied twice as fast on a CPU."""

    rows: Float[Tensor, "k photo"]
    products: Float[Tensor, "product photo"]
    """Of each component with each; to take each once is slower, since 16 suit the machine."""

    @classmethod
    def of(cls, design: Float[Tensor, "photo k"]) -> "_Design":
        rows = design.T.contiguous()
        return cls(rows, (rows[:, None] * rows).flatten(0, 1))


@no_type_check
def _information(
    design: _Design, weights: Float[Tensor, "pixel photo"]
) -> Float[Tensor, "pixel k k"]:
    k = len(design.rows)
    return functional.linear(weights, design.products).unflatten(1, (k, k))


@no_type_check
def _solved(
    design: _Design,
    values: Float[Tensor, "pixel photo"],
    weights: Float[Tensor, "pixel photo"],
    ridge: float,
    room: Float[Tensor, "pixel photo"],
) -> Float[Tensor, "pixel k"]:
    """`room` is written over, and may be where the weights are: they are read before."""
    normal = _information(design, weights)
    normal.diagonal(dim1=1, dim2=2).add_(ridge)
    right = functional.linear(torch.mul(weights, values, out=room), design.rows)
    # The ridge keeps every system regular; to look for one that is not would wait for the GPU.
    return torch.linalg.solve_ex(normal, right)[0]


def _by_block(work: Callable[..., Tensor], *of_pixels: Float[Tensor, "pixel _"]) -> Tensor:
    """What `work` makes of some pixels at a time; on a CPU each thread has blocks of its own."""
    first = of_pixels[0]
    budget = _BYTES if first.device.type == "cpu" else _BYTES_OF_GPU
    count = max(1, budget // max(1, first.shape[1] * first.element_size()))
    blocks = [values.split(count) for values in of_pixels]
    if first.device.type != "cpu":
        return torch.cat(list(map(work, *blocks)))
    with lone_threads(torch.get_num_threads()) as pool:
        return torch.cat(list(pool.map(work, *blocks)))
