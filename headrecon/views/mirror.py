"""Mirror images of portraits, by which the left of a head and the right help each other."""

from dataclasses import replace

from jaxtyping import Int
from torch import Tensor

from headrecon.geometry.surface import at
from headrecon.geometry.symmetry import MIRRORED, MIRRORED_KEYPOINTS, mirror_partners
from headrecon.types import Portrait, Template


def with_mirror_images(portraits: tuple[Portrait, ...], template: Template) -> tuple[Portrait, ...]:
    """The portraits, and after them the mirror image of each.

    A view then has as many photos as there are of both sides, lit from left and right in equal
    parts. The price is that whatever is different between the sides of the head (a parting, a
    scar, a crooked nose) is averaged: the head comes out almost symmetric.
    """
    partner = mirror_partners(at(template.fiducials, template.faces, template.vertices))
    return (*portraits, *(mirrored(portrait, partner) for portrait in portraits))


def mirrored(portrait: Portrait, partner: Int[Tensor, " fiducial=468"]) -> Portrait:
    """The portrait as if the photo had been mirrored at its left edge; its own inverse.

    `partner` says which fiducial is on the other side of the face. What was the left eye is seen
    where a right eye would be, so points change places as well as their x; azimuth and roll change
    sign, elevation does not.

    Convention: the edge at x = 0, so that a point x of a crop of width w is seen at w - x, and a
    point X of the photo at -X. The identity of a face and of its mirror image is the same.
    """
    width = portrait.image.shape[2]
    flip = portrait.corner.new_tensor([-1.0, 1.0])
    shift = portrait.corner.new_tensor([width, 0.0])
    name, original = portrait.name, portrait.name.removesuffix(MIRRORED)
    return replace(
        portrait,
        name=original if original != name else name + MIRRORED,
        image=portrait.image.flip(-1),
        mask=portrait.mask.flip(-1),
        fiducials=(portrait.fiducials * flip + shift)[partner],
        visible=portrait.visible[partner],
        keypoints=(portrait.keypoints * flip + shift)[list(MIRRORED_KEYPOINTS)],
        azimuth=-portrait.azimuth,
        roll=-portrait.roll,
        corner=(portrait.corner + portrait.step * shift) * flip,
    )
