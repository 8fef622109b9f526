"""How well flow brings the same points of a face to the same pixels."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.warp import sample
from headrecon.types import Stack

_ROUNDS = 12


@dataclass(frozen=True)
class Tracks:
    """Where photos show the same points of a person."""

    xy: Float[Tensor, "photo point xy=2"]
    """In pixels of each portrait."""
    visible: Bool[Tensor, "photo point"]


def flow_errors(stack: Stack, tracks: Tracks) -> dict[str, float]:
    """How far apart the photos of a view show the same point.

    A perfect flow brings a point of the surface to one pixel of the canvas in all photos; which one
    is free. So the error is the distance to the median over the photos, in canvas pixels, of the
    aligned photos and of the photos after flow. Only the face takes part.
    """
    linear, shift = stack.portrait_from_canvas[..., :2], stack.portrait_from_canvas[..., 2]
    aligned = (tracks.xy - shift[:, None]) @ torch.linalg.inv(linear).transpose(1, 2)
    flowed = _through(stack.flows.float(), aligned)
    inside = _on_face(stack.face, aligned) & tracks.visible
    return {
        f"{stack.label}/track_error_aligned_px": _dispersion(aligned, inside),
        f"{stack.label}/track_error_flowed_px": _dispersion(flowed, inside),
    }


def _through(
    flows: Float[Tensor, "photo xy=2 h w"], places: Float[Tensor, "photo point xy=2"]
) -> Float[Tensor, "photo point xy=2"]:
    """Where the flowed photo shows what the aligned one shows at `places`: x + flow(x) = place."""
    x = places
    for _ in range(_ROUNDS):
        x = places - sample(flows, x[:, None])[:, :, 0].transpose(1, 2)
    return x


def _on_face(
    face: Bool[Tensor, "h w"], places: Float[Tensor, "photo point xy=2"]
) -> Bool[Tensor, "photo point"]:
    """Whether a place of the canvas shows the face."""
    height, width = face.shape
    x, y = places[..., 0].floor().long(), places[..., 1].floor().long()
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    return inside & face[y.clamp(0, height - 1), x.clamp(0, width - 1)]


def _dispersion(
    places: Float[Tensor, "photo point xy=2"], counted: Bool[Tensor, "photo point"]
) -> float:
    """Median distance in pixels to the median over the photos, of points that three photos show."""
    often = counted.sum(dim=0) >= 3
    if not often.any():
        return float("nan")
    hidden = places.masked_fill(~counted[..., None], torch.nan)[:, often]
    centre = hidden.nanmedian(dim=0).values
    return float((hidden - centre).norm(dim=-1).nanmedian())
