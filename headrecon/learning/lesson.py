"""A network, the examples it is taught with, and where its weights go."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from headrecon.learning.bias import MakeBiasExamples, MeasureBias, examine_bias
from headrecon.learning.examine import examine
from headrecon.learning.points import MakePointExamples, apart
from headrecon.learning.shards import MakeExamples
from headrecon.learning.teach import Teach
from headrecon.learning.teach_points import TeachPoints, examine_points
from headrecon.learning.teach_second_look import TeachSecondLook, examine_second_look
from headrecon.own_weights import save_weights


@dataclass(frozen=True)
class Course:
    """How a lesson is held."""

    folder: Callable[[str, object], Path]
    """Where results of that name go that depend on these settings."""
    aside: int
    """People on whom the network is examined, and not taught."""
    workers: int
    device: torch.device


@dataclass(frozen=True)
class Points:
    """The network that tells pose and fiducials."""

    examples: MakePointExamples
    teach: TeachPoints
    weights: str
    """Path."""

    def __call__(self, course: Course) -> tuple[Path, dict[str, float]]:
        """Teach; the path of the weights, and scores on people kept aside."""
        made = self.examples(course.folder("points", self.examples), course.workers)
        learnt, aside = apart(made, course.aside)
        network = self.teach(learnt)
        scores = examine_points(network, aside)
        about = {"faces": len(learnt.poses), **scores}
        return save_weights(network.state_dict(), about, Path(self.weights)), scores


@dataclass(frozen=True)
class Second:
    """The network that looks at a face again."""

    examples: MakePointExamples
    teach: TeachSecondLook
    weights: str
    """Path."""

    def __call__(self, course: Course) -> tuple[Path, dict[str, float]]:
        """Teach; the path of the weights, and scores on people kept aside."""
        made = self.examples(course.folder("points", self.examples), course.workers)
        learnt, aside = apart(made, course.aside)
        place = course.folder("second_look", (self.teach, self.examples))
        network = self.teach(learnt, place)
        scores = examine_second_look(network, aside)
        about = {"faces": len(learnt.poses), "epochs": self.teach.epochs, **scores}
        return save_weights(network.state_dict(), about, Path(self.weights)), scores


@dataclass(frozen=True)
class Parts:
    """The network that tells the parts of a head."""

    examples: MakeExamples
    teach: Teach
    weights: str
    """Path."""

    def __call__(self, course: Course) -> tuple[Path, dict[str, float]]:
        """Teach; the path of the weights, and scores on people kept aside."""
        made = self.examples(course.folder("parts", self.examples), course.workers)
        learnt, aside = made.apart(course.aside)
        place = course.folder("teaching", (self.teach, self.examples))
        network = self.teach(learnt, place, course.device)
        scores = examine(network, aside)
        about = {"examples": len(learnt.images), "epochs": self.teach.epochs, **scores}
        return save_weights(network.state_dict(), about, Path(self.weights)), scores


@dataclass(frozen=True)
class BiasOfFiducials:
    """What detectors say of fiducials; a regression rather than a network."""

    examples: MakeBiasExamples
    measure: MeasureBias
    weights: str
    """Path."""

    def __call__(self, course: Course) -> tuple[Path, dict[str, float]]:
        """Measure; the path of the result, and scores on people kept aside."""
        made = self.examples(course.folder("bias", self.examples), course.workers)
        learnt, aside = made.apart(course.aside)
        bias = self.measure(learnt)
        scores = examine_bias(bias, self.measure, aside)
        about = {"people": len(learnt.people.unique()), "faces": len(learnt.people), **scores}
        return save_weights(bias.state(), about, Path(self.weights)), scores
