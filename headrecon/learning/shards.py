"""Many examples on disk, made by all cores, and read back whole."""

import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor
from tqdm import tqdm

from headrecon.files import write
from headrecon.learning.examples import example
from headrecon.photos.detect import Detect
from headrecon.synthetic.folder import PhotographSubject
from headrecon.template.build import BuildTemplate


@dataclass(frozen=True)
class Examples:
    """Examples ready to be drawn from."""

    images: UInt8[Tensor, "example rgb=3 size size"]
    """sRGB."""
    guesses: UInt8[Tensor, "example size size"]
    """Probability of the person, times 255."""
    labels: UInt8[Tensor, "example size size"]
    people: Int[Tensor, " example"]

    def apart(self, people: int) -> "tuple[Examples, Examples]":
        """The examples of all but the last people, and theirs."""
        last = self.people >= self.people.max() + 1 - people
        one, other = (
            [layer[part] for layer in (self.images, self.guesses, self.labels, self.people)]
            for part in (~last, last)
        )
        return Examples(*one), Examples(*other)


@dataclass(frozen=True)
class MakeExamples:
    """Examples from photos of many people, in files of one person each.

    A file that is there already is kept, so that an interrupted start goes on. The people are
    seeded from `first_person` on; those of the benchmark have smaller seeds.
    """

    session: PhotographSubject
    detect: Detect
    people: int
    photos: int
    """Of each person; those in which nobody is found give no example."""
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
        template = BuildTemplate(size=1.0, people=2)()
        # Successive indices have their azimuths spread evenly, over all people.
        takings = [session.taking(person * self.photos + k) for k in range(self.photos)]
        found = [
            example(session.photograph, taking, self.detect, template, self.size)
            for taking in takings
            if taking.identity >= 0
        ]
        kept = [one for one in found if one is not None]
        arrays, square = io.BytesIO(), (self.size, self.size)
        np.savez(
            arrays,
            images=np.array([one.image for one in kept], np.uint8).reshape(-1, 3, *square),
            guesses=np.array([one.guess for one in kept], np.uint8).reshape(-1, *square),
            labels=np.array([one.labels for one in kept], np.uint8).reshape(-1, *square),
        )
        write(file, arrays.getvalue())


def _joined(files: Sequence[Mapping[str, np.ndarray]]) -> Examples:
    """The examples of all files, one file a person."""
    images, guesses, labels = (
        torch.from_numpy(np.concatenate([f[name] for f in files]))
        for name in ("images", "guesses", "labels")
    )
    counts = torch.tensor([len(f["labels"]) for f in files])
    return Examples(images, guesses, labels, torch.arange(len(files)).repeat_interleave(counts))
