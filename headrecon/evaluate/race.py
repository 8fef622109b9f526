"""Two ways to compute the same, timed in turns."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Row:
    """A comparison."""

    what: str
    theirs: str
    seconds: Sequence[float]
    """Ours and theirs."""
    quality: str


def in_turns(runs: Sequence[Callable[[], None]], turns: int) -> list[float]:
    """Least seconds of each; they take turns, so that a busy machine slows them alike."""
    times = [[] for _ in runs]
    for _ in range(turns):
        for run, taken in zip(runs, times, strict=True):
            start = time.perf_counter()
            run()
            taken.append(time.perf_counter() - start)
    return [min(taken) for taken in times]


def wait(device: torch.device) -> None:
    """Until the device has done what it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
