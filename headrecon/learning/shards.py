"""Many examples on disk, made by all cores, and read back whole."""

import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float16, UInt8
from torch import Tensor
from tqdm import tqdm

from headrecon.files import write
from headrecon.learning.examples import example
from headrecon.synthetic.folder import PhotographSubject


@dataclass(frozen=True)
class Examples:
    """Examples ready to be drawn from."""

    images: UInt8[Tensor, "example rgb=3 size size"]
    """sRGB."""
    labels: UInt8[Tensor, "example size size"]
    places: Float16[Tensor, "example xyz=3 size size"]
    """Millimetres; NaN where no point of the head is shown."""

    def split(self, last: int) -> "tuple[Examples, Examples]":
        """All but the last ones, and these."""
        first = len(self.images) - last
        one, other = (
            [layer[part] for layer in (self.images, self.labels, self.places)]
            for part in (slice(first), slice(first, None))
        )
        return Examples(*one), Examples(*other)


@dataclass(frozen=True)
class MakeExamples:
    """Examples from photos of many people, in files of one person each.

    A file that is there already is kept, so that an interrupted start goes on. The people are
    seeded from `first_person` on; those of the benchmark have smaller seeds.
    """

    session: PhotographSubject
    people: int
    photos: int
    """Of each person."""
    first_person: int
    size: int
    """Side of an example in pixels; larger than the network's window, which moves in it."""

    def __call__(self, folder: Path, workers: int) -> Examples:
        """Make what is missing with so many processes, and read all."""
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / f"person_{k:05d}.npz" for k in range(self.people)]
        missing = [k for k, file in enumerate(files) if not file.exists()]
        # Each worker has its own copy of the head model; forked ones would share torch's threads.
        pool = ProcessPoolExecutor(workers, get_context("spawn"), torch.set_num_threads, (1,))
        with pool:
            waiting = [pool.submit(self._make, k, files[k]) for k in missing]
            for done in tqdm(as_completed(waiting), "people", len(waiting), leave=False):
                done.result()
        return _joined([np.load(file) for file in files])

    def _make(self, person: int, file: Path) -> None:
        """The examples of one person, as a file."""
        session = replace(self.session, identity=self.first_person + person)
        # Successive indices have their azimuths spread evenly, over all people.
        first = person * self.photos
        made = [example(session, first + k, self.size) for k in range(self.photos)]
        arrays = io.BytesIO()
        np.savez(
            arrays,
            images=np.stack([one.image for one in made]),
            labels=np.stack([one.labels for one in made]),
            places=np.stack([one.places for one in made]).astype(np.float16),
        )
        write(file, arrays.getvalue())


def _joined(files: Sequence[Mapping[str, np.ndarray]]) -> Examples:
    """The examples of all files."""
    names = ("images", "labels", "places")
    return Examples(*(torch.from_numpy(np.concatenate([f[name] for f in files])) for name in names))
