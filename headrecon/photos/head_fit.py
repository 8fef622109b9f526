"""The pose of a head, and its fiducials, from pixels that say which point of a head they show."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.resection import resect
from headrecon.geometry.surface import at, vertex_normals
from headrecon.photos.weak_perspective import Fit, fit_view
from headrecon.truth import LABELS
from headrecon.types import SurfacePoints, Template

_HEAD = [LABELS.index(name) for name in ("face", "ears", "hair")]
"""What turns with the skull; the neck does not."""


@dataclass(frozen=True)
class Placed:
    """Pixels of a window that show points of the head."""

    xy: Float[Tensor, "pixel xy=2"]
    """In pixels of the photo."""
    points: Float[Tensor, "pixel xyz=3"]
    """Of the mean head, millimetres."""


@dataclass(frozen=True)
class HeadFit:
    """How a photo sees the mean head, and where it shows its fiducials."""

    view: Fit
    """In pixels of the photo, y up."""
    fiducials: Float[Tensor, "fiducial xy=2"]
    """In pixels of the photo, y down; those that are hidden where the mean head would have them."""
    visible: Bool[Tensor, " fiducial"]
    """Facing the camera, with skin seen where they are."""


@dataclass(frozen=True)
class FitHead:
    """The weak-perspective view of the mean head that agrees with the places of all pixels.

    The view is fitted robustly to all pixels at once. A fiducial is where the pixels around it say:
    with p_i the place of pixel i and X that of the fiducial on the mean head,

        x = sum_i w_i (x_i + s P R (X - p_i)) / sum_i w_i,   w_i = exp(-|X - p_i|^2 / 2 reach^2)

    so that it follows this person's own features, and the fitted head where no pixel is near.
    """

    pixels: int
    """Pixels that are used at most."""
    tolerance: float
    """Millimetres from which on the error of a pixel counts linearly instead of squared."""
    reach: float
    """Millimetres on the head within which pixels speak for a fiducial."""
    grazing: float
    """Smallest cosine between the normal and the line of sight at which a fiducial is visible."""

    def __call__(self, placed: Placed, template: Template) -> HeadFit:
        """Fit to at least a dozen pixels."""
        step = max(1, len(placed.xy) // self.pixels)
        xy, points = placed.xy[::step], placed.points[::step]
        start, _, _ = resect(points, xy, torch.ones(len(xy)).to(points))
        up = xy.double().numpy() * np.array([1.0, -1.0])
        view = fit_view(points.double().numpy(), up, start.double().numpy(), self.tolerance)
        fiducials, near = self._fiducials(template.fiducials, template, view, xy, points)
        return HeadFit(view, fiducials, near & self._facing(template, view))

    def _fiducials(
        self, marks: SurfacePoints, template: Template, view: Fit, xy: Tensor, points: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Places of marks in the photo, and whether any pixels spoke for them."""
        rest = at(marks, template.faces, template.vertices)
        rows = torch.from_numpy(view.scale * view.view_from_head[:2]).float()
        rows = rows * torch.tensor([[1.0], [-1.0]])
        shift = torch.from_numpy(view.shift * np.array([1.0, -1.0])).float()
        deviation = xy - (points @ rows.T + shift)
        weights = torch.exp(-0.5 * (torch.cdist(rest, points) / self.reach) ** 2)
        total = weights.sum(dim=1, keepdim=True)
        own = weights @ deviation / (total + 0.5)
        return rest @ rows.T + shift + own, total[:, 0] > 1.0

    def _facing(self, template: Template, view: Fit) -> Tensor:
        """Marks whose surface faces the camera."""
        normals = at(
            template.fiducials, template.faces, vertex_normals(template.vertices, template.faces)
        )
        towards = torch.from_numpy(view.view_from_head[2]).float()
        return torch.nn.functional.normalize(normals, dim=1) @ towards > self.grazing


def shown_head(
    labels: Float[Tensor, "label=7 size size"],
    places: Float[Tensor, "xyz=3 size size"],
    xy: Float[Tensor, "size size xy=2"],
    doubt: float,
) -> Placed:
    """The pixels that show the head with a probability of at least 1 - `doubt`."""
    sure = labels[_HEAD].sum(dim=0) > 1.0 - doubt
    return Placed(xy[sure], places[:, sure].T)
