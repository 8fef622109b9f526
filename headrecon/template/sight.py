"""What a view says about a head, while it is bent."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from headrecon.geometry.camera import project
from headrecon.geometry.mixing import best_mixing, harmonics
from headrecon.template.skin_rim import Place, SkinRim
from headrecon.types import Camera


@dataclass(frozen=True)
class Sight:
    """What a view says about a head: pixels of its skin, and fiducials."""

    pseudo: Float[Tensor, "k pixel"]
    """Divided by the albedo."""
    weight: Float[Tensor, " pixel"]
    strength: Float[Tensor, ""]
    """Of the directed light."""
    hidden: Float[Tensor, "k pixel"]
    """What the head is in the way of, of the harmonics of the light."""
    face: Int[Tensor, " pixel"]
    barycentric: Float[Tensor, "pixel 3"]
    camera: Camera
    fiducials: Float[Tensor, "fiducial=468 xy=2"]
    shown: Float[Tensor, " fiducial=468"]
    rim: SkinRim

    def misfit(
        self, normals: Float[Tensor, "vertex xyz=3"], faces: Int[Tensor, "face 3"]
    ) -> Float[Tensor, ""]:
        """Mean square of what no matrix explains, in units of the directed light."""
        corners = normals[faces[self.face]]
        seen = functional.normalize((self.barycentric[..., None] * corners).sum(dim=1), dim=1)
        towards = self.camera.view_from_head @ seen.T
        known = harmonics(towards, len(self.pseudo)) - self.hidden
        off = (self.pseudo - best_mixing(self.pseudo, known, self.weight) @ known) / self.strength
        return (self.weight * off.square().sum(dim=0)).sum() / self.weight.sum()

    def placed(self, marks: Float[Tensor, "fiducial=468 xyz=3"]) -> Place:
        """The scale and shift of the canvas that bring the fiducials in sight onto the view's.

        They go with every change of the head, so that a larger one is neither better nor worse.
        """
        seen = project(marks, self.camera)[:, :2]
        share = (self.shown / self.shown.sum().clamp_min(1.0))[:, None]
        middle, goal = (share * seen).sum(dim=0), (share * self.fiducials).sum(dim=0)
        apart = seen - middle
        along = (share * apart * (self.fiducials - goal)).sum()
        scale = along / (share * apart.square()).sum().clamp_min(1e-6)
        return scale, goal - scale * middle

    def distance(
        self, marks: Float[Tensor, "fiducial=468 xyz=3"], place: Place
    ) -> Float[Tensor, ""]:
        """Mean square distance of the fiducials in sight, square millimetres."""
        scale, shift = place
        seen = scale * project(marks, self.camera)[:, :2] + shift
        off = (seen - self.fiducials) / self.camera.scale
        return (self.shown * off.square().sum(dim=1)).sum() / self.shown.sum().clamp_min(1.0)
