"""A linear space of heads, fitted to the fiducials of all photos."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.grey import grey_mesh
from headrecon.geometry.portrait_camera import portrait_camera
from headrecon.geometry.surface import at
from headrecon.types import HeadMesh, Portrait, Template


@dataclass(frozen=True)
class MorphableModel:
    """Baseline: the most probable head of a linear space, by its fiducials alone.

        min over c of  photos / n sum_i sum_k w_ik |P_i (p_k + B_k c) - s_ik|^2 / (free loose^2)
                       + |c|^2

    with p + B c the heads of the space, B the principal components of random people times their
    standard deviations, and P_i the camera of photo i, which takes turns with c. Fiducials of one
    photo are off together, and photos are off alike: `free` fiducials share one error, and all
    photos together count for `photos` of them.

    Reference: Hsieh, Ma, Yu and Li, "Unconstrained realtime facial performance capture", CVPR 2015;
    Blanz and Vetter, "A morphable model for the synthesis of 3D faces", SIGGRAPH 1999.
    """

    space: Callable[[], Template]
    """Gives the random people whose space it is."""
    components: int
    rounds: int
    max_azimuth: float
    """Photos turned further are left out: their fiducials are known less well."""
    photos: float
    free: float
    loose: float
    """Standard deviation of a fiducial, in millimetres."""

    def __call__(self, template: Template, portraits: tuple[Portrait, ...]) -> HeadMesh:
        """Fit; without photos it is the mean head."""
        basis = principal_components(self.space().people, self.components)
        chosen = [p for p in portraits if abs(p.azimuth) <= self.max_azimuth]
        marks = at(template.fiducials, template.faces, template.vertices)
        of_marks = torch.stack([at(template.fiducials, template.faces, one) for one in basis])
        found = torch.zeros(len(basis)).to(marks)
        for _ in range(self.rounds if chosen else 0):
            found = self._coefficients(marks, of_marks, chosen, found)
        shift = torch.einsum("c,cvx->vx", found, basis)
        return grey_mesh(template, template.vertices + shift)

    def _coefficients(
        self,
        marks: Float[Tensor, "fiducial xyz=3"],
        of_marks: Float[Tensor, "component fiducial xyz=3"],
        portraits: list[Portrait],
        found: Float[Tensor, " component"],
    ) -> Float[Tensor, " component"]:
        """The best coefficients in the cameras of the last ones."""
        now = marks + torch.einsum("c,ckx->kx", found, of_marks)
        normal = torch.eye(len(found)).to(marks)
        right = torch.zeros_like(found)
        weight = self.photos / len(portraits) / (self.free * self.loose**2)
        up = marks.new_tensor([1.0, -1.0])
        for portrait in portraits:
            camera = portrait_camera(portrait, now)
            top = camera.view_from_head[:2]
            seen = (portrait.fiducials - camera.origin) * up / camera.scale
            shown = portrait.visible.to(marks)[:, None]
            design = ((of_marks @ top.T) * shown).flatten(1)
            target = ((seen - marks @ top.T) * shown).flatten()
            normal = normal + weight * design @ design.T
            right = right + weight * design @ target
        return torch.linalg.solve(normal, right)


def principal_components(
    people: Float[Tensor, "person vertex xyz=3"], count: int
) -> Float[Tensor, "component vertex xyz=3"]:
    """The directions in which people differ most, each as long as its standard deviation."""
    samples = people.flatten(1)
    _, sizes, axes = torch.linalg.svd(samples, full_matrices=False)
    count = min(count, len(sizes))
    spread = sizes[:count, None] / len(samples) ** 0.5
    return (spread * axes[:count]).reshape(count, *people.shape[1:])
