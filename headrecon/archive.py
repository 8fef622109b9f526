"""Artifacts as plain arrays and JSON, readable without this program, and back."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

Tree = dict[str, Any] | list[Any] | str | int | float | bool | None
Arrays = dict[str, np.ndarray]


def pack(value: object, path: str = "result") -> tuple[Tree, Arrays]:
    """The structure of a value as JSON, and its tensors as arrays named by their place in it."""
    if isinstance(value, Tensor):
        return {"array": path}, {path: value.detach().cpu().numpy()}
    if value is None or isinstance(value, bool | int | float | str):
        return value, {}
    if isinstance(value, tuple):
        packed = [pack(item, f"{path}.{index}") for index, item in enumerate(value)]
        return [tree for tree, _ in packed], _union(arrays for _, arrays in packed)
    if is_dataclass(value) and not isinstance(value, type):
        members = {f.name: pack(getattr(value, f.name), f"{path}.{f.name}") for f in fields(value)}
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        tree: Tree = {"type": kind, "fields": {name: part for name, (part, _) in members.items()}}
        return tree, _union(arrays for _, arrays in members.values())
    raise TypeError(f"{type(value).__qualname__} cannot be stored")


def unpack(tree: Tree, arrays: Mapping[str, Any]) -> Any:
    """The value that was packed; nothing but dataclasses is made."""
    if isinstance(tree, list):
        return tuple(unpack(item, arrays) for item in tree)
    if isinstance(tree, dict) and "array" in tree:
        array = arrays[tree["array"]]
        return array if isinstance(array, Tensor) else torch.from_numpy(array)
    if isinstance(tree, dict):
        module, _, name = tree["type"].rpartition(".")
        artifact: type[Any] = getattr(importlib.import_module(module), name)
        if not is_dataclass(artifact):
            raise ValueError(f"{tree['type']} is no artifact")
        return _made(
            artifact, {name: unpack(item, arrays) for name, item in tree["fields"].items()}
        )
    return tree


def moved(value: Any, device: torch.device) -> Any:
    """The same value with all its tensors on a device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, tuple | list):
        return type(value)(moved(item, device) for item in value)
    if isinstance(value, dict):
        return {key: moved(item, device) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        members = {f.name: moved(getattr(value, f.name), device) for f in fields(value)}
        return type(value)(**members)
    return value


def _made(artifact: Callable[..., Any], members: dict[str, Any]) -> Any:
    return artifact(**members)


def _union(parts: Any) -> Arrays:
    return {name: array for part in parts for name, array in part.items()}
