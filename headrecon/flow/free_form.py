"""Free-form deformation by kornia's registration: slow, and as general as a loss by pixels is."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from kornia.geometry.transform import BaseWarper
from kornia.geometry.transform.image_registrator import BaseModel, ImageRegistrator
from torch import Tensor

from headrecon.geometry.warp import resize_flow, warp


@dataclass(frozen=True)
class FreeForm:
    """Flows from reference photos to moving photos, by descent in the displacements of a grid.

        min over c of  mean |I(x) - J(x + u(x))| + mean |J(x) - I(x + v(x))|

    with I the reference, J the moving photo, u the cubic interpolation of the displacements c of
    every `spacing`-th pixel and v its inverse to first order, over a Gaussian pyramid; kornia
    minimizes with Adam. Pairs of a batch do not change each other but for when they end. The mask
    is not used: the loss knows none.

    Convention: reference(x) = moving(x + flow(x)); flow in pixels, x right and y down.
    Reference: Rueckert et al., "Nonrigid registration using free-form deformations", TMI 1999.
    """

    spacing: int
    """Pixels between the points whose displacements are free."""
    levels: int
    steps: int
    """Of the descent, at each level."""
    rate: float
    """Pixels by which a displacement changes in a step."""
    tolerance: float
    """Change of the loss below which a level has converged."""

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
        """Refine `initial`."""
        (moving,) = prepared
        registrator = ImageRegistrator(
            _Displacements(initial, self.spacing),
            pyramid_levels=self.levels,
            lr=self.rate,
            num_iterations=self.steps,
            tolerance=self.tolerance,
            warper=_AlongFlow,
        )
        with torch.enable_grad():
            found = registrator.register(moving[:, None], reference[:, None])
        assert isinstance(found, Tensor)
        return found.detach()


class _Displacements(BaseModel):
    """What kornia optimizes: a flow, from the one that it starts with."""

    def __init__(self, initial: Float[Tensor, "photo xy=2 h w"], spacing: int) -> None:
        super().__init__()
        self.initial = initial
        grid = [-(-size // spacing) for size in initial.shape[-2:]]
        self.moved = torch.nn.Parameter(initial.new_zeros(*initial.shape[:2], *grid))

    def reset_model(self) -> None:
        torch.nn.init.zeros_(self.moved)

    def forward(self) -> Float[Tensor, "photo xy=2 h w"]:
        size = self.initial.shape[-2:]
        return self.initial + F.interpolate(self.moved, size, mode="bicubic", align_corners=False)

    def forward_inverse(self) -> Float[Tensor, "photo xy=2 h w"]:
        flow = self()
        return -warp(flow, -flow)


class _AlongFlow(BaseWarper):
    """Warps images of any level of the pyramid along a flow of full size."""

    def forward(
        self, patch_src: Float[Tensor, "photo 1 h w"], src_homo_dst: Tensor | None = None
    ) -> Float[Tensor, "photo 1 h w"]:
        assert src_homo_dst is not None
        return warp(patch_src, resize_flow(src_homo_dst, (self.height, self.width)))
