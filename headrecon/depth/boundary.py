"""Depth that is known before a view is integrated."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.render.reproject import see_surface, see_template
from headrecon.types import REGIONS, Head, NormalField, Template

log = logging.getLogger(__name__)

_BARE = tuple(name for name in REGIONS if name != "scalp")


@dataclass(frozen=True)
class Anchor:
    """Known depth, and the weight of its equations against those of the normals."""

    z: Float[Tensor, "h w"]
    weight: Float[Tensor, "h w"]
    """Square of the factor w of the equation w (z - d) = 0; 0 where nothing is known."""


@dataclass(frozen=True)
class Boundary:
    """The anchors of a view: the template's depth for the first, the neighbour's for the others.

    Where the rim of the neighbour's rotated depth D' crosses the new view, z = D' (`rim`), so that
    the surfaces join and the head grows outward from there; inside the overlap D' may pull softly
    (`overlap`). The first view has no neighbour: the template's depth, at the low weight
    `template`, chooses the constant and what the normals leave open at the longest waves. In the
    other views it does so at the weight `skull`. A template that is bent to the person does so in
    all views at the weight `fitted`: waves longer than 2 pi / sqrt(weight) pixels are the
    template's, and shorter ones the normals'. Under hair a bald template is not believed, and one
    that has the volume of the person's hair is, at the weight `hair`.

    Reference: Liang, Shapiro and Kemelmacher-Shlizerman, "Head Reconstruction from Internet
    Photos", ECCV 2016, section 5.
    """

    rim: float
    overlap: float
    template: float
    skull: float
    """Weight of a stranger's depth in the other views; 0 in the paper."""
    fitted: float
    hair: float
    depth_constraint: bool
    """False leaves the side views to the template's depth: the paper's ablation."""
    grazing: float
    """Least cosine at which a solved surface is believed."""
    rim_width: int
    """Pixels."""

    def __call__(self, field: NormalField, head: Head, template: Template) -> Anchor:
        """Anchors on the canvas of `field`."""
        alone = self.fitted if template.fitted else self.template
        if not (head.surfaces and self.depth_constraint):
            return self._of_template(field, template, alone)
        seen = see_surface(head.nearest(field.camera), field.camera, self.grazing)
        common = seen.mask & field.mask
        if not bool(common.any()):
            log.warning(
                "%s: no solved surface is seen from here; placed by the template", field.label
            )
            return self._of_template(field, template, alone)
        rim = common & ~_eroded(seen.mask, self.rim_width)
        weight = (self.rim * rim.to(seen.z) + self.overlap * seen.weight) * common
        skull = self.fitted if template.fitted else self.skull
        return _both(Anchor(seen.z, weight), self._of_template(field, template, skull))

    def _of_template(self, field: NormalField, template: Template, weight: float) -> Anchor:
        """The template's depth, of its skin and of its hair."""
        skin = _shown(field, template, _BARE, weight)
        if not template.haired:
            return skin
        return _both(skin, _shown(field, template, ("scalp",), self.hair))


def _shown(field: NormalField, template: Template, parts: Sequence[str], weight: float) -> Anchor:
    """The depth of parts of the template."""
    seen = see_template(template, field.camera, parts)
    return Anchor(seen.z, weight * seen.weight * (seen.mask & field.mask))


def _both(one: Anchor, other: Anchor) -> Anchor:
    """The sum of two quadratic pulls is a pull to their weighted mean."""
    total = one.weight + other.weight
    z = (one.weight * one.z + other.weight * other.z) / total.clamp_min(1e-12)
    return Anchor(z, total)


def _eroded(mask: Bool[Tensor, "h w"], width: int) -> Bool[Tensor, "h w"]:
    """The mask without the pixels that are within `width` of its rim."""
    outside = 1.0 - mask.float()[None, None]
    return F.max_pool2d(outside, 2 * width + 1, stride=1, padding=width)[0, 0] < 0.5
