"""The network that tells faces apart, read from the file of the library that taught it."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

_BLOCKS = (32, 32, 32, -64, 64, 64, 64, -128, 128, 128, -256, 256, 256, -256)
"""Channels of each residual block; negative where it also halves the picture."""
_MEAN = (122.782, 117.001, 104.298)
_LAYER = re.compile(rb"con_4|affine_|fc_2")


class IdentityNetwork(nn.Module):
    """A residual network of 29 convolutions, from a chip of the face to a point.

    Shortcuts have no weights: they are averaged over 2 x 2 pixels where a block halves the picture,
    and both ends of a sum are filled up with zeros, in channels and in pixels.

    Reference: He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016;
    King, "Dlib-ml: a machine learning toolkit", JMLR 2009.
    """

    mean: Tensor

    def __init__(self) -> None:
        """Weights are yet to be read."""
        super().__init__()
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None])
        self.first = nn.Conv2d(3, 32, 7, 2)
        widths = [32, *map(abs, _BLOCKS)]
        self.blocks = nn.ModuleList(
            _Block(before, abs(width), halves=width < 0)
            for before, width in zip(widths, _BLOCKS, strict=False)
        )
        self.last = nn.Linear(256, 128, bias=False)

    def forward(
        self, chips: Float[Tensor, "face rgb=3 150 150"]
    ) -> Float[Tensor, "face embedding=128"]:
        """Of sRGB values in [0, 255]."""
        features = functional.relu(self.first((chips - self.mean) / 256.0))
        features = functional.max_pool2d(features, 3, 2)
        for block in self.blocks:
            features = block(features)
        return self.last(features.mean(dim=(2, 3)))


class _Block(nn.Module):
    def __init__(self, before: int, after: int, *, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        self.one = nn.Conv2d(before, after, 3, *((2, 0) if halves else (1, 1)))
        self.two = nn.Conv2d(after, after, 3, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        changed = self.two(functional.relu(self.one(features)))
        shortcut = functional.avg_pool2d(features, 2, 2) if self.halves else features
        shape = [max(pair) for pair in zip(changed.shape[1:], shortcut.shape[1:], strict=True)]
        return functional.relu(_filled(changed, shape) + _filled(shortcut, shape))


def _filled(features: Tensor, shape: list[int]) -> Tensor:
    """Zeros added up to this number of channels, rows and columns."""
    channels, rows, columns = (
        to - have for to, have in zip(shape, features.shape[1:], strict=True)
    )
    return functional.pad(features, (0, columns, 0, rows, 0, channels))


def read_identity_network(path: Path) -> IdentityNetwork:
    """The network with the weights of dlib's file of it, ready to look."""
    network = IdentityNetwork().eval().requires_grad_(False)
    # Convolutions are quicker with the channels of a pixel side by side.
    network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    tensors = _tensors(path.read_bytes())
    blocks = [convolution for block in network.blocks for convolution in (block.one, block.two)]  # pyright: ignore[reportGeneralTypeIssues]
    for layer in (network.first, *blocks):
        assert isinstance(layer, nn.Conv2d)
        _fill(layer, next(tensors), next(tensors))
    network.last.weight.copy_(next(tensors).unflatten(0, (256, 128)).T)
    return network


def _fill(
    layer: nn.Conv2d, convolution: Float[Tensor, " number"], affine: Float[Tensor, " channel2"]
) -> None:
    """Put a convolution and the gains and offsets after it, once its normalization, in one.

    Either is in the file as one row of numbers: kernels, then biases; gains, then offsets.
    """
    assert layer.bias is not None
    kernels, biases = convolution.split([layer.weight.numel(), layer.out_channels])
    gains, offsets = affine.chunk(2)
    layer.weight.copy_(gains[:, None, None, None] * kernels.view_as(layer.weight))
    layer.bias.copy_(gains * biases + offsets)


def _tensors(file: bytes) -> Iterator[Float[Tensor, " number"]]:
    """The numbers of all layers that have any, from the first of the network to the last.

    A layer is its name, a version, the four sides of a tensor, and its numbers in 32 bits; a fully
    connected one says its sides before that. Integers are the count of their bytes, then these.
    """
    place = 0
    while found := _LAYER.search(file, place):
        place = found.end()
        for _ in range(3 if found[0] == b"fc_2" else 1):
            _, place = _integer(file, place)
        count = 1
        for _ in range(4):
            side, place = _integer(file, place)
            count *= side
        numbers = np.frombuffer(file, "<f4", count, place).copy()
        place += numbers.nbytes
        yield torch.from_numpy(numbers)


def _integer(file: bytes, place: int) -> tuple[int, int]:
    """A number, and where the next one is."""
    end = place + 1 + file[place]
    return int.from_bytes(file[place + 1 : end], "little"), end
