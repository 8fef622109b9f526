"""Collection flow: many photos of one head warped to their common shape."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.camera import pixel_centres
from headrecon.geometry.color import luminance
from headrecon.geometry.low_rank import approximate
from headrecon.geometry.warp import inside, resize_flow, warp
from headrecon.types import Stack

Estimator = Callable[..., Float[Tensor, "photo xy=2 h w"]]


@dataclass(frozen=True)
class CollectionFlow:
    """Stage: the stack, each photo warped to the shape that all of them share.

    Flow between two photos of different light is hopeless. But the rank-k approximation of the
    whole stack gives each photo a reference that has the photo's own light and, as the basis holds
    few modes, everybody's shape:

        repeat for rising k:   reference_i = rank-k projection of warped photo i
                               u_i = flow with reference_i(x) = photo_i(x + u_i(x))
                               u_i -= mean over photos of u

    Expressions are ironed out and hair is warped to the dominant style. The flow is always to the
    photo as aligned and starts from the last round's, so that pixels are resampled once. The last
    line fixes what the iteration leaves free, a warp of all photos alike: the common shape is the
    average shape.

    Reference: Kemelmacher-Shlizerman and Seitz, "Collection Flow", CVPR 2012.
    """

    estimator: Estimator
    ranks: Sequence[int]
    """Rank of each round."""
    shrink: Sequence[int]
    """By how much each round reduces the photos; the first rounds are about large motions only."""
    fill_rounds: int
    memory_mb: int
    """Bound of the estimator's working memory, which sets how many photos go at once."""

    def __call__(self, stack: Stack) -> Stack:
        """Warp every photo of a stack that is aligned, but not yet warped."""
        aligned, flows = stack.images, torch.zeros_like(stack.flows)
        # Flow sees what the eye sees: the square root is close to the gamma of a display.
        seen = luminance(aligned).sqrt()
        gain = (seen * stack.masks).sum(dim=(1, 2)) / stack.masks.sum(dim=(1, 2)).clamp_min(1.0)
        seen = seen / gain.clamp_min(1e-3)[:, None, None]

        for rank, factor in zip(self.ranks, self.shrink, strict=True):
            size = (seen.shape[1] // factor, seen.shape[2] // factor)
            flows = resize_flow(flows, size)
            small, masks = (F.adaptive_avg_pool2d(x, size) for x in (seen, stack.masks))
            warped, weights = _warped(small, masks, flows)
            _, reference = approximate(
                warped.flatten(1),
                weights.flatten(1),
                min(rank, len(warped)),
                self.fill_rounds,
            )
            flows = self._estimate(reference.reshape(warped.shape), small, weights, flows)
            flows = flows - flows.mean(dim=0, keepdim=True)
        flows = resize_flow(flows, (seen.shape[1], seen.shape[2]))

        images = warp(aligned, flows).clamp(0.0, 1.0)
        _, masks = _warped(seen, stack.masks, flows)
        return replace(stack, images=images, masks=masks, flows=flows)

    def _estimate(
        self,
        reference: Float[Tensor, "photo h w"],
        moving: Float[Tensor, "photo h w"],
        mask: Float[Tensor, "photo h w"],
        initial: Float[Tensor, "photo xy=2 h w"],
    ) -> Float[Tensor, "photo xy=2 h w"]:
        """The estimator in chunks; it holds some 30 images a photo at a time."""
        bytes_a_photo = 30 * reference[0].numel() * reference.element_size()
        chunk = max(1, self.memory_mb * 2**20 // bytes_a_photo)
        parts = zip(
            *(tensor.split(chunk) for tensor in (reference, moving, mask, initial)), strict=True
        )
        return torch.cat([self.estimator(*part) for part in parts])


def _warped(
    images: Float[Tensor, "photo h w"],
    masks: Float[Tensor, "photo h w"],
    flows: Float[Tensor, "photo xy=2 h w"],
) -> tuple[Float[Tensor, "photo h w"], Float[Tensor, "photo h w"]]:
    """Images and masks along the flow; a mask is 0 where the flow leaves the canvas."""
    layers = warp(torch.stack([images, masks], dim=1), flows)
    xy = pixel_centres(*images.shape[-2:]).to(flows) + flows.permute(0, 2, 3, 1)
    return layers[:, 0], layers[:, 1] * inside(xy, *images.shape[-2:])
