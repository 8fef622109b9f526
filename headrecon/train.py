"""Command line: from photos to a head.

For example: python -m headrecon.train +subject=synthetic
"""

import contextlib
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from tqdm.contrib.logging import logging_redirect_tqdm

from headrecon.monitor import Monitor
from headrecon.outputs import write_outputs
from headrecon.photos.gather import NoPhotos
from headrecon.pipeline import Pipeline
from headrecon.score import score
from headrecon.settings import Config, Refusal, check, explained, one_line
from headrecon.store import Store
from headrecon.truth import Truth
from headrecon.types import Photo

CONF = Path(__file__).parents[1] / "conf"
logger = logging.getLogger("headrecon")


@hydra.main(version_base=None, config_path=str(CONF), config_name="config")
def compose_and_run(config: Config) -> None:
    """Reconstruct as the command line says."""
    # Failures are told in here, or else Hydra adds a line of its own for each.
    with failures_in_one_line():
        reconstruct(config)


def reconstruct(config: Config) -> None:
    """Check, instantiate, run, and say where the head is."""
    if "subject" not in config:
        names = ", ".join(sorted(path.stem for path in (CONF / "subject").glob("*.yaml")))
        raise Refusal(f"choose whose head it is: +subject=NAME, where NAME is one of {names}")
    for name in ("name", "photos"):
        if OmegaConf.is_missing(config.subject, name):
            raise Refusal(f"subject.{name} is missing: give it as subject.{name}=...")
    check(config)
    device = _device(config.device)
    pipeline: Pipeline = hydra.utils.instantiate(config.pipeline, _convert_="all")
    together = Path(config.run_dir)
    run_dir = together / _sweep_folder()
    with logging_redirect_tqdm():
        # What does not depend on the settings that are swept is shared by the runs of a sweep.
        shared = {"photos": together / "artifacts" / "photos"}
        store = Store(run_dir / "artifacts", device, shared)
        logger.info("run: %s", run_dir)
        photos, truth = _photos(config)
        monitor = Monitor(run_dir / "tensorboard")
        try:
            found = pipeline.run(photos, store, monitor)
            for name, value in score(found, truth).items() if truth else ():
                monitor.number(name, value)
            monitor.finish(_compared(config))
        finally:
            monitor.close()
        write_outputs(run_dir, config.subject.name, found, monitor.metrics, monitor.pictures)
        logger.info("%d results read, %d computed", store.counts["read"], store.counts["computed"])
        logger.info("mesh: %s", (run_dir / "mesh" / "head.ply").resolve())
        logger.info("report: %s", (run_dir / "report" / "index.html").resolve())


def _photos(config: Config) -> tuple[Iterable[Photo], Truth | None]:
    """Photos of the folder that the subject names, and the truth if the subject is made up."""
    subject, folder, truth = config.subject, Path(config.subject.photos), None
    if "session" in subject:
        session = hydra.utils.instantiate(subject.session, _convert_="all")
        truth = session(folder, Path(subject.truth))
    if not folder.is_dir():
        raise Refusal(f"there is no folder {folder.resolve()}: put photos of {subject.name} there")
    return hydra.utils.instantiate(config.gather, _convert_="all")(folder), truth


def _device(name: str) -> torch.device:
    """The device of that name; `auto` is the GPU if there is one."""
    if name not in ("auto", "cpu", "cuda"):
        raise Refusal(f"device is {name!r}, but must be auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise Refusal("device is cuda, but torch finds no CUDA device here")
    found = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(found if name == "auto" else name)


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


@contextlib.contextmanager
def failures_in_one_line() -> Iterator[None]:
    """What the user has to know about a failure in one line on stderr, unless debugging.

    Errors that nobody foresaw keep their stack trace.
    """
    if "debug=true" in sys.argv:
        yield
        return
    try:
        yield
    except KeyboardInterrupt:
        message, code = "interrupted; the same command goes on from here", 130
    except (Refusal, NoPhotos, HydraException, OmegaConfBaseException) as error:
        message, code = explained(error), 2
    except ValueError as error:
        message, code = f"{one_line(str(error))} (debug=true shows where)", 2
    else:
        return
    print(f"headrecon: {message}", file=sys.stderr)
    sys.exit(code)


def main() -> None:
    """Configure logging, then run."""
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    logger.setLevel(logging.INFO)
    # Hydra would print its own several lines and exit; this makes it raise instead.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    with failures_in_one_line():
        compose_and_run()


if __name__ == "__main__":
    main()
