"""Two ways to compute the same, timed in turns."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Row:
    """A comparison."""

    what: str
    theirs: str
    seconds: Sequence[float]
    """Ours and theirs."""
    quality: str
    size: int = 0
    """Photos or pixels, where the same is compared at several sizes."""


def in_turns(runs: Sequence[Callable[[], None]], turns: int) -> list[float]:
    """Least seconds of each; they take turns, so that a busy machine slows them alike."""
    times = [[] for _ in runs]
    for _ in range(turns):
        for run, taken in zip(runs, times, strict=True):
            start = time.perf_counter()
            run()
            taken.append(time.perf_counter() - start)
    return [min(taken) for taken in times]


def growth(rows: Sequence[Row]) -> Figure:
    """Seconds over size, both logarithmic, of what was compared at several sizes.

    The exponent p of seconds ~ size^p, by least squares, is in the legend: 1 is linear.
    """
    kinds = {row.what.partition(",")[0] for row in rows if row.size}
    kinds = sorted(kind for kind in kinds if len(_sizes(rows, kind)) > 1)
    figure = Figure(figsize=(5.0 * max(1, len(kinds)), 4.0), layout="constrained")
    plots = np.ravel(figure.subplots(1, max(1, len(kinds)), squeeze=False))
    for axes, kind in zip(plots, kinds, strict=False):
        mine = [row for row in rows if row.size and row.what.startswith(kind)]
        mine.sort(key=lambda row: row.size)
        sizes = [row.size for row in mine]
        for index, name in enumerate(("ours", mine[0].theirs.partition(",")[0])):
            seconds = [row.seconds[index] for row in mine]
            exponent = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
            axes.loglog(sizes, seconds, marker="o", label=f"{name}: exponent {exponent:.2f}")
        axes.set_title(kind)
        axes.set_xlabel("pixels" if "pixels" in mine[0].what else "photos")
        axes.set_ylabel("seconds")
        axes.legend()
    return figure


def _sizes(rows: Sequence[Row], kind: str) -> set[int]:
    return {row.size for row in rows if row.what.startswith(kind)}


def wait(device: torch.device) -> None:
    """Until the device has done what it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
