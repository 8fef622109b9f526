"""The fiducials of a view, and what is found of those of a head."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.rotation import angles
from headrecon.geometry.symmetry import mirror_partners
from headrecon.template.fiducial_bias import Bias, fiducial_bias
from headrecon.template.skin_rim import Place
from headrecon.types import Camera


@dataclass(frozen=True)
class Marks:
    """What a view's fiducials say about where a head is, and about its shape."""

    found: Float[Tensor, "fiducial=468 xy=2"]
    """On the canvas."""
    shown: Float[Tensor, " fiducial=468"]
    """1 for those that take part, 0 for the others."""
    average: Float[Tensor, "fiducial=468 xy=2"]
    """Where the view's camera sees those of the average head."""
    bias: Bias
    scale: float
    """Pixels of the canvas in a millimetre."""

    def explained(
        self, seen: Float[Tensor, "fiducial=468 xy=2"]
    ) -> tuple[Place, Float[Tensor, ""]]:
        """The best place of a head, by where the camera sees its fiducials, and what is off then.

        A place is a scale and a shift of the canvas. They go with every change of the head, so that
        a larger one is neither better nor worse. What is off is the mean over the fiducials of the
        squared distance, in deviations, between what would be found of the head and what was found.
        """
        weight = self.shown[:, None] / self.shown.sum().clamp_min(1.0)
        onto, by = _best_place(seen, self.average, weight)
        drawn = onto * seen + by - self.average
        expected = self.average + self.scale * self.bias.offset + self.bias.share * drawn
        precision = self.shown[:, None] / self.bias.deviation.square().sum(dim=1, keepdim=True)
        scale, shift = _best_place(expected, self.found, precision / precision.sum())
        off = (scale * expected + shift - self.found) / (self.scale * self.bias.deviation)
        return (scale * onto, scale * by + shift), (weight * off.square()).sum()


def marks_of(
    found: Float[Tensor, "fiducial=468 xy=2"],
    shown: Float[Tensor, " fiducial=468"],
    usual: Float[Tensor, "fiducial=468 xyz=3"],
    camera: Camera,
    known: bool,
    deviation: float,
) -> Marks:
    """The fiducials of a view beside those of the average head, `usual`.

    Where the detectors' bias is not `known`, they are taken to be right up to a deviation in mm.
    """
    bias = Bias.none(deviation)
    if known:
        azimuth, _, _ = angles(camera.view_from_head)
        bias = fiducial_bias().seen_from(azimuth, mirror_partners(usual))
    average = project(usual, camera)[:, :2]
    return Marks(found, shown, average, bias.to(found.device), camera.scale)


def _best_place(
    source: Float[Tensor, "point xy=2"],
    target: Float[Tensor, "point xy=2"],
    weight: Float[Tensor, "point 1"],
) -> Place:
    """The scale and shift that bring points onto others by least squares; weights add up to 1."""
    middle, goal = (weight * source).sum(dim=0), (weight * target).sum(dim=0)
    apart = source - middle
    along = (weight * apart * (target - goal)).sum()
    scale = along / (weight * apart.square()).sum().clamp_min(1e-6)
    return scale, goal - scale * middle
