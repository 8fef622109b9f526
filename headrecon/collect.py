"""Command line: the photos of a category of Wikimedia Commons, with licence and author of each.

For example: python -m headrecon.collect category="Tom Hanks" folder=data/tom_hanks
"""

import csv
import io
import logging
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

import hydra
from omegaconf import OmegaConf
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from headrecon import command
from headrecon.command import CONF, failures_in_one_line
from headrecon.files import write
from headrecon.photos.commons import Commons, Finding
from headrecon.photos.connect import NotFetched
from headrecon.photos.gather import SOURCES
from headrecon.settings import Config, Refusal, check

logger = logging.getLogger("headrecon")
COLUMNS = tuple(field.name for field in fields(Finding))
Rows = dict[str, dict[str, str]]


@hydra.main(version_base=None, config_path=str(CONF), config_name="collect")
def compose_and_run(config: Config) -> None:
    """Fetch what the command line describes."""
    with failures_in_one_line():
        collect(config)


def collect(config: Config) -> None:
    """Check, instantiate, fetch what is not there yet, and say where the photos are."""
    for name in ("category", "folder"):
        if OmegaConf.is_missing(config, name):
            raise Refusal(f"{name} is missing: give it as {name}=...")
    check(config)
    commons: Commons = hydra.utils.instantiate(config.commons, _convert_="all")
    folder = Path(config.folder)
    rows = read_sources(folder / SOURCES)
    counts = {"there before": 0, "fetched": 0, "failed": 0}
    with logging_redirect_tqdm(), tqdm(total=config.most, leave=False, disable=None) as bar:
        try:
            for finding in commons(config.category):
                if counts["there before"] + counts["fetched"] == config.most:
                    break
                outcome = _fetched(commons, finding, folder, config)
                counts[outcome] += 1
                if outcome == "failed":
                    continue
                bar.update()
                rows[finding.name] = {name: str(value) for name, value in asdict(finding).items()}
                write(folder / SOURCES, as_csv(rows))
        except NotFetched as error:
            raise Refusal(f"{config.category}: {error}") from error
    logger.info("photos: %s", ", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    if not rows:
        raise Refusal(f"{config.category} has no photos that could be fetched")
    logger.info("licences and authors: %s", (folder / SOURCES).resolve())


def _fetched(commons: Commons, finding: Finding, folder: Path, config: Config) -> str:
    """Whether the photo was there before, is fetched now, or failed."""
    path = folder / finding.name
    if path.exists():
        return "there before"
    used = sum(file.stat().st_size for file in folder.glob("*") if file.is_file())
    if used >= config.most_total_bytes:
        raise Refusal(f"{folder} has {config.most_total_bytes} bytes already (most_total_bytes)")
    try:
        write(path, commons.download(finding.url, config.most_bytes))
    except NotFetched as error:
        logger.warning("%s: %s", finding.name, error)
        return "failed"
    return "fetched"


def read_sources(file: Path) -> Rows:
    """Rows by name of a table that an earlier call has left; a missing one is empty."""
    if not file.exists():
        return {}
    with file.open(newline="", encoding="utf-8") as opened:
        return {
            row["name"]: {name: row[name] for name in COLUMNS} for row in csv.DictReader(opened)
        }


def as_csv(rows: Mapping[str, Mapping[str, str]]) -> str:
    """The table of all photos, by name."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows[name] for name in sorted(rows))
    return text.getvalue()


def main() -> None:
    """Run the command."""
    command.main(compose_and_run)


if __name__ == "__main__":
    main()
