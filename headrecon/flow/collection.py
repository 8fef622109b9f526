"""Collection flow: many photos of one head warped to their common shape."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, no_type_check, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.color import luminance
from headrecon.geometry.low_rank import approximate
from headrecon.geometry.mean import mean_photo
from headrecon.geometry.warp import (
    chained,
    normalized_locally,
    resize_flow,
    shrunk,
    warp,
    warp_within,
)
from headrecon.types import Stack

_MORE_ON_GPU = 16


@runtime_checkable
class Estimator(Protocol):
    """Flow from reference photos to moving photos, all pairs at once."""

    def prepared(self, moving: Tensor) -> tuple[Tensor, ...]:
        """What it looks at of moving photos, [photo h w] each; references change, these stay."""
        ...

    def match(
        self, reference: Tensor, prepared: Sequence[Tensor], mask: Tensor, initial: Tensor
    ) -> Tensor:
        """Flows [photo 2 h w], where reference(x) = moving(x + flow(x)), better than `initial`."""
        ...


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

    The first rounds look at photos of half the size, which cost a quarter; the last see all pixels.
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
    """Bound of the estimator's working memory, which sets how many photos go at once.

    On a CPU few photos stay in its cache; a GPU is given 16 times as much, to be busy.
    """

    def __call__(self, stack: Stack) -> Stack:
        """Warp every photo of a stack that is aligned, but not yet warped."""
        factors = sorted(set(self.shrink))
        size, belief = stack.masks.shape[1:], torch.ones_like(stack.belief)

        @no_type_check
        def prepared(images: Tensor, masks: Tensor, flows: Tensor) -> tuple[Tensor, ...]:
            # Flow sees what the eye sees: the square root is close to the gamma of a display.
            seen, shown = _warped(luminance(images).sqrt(), masks, flows)
            return tuple(x for factor in factors for x in self._reduced(seen, shown, factor))

        layers = self._in_parts(prepared, stack.images, stack.masks, stack.flows) if factors else ()
        reduced = dict(zip(factors, zip(layers[::2], layers[1::2], strict=True), strict=True))
        looks = {f: self._in_parts(self.estimator.prepared, reduced[f][0]) for f in factors}
        found = torch.zeros_like(stack.flows[..., :1, :1])
        motion: list[float] = []
        for rank, factor in self._rounds(motion):
            found, belief, moved = self._round(*reduced[factor], looks[factor], found, belief, rank)
            motion.append(factor * moved)
        del layers, reduced, looks

        @no_type_check
        def finished(images: Tensor, masks: Tensor, first: Tensor, then: Tensor):
            flows = chained(first, resize_flow(then, (size[0], size[1])))
            images = warp(images, flows).clamp_(0.0, 1.0)
            return images, _warped(images[:, 0], masks, flows)[1], flows

        images, masks, flows = self._in_parts(
            finished, stack.images, stack.masks, stack.flows, found
        )
        return replace(
            stack,
            images=images,
            masks=masks,
            flows=flows,
            belief=belief,
            motion=torch.tensor(motion),
        )

    def _round(
        self,
        photos: Float[Tensor, "photo h w"],
        masks: Float[Tensor, "photo h w"],
        looks: tuple[Tensor, ...],
        before: Float[Tensor, "photo xy=2 _ _"],
        belief: Float[Tensor, " photo"],
        rank: int,
    ) -> tuple[Float[Tensor, "photo xy=2 h w"], Float[Tensor, " photo"], float]:
        """Better flows and beliefs, and the mean motion in pixels of the reduced photos.

        A reference is a row of weights times the common modes, made where it is looked at.
        """
        height, width = photos.shape[1:]

        @no_type_check
        def seen(photos: Tensor, masks: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
            return _warped(photos, masks, resize_flow(before, (height, width)))

        warped, weights = self._in_parts(seen, photos, masks, before)
        rank = min(rank, max(len(photos) // self.photos_per_mode, 1))
        basis, modes = approximate(
            warped.flatten(1), weights.flatten(1), belief, rank, self.fill_rounds
        )

        @no_type_check
        def improved(
            warped: Tensor, weights: Tensor, before: Tensor, basis: Tensor, *looks: Tensor
        ) -> tuple[Tensor, Tensor]:
            reference = (basis @ modes).view_as(warped)
            squared = (weights * (reference - warped).square()).sum(dim=(1, 2))
            start = resize_flow(before, (height, width))
            flows = self.estimator.match(reference, looks, weights, start)
            return flows, squared / weights.sum(dim=(1, 2)).clamp_min(1e-6)

        flows, squared = self._in_parts(improved, warped, weights, before, basis, *looks)
        flows -= mean_photo(flows).to(flows)

        @no_type_check
        def moved(flows: Tensor, before: Tensor) -> tuple[Tensor]:
            off = flows - resize_flow(before, (height, width))
            return (torch.hypot(off[:, 0], off[:, 1]).mean(dim=(1, 2)),)

        (motion,) = self._in_parts(moved, flows, before)
        return flows, self._belief(squared.to(belief).sqrt()), float(motion.mean())

    def _in_parts(
        self, function: Callable[..., tuple[Tensor, ...]], *of_photos: Tensor
    ) -> tuple[Tensor, ...]:
        """What a function makes of each photo, a few at a time; it holds some 30 images of each.

        It computes in single precision. What it makes is kept in the precision of the photos.
        """
        first = of_photos[0]
        bytes_a_photo = 30 * 4 * first.shape[-2] * first.shape[-1]
        budget = self.memory_mb * 2**20 * (_MORE_ON_GPU if first.is_cuda else 1)
        chunk = max(1, budget // bytes_a_photo)
        made: tuple[Tensor, ...] = ()
        for start in range(0, len(first), chunk):
            part = slice(start, start + chunk)
            results = function(*(tensor[part].float() for tensor in of_photos))
            made = made or tuple(first.new_empty(len(first), *r.shape[1:]) for r in results)
            for whole, result in zip(made, results, strict=True):
                whole[part] = result
        return made

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

    def _belief(self, rms: Float[Tensor, " photo"]) -> Float[Tensor, " photo"]:
        """How much each photo has to say about the common shape, in (0, 1]."""
        return (1.0 + (rms / (self.outlier * rms.median()).clamp_min(1e-6)).square()) ** -2


def _warped(
    images: Float[Tensor, "photo h w"],
    masks: Float[Tensor, "photo h w"],
    flows: Float[Tensor, "photo xy=2 h w"],
) -> tuple[Float[Tensor, "photo h w"], Float[Tensor, "photo h w"]]:
    """Images and masks along the flow; a mask is 0 where the flow leaves the canvas."""
    layers, within = warp_within(torch.stack([images, masks], dim=1), flows)
    return layers[:, 0], layers[:, 1] * within
