"""Dense Inverse Search by OpenCV: the fast classical flow that ours is measured against."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class DenseInverseSearch:
    """Flows from reference photos to moving photos, one pair after the other, on the CPU.

    Convention: reference(x) = moving(x + flow(x)). OpenCV's integer pixel centres make no
    difference to a displacement. The mask is not used: the method knows none.
    Reference: Kroeger, Timofte, Dai and Van Gool, "Fast Optical Flow using Dense Inverse Search",
    ECCV 2016.
    """

    preset: int
    """0 ultrafast, 1 fast, 2 medium."""

    def prepared(self, moving: Float[Tensor, "photo h w"]) -> tuple[Tensor, ...]:
        """What is looked at of moving photos: the photos."""
        return (moving,)

    def match(
        self,
        reference: Float[Tensor, "photo h w"],
        prepared: Sequence[Tensor],
        mask: Float[Tensor, "photo h w"],
        initial: Float[Tensor, "photo xy=2 h w"],
    ) -> Float[Tensor, "photo xy=2 h w"]:
        """Refine `initial`; both photos of a pair are stretched alike to 8 bits."""
        search = cv2.DISOpticalFlow.create(self.preset)
        flows = []
        for target, source, start in zip(reference, *prepared, initial, strict=True):
            low, high = torch.stack([target, source]).aminmax()
            stretch = 255.0 / float((high - low).clamp_min(1e-6))
            eight_bit = [
                ((image - low) * stretch).round().byte().cpu().numpy() for image in (target, source)
            ]
            guess = np.ascontiguousarray(start.permute(1, 2, 0).cpu().numpy())
            flows.append(
                torch.from_numpy(search.calc(eight_bit[0], eight_bit[1], guess)).permute(2, 0, 1)
            )
        return torch.stack(flows).to(initial)
