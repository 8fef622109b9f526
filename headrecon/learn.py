"""Command line: teach one of our own networks with made-up people.

For example: python -m headrecon.learn network=points run_dir=runs/learn
"""

import logging
from functools import partial
from pathlib import Path
from typing import Any

import hydra
from tqdm.contrib.logging import logging_redirect_tqdm

from headrecon import command
from headrecon.command import CONF, device_called, failures_in_one_line
from headrecon.fingerprint import Fingerprint, Sources
from headrecon.learning.lesson import BiasOfFiducials, Course, Parts, Points, Second
from headrecon.settings import Config, check

logger = logging.getLogger("headrecon")


@hydra.main(version_base=None, config_path=str(CONF), config_name="learn")
def compose_and_run(config: Config) -> None:
    """Learn as the command line says."""
    with failures_in_one_line(), logging_redirect_tqdm():
        learn(config)


def learn(config: Config) -> None:
    """Make the examples, teach, examine on people kept aside, and write the weights."""
    check(config)
    lesson: Points | Second | Parts | BiasOfFiducials
    lesson = hydra.utils.instantiate(config.network, _convert_="all")
    fingerprint = Fingerprint(Sources.read(Path(__file__).parent))
    path, scores = lesson(
        Course(
            folder=partial(_folder, Path(config.run_dir), fingerprint),
            aside=config.aside,
            workers=config.workers,
            device=device_called(config.device),
        )
    )
    for name, score in scores.items():
        logger.info("%s: %.4f", name, score)
    logger.info("weights: %s", path.resolve())


def _folder(root: Path, fingerprint: Fingerprint, name: str, stage: Any) -> Path:
    """A folder of its own for all settings and code that a result depends on."""
    stages = stage if isinstance(stage, tuple) else (stage,)
    keys = "".join(fingerprint(one) for one in stages)
    folder = root / f"{name}-{keys[:8]}{keys[-8:]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main() -> None:
    """Run the command."""
    command.main(compose_and_run)


if __name__ == "__main__":
    main()
