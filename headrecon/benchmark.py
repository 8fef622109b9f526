"""Command line: how far heads are from the truth, beside what nobody should be proud of.

For example: python -m headrecon.benchmark size=small
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import hydra
from omegaconf import OmegaConf
from tqdm.contrib.logging import logging_redirect_tqdm

from headrecon import command, tables
from headrecon.command import CONF, device_called, failures_in_one_line
from headrecon.evaluate.repeat import repeatability
from headrecon.evaluate.surface import surface_error
from headrecon.files import write
from headrecon.fingerprint import Sources
from headrecon.measure import measures
from headrecon.scoring import compare_halves, score_mesh
from headrecon.settings import Config, Refusal, one_line
from headrecon.synthetic.record import read_truth
from headrecon.tables import FACE, MEAN_HEAD, Record
from headrecon.trial import FULL, Collection

logger = logging.getLogger("headrecon")
Numbers = dict[str, float]


@dataclass(frozen=True)
class Case:
    """One collection of one person."""

    identity: int
    seed: int
    curve: str
    """What is varied; empty for the base case."""
    value: str
    settings: tuple[str, ...]
    """Overrides of Hydra."""

    @property
    def name(self) -> str:
        """A folder's name."""
        return f"person {self.identity}, collection {self.seed}" + (
            f", {self.curve} {self.value}" if self.curve else ""
        )


@hydra.main(version_base=None, config_path=str(CONF), config_name="benchmark")
def compose_and_run(config: Config) -> None:
    """Measure what the command line says."""
    # Each row is told in one line; its stages are not.
    logging.getLogger("headrecon.store").setLevel(logging.WARNING)
    with failures_in_one_line(), logging_redirect_tqdm():
        if config.mesh:
            score_mesh(config)
        elif config.photos:
            compare_halves(config)
        else:
            benchmark(config)


def benchmark(config: Config) -> None:
    """All rows on all cases, then the tables; what an earlier start has measured is read."""
    folder = Path(config.run_dir)
    _require_rows(config)
    for case in cases(config):
        rows = config.curve_rows if case.curve else config.rows
        # The others read what they have in common with the full method.
        for row in sorted(rows, key=lambda row: row != FULL):
            numbers_of(config, case, row)
        if config.repeat and not case.curve:
            numbers_of(config, case, "repeat")
        write_tables(config, folder)
    logger.info("table: %s", (folder / "table.md").resolve())


def cases(config: Config) -> Iterator[Case]:
    """The base cases first, then the points of the curves."""
    people = [(identity, seed) for identity in config.identities for seed in config.seeds]
    for identity, seed in people:
        yield Case(identity, seed, "", "", tuple(config.settings))
    for name, curve in (config.curves or {}).items():
        for value in curve["values"]:
            for identity, seed in people:
                varied = (*curve.get("also", ()), f"{curve.setting}={value}")
                yield Case(identity, seed, str(name), str(value), (*config.settings, *varied))


def _require_rows(config: Config) -> None:
    """Raise `Refusal` if there is nobody to measure, or a curve of a row that does not exist."""
    if not (config.identities and config.seeds):
        raise Refusal("there is nobody to measure: identities and seeds must name some")
    for row in (MEAN_HEAD, FULL, *config.curve_rows):
        if row not in config.rows:
            raise Refusal(f"rows must have {row!r}; there are: {', '.join(config.rows)}")


def numbers_of(config: Config, case: Case, row: str) -> Numbers:
    """What one row gives in one case: read if nothing has changed, else measured and kept."""
    path = Path(config.run_dir) / "cells" / case.name / f"{row}.json"
    chosen = config.rows.get(row)
    key = _key(config, case, str(chosen))
    if path.exists() and (known := json.loads(path.read_text()))["key"] == key:
        return known["numbers"]
    logger.info("%s: %s", case.name, row)
    failure, numbers = "", {}
    try:
        numbers = _measured(config, case, row, chosen)
    except ValueError as error:
        # Photos that are of no use to one row say nothing of the others.
        failure = one_line(str(error))
        logger.warning("%s: %s: %s", case.name, row, failure)
    about = {"row": row, **{k: v for k, v in vars(case).items() if k != "settings"}}
    cell = {"key": key, "alike": _key(config), **about, "failure": failure, "numbers": numbers}
    write(path, json.dumps(cell, indent=1) + "\n")
    return numbers


