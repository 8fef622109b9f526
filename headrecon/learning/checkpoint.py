"""Where teaching has got to, so that a stopped lesson goes on."""

from pathlib import Path
from typing import Any

import torch


def restored(parts: dict[str, Any], folder: Path) -> int:
    """The number of epochs that are done; the parts are set to what they were then."""
    file = folder / "checkpoint.pt"
    if not file.exists():
        return 0
    state = torch.load(file, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return state["epoch"]


def keep(parts: dict[str, Any], epoch: int, folder: Path) -> None:
    """Everything that is needed to go on after this many epochs."""
    states = {name: part.state_dict() for name, part in parts.items()}
    scratch = folder / "checkpoint.pt.part"
    torch.save({"epoch": epoch, **states}, scratch)
    scratch.replace(folder / "checkpoint.pt")
