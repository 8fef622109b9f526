"""Scores of somebody's mesh, and of the two halves of somebody's photos."""

import json
from pathlib import Path

from headrecon import tables
from headrecon.baselines.mean_head import MeanHead
from headrecon.command import device_called
from headrecon.evaluate.repeat import repeatability
from headrecon.evaluate.surface import surface_error
from headrecon.evaluate.third_party import read_mesh
from headrecon.files import write
from headrecon.settings import Config, Refusal
from headrecon.synthetic.record import read_truth
from headrecon.tables import FACE, MEAN_HEAD, Record
from headrecon.template.build import BuildTemplate
from headrecon.trial import FULL, Collection


def score_mesh(config: Config) -> None:
    """Table A for somebody's mesh, beside the mean head."""
    if not config.truth:
        raise Refusal("truth=DIR is missing: the folder of the truth that the mesh is scored by")
    path = Path(config.mesh)
    landmarks = Path(config.landmarks or path.with_name("landmarks68.json"))
    truth = read_truth(Path(config.truth))
    heads = {
        MEAN_HEAD: MeanHead()(BuildTemplate(size=1.0, people=2)(), ()),
        path.name: read_mesh(path, landmarks),
    }
    records = [
        Record(row, 0, 0, "", "", measure, number)
        for row, mesh in heads.items()
        for measure, number in surface_error(mesh, truth).items()
    ]
    records = tables.beside_the_mean_head(records, FACE)
    print(tables.table(records, tables.ACCURACY, list(heads)))


def compare_halves(config: Config) -> None:
    """The distance between the heads that two halves of a folder of photos give."""
    settings = ("+subject=folder", "subject.name=somebody", f"subject.photos='{config.photos}'")
    folder = Path(config.run_dir) / "halves"
    collection = Collection(folder, (*settings, *config.settings), device_called(config.device))
    one, other = (collection.reconstruct(FULL, (), part) for part in (0, 1))
    numbers = repeatability(one.mesh, other.mesh, one.template)
    write(folder / "repeat.json", json.dumps(numbers, indent=1) + "\n")
    records = [Record(FULL, 0, 0, "", "", name, number) for name, number in numbers.items()]
    print(tables.table(records, list(numbers), [FULL]))
