"""Many small weighted least-squares problems of one design: the pixels of a stack of photos."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

Subset = Callable[..., Float[Tensor, "pixel photo"]]

_BYTES = 2**21
"""Of a block's values on a CPU: all that is made of them stays in its cache. GPUs take more."""
_BYTES_OF_GPU = 2**28


def solve_pixels(
    design: Float[Tensor, "photo k"],
    values: Float[Tensor, "pixel photo"],
    weights: Float[Tensor, "pixel photo"],
    ridge: float,
) -> Float[Tensor, "pixel k"]:
    """For each pixel j the x that minimizes sum_i w_ij (v_ij - design_i . x)^2 + ridge |x|^2."""
    known, found = _Design.of(design), []
    for seen, belief in _blocks(values, weights):
        found.append(_solved(known, seen, belief, ridge, torch.empty_like(seen)))
    return torch.cat(found)


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
    lights, shapes, room = _Design.of(design), [], values.new_empty(0)
    for seen, known, belief, found in _blocks(values, base, start, weights):
        room = room if room.numel() >= seen.numel() else torch.empty_like(seen)
        for _ in range(rounds):
            shape = _solved(lights, seen, belief, ridge, room[: len(seen)])
            residual = torch.addmm(seen, shape, lights.rows, alpha=-1.0, out=found)
            belief = found.copy_(subset(residual, known))
        shapes.append(_solved(lights, seen, belief, ridge, room[: len(seen)]))
    return torch.cat(shapes)


def squared_residual(
    design: Float[Tensor, "photo k"],
    values: Float[Tensor, "pixel photo"],
    weights: Float[Tensor, "pixel photo"],
    solved: Float[Tensor, "pixel k"],
) -> Float[Tensor, " pixel"]:
    """sum_i w_ij (v_ij - design_i . x_j)^2: what the solution leaves of each pixel."""
    found = []
    for seen, belief, x in _blocks(values, weights, solved):
        found.append((belief * torch.addmm(seen, x, design.T, alpha=-1.0).square()).sum(dim=1))
    return torch.cat(found)


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


def _information(
    design: _Design, weights: Float[Tensor, "pixel photo"]
) -> Float[Tensor, "pixel k k"]:
    k = len(design.rows)
    return functional.linear(weights, design.products).unflatten(1, (k, k))


def _solved(
    design: _Design,
    values: Float[Tensor, "pixel photo"],
    weights: Float[Tensor, "pixel photo"],
    ridge: float,
    room: Float[Tensor, "pixel photo"],
) -> Float[Tensor, "pixel k"]:
    """`room` is written over: memory that is new each time takes as long as what is done in it."""
    normal = _information(design, weights)
    normal.diagonal(dim1=1, dim2=2).add_(ridge)
    right = functional.linear(torch.mul(weights, values, out=room), design.rows)
    # The ridge keeps every system regular; to look for one that is not would wait for the GPU.
    return torch.linalg.solve_ex(normal, right)[0]


def _blocks(*of_pixels: Float[Tensor, "pixel _"]) -> Iterator[tuple[Tensor, ...]]:
    """Some pixels at a time."""
    first = of_pixels[0]
    budget = _BYTES_OF_GPU if first.is_cuda else _BYTES
    count = max(1, budget // max(1, first.shape[1] * first.element_size()))
    return zip(*(values.split(count) for values in of_pixels), strict=True)
