"""Command line: how well a head renders into photos that it was not made from.

For example: python -m headrecon.evaluate run=runs/ME photos=DIR
"""

import csv
import io
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import hydra
import numpy as np
from hydra import compose
from PIL import Image
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from headrecon import command
from headrecon.command import CONF, device_called, failures_in_one_line
from headrecon.draw.compared import Rendering, from_five_sides, residuals
from headrecon.draw.panel import stacked
from headrecon.evaluate.held_out import Judgement, Sitting, judge, laid_on, painted_like, sitting
from headrecon.evaluate.third_party import read_mesh
from headrecon.files import write
from headrecon.mesh.cameras import FiducialCameras
from headrecon.photos.split import Split
from headrecon.pipeline import Pipeline
from headrecon.render.occlusion import Occlusion
from headrecon.render.rasterize import Scene
from headrecon.settings import Config, Refusal, check, one_line
from headrecon.store import Store
from headrecon.synthetic.record import read_truth
from headrecon.types import HeadMesh, Portrait, Sighting, Template

logger = logging.getLogger("headrecon")
RESULT = "result"
"""The run's own head, beside those of the methods."""
SHARE = "photos/held_out_share"
"""Where a run says in its metrics.json what it held out."""
TRUTH = "true_head"
"""That of a made-up person."""
Judged = list[tuple[Portrait, dict[str, dict[str, float]]]]
"""Numbers of each photo and head."""


@hydra.main(version_base=None, config_path=str(CONF), config_name="evaluate")
def compose_and_run(config: Config) -> None:
    """Evaluate as the command line says."""
    with failures_in_one_line(), logging_redirect_tqdm():
        evaluate(config)


def evaluate(config: Config) -> None:
    """Find the photos, make the other heads, render all of them, and write what was found."""
    check(config)
    if min(config.most, config.drawn) < 1:
        raise Refusal("most and drawn have to be at least 1")
    run = Path(config.run)
    share = _share(config, run)
    result = read_mesh(run / "mesh" / "head.ply", run / "mesh" / "landmarks68.json")
    also = others(config, result)
    template, made_of, held_out = portraits(config, run, share)
    if not held_out:
        raise Refusal(f"none of the photos in {config.photos} can be used to judge the head by")
    heads = {RESULT: result, **dict(baselines(config, template, made_of)), **also}
    heads = {name: painted_like(mesh, result) for name, mesh in heads.items()}
    chosen = _spread(held_out, config.most)
    stage = hydra.utils.instantiate(config.cameras, _convert_="all")
    cameras = {name: stage.of_head(mesh, chosen, template) for name, mesh in heads.items()}
    lit = {name: Occlusion.of(mesh.vertices, mesh.faces) for name, mesh in heads.items()}
    scenes = {name: Scene(mesh.vertices, mesh.faces) for name, mesh in heads.items()}
    # The parts of a photo are the same for all heads.
    mean = FiducialCameras(config.cameras.distance)(chosen, template)
    ends, parts = hydra.utils.instantiate(config.ends), Scene(template.vertices, template.faces)
    shown = {one.name for one in _spread(chosen, config.drawn)}
    judged, drawn = [], []
    for index, portrait in enumerate(tqdm(chosen, "rendering", leave=False, disable=None)):
        photo = sitting(portrait, mean[index], template, ends, parts)
        found = {
            name: judge(mesh, lit[name], cameras[name][index], photo, scenes[name])
            for name, mesh in heads.items()
        }
        judged.append((portrait, {name: one.numbers for name, one in found.items()}))
        if portrait.name in shown:
            drawn.append(_drawn(photo, found, config.brightest))
    folder = run / "evaluation"
    write(folder / "table.md", table(judged))
    write(folder / "photos.csv", as_csv(judged))
    stacked(drawn).save(folder / "errors.png")
    from_five_sides(heads).save(folder / "sides.png")
    print(table(judged))
    logger.info("evaluation: %s", (folder / "table.md").resolve())


def _share(config: Config, run: Path) -> float:
    """The share of the photos that the run has not seen."""
    metrics = run / "metrics.json"
    if not metrics.is_file():
        raise Refusal(f"there is no finished run in {run.resolve()}")
    share = config.share
    if share is None:
        share = float(json.loads(metrics.read_text()).get(SHARE, 0.0))
    if share == 0.0:
        raise Refusal(
            "the run has seen all photos: run it with held_out=0.2, or say share=1.0 if these are "
            "others"
        )
    return share


