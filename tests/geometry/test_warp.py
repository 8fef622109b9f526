import torch

from headrecon.geometry.camera import pixel_centres
from headrecon.geometry.warp import inside, normalized_locally, shrunk, warp, warp_within


def test_local_means_are_those_of_the_pixels_on_the_canvas():
    images = torch.rand(2, 23, 31, generator=torch.Generator().manual_seed(3))
    ones = torch.ones_like(images)
    found = normalized_locally(images, ones, 9)
    local, deviation = torch.empty_like(found), torch.empty_like(found)
    for y in range(23):
        for x in range(31):
            square = images[:, max(y - 4, 0) : y + 5, max(x - 4, 0) : x + 5].flatten(1)
            local[:, y, x] = square.mean(dim=1)
            deviation[:, y, x] = square.var(dim=1, correction=0).sqrt()
    average = deviation.mean(dim=(1, 2), keepdim=True)
    slow = (images - local) / (deviation + average + 1e-6)
    assert torch.allclose(found, slow, atol=1e-4)


def test_images_of_the_wanted_size_stay_as_they_are_and_halves_are_means():
    images = torch.rand(3, 8, 6, generator=torch.Generator().manual_seed(4))
    assert shrunk(images, (8, 6)) is images
    half = images.reshape(3, 4, 2, 3, 2).mean(dim=(2, 4))
    assert torch.allclose(shrunk(images, (4, 3)), half)


def test_a_warp_says_where_it_stays_within_the_image():
    generator = torch.Generator().manual_seed(5)
    images = torch.rand(2, 3, 20, 30, generator=generator)
    flow = 8.0 * torch.randn(2, 2, 20, 30, generator=generator)
    warped, within = warp_within(images, flow)
    assert torch.equal(warped, warp(images, flow))
    there = pixel_centres(20, 30) + flow.permute(0, 2, 3, 1)
    assert torch.equal(within, inside(there, 20, 30) > 0.5)
    assert 0.2 < within.float().mean() < 0.8
