"""Runs that nobody watches."""

from collections.abc import Sequence

from headrecon.monitor import Monitor
from headrecon.types import (
    Collection,
    CompleteHead,
    DepthMap,
    Factors,
    NormalField,
    Portrait,
    Refinement,
    Rejection,
    Stack,
    Template,
    View,
)


class Silent(Monitor):
    """Keeps numbers and shows nothing, for runs whose pictures nobody looks at."""

    def __init__(self) -> None:
        """Nothing is written."""
        self.pictures = {}
        self.metrics = {}

    def number(self, tag: str, value: float | int, step: int = 0) -> None:
        """One number, kept."""
        self.metrics[tag] = value

    def collection(
        self,
        collection: Collection,
        rejections: Sequence[Rejection],
        views: Sequence[View],
    ) -> None:
        """Not shown."""

    def flow(self, aligned: Stack, flowed: Stack) -> None:
        """Not shown."""

    def surface(self, factors: Factors, normals: NormalField, depth: DepthMap) -> None:
        """Not shown."""

    def fit(self, template: Template, fitted: Template) -> None:
        """Not shown."""

    def refinement(
        self, refined: Refinement, stacks: Sequence[Stack], portraits: Sequence[Portrait]
    ) -> None:
        """Not shown."""

    def evidence(self, whole: CompleteHead) -> None:
        """Not shown."""
