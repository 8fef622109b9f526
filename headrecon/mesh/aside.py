"""Photos that refinement keeps aside, to be judged by."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from headrecon.render.relit import relit_errors
from headrecon.types import HeadMesh, Stack


def takes_part(count: int, aside: int) -> Bool[Tensor, " photo"]:
    """Which photos of a view are descended on: all but one in so many; all for 0."""
    index = torch.arange(count)
    return index % aside != aside - 1 if aside else index >= 0


def error_aside(mesh: HeadMesh, stacks: Sequence[Stack], aside: int) -> float:
    """Mean grey levels on the photos that take no part, each view alike; NaN if all do."""
    means = []
    for stack in stacks:
        unseen = ~takes_part(len(stack.images), aside)
        if not bool(unseen.any()):
            continue
        images, masks = stack.images[unseen], stack.masks[unseen]
        mask = stack.masks.mean(dim=0) > 0.5
        weights = masks[:, mask].float()
        off = weights * relit_errors(mesh, stack.camera, images, masks, mask)
        means.append(float(off.sum() / weights.sum().clamp_min(1e-6)))
    return sum(means) / len(means) if means else float("nan")


def names_aside(stacks: Sequence[Stack], aside: int) -> set[str]:
    """The photos that take no part in a view."""
    return {
        name
        for stack in stacks
        for name, part in zip(stack.names, takes_part(len(stack.names), aside), strict=True)
        if not part
    }
