from dataclasses import replace

import torch

from headrecon.flow.collection import CollectionFlow
from headrecon.geometry.camera import pixel_centres
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.warp import chained, gradient, resize_flow, warp
from headrecon.types import Camera, Stack
from tests.flow.test_lucas_kanade import FLOW, SIZE, smooth_flow, texture

COUNT = 12
COLLECTION = CollectionFlow(
    estimator=FLOW,
    ranks=[1, 2, 2, 2, 2, 2],
    shrink=[2, 1, 1, 1, 1, 1],
    photos_per_mode=4,
    neighbourhood=17,
    outlier=2.0,
    still=0.02,
    fill_rounds=2,
    memory_mb=64,
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
            belief=torch.ones(COUNT),
            motion=torch.zeros(0),
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
    still = replace(COLLECTION, ranks=[], shrink=[])
    assert torch.allclose(still(stack).images, stack.images, atol=1e-5)


def test_the_memory_bound_changes_nothing_but_the_chunks():
    stack, _ = warped_photos(8)
    once = replace(COLLECTION, ranks=[1], shrink=[1])
    small, large = replace(once, memory_mb=1), replace(once, memory_mb=512)
    assert torch.allclose(small(stack).flows, large(stack).flows, atol=1e-3)


def test_a_resized_flow_is_in_pixels_of_its_own_grid():
    flow = torch.ones(1, 2, 10, 20)
    half = resize_flow(flow, (5, 10))
    assert half.shape == (1, 2, 5, 10)
    assert torch.allclose(half, torch.full_like(half, 0.5))


def test_a_photo_of_something_else_loses_its_belief_and_the_others_keep_theirs():
    stack, _ = warped_photos(10)
    images = stack.images.clone()
    images[3] = (0.2 + 0.6 * texture(1, 77))[0]
    found = COLLECTION(replace(stack, images=images))
    others = torch.arange(COUNT) != 3
    assert float(found.belief[3]) < 0.5 * float(found.belief[others].min())


def test_rounds_move_less_and_less_and_end_by_themselves():
    stack, _ = warped_photos(12)
    found = COLLECTION(stack)
    assert len(found.motion) < len(COLLECTION.ranks)
    assert float(found.motion[-1]) <= COLLECTION.still < float(found.motion[0])
    patient = COLLECTION(replace(stack, images=stack.images)).motion
    assert torch.equal(found.motion, patient)
    assert len(replace(COLLECTION, still=0.0)(stack).motion) == len(COLLECTION.ranks)


def test_no_photo_is_folded_not_even_one_of_something_else():
    stack, _ = warped_photos(13)
    images = stack.images.clone()
    images[3] = (0.2 + 0.6 * texture(1, 78))[0]
    flows = COLLECTION(replace(stack, images=images)).flows
    u_x, u_y = flows.diff(dim=3)[:, :, :-1], flows.diff(dim=2)[..., :-1]
    jacobian = (1.0 + u_x[:, 0]) * (1.0 + u_y[:, 1]) - u_x[:, 1] * u_y[:, 0]
    assert float(jacobian.amin()) > 0.0


def test_the_flow_that_photos_come_with_is_chained_with_what_is_found():
    """Photos that are turned away by a known flow and come with it are as good as straight ones."""
    stack, _ = warped_photos(14)
    away = smooth_flow(COUNT, 4.0, 15)
    there = replace(stack, images=warp(stack.images, away), flows=_inverse(away))
    assert spread(COLLECTION(there)) < 1.3 * spread(COLLECTION(stack))


def _inverse(flow: torch.Tensor) -> torch.Tensor:
    found = torch.zeros_like(flow)
    for _ in range(30):
        found = -warp(flow, found)
    return found


def test_a_chain_of_flows_is_a_warp_after_a_warp():
    first, then = smooth_flow(2, 3.0, 16), smooth_flow(2, 2.0, 17)
    smooth = smooth_flow(2, 1.0, 18)[:, :1]
    both, twice = warp(smooth, chained(first, then)), warp(warp(smooth, first), then)
    assert torch.allclose(both[..., 8:-8, 8:-8], twice[..., 8:-8, 8:-8], atol=0.02)
    assert torch.allclose(chained(first, torch.zeros_like(first)), first, atol=1e-4)


def test_photos_do_not_fold():
    stack, _ = warped_photos(20)
    (xx, xy), (yx, yy) = (gradient(COLLECTION(stack).flows)[k].unbind(dim=1) for k in (0, 1))
    assert float(((1 + xx) * (1 + yy) - xy * yx).min()) > 0.2
