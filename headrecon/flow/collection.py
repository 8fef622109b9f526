"""Collection flow: many photos of one head warped to their common shape."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.camera import pixel_centres
from headrecon.geometry.color import luminance
from headrecon.geometry.low_rank import approximate
from headrecon.geometry.warp import (
    chained,
    inside,
    normalized_locally,
    resize_flow,
    shrunk,
    warp,
)
from headrecon.types import Stack

Estimator = Callable[..., Float[Tensor, "photo xy=2 h w"]]


@dataclass(frozen=True)
class CollectionFlow:
    """Stage: the stack, each photo warped to the shape that all of them share.

    Flow between two photos of different light is hopeless. But the rank-k approximation of the
    whole stack gives each photo a reference that has the photo's own light and, as the basis holds
    few modes, everybody's shape:

        repeat for rising k:   reference_i = rank-k projection of warped photo i
                               d_i = flow with reference_i(x) = turned_i(x + d_i(x))
                               d_i -= mean over photos of d

    with turned_i the photo along the flow that it comes with, of the turned head. Both are chained
    and applied once to the photo as aligned, so that pixels are resampled once. Expressions are
    ironed out and hair is warped to the dominant style. The last line fixes what the iteration
    leaves free, a warp of all photos alike: the common shape is the average shape.

    Photos are normalized locally before anything is compared, so that the few modes are spent on
    features and not on light; and there is a mode for every `photos_per_mode` photos at most, or a
    photo would be its own reference. How far a photo is from its reference says how much it has to
    say about the others' (Geman-McClure):

        belief_i = 1 / (1 + (e_i / (outlier median e))^2)^2,   e_i = rms of reference_i - photo_i

    Most rounds look at photos of half the size, which cost a quarter; only the last see all pixels.
    A round like the one before it is left out once photos move by less than `still`.

    Reference: Kemelmacher-Shlizerman and Seitz, "Collection Flow", CVPR 2012.
    """

    estimator: Estimator
    ranks: Sequence[int]
    """Rank of each round."""
    shrink: Sequence[int]
    """By how much each round reduces the photos."""
    photos_per_mode: int
    neighbourhood: int
    """Side of the square in pixels in which photos are normalized."""
    outlier: float
    """Distance from its reference, in medians, at which a photo has lost three quarters."""
    still: float
    """Mean change of the flow in pixels below which it has converged."""
    fill_rounds: int
    memory_mb: int
    """Bound of the estimator's working memory, which sets how many photos go at once."""

    def __call__(self, stack: Stack) -> Stack:
        """Warp every photo of a stack that is aligned, but not yet warped."""
        # Flow sees what the eye sees: the square root is close to the gamma of a display.
        seen, masks = _warped(luminance(stack.images).sqrt(), stack.masks, stack.flows)
        found, belief = torch.zeros_like(stack.flows), torch.ones_like(stack.belief)
        reduced = {factor: self._reduced(seen, masks, factor) for factor in set(self.shrink)}
        motion: list[float] = []
        for rank, factor in self._rounds(motion):
            small, shown = reduced[factor]
            before = resize_flow(found, (small.shape[1], small.shape[2]))
            warped, weights = _warped(small, shown, before)
            reference = self._reference(warped, weights * belief[:, None, None], rank)
            belief = self._belief(reference - warped, weights)
            flows = self._estimate(reference, small, weights, before)
            flows = flows - flows.mean(dim=0, keepdim=True)
            found = resize_flow(flows, (seen.shape[1], seen.shape[2]))
            moved = flows - before
            motion.append(factor * float(torch.hypot(moved[:, 0], moved[:, 1]).mean()))

        flows = chained(stack.flows, found)
        images = warp(stack.images, flows).clamp(0.0, 1.0)
        _, masks = _warped(images[:, 0], stack.masks, flows)
        return replace(
            stack,
            images=images,
            masks=masks,
            flows=flows,
            belief=belief,
            motion=torch.tensor(motion),
        )

    def _reduced(
        self, seen: Float[Tensor, "photo height width"], masks: Tensor, factor: int
    ) -> tuple[Float[Tensor, "photo h w"], Float[Tensor, "photo h w"]]:
        """Photos of fewer pixels, normalized locally, and their masks."""
        size = (seen.shape[1] // factor, seen.shape[2] // factor)
        small, shown = (shrunk(x, size) for x in (seen, masks))
        return normalized_locally(small, shown, self.neighbourhood), shown

    def _rounds(self, motion: Sequence[float]) -> Iterator[tuple[int, int]]:
        """Rank and reduction of each round; what stands still is not done again."""
        before = (0, 0)
        for now in zip(self.ranks, self.shrink, strict=True):
            if now != before or motion[-1] > self.still:
                yield now
            before = now

    def _reference(
        self, photos: Float[Tensor, "photo h w"], weights: Float[Tensor, "photo h w"], rank: int
    ) -> Float[Tensor, "photo h w"]:
        """What each photo would show if it had the common shape."""
        rank = min(rank, max(len(photos) // self.photos_per_mode, 1))
        _, found = approximate(photos.flatten(1), weights.flatten(1), rank, self.fill_rounds)
        return found.reshape(photos.shape)

    def _belief(
        self, residual: Float[Tensor, "photo h w"], weights: Float[Tensor, "photo h w"]
    ) -> Float[Tensor, " photo"]:
        """How much each photo has to say about the common shape, in (0, 1]."""
        squared = (weights * residual.square()).sum(dim=(1, 2))
        rms = (squared / weights.sum(dim=(1, 2)).clamp_min(1e-6)).sqrt()
        return (1.0 + (rms / (self.outlier * rms.median()).clamp_min(1e-6)).square()) ** -2

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
