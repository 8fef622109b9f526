"""Command line: the paper's ablation in pictures, for anybody's photos.

For example: python -m headrecon.ablate +subject=synthetic
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import hydra
from hydra import compose
from hydra.core.hydra_config import HydraConfig
from tqdm.contrib.logging import logging_redirect_tqdm

from headrecon import command
from headrecon.command import CONF, device_called, failures_in_one_line, require_subject
from headrecon.draw.grown import comparison
from headrecon.pipeline import Pipeline
from headrecon.settings import Config, check
from headrecon.silent import Silent
from headrecon.store import Store
from headrecon.types import Head

logger = logging.getLogger("headrecon")

VARIANTS = {
    "as in the paper": (),
    "no ambiguity recovery": ("pipeline.disambiguate.ambiguity_recovery=false",),
    "no depth constraint": ("pipeline.integrate.boundary.depth_constraint=false",),
    "neither": (
        "pipeline.disambiguate.ambiguity_recovery=false",
        "pipeline.integrate.boundary.depth_constraint=false",
    ),
}
"""What the side views lack, as overrides of `preset=paper`."""


@hydra.main(version_base=None, config_path=str(CONF), config_name="config")
def compose_and_run(config: Config) -> None:
    """Grow the head with and without what joins its views, and draw them side by side."""
    with failures_in_one_line(), logging_redirect_tqdm():
        require_subject(config)
        folder = Path(config.run_dir)
        heads = dict(grown(config, HydraConfig.get().overrides.task))
        picture = comparison(heads)
        folder.mkdir(parents=True, exist_ok=True)
        picture.save(folder / "ablation.png")
        logger.info("ablation: %s", (folder / "ablation.png").resolve())


def grown(config: Config, overrides: Sequence[str]) -> Iterator[tuple[str, Head]]:
    """The head of each variant before its views are merged; what they share is computed once."""
    folder, subject = Path(config.run_dir), config.subject
    if "session" in subject:
        session = hydra.utils.instantiate(subject.session, _convert_="all")
        session(Path(subject.photos), Path(subject.truth))
    photos = hydra.utils.instantiate(config.gather, _convert_="all")(Path(subject.photos))
    asked = [one for one in overrides if not one.lstrip("+").startswith("preset=")]
    first = folder / "ablation" / next(iter(VARIANTS)) / "artifacts"
    shared = {name: folder / "artifacts" / name for name in ("videos", "photos")}
    for name, changes in VARIANTS.items():
        varied = compose("config", overrides=["preset=paper", *asked, *changes])
        check(varied)
        pipeline: Pipeline = hydra.utils.instantiate(varied.pipeline, _convert_="all")
        # Only the views matter, so the mesh is not refined.
        pipeline = replace(pipeline, refine=replace(pipeline.refine, diffusion=()))
        artifacts = folder / "ablation" / name / "artifacts"
        store = Store(artifacts, device_called(config.device), shared, [first])
        logger.info("%s", name)
        yield name, pipeline.run(photos, photos.overrides, store, Silent()).head


def main() -> None:
    """Run the command."""
    command.main(compose_and_run)


if __name__ == "__main__":
    main()
