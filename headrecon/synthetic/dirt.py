"""What finds its way into a collection: strangers, copies, and pictures of nobody."""

from dataclasses import dataclass

import numpy as np

STRANGERS = tuple(range(1_000_000, 1_000_012))
"""Seeds of people who are taken for the subject, or stand behind; subjects have smaller ones."""


@dataclass(frozen=True)
class Origin:
    """Where a photo of the collection comes from."""

    identity: int
    """Seed of the person; -1 for a picture of nobody."""
    copy_of: int
    """Index of the photo that it was made from; -1 if it is its own."""


@dataclass(frozen=True)
class Dirt:
    """Shares of the photos that do not belong into the collection."""

    wrong_person: float
    duplicate: float
    no_face: float

    def __post_init__(self) -> None:
        """Raise `ValueError` if the shares leave no photo of the subject."""
        shares = (self.wrong_person, self.duplicate, self.no_face)
        if min(shares) < 0 or sum(shares) >= 1:
            raise ValueError(f"shares of dirt must be positive and sum to less than 1: {shares}")

    def origin(self, index: int, identity: int, seed: int) -> Origin:
        """Where the photo with this index comes from; the same for collections of any size."""
        chosen, stranger, earlier = np.random.default_rng([seed, identity, index, 1]).uniform(
            size=3
        )
        limits = np.cumsum([self.wrong_person, self.duplicate, self.no_face])
        if chosen < limits[0]:
            return Origin(STRANGERS[int(stranger * len(STRANGERS))], -1)
        if chosen < limits[1]:
            return self._copy(int(earlier * index), index, identity, seed)
        return Origin(-1 if chosen < limits[2] else identity, -1)

    def _copy(self, start: int, index: int, identity: int, seed: int) -> Origin:
        """A copy of the first photo of the subject from `start` on, if there is one before it."""
        for source in range(start, index):
            found = self.origin(source, identity, seed)
            if found == Origin(identity, -1):
                return Origin(identity, source)
        return Origin(identity, -1)
