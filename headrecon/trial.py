"""One collection of photos, and the ways to make a head that are tried on it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import hydra
import torch
from hydra import compose

from headrecon.evaluate.repeat import half
from headrecon.outputs import write_mesh
from headrecon.photos.gather import Pile
from headrecon.pipeline import Pipeline
from headrecon.settings import Config, check
from headrecon.silent import Silent
from headrecon.store import Store
from headrecon.types import (
    HeadMesh,
    Photo,
    Portrait,
    Reconstruction,
    Rejection,
    Sighting,
    Template,
    Video,
)

FULL = "full_method"
Baseline = Callable[[Template, tuple[Portrait, ...]], HeadMesh]


@dataclass(frozen=True)
class Collection:
    """Photos to make a head of, and where everything about them goes."""

    folder: Path
    settings: tuple[str, ...]
    """Overrides of Hydra that say whose photos they are, and how heads are made of them."""
    device: torch.device

    def photographed(self) -> Path:
        """The folder of the truth; photos that are not there yet are taken."""
        subject = self._config(()).subject
        photos, truth = Path(subject.photos), Path(subject.truth)
        hydra.utils.instantiate(subject.session, _convert_="all")(photos, truth)
        return truth

    def reconstruct(self, row: str, overrides: Iterable[str], part: int = -1) -> Reconstruction:
        """The head by the pipeline with these overrides; of all photos, or of one half of them.

        What the overrides do not change is shared with the full method.
        """
        config = self._config(overrides)
        name = row if part < 0 else f"{row}, half {part + 1}"
        photos = self._gathered(config)
        chosen = photos if part < 0 else _half(photos, part)
        found = _pipeline(config).run(chosen, photos.overrides, self._store(name), Silent())
        write_mesh(self.folder / "runs" / name, found)
        return found

    def fit(self, baseline: Baseline) -> HeadMesh:
        """The head by a method that looks at portraits only."""
        config = self._config(())
        pipeline, photos = _pipeline(config), self._gathered(config)
        template, seen = pipeline.look(photos, self._store(FULL))
        faces = tuple(one for one in seen if isinstance(one, Sighting))
        return baseline(template, pipeline.curate(faces, photos.overrides).kept)

    def _gathered(self, config: Config) -> Pile:
        return hydra.utils.instantiate(config.gather, _convert_="all")(config.subject.photos)

    def _store(self, name: str) -> Store:
        """A store for one row, which reads what the full method has in common with it."""
        runs, shared = self.folder / "runs", {"photos": self.folder / "detections"}
        return Store(runs / name / "artifacts", self.device, shared, [runs / FULL / "artifacts"])

    def _config(self, overrides: Iterable[str]) -> Config:
        config = compose(
            "config", overrides=[*self.settings, f"run_dir='{self.folder}'", *overrides]
        )
        check(config)
        return config


def _pipeline(config: Config) -> Pipeline:
    return hydra.utils.instantiate(config.pipeline, _convert_="all")


def _half(photos: Pile, part: int) -> Iterator[Photo | Video]:
    """The photos of one half; the frames of a video stay together."""
    readable = (photo for photo in photos if not isinstance(photo, Rejection))
    return (photo for photo in readable if half(photo) == part)
