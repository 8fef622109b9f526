"""The variables that an epoch of refinement descends on."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.surface import at, nearest_points, vertex_normals
from headrecon.mesh.diffusion import both_ways, diffused
from headrecon.mesh.nudge import MOVES
from headrecon.types import HeadMesh

VARIABLES = ("vertex", "camera")


class Descent:
    """Vertices that move along their normals, and a camera for each photo, by Adam.

    The displacement is d = S^k u m, m being the normals, u what is descended on and S an average
    over each vertex and its neighbours. Rates fall to 0 by a cosine. A photo's camera rests in
    steps that do not look at it. Adam divides a vertex's slope by no less than what one slope in
    ten exceeds, since what few photos show would else move as far as the rest.
    """

    def __init__(
        self,
        mesh: HeadMesh,
        photos: int,
        times: int,
        expressions: int,
        rates: tuple[float, float],
        steps: int,
    ) -> None:
        """Begin at a mesh, with so many photos, for an epoch of so many steps.

        `times` is k, and a photo has `expressions` numbers beside those of its camera. Rates are
        those of a first step: of u in millimetres and of photos in standard deviations.
        """
        self._mesh, self._times = mesh, times
        self._normals = vertex_normals(mesh.vertices, mesh.faces)
        self._edges = both_ways(mesh.faces)
        self._u = torch.zeros_like(mesh.vertices[:, :1], requires_grad=True)
        none = mesh.vertices.new_zeros(MOVES + expressions)
        self._moves = [none.clone().requires_grad_(True) for _ in range(photos)]
        self._variables = [self._u], self._moves
        groups = [
            {"params": those, "lr": rate}
            for those, rate in zip(self._variables, rates, strict=True)
        ]
        self._optimizer = torch.optim.Adam(groups)
        self._slower = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimizer, max(steps, 1))
        self.gradients: list[Float[Tensor, "variable=2"]] = []
        """Norms at each step."""
        self.rates: list[Float[Tensor, "variable=2"]] = []

    @property
    def displacement(self) -> Float[Tensor, "vertex xyz=3"]:
        """Of the vertices, so far."""
        return diffused(self._u, self._edges, self._times) * self._normals

    def moves(self, photos: Sequence[int]) -> Float[Tensor, "photo move"]:
        """Of these photos' cameras, and their expressions, in standard deviations."""
        return torch.stack([self._moves[index] for index in photos])

    def step(self, loss: Float[Tensor, ""]) -> None:
        """Go down a little."""
        self._optimizer.zero_grad()
        loss.backward()
        self.gradients.append(torch.stack([_length(those) for those in self._variables]))
        self.rates.append(self._u.new_tensor(self._slower.get_last_lr()))
        self._optimizer.param_groups[0]["eps"] = _steep(self._u)
        self._optimizer.step()
        self._slower.step()

    @torch.no_grad()
    def after(self, share: float) -> tuple[HeadMesh, Float[Tensor, "photo move=6"]]:
        """The mesh and the cameras' moves, a share of the whole way from where it began.

        Landmarks move with the surface.
        """
        mesh = self._mesh
        vertices = mesh.vertices + share * self.displacement
        points = nearest_points(mesh.landmarks, mesh.vertices, mesh.faces)
        moved = replace(mesh, vertices=vertices, landmarks=at(points, mesh.faces, vertices))
        return moved, share * torch.stack(self._moves)[:, :MOVES]


def _steep(u: Float[Tensor, "vertex 1"]) -> float:
    """What one slope in ten exceeds, of those that there are."""
    assert u.grad is not None
    slopes = u.grad[u.grad != 0.0].abs()
    return float(slopes.quantile(0.9)) if len(slopes) else 1.0


def _length(variables: Sequence[Tensor]) -> Float[Tensor, ""]:
    """Of their gradient, in which those without one have no share."""
    slopes = [torch.zeros_like(one) if one.grad is None else one.grad for one in variables]
    return torch.cat([slope.flatten() for slope in slopes]).norm()
