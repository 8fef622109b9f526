"""Means over many photos."""

import torch
from jaxtyping import Float
from torch import Tensor

_CHUNK = 64


def mean_photo(layers: Float[Tensor, "photo ..."]) -> Float[Tensor, "..."]:
    """The mean over the photos in single precision, some of them at a time.

    torch reduces a tensor of half precision on a CPU by converting all of it first.
    """
    total = torch.zeros(layers.shape[1:], device=layers.device)
    for part in layers.split(_CHUNK):
        total += part.float().sum(dim=0)
    return total / len(layers)
