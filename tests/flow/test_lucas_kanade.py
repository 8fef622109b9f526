import pytest
import torch
import torch.nn.functional as F
from kornia.filters import gaussian_blur2d

from headrecon.flow.dis import DenseInverseSearch
from headrecon.flow.free_form import FreeForm
from headrecon.flow.lucas_kanade import LucasKanade, _blur
from headrecon.geometry.warp import warp

FLOW = LucasKanade(
    levels=4,
    pyramid_side=256,
    iterations=2,
    window=3.0,
    smooth=4.0,
    normalize=2.5,
    floor=1.0,
    robust=0.5,
    ridge=1e-3,
    rest=5e-4,
)
SIZE = (96, 112)


def texture(count: int, seed: int) -> torch.Tensor:
    """Smooth random images with detail at several scales."""
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(count, 1, *SIZE)
    for cells in (6, 12, 24, 40):
        noise = torch.randn(count, 1, cells, cells, generator=generator)
        total += F.interpolate(noise, size=SIZE, mode="bicubic", align_corners=False) / cells**0.5
    return torch.sigmoid(total)[:, 0]


def smooth_flow(count: int, amplitude: float, seed: int) -> torch.Tensor:
    noise = torch.randn(count, 2, 4, 4, generator=torch.Generator().manual_seed(seed))
    return amplitude * F.interpolate(noise, size=SIZE, mode="bicubic", align_corners=False)


def end_point_error(found: torch.Tensor, truth: torch.Tensor) -> float:
    return float((found - truth).norm(dim=1)[:, 12:-12, 12:-12].mean())


def test_equal_images_do_not_move():
    images = texture(2, 0)
    flow = FLOW(images, images, torch.ones_like(images), torch.zeros(2, 2, *SIZE))
    assert float(flow.abs().max()) < 1e-3


def test_a_known_smooth_flow_is_found():
    moving, truth = texture(3, 1), smooth_flow(3, 2.0, 2)
    reference = warp(moving[:, None], truth)[:, 0]
    found = FLOW(reference, moving, torch.ones_like(moving), torch.zeros_like(truth))
    assert end_point_error(found, truth) < 0.15 * end_point_error(torch.zeros_like(truth), truth)


def test_smooth_changes_of_light_hardly_matter():
    moving, truth = texture(3, 3), smooth_flow(3, 2.0, 4)
    gain = torch.exp(smooth_flow(3, 0.4, 5)[:, 0])
    reference = warp(moving[:, None], truth)[:, 0] * gain
    found = FLOW(reference, moving, torch.ones_like(moving), torch.zeros_like(truth))
    assert end_point_error(found, truth) < 0.2 * end_point_error(torch.zeros_like(truth), truth)


def test_pairs_of_a_batch_are_matched_as_if_alone():
    moving, truth = texture(2, 6), smooth_flow(2, 1.5, 7)
    reference = warp(moving[:, None], truth)[:, 0]
    ones, start = torch.ones_like(moving), torch.zeros_like(truth)
    together = FLOW(reference, moving, ones, start)
    alone = FLOW(reference[1:], moving[1:], ones[1:], start[1:])
    assert torch.allclose(together[1:], alone, atol=1e-4)


def test_the_flow_does_not_fold():
    reference, moving = texture(2, 8), texture(2, 9)
    flow = FLOW(reference, moving, torch.ones_like(moving), torch.zeros(2, 2, *SIZE))
    u_x, u_y = flow.diff(dim=3)[:, :, :-1], flow.diff(dim=2)[..., :-1]
    jacobian = (1.0 + u_x[:, 0]) * (1.0 + u_y[:, 1]) - u_x[:, 1] * u_y[:, 0]
    assert float((jacobian > 0.0).float().mean()) > 0.995


def test_opencv_agrees_on_the_direction_of_the_flow():
    moving, truth = texture(2, 10), smooth_flow(2, 1.5, 11)
    reference = warp(moving[:, None], truth)[:, 0]
    search = DenseInverseSearch(preset=2)
    looks = search.prepared(moving)
    found = search.match(reference, looks, torch.ones_like(moving), torch.zeros_like(truth))
    assert end_point_error(found, truth) < 0.4 * end_point_error(torch.zeros_like(truth), truth)


def test_kornia_agrees_on_the_flow():
    moving, truth = texture(2, 10), smooth_flow(2, 1.5, 11)
    reference = warp(moving[:, None], truth)[:, 0]
    search = FreeForm(spacing=8, levels=3, steps=30, rate=0.2, tolerance=1e-6)
    looks = search.prepared(moving)
    found = search.match(reference, looks, torch.ones_like(moving), torch.zeros_like(truth))
    assert end_point_error(found, truth) < 0.2 * end_point_error(torch.zeros_like(truth), truth)
    better = search.match(reference, looks, torch.ones_like(moving), truth)
    assert end_point_error(better, truth) < end_point_error(found, truth)


@pytest.mark.parametrize(("height", "width", "sigma"), [(20, 31, 1.0), (9, 40, 2.5), (64, 7, 0.75)])
def test_blurring_by_matrices_is_a_convolution_with_repeated_borders(height, width, sigma):
    images = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(12))
    reach = int(3.0 * sigma + 0.5)
    if reach < min(height, width):
        size = 2 * reach + 1
        slow = gaussian_blur2d(images, (size, size), (sigma, sigma), border_type="replicate")
        assert torch.allclose(_blur(images, sigma), slow, atol=1e-5)
    assert torch.allclose(_blur(torch.ones_like(images), sigma), torch.ones_like(images), atol=1e-5)


def test_its_gradient_agrees_with_differences():
    moving, truth = texture(1, 12), smooth_flow(1, 1.0, 13)
    reference = warp(moving[:, None], truth)[:, 0]
    change, probe = texture(1, 14), smooth_flow(1, 1.0, 15)

    def probed(photo: torch.Tensor) -> torch.Tensor:
        return (
            probe * FLOW(reference, photo, torch.ones_like(photo), torch.zeros_like(truth))
        ).sum()

    photo = moving.clone().requires_grad_()
    (slope,) = torch.autograd.grad(probed(photo), photo)
    step = 1e-2
    difference = probed(moving + step * change) - probed(moving - step * change)
    assert float((slope * change).sum()) == pytest.approx(float(difference) / (2 * step), rel=0.05)
