import torch

from headrecon.flow.collection import CollectionFlow
from headrecon.geometry.camera import pixel_centres
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.warp import resize_flow, warp
from headrecon.types import Camera, Stack
from tests.flow.test_lucas_kanade import FLOW, SIZE, smooth_flow, texture

COUNT = 12
COLLECTION = CollectionFlow(
    estimator=FLOW, ranks=[1, 2, 2], shrink=[2, 1, 1], fill_rounds=2, memory_mb=64
)


def warped_photos(seed: int) -> tuple[Stack, torch.Tensor]:
    """One texture under two modes of light, each photo warped by a flow of its own."""
    xy = pixel_centres(*SIZE)
    generator = torch.Generator().manual_seed(seed)
    slopes = 0.6 * torch.randn(COUNT, 1, 1, generator=generator)
    light = 0.7 + slopes * (xy[..., 0] / SIZE[1] - 0.5)
    photos = 0.2 + 0.6 * texture(1, seed)
    truth = smooth_flow(COUNT, 1.5, seed + 1)
    truth = truth - truth.mean(dim=0, keepdim=True)
    images = warp((photos * light.clamp(0.2, 1.4))[:, None], truth).clamp(0.0, 1.0)
    return (
        Stack(
            label="view+00",
            camera=Camera(view_from_head(0.0), 1.0, torch.zeros(2), *SIZE),
            names=tuple(map(str, range(COUNT))),
            images=images.expand(-1, 3, -1, -1).clone(),
            masks=torch.ones(COUNT, *SIZE),
            flows=torch.zeros(COUNT, 2, *SIZE),
            portrait_from_canvas=torch.eye(2, 3).repeat(COUNT, 1, 1),
            fiducials=torch.zeros(468, 2),
            face=torch.ones(SIZE, dtype=torch.bool),
        ),
        truth,
    )


def spread(stack: Stack) -> float:
    """How much photos differ from a rank-2 stack, relative to their size."""
    inner = stack.images[:, 0, 12:-12, 12:-12].flatten(1)
    values = torch.linalg.svdvals(inner)
    return float(values[2:].square().sum().sqrt() / values.square().sum().sqrt())


def test_photos_of_one_shape_under_different_light_are_brought_together():
    stack, _ = warped_photos(0)
    assert spread(COLLECTION(stack)) < 0.35 * spread(stack)


def test_the_common_shape_is_the_average_one():
    stack, _ = warped_photos(2)
    flowed = COLLECTION(stack)
    assert float(flowed.flows.mean(dim=0).abs().max()) < 1e-4


def test_photos_are_resampled_once_from_the_aligned_ones():
    stack, _ = warped_photos(4)
    flowed = COLLECTION(stack)
    assert torch.equal(flowed.images, warp(stack.images, flowed.flows).clamp(0.0, 1.0))


def test_no_rounds_leave_the_photos_as_they_are():
    stack, _ = warped_photos(6)
    still = CollectionFlow(estimator=FLOW, ranks=[], shrink=[], fill_rounds=1, memory_mb=64)
    assert torch.allclose(still(stack).images, stack.images, atol=1e-5)


def test_the_memory_bound_changes_nothing_but_the_chunks():
    stack, _ = warped_photos(8)
    small = CollectionFlow(estimator=FLOW, ranks=[1], shrink=[1], fill_rounds=2, memory_mb=1)
    large = CollectionFlow(estimator=FLOW, ranks=[1], shrink=[1], fill_rounds=2, memory_mb=512)
    assert torch.allclose(small(stack).flows, large(stack).flows, atol=1e-3)


def test_a_resized_flow_is_in_pixels_of_its_own_grid():
    flow = torch.ones(1, 2, 10, 20)
    half = resize_flow(flow, (5, 10))
    assert half.shape == (1, 2, 5, 10)
    assert torch.allclose(half, torch.full_like(half, 0.5))
