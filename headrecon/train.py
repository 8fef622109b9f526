"""Command line: from photos to a head.

For example: python -m headrecon.train +subject=synthetic
"""

import logging
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from tqdm.contrib.logging import logging_redirect_tqdm

from headrecon import command
from headrecon.command import CONF, device_called, failures_in_one_line, require_subject
from headrecon.mesh.export import why_not
from headrecon.monitor import Monitor
from headrecon.outputs import write_outputs
from headrecon.photos.gather import Pile
from headrecon.photos.split import Split
from headrecon.pipeline import Pipeline
from headrecon.score import score
from headrecon.settings import Config, Refusal
from headrecon.store import Store
from headrecon.truth import Truth

logger = logging.getLogger("headrecon")


@hydra.main(version_base=None, config_path=str(CONF), config_name="config")
def compose_and_run(config: Config) -> None:
    """Reconstruct as the command line says."""
    # Failures are told in here, or else Hydra adds a line of its own for each.
    with failures_in_one_line():
        reconstruct(config)


def reconstruct(config: Config) -> None:
    """Check, instantiate, run, and say where the head is."""
    require_subject(config)
    device = device_called(config.device)
    for obstacle in filter(None, map(why_not, config.formats)):
        raise Refusal(obstacle)
    pipeline: Pipeline = hydra.utils.instantiate(config.pipeline, _convert_="all")
    ends = hydra.utils.instantiate(config.ends, _convert_="all")
    together = Path(config.run_dir)
    run_dir = together / _sweep_folder()
    with logging_redirect_tqdm():
        # What does not depend on the settings that are swept is shared by the runs of a sweep.
        shared = {name: together / "artifacts" / name for name in ("videos", "photos")}
        store = Store(run_dir / "artifacts", device, shared)
        logger.info("run: %s", run_dir)
        photos, truth = _photos(config)
        monitor = Monitor(run_dir / "tensorboard")
        try:
            monitor.number("photos/held_out_share", config.held_out)
            seen = Split(photos, config.held_out, held_out=False)
            found = pipeline.run(seen, photos.overrides, store, monitor)
            for name, value in score(found, truth).items() if truth else ():
                monitor.number(name, value)
            atlas = pipeline.wrap(found, store)
            monitor.finish(_compared(config))
        finally:
            monitor.close()
        shown = (monitor.metrics, monitor.pictures, ends)
        write_outputs(run_dir, config.subject.name, found, atlas, config.formats, *shown)
        logger.info("%d results read, %d computed", store.counts["read"], store.counts["computed"])
        logger.info("mesh: %s", (run_dir / "mesh" / "head.ply").resolve())
        logger.info("report: %s", (run_dir / "report" / "index.html").resolve())


def _photos(config: Config) -> tuple[Pile, Truth | None]:
    """Photos of the folder that the subject names, and the truth if the subject is made up."""
    subject, folder, truth = config.subject, Path(config.subject.photos), None
    if "session" in subject:
        session = hydra.utils.instantiate(subject.session, _convert_="all")
        truth = session(folder, Path(subject.truth))
    return hydra.utils.instantiate(config.gather, _convert_="all")(folder), truth


def _sweep_folder() -> str:
    """The overrides of this run of a sweep as a folder name; empty for a single run."""
    if HydraConfig.get().mode != RunMode.MULTIRUN:
        return ""
    return HydraConfig.get().job.override_dirname.replace("/", "_")


def _compared(config: Config) -> dict[str, str | int | float | bool]:
    """Settings by which runs are told apart: what was overridden, and what is swept most."""
    chosen = HydraConfig.get()
    task = [item.lstrip("+~").partition("=") for item in chosen.overrides.task]
    return {
        **{key: value for key, _, value in task},
        "subject": config.subject.name,
        "preset": chosen.runtime.choices["preset"],
        "cluster.count": config.cluster.count,
    }


def main() -> None:
    """Run the command."""
    command.main(compose_and_run)


if __name__ == "__main__":
    main()
