"""Command line: photos of a made-up person, with their truth, for any method to be tried on.

For example: python -m headrecon.photograph +subject=synthetic subject.session.identity=3
"""

import logging
from pathlib import Path

import hydra

from headrecon import command
from headrecon.command import CONF, failures_in_one_line, require_subject
from headrecon.settings import Config, Refusal

logger = logging.getLogger("headrecon")


@hydra.main(version_base=None, config_path=str(CONF), config_name="config")
def compose_and_run(config: Config) -> None:
    """Take the photos that the command line describes."""
    with failures_in_one_line():
        photograph(config)


def photograph(config: Config) -> None:
    """Check, instantiate, take the photos, and say where they are."""
    require_subject(config)
    subject = config.subject
    if "session" not in subject:
        raise Refusal(f"{subject.name} is a real person: only +subject=synthetic is photographed")
    photos, truth = Path(subject.photos), Path(subject.truth)
    hydra.utils.instantiate(subject.session, _convert_="all")(photos, truth)
    logger.info("photos: %s", photos.resolve())
    logger.info("truth: %s", truth.resolve())


def main() -> None:
    """Run the command."""
    command.main(compose_and_run)


if __name__ == "__main__":
    main()
