"""What a view says about a head, while it is bent."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from headrecon.geometry.camera import project
from headrecon.geometry.mixing import albedo_of, best_mixing, harmonics
from headrecon.geometry.warp import sample
from headrecon.template.marks import Marks
from headrecon.template.skin_rim import Place, SkinRim
from headrecon.types import Camera

_INSIDE = 0.99
"""Share of a point's four pixels that have to be the person's."""


@dataclass(frozen=True)
class Sight:
    """What a view says about a head: points of its skin, one of each pixel, and fiducials."""

    layers: Float[Tensor, "layer h w"]
    """Pseudo-normals on the view's canvas, and 1 where there are any."""
    mixing: Float[Tensor, "k k"]
    """Takes albedo times harmonics to pseudo-normals, as well as the head can tell so far."""
    strength: Float[Tensor, ""]
    """Of the directed light."""
    weight: Float[Tensor, " point"]
    hidden: Float[Tensor, "k point"]
    """What the head is in the way of, of the harmonics of the light."""
    face: Int[Tensor, " point"]
    barycentric: Float[Tensor, "point 3"]
    camera: Camera
    marks: Marks
    rim: SkinRim

    def misfit(
        self,
        vertices: Float[Tensor, "vertex xyz=3"],
        normals: Float[Tensor, "vertex xyz=3"],
        faces: Int[Tensor, "face 3"],
        place: Place,
    ) -> Float[Tensor, ""]:
        """Mean square of what no matrix explains, in units of the directed light.

        Each point of the skin is looked up where the head has it now. So shading says not only how
        the sides of a nose are turned, but also where it ends.
        """
        corners, shares = faces[self.face], self.barycentric[..., None]
        seen = functional.normalize((shares * normals[corners]).sum(dim=1), dim=1)
        known = harmonics(self.camera.view_from_head @ seen.T, len(self.mixing)) - self.hidden
        scale, shift = place
        xy = project((shares * vertices[corners]).sum(dim=1), self.camera)[:, :2]
        found = sample(self.layers[None], (scale * xy + shift)[None, None])[0, :, 0]
        pseudo = found[:-1] / albedo_of(found[:-1], self.mixing @ known)
        weight = self.weight * (found[-1].detach() > _INSIDE)
        off = (pseudo - best_mixing(pseudo, known, weight) @ known) / self.strength
        return (weight * off.square().sum(dim=0)).sum() / weight.sum().clamp_min(1e-6)

    def placed(self, marks: Float[Tensor, "fiducial=468 xyz=3"]) -> tuple[Place, Float[Tensor, ""]]:
        """Where the canvas has a head with these fiducials, and what is off then: see `Marks`."""
        return self.marks.explained(project(marks, self.camera)[:, :2])
