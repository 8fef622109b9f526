"""What the template tells of a view's normals before its photos are asked."""

import torch

from headrecon.render.reproject import Seen, see_template
from headrecon.types import SKIN, Factors, Template


def skin_of(template: Template, factors: Factors, grazing: float) -> Seen:
    """Skin of the template where the view sees it at a cosine above `grazing`."""
    return _good(see_template(template, factors.camera, SKIN), factors, grazing)


def with_hair(reference: Seen, factors: Factors, template: Template, grazing: float) -> Seen:
    """The reference, and the outside of hair where the template has it."""
    if not template.haired:
        return reference
    hair = see_template(template, factors.camera, ("scalp",))
    return before(reference, _good(hair, factors, grazing))


def before(one: Seen, other: Seen) -> Seen:
    """The first where it is seen, else the second."""
    return Seen(
        torch.where(one.mask, one.normals, other.normals),
        torch.where(one.mask, one.z, other.z),
        torch.where(one.mask, one.weight, other.weight),
        one.mask | other.mask,
    )


def _good(seen: Seen, factors: Factors, grazing: float) -> Seen:
    good = seen.mask & (seen.normals[2] > grazing) & factors.mask
    return Seen(seen.normals, seen.z, seen.weight * good, good)
