"""Numbers that a stage needs over and over."""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor


def constant(values: tuple[float, ...], like: Tensor) -> Float[Tensor, " value"]:
    """The numbers in the type and on the device of another tensor; not to be written to.

    To copy a number to a GPU makes the host wait until the GPU has done all that came before, so it
    is done once.
    """
    return _copied(values, like.dtype, like.device)


@lru_cache(maxsize=256)
def _copied(
    values: tuple[float, ...], dtype: torch.dtype, device: torch.device
) -> Float[Tensor, " value"]:
    return torch.tensor(values, dtype=dtype, device=device)