def _measured(config: Config, case: Case, row: str, chosen: Config) -> Numbers:
    """Photograph, reconstruct and measure."""
    collection = _collection(config, case)
    truth = collection.photographed()
    if row == "repeat":
        one, other = (collection.reconstruct(FULL, (), part) for part in (0, 1))
        return repeatability(one.mesh, other.mesh, one.template)
    if OmegaConf.is_list(chosen):
        return measures(collection.reconstruct(row, chosen), truth)
    baseline = hydra.utils.instantiate(chosen, _convert_="all")
    return surface_error(collection.fit(baseline), read_truth(truth))


def _collection(config: Config, case: Case) -> Collection:
    """Where the photos of a case are, and how they are taken."""
    session = "subject.session"
    settings = (
        "+subject=synthetic",
        f"{session}.photos={config.photos_per_person}",
        f"{session}.identity={case.identity}",
        f"{session}.seed={case.seed}",
        *case.settings,
    )
    folder = Path(config.run_dir) / "cases" / case.name
    return Collection(folder, settings, device_called(config.device))


def write_tables(config: Config, folder: Path) -> None:
    """Tables and curves of all that has been measured so in this folder, also by other runs."""
    cells = read_cells(folder / "cells", _key(config))
    records = tables.beside_the_mean_head(records_of(cells), FACE)
    rows = [row for row in config.rows if any(r.row == row and not r.curve for r in records)]
    sections = {
        "Accuracy": tables.table(records, tables.ACCURACY, rows),
        "Case by case": tables.differences(records, tables.ACCURACY, rows, FULL),
        "Median error of the face by person (mm)": tables.per_subject(records, FACE, rows),
        "Stages": tables.table(records, tables.HEALTH, [r for r in rows if r == FULL]),
        "Views": tables.by_place(records, r"view[-+]\d+((up|down)\d+)?", FULL),
        "Single photos by true azimuth": tables.by_place(records, r"photos/azimuth_.*", FULL),
        "Two halves of a collection": tables.table(
            records, sorted({r.measure for r in records if r.row == "repeat"}), ["repeat"]
        ),
    }
    failed = [
        f"- {c['row']}, person {c['identity']}: {c['failure']}" for c in cells if c["failure"]
    ]
    if failed:
        sections["Failures"] = "\n".join(failed) + "\n"
    text = "".join(f"## {title}\n\n{table}\n" for title, table in sections.items())
    write(folder / "table.md", text)
    write(folder / "table.csv", tables.as_csv(records))
    tables.bars(records, FACE, rows).savefig(folder / "rows.png")
    for name in {record.curve for record in records if record.curve}:
        measured = [row for row in config.curve_rows if any(r.row == row for r in records)]
        tables.curve(records, name, FACE, measured).savefig(folder / f"{name}.png")


def read_cells(folder: Path, alike: str) -> list[dict[str, Any]]:
    """What was measured by this program, with the settings that all cells of a table share."""
    cells = (json.loads(path.read_text()) for path in sorted(folder.rglob("*.json")))
    return [cell for cell in cells if cell.get("alike") == alike]


def records_of(cells: Iterable[dict[str, Any]]) -> list[Record]:
    """The numbers of all cells one by one."""
    return [
        Record(
            **{name: cell[name] for name in ("row", "identity", "seed", "curve", "value")},
            measure=measure,
            number=number,
        )
        for cell in cells
        for measure, number in cell["numbers"].items()
    ]


def _key(config: Config, *parts: object) -> str:
    """Stands for the program, for the settings of the whole table, and for what else is given."""
    everything = (_program(), list(config.settings), config.photos_per_person, *parts)
    return hashlib.sha256(repr(everything).encode()).hexdigest()[:16]


@cache
def _program() -> str:
    """Stands for the code and for the settings that come with it."""
    sources = Sources.read(Path(__file__).parent)
    settings = sorted(
        (str(path.relative_to(CONF)), path.read_text()) for path in CONF.rglob("*.yaml")
    )
    return repr((sorted(sources.modules.items()), sorted(sources.resources.items()), settings))


def main() -> None:
    """Run the command."""
    command.main(compose_and_run)


if __name__ == "__main__":
    main()
