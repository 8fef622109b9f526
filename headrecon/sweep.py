"""The runs of a sweep side by side: a table and a plot, when the last of them has ended."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hydra.experimental.callback import Callback
from matplotlib.figure import Figure

from headrecon.files import write
from headrecon.settings import Config

logger = logging.getLogger("headrecon")

MEASURES = (
    *("truth/result_face_median_mm", "truth/mean_head_face_median_mm"),
    *("truth/result_head_median_mm", "truth/mean_head_head_median_mm"),
    "mesh/reprojection_on_photos_kept_aside_grey_levels",
    "mesh/reprojection_on_photos_used_grey_levels",
    *("mesh/deviation_median_mm", "mesh/area_from_photos_share", "photos/kept_count"),
)
"""What runs are compared by, of their metrics.json; those that no run has are left out."""


@dataclass(frozen=True)
class Run:
    """One run of a sweep."""

    settings: Mapping[str, str]
    metrics: Mapping[str, float | int]


class SweepTable(Callback):
    """Writes `sweep.md` and `sweep.png` into the folder that the runs have in common."""

    def on_multirun_end(self, config: Config, **kwargs: Any) -> None:
        """Compare what has finished; runs that failed have left no numbers."""
        folder = Path(config.run_dir)
        runs = finished(folder)
        if not runs:
            return
        write(folder / "sweep.md", table(runs))
        plot(runs).savefig(folder / "sweep.png")
        logger.info("sweep: %s", (folder / "sweep.md").resolve())


def finished(folder: Path) -> list[Run]:
    """The runs below a folder, in the order of their settings; each folder is named by them."""
    runs = []
    for file in folder.glob("*/metrics.json"):
        pairs = [item.lstrip("+~").partition("=") for item in file.parent.name.split(",")]
        settings = {key: value for key, sign, value in pairs if sign}
        if settings:
            runs.append(Run(settings, json.loads(file.read_text())))
    return sorted(runs, key=lambda run: [_rank(value) for value in run.settings.values()])


def table(runs: Sequence[Run]) -> str:
    """A row for each run, in Markdown."""
    measures, swept = _measures(runs), _swept(runs)
    titles = [*swept, *(name.partition("/")[2].replace("_", " ") for name in measures)]
    lines = [f"| {' | '.join(titles)} |", "|---" * len(swept) + "|---:" * len(measures) + "|"]
    for run in runs:
        cells = [run.settings.get(key, "") for key in swept]
        cells += [f"{run.metrics[name]:.4g}" if name in run.metrics else "" for name in measures]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def plot(runs: Sequence[Run]) -> Figure:
    """Each measure over the runs, in a plot of its own: their units differ."""
    measures, swept = _measures(runs), _swept(runs)
    labels = [", ".join(run.settings.get(key, "") for key in swept) for run in runs]
    rows = max(1, -(-len(measures) // 3))
    figure = Figure(figsize=(12.0, 3.0 * rows), layout="constrained")
    plots = np.ravel(figure.subplots(rows, 3, squeeze=False))
    for axes, name in zip(plots, measures, strict=False):
        axes.plot([run.metrics.get(name, np.nan) for run in runs], marker="o")
        axes.set_xticks(range(len(runs)), labels)
        axes.set_title(name.partition("/")[2].replace("_", " "), fontsize=8)
        axes.set_xlabel(", ".join(swept), fontsize=8)
        axes.set_ylim(bottom=0.0)
    for axes in plots[len(measures) :]:
        axes.set_axis_off()
    return figure


def _measures(runs: Sequence[Run]) -> list[str]:
    return [name for name in MEASURES if any(name in run.metrics for run in runs)]


def _swept(runs: Sequence[Run]) -> list[str]:
    """The settings in which the runs differ; all of them if they do not."""
    keys = list(dict.fromkeys(key for run in runs for key in run.settings))
    differing = [key for key in keys if len({run.settings.get(key) for run in runs}) > 1]
    return differing or keys


def _rank(value: str) -> tuple[float, str]:
    """Numbers by size, and before words."""
    try:
        return float(value), ""
    except ValueError:
        return float("inf"), value
