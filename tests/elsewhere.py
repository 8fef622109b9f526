"""A device that behaves as a GPU does, on a computer without one.

Its tensors have values, in the memory of the CPU, but nobody may mix them with the CPU's tensors
nor take them for arrays, as on a GPU. Its name is `meta`, the one device that torch knows
everywhere; what is made there within `elsewhere` has values none the less.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("meta")

_MAY_MIX = ("index", "index_put", "copy", "_to_copy", "_index_put_impl", "set_")
"""Operations that a GPU does with tensors of the CPU as well."""


_WAITING = (
    *("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "unique_dim", "equal"),
    *("_linalg_check_errors", "_linalg_eigh", "_linalg_svd", "bincount", "is_nonzero"),
)
"""Operations whose result, or its size, the host has to wait for."""

waits: list[str] = []
"""What the host has waited for, copies from one device to the other among it."""


class There(Tensor):
    """A tensor that is elsewhere."""

    here: Tensor
    is_cuda = True

    @staticmethod
    def __new__(cls, here: Tensor) -> "There":
        """Shape, strides and type of a tensor; torch asks for no more."""
        dense = here.layout == torch.strided
        made = Tensor._make_wrapper_subclass(
            *(cls, here.shape),
            strides=here.stride() if dense else None,
            storage_offset=here.storage_offset() if dense else None,
            layout=here.layout,
            dtype=here.dtype,
            device=DEVICE,
        )
        made.here = here
        return made

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        """Name and values."""
        return f"There({self.here})"

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Sequence[type], args: tuple = (), kwargs: Mapping | None = None
    ) -> Any:
        """Run where the values are."""
        return run(func, args, dict(kwargs or {}))


def _as_tensors(index: Any) -> Any:
    """The index with its lists as tensors."""
    if isinstance(index, tuple):
        return tuple(map(_as_tensors, index))
    return torch.tensor(index) if isinstance(index, list) else index


class _Literals(TorchFunctionMode):
    """Lets `torch.tensor` make its tensors here first, and not only their shapes elsewhere."""

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: tuple = (), kwargs: Mapping | None = None
    ) -> Any:
        """As without, but in two steps."""
        given = dict(kwargs or {})
        if func is Tensor.new_tensor and "device" not in given:
            beside, *values = args
            given = {"dtype": beside.dtype, "device": beside.device, **given}
            func, args = torch.tensor, tuple(values)
        if func in (Tensor.__getitem__, Tensor.__setitem__):
            args = (args[0], _as_tensors(args[1]), *args[2:])
        if func in (torch.tensor, torch.as_tensor) and "device" in given:
            device = given.pop("device")
            return func(*args, **given).to(device)
        return func(*args, **given)


class _Values(TorchDispatchMode):
    """While it is on, what is made on `DEVICE` has values."""

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple = (), kwargs: Mapping | None = None
    ) -> Any:
        """Run where the values are."""
        return run(func, args, dict(kwargs or {}))


@contextmanager
def elsewhere() -> Iterator[torch.device]:
    """While it is on, what is made on the device has values."""
    with _Literals(), _Values():
        yield DEVICE


def run(func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """An operation, and its result on the device of what it was given; raises on mixed devices."""
    leaves = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    away = [leaf for leaf in leaves if isinstance(leaf, There)]
    name = func._schema.name.removeprefix("aten::")
    if any(leaf.device == DEVICE and not isinstance(leaf, There) for leaf in leaves):
        raise RuntimeError(f"{name}: a tensor without values")
    asked = kwargs.get("device")
    to = torch.device(asked) if asked is not None else None
    goes = to == DEVICE if to is not None else bool(away)
    if away and name.rstrip("_") not in _MAY_MIX:
        near = [leaf for leaf in leaves if not isinstance(leaf, There) and leaf.dim()]
        if near:
            raise RuntimeError(f"{name}: one tensor is on the CPU, another on the GPU")
    if goes and kwargs.get("generator") is not None:
        raise RuntimeError(f"{name}: the generator is on the CPU, the tensor on the GPU")
    if to == DEVICE:
        kwargs["device"] = torch.device("cpu")
    crossed = name == "_to_copy" and goes != bool(away)
    masked = name == "index" and any(i is not None and i.dtype == torch.bool for i in args[1])
    if (away and (name in _WAITING or masked)) or crossed:
        waits.append(name)
    known = {id(leaf.here): leaf for leaf in away}
    args, kwargs = tree_map(lambda x: x.here if isinstance(x, There) else x, (args, kwargs))
    result = func(*args, **kwargs)

    def back(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor) or isinstance(leaf, There):
            return leaf
        if id(leaf) in known:
            return known[id(leaf)]
        # The other device's copy of a tensor is never the tensor itself.
        return There(leaf) if goes else leaf

    return tree_map(back, result)