def portraits(
    config: Config, run: Path, share: float
) -> tuple[Template, tuple[Portrait, ...], tuple[Portrait, ...]]:
    """The template, and the portraits of use: those that heads may be made of, and the others.

    Heads are made of the portraits of which the run's is. Whose face the others show is decided
    for all together; copies of what heads are made of are none of them.
    """
    composed = compose("config", overrides=list(config.settings))
    check(composed.pipeline)
    pipeline: Pipeline = hydra.utils.instantiate(composed.pipeline, _convert_="all")
    pile = hydra.utils.instantiate(composed.gather, _convert_="all")(config.photos)
    shared = {name: run / "artifacts" / name for name in ("videos", "photos")}
    store = Store(run / "evaluation" / "artifacts", device_called(config.device), shared)
    seen: dict[bool, tuple[Sighting, ...]] = {}
    for held_out in (False, True):
        template, found = pipeline.look(Split(pile, share, held_out), store)
        seen[held_out] = tuple(one for one in found if isinstance(one, Sighting))

    def of_use(sightings: tuple[Sighting, ...]) -> tuple[Portrait, ...]:
        kept = pipeline.curate(sightings, pile.overrides)
        return pipeline.thin(kept, pile.overrides).kept

    made_of, names = of_use(seen[False]), {one.name for one in seen[True]}
    held = [one for one in of_use(seen[False] + seen[True]) if one.name in names]
    judging = unseen(held, made_of, pipeline.curate.copies)
    logger.info("photos: %d to judge by, of use", len(judging))
    return template, made_of, judging


def unseen(
    those: Sequence[Portrait],
    made_of: Sequence[Portrait],
    copies: Callable[[list[Portrait]], tuple[tuple[int, int], ...]],
) -> tuple[Portrait, ...]:
    """Those that show another picture than all that heads are made of; see `Copies`."""
    portraits = [*made_of, *those]
    original = dict(copies(portraits))
    known = {original.get(index, index) for index in range(len(made_of))}
    numbered = enumerate(those, len(made_of))
    return tuple(one for index, one in numbered if original.get(index, index) not in known)


def baselines(
    config: Config, template: Template, made_of: tuple[Portrait, ...]
) -> Iterator[tuple[str, HeadMesh]]:
    """The heads of the other methods; one that cannot be made is left out with a word."""
    for name, settings in config.methods.items():
        method = hydra.utils.instantiate(settings, _convert_="all")
        try:
            yield str(name), method(template, made_of)
        except ValueError as error:
            logger.warning("%s is left out: %s", name, one_line(str(error)))


def others(config: Config, result: HeadMesh) -> dict[str, HeadMesh]:
    """Meshes that the command names, and the true head, laid on the result by their landmarks."""
    if taken := {RESULT, TRUTH, *config.methods} & set(config.meshes):
        raise Refusal(f"meshes.{min(taken)} is the name of another head; give it one of its own")
    heads = {
        str(name): read_mesh(Path(one.mesh), Path(one.landmarks))
        for name, one in config.meshes.items()
    }
    if config.truth:
        truth = read_truth(Path(config.truth))
        heads[TRUTH] = HeadMesh(
            *(truth.vertices, truth.faces, truth.albedo, truth.seen.float(), truth.landmarks)
        )
    return {name: laid_on(mesh, result) for name, mesh in heads.items()}


def table(judged: Judged) -> str:
    """Means and standard deviations over the photos, a row for each head."""
    names, measures = _names(judged)
    head = ["head", *(name.replace("_", " ") for name in measures)]
    lines = [f"{len(judged)} photos that the heads were not made from\n"]
    lines += [f"| {' | '.join(head)} |", "|---|" + "---:|" * len(measures)]
    for name in names:
        cells = []
        for measure in measures:
            values = np.array([one[name][measure] for _, one in judged])
            values = values[np.isfinite(values)]
            digits = 1 if measure.endswith(("levels", "mm")) else 3
            cells.append(
                f"{values.mean():.{digits}f} ± {values.std():.{digits}f}" if len(values) else ""
            )
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def as_csv(judged: Judged) -> str:
    """A row for each photo and head."""
    _, measures = _names(judged)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["photo", "azimuth_degrees", "head", *measures])
    for portrait, heads in judged:
        for name, numbers in heads.items():
            cells = ["" if n != n else f"{n:.4f}" for n in (numbers[m] for m in measures)]
            writer.writerow([portrait.name, f"{portrait.azimuth:.1f}", name, *cells])
    return text.getvalue()


def _names(judged: Judged) -> tuple[Sequence[str], Sequence[str]]:
    """Of the heads, and of what was measured."""
    _, heads = judged[0]
    return list(heads), list(next(iter(heads.values())))


def _spread(portraits: Sequence[Portrait], count: int) -> tuple[Portrait, ...]:
    """At most so many, from as different sides as there are."""
    ordered = sorted(portraits, key=lambda portrait: portrait.azimuth)
    chosen = np.linspace(0, len(ordered) - 1, min(count, len(ordered))).round().astype(int)
    return tuple(ordered[index] for index in chosen.tolist())


def _drawn(photo: Sitting, heads: dict[str, Judgement], brightest: float) -> Image.Image:
    renderings = {
        name: Rendering(
            one.rendered, one.seen & photo.area, one.error, one.numbers["head_grey_levels"]
        )
        for name, one in heads.items()
    }
    return residuals(photo.portrait, photo.head, renderings, brightest)


def main() -> None:
    """Run the command."""
    command.main(compose_and_run)
