"""Small moves of a view's camera, as something to descend on."""

import math
from dataclasses import dataclass, replace

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.types import Camera

MOVES = 6
"""Numbers of a move: a turn about the camera's axes (radians), a shift to the right and upwards
(millimetres), and the logarithm of a scale."""


@dataclass(frozen=True)
class Deviation:
    """How far off views' cameras are: standard deviations of a move."""

    turn: float
    """About each axis, degrees."""
    shift: float
    """Millimetres."""
    scale: float
    """Of its logarithm."""

    def __call__(self, moves: Float[Tensor, "*view move=6"]) -> Float[Tensor, "*view move=6"]:
        """Moves given in standard deviations."""
        turn = math.radians(self.turn)
        return moves * moves.new_tensor([*(turn,) * 3, *(self.shift,) * 2, self.scale])


def nudged(
    vertices: Float[Tensor, "vertex xyz=3"], camera: Camera, move: Float[Tensor, "move=6"]
) -> Float[Tensor, "vertex xyz=3"]:
    """Where vertices have to be for the camera to see what the moved camera sees of them.

    Differentiable, in contrast to the camera itself.
    """
    rotation = camera.view_from_head.to(vertices)
    moved = move[5].exp() * (vertices @ rotation.T) @ roma.rotvec_to_rotmat(move[:3]).T
    shift = torch.cat([move[3:5], move.new_zeros(1)])
    # In perspective, the same way in the picture is a longer one where it is further away.
    far = 1.0 - camera.nearness * moved[:, 2:]
    return (moved + far * shift) @ rotation


def nudged_camera(camera: Camera, move: Float[Tensor, "move=6"]) -> Camera:
    """The moved camera; what is seen larger is seen from as much nearer."""
    up, larger = move.new_tensor([1.0, -1.0]), float(move[5].exp())
    return replace(
        camera,
        view_from_head=roma.rotvec_to_rotmat(move[:3]) @ camera.view_from_head.to(move),
        scale=camera.scale * larger,
        origin=camera.origin.to(move) + camera.scale * up * move[3:5],
        nearness=camera.nearness * larger,
    )
