"""Photos as refinement looks at them."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.resample import resampled
from headrecon.mesh.nudge import nudged_camera
from headrecon.types import Camera, Portrait

_MARGIN = 0.03
"""Of a shot's canvas around the head, in sides of the head."""


@dataclass(frozen=True)
class Shot:
    """A photo cut down to the head, and the camera that took it; in half precision."""

    name: str
    camera: Camera
    image: Float[Tensor, "rgb=3 h w"]
    """Linear RGB in [0, 1]."""
    mask: Float[Tensor, "h w"]
    """Probability that the pixel shows the person; 0 outside the photo."""

    @classmethod
    def of(
        cls,
        portrait: Portrait,
        camera: Camera,
        points: Float[Tensor, "point xyz=3"],
        side: int,
    ) -> "Shot":
        """The square around where the camera sees these points; no more than `side` pixels.

        The photo is not magnified.
        """
        seen = project(points, camera)[:, :2]
        low, high = seen.amin(dim=0), seen.amax(dim=0)
        wide = (1.0 + 2.0 * _MARGIN) * float((high - low).max())
        smaller = min(1.0, side / max(wide, 1.0))
        size = max(1, round(smaller * wide))
        shift = 0.5 * size - smaller * 0.5 * (low + high)
        canvas = replace(
            camera,
            scale=smaller * camera.scale,
            origin=smaller * camera.origin + shift,
            height=size,
            width=size,
        )
        image, mask = resampled(portrait, smaller * torch.eye(2).to(points), shift, canvas)
        return cls(portrait.name, canvas, image.half(), mask.half())

    def nudged(self, move: Float[Tensor, "move=6"]) -> "Shot":
        """The shot, its camera moved a little; see `Deviation`."""
        return replace(self, camera=nudged_camera(self.camera, move))
