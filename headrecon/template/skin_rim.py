"""What the outline of a view says about a head, where it is the outline of skin."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from headrecon.geometry.camera import project
from headrecon.geometry.signed_distance import signed_distance
from headrecon.geometry.warp import gradient, sample
from headrecon.render.reproject import see_template
from headrecon.render.rim import on_rim
from headrecon.types import REGIONS, Camera, Factors, Template

_PARTS = ("face", "lips", "ears")
"""Their outlines are the head's, where hair leaves them bare."""
_BAND = 0.2
_INWARD = 3.0
"""Pixels within the outline, at which its color is looked at."""
_SKIN = 0.4
"""Least probability of skin; below a half, so that a bald head has outlines."""
_FEWEST = 50
"""Pixels that tell a color."""


Place = tuple[Float[Tensor, ""], Float[Tensor, "xy=2"]]
"""A scale of the canvas about its corner, and a shift in pixels."""


@dataclass(frozen=True)
class SkinRim:
    """Vertices on the outline of a head, and where the view has its outline."""

    vertex: Int[Tensor, " rim"]
    xy: Float[Tensor, "rim xy=2"]
    """Where the view's camera saw them."""
    distance: Float[Tensor, " rim"]
    """Of the head's outline there from that of the view, pixels, positive outside."""
    slope: Float[Tensor, "rim xy=2"]
    """Of the distance, on the canvas."""

    def misfit(
        self,
        vertices: Float[Tensor, "vertex xyz=3"],
        camera: Camera,
        place: Place,
        reach: float,
    ) -> Float[Tensor, ""]:
        """Mean robust squared distance from the outline, square millimetres.

        mean of d^2 / (1 + (d / reach)^2), with d along the normal of the outline, which is straight
        over such distances. What the camera sees is moved to its `place` first.
        """
        scale, shift = place
        moved = scale * project(vertices[self.vertex], camera)[:, :2] + shift - self.xy
        off = (self.distance + (moved * self.slope).sum(dim=1)) / camera.scale
        robust = off.square() / (1.0 + (off / reach).square())
        return robust.sum() / max(len(off), 1)


def skin_rim(factors: Factors, head: Template, camera: Camera) -> SkinRim:
    """The rim of a head's skin, as a view's camera sees it; may be empty."""
    chosen = head.region.new_tensor([REGIONS.index(name) for name in _PARTS])
    there, drawn = on_rim(head.vertices, head.faces, camera, _BAND)
    vertex = (there & torch.isin(head.region, chosen)).nonzero()[:, 0]
    xy = project(head.vertices[vertex], camera)[:, :2]
    distance = signed_distance(factors.mask)
    slopes = torch.stack(gradient(distance[None, None]))[:, 0, 0]
    layers = torch.cat([distance[None], slopes])[None]
    found = sample(layers, xy[None, None])[0, :, 0]
    slope = functional.normalize(found[1:].T, dim=1)
    inner = xy - (found[0] + _INWARD)[:, None] * slope
    is_skin = skin_probability(factors, head, camera).to(layers)
    bare = sample(is_skin[None, None], inner[None, None])[0, 0, 0] > _SKIN
    return SkinRim(vertex[bare], xy[bare], (found[0] - drawn[vertex])[bare], slope[bare])


def skin_probability(factors: Factors, head: Template, camera: Camera) -> Float[Tensor, "h w"]:
    """Of each pixel of the view's average photo, by its color beside those of face and scalp.

    Both colors are normal distributions of the logarithms of brightness and of two ratios; with too
    little of either in sight all is skin.
    """
    color = factors.color.clamp_min(1e-3).log()
    gray = color.mean(dim=0)
    traits = torch.stack([gray, color[0] - color[1], color[2] - color[1]], dim=-1)
    skin, hair = (
        see_template(head, camera, parts).mask & factors.mask for parts in (("face",), ("scalp",))
    )
    if min(int(skin.sum()), int(hair.sum())) < _FEWEST:
        return factors.mask.to(color)
    odds = _log_likelihood(traits, skin) - _log_likelihood(traits, hair)
    return odds.sigmoid() * factors.mask


def _log_likelihood(
    traits: Float[Tensor, "h w trait"], where: Bool[Tensor, "h w"]
) -> Float[Tensor, "h w"]:
    """By the mean and covariance of some pixels, less a constant."""
    some = traits[where]
    spread = torch.cov(some.T) + 1e-3 * torch.eye(traits.shape[-1]).to(some)
    off = traits - some.mean(dim=0)
    squared = torch.einsum("hwi,ij,hwj->hw", off, torch.linalg.inv(spread), off)
    return -0.5 * (squared + torch.logdet(spread))
