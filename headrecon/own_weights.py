"""Files of what was taught here: the weights of networks, and how detectors err."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import torch as safetensors
from torch import Tensor

from headrecon.files import write


def save_weights(
    weights: Mapping[str, Tensor], about: Mapping[str, float | int], path: Path
) -> Path:
    """Write the weights, in half precision, and beside them what is known about them."""
    halves = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in weights.items()
    }
    content = safetensors.save(halves)
    write(path, content)
    facts = {"sha256": hashlib.sha256(content).hexdigest(), **about}
    write(path.with_suffix(".json"), json.dumps(facts, indent=1) + "\n")
    return path


def read_weights(path: Path) -> dict[str, Tensor]:
    """The weights in single precision; raises `ValueError` if their file is damaged."""
    content = path.read_bytes()
    known = json.loads(path.with_suffix(".json").read_text())["sha256"]
    if hashlib.sha256(content).hexdigest() != known:
        raise ValueError(f"{path} is damaged: its sha256 is not that of {path.stem}.json")
    return {
        name: value.float() if value.is_floating_point() else value
        for name, value in safetensors.load(content).items()
    }
