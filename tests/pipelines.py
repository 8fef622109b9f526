"""Pipelines without a method, for what is around it: they say what they saw and end at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch

from headrecon.monitor import Monitor
from headrecon.pipeline import Pipeline
from headrecon.store import Store
from headrecon.types import Atlas, Photo, Reconstruction, Rejection, Video
from tests import artifacts


@dataclass(frozen=True)
class Copy:
    """Stage: the photo itself."""

    def __call__(self, photo: Photo) -> Photo:
        return photo


@dataclass(frozen=True)
class Count:
    """Stage: one byte that says how many views there are to be."""

    count: int

    def __call__(self) -> Photo:
        return Photo("count", torch.tensor([self.count], dtype=torch.uint8))


@dataclass(frozen=True)
class Still(Pipeline):
    """Has the same result for all photos."""

    def run(
        self,
        photos: Iterable[Photo | Video | Rejection],
        overrides: Mapping[str, str],
        store: Store,
        monitor: Monitor,
    ) -> Reconstruction:
        seen = store.recall_each("photos", Copy(), photos)
        count = store.recall("count", Count(self.cluster.count))
        monitor.number("photos/found_count", len(seen))
        monitor.number("views/count", int(count.encoded[0]))
        return artifacts.reconstruction()

    def wrap(self, found: Reconstruction, store: Store) -> Atlas:
        return artifacts.atlas(found.mesh)


@dataclass(frozen=True)
class Interrupted(Pipeline):
    """Is interrupted after its first result."""

    def run(
        self,
        photos: Iterable[Photo | Video | Rejection],
        overrides: Mapping[str, str],
        store: Store,
        monitor: Monitor,
    ) -> Reconstruction:
        store.recall_each("photos", Copy(), photos)
        raise KeyboardInterrupt


@dataclass(frozen=True)
class Failing(Pipeline):
    """Finds that the photos are of no use."""

    def run(
        self,
        photos: Iterable[Photo | Video | Rejection],
        overrides: Mapping[str, str],
        store: Store,
        monitor: Monitor,
    ) -> Reconstruction:
        raise ValueError("no view has enough photos:\n2 in the largest")
