import torch

from headrecon.geometry.camera import pixel_centres
from headrecon.photos.square import Square, from_photo, sample, to_photo


def coordinates(height: int, width: int) -> torch.Tensor:
    """A picture whose channels are x, y and 1."""
    xy = pixel_centres(height, width).movedim(-1, 0)
    return torch.cat([xy, torch.ones(1, height, width)])


def test_the_square_of_the_photo_itself_is_the_photo():
    image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(sample(image, Square(8.0, 8.0, 16.0, 0.0), 16), image, atol=1e-6)


def test_points_go_to_the_square_and_back():
    square = Square(31.0, 17.0, 22.0, 25.0)
    points = torch.tensor([[3.0, 5.0], [40.0, 11.0]])
    assert torch.allclose(to_photo(from_photo(points, square, 64), square, 64), points, atol=1e-4)


def test_a_positive_angle_turns_the_square_from_right_to_down():
    tip = to_photo(torch.tensor([10.0, 5.0]), Square(100.0, 50.0, 20.0, 90.0), 10)
    assert torch.allclose(tip, torch.tensor([100.0, 60.0]), atol=1e-4)


def test_each_pixel_shows_the_place_that_to_photo_names():
    for side, angle in ((30.0, 20.0), (12.5, -35.0), (52.0, 0.0)):
        square = Square(40.0, 33.0, side, angle)
        seen = sample(coordinates(70, 80), square, 24)
        expected = to_photo(pixel_centres(24, 24), square, 24).movedim(-1, 0)
        assert torch.allclose(seen[:2], expected, atol=0.1)


def test_reduction_averages_instead_of_picking():
    stripes = (torch.arange(64) % 2).float().expand(3, 64, 64)
    small = sample(stripes, Square(32.0, 32.0, 64.0, 0.0), 8)
    assert torch.allclose(small[:, 2:-2, 2:-2], torch.tensor(0.5), atol=0.02)


def test_outside_the_photo_there_is_nothing():
    seen = sample(coordinates(20, 20), Square(0.0, 10.0, 20.0, 0.0), 10)
    assert seen[:, :, :4].abs().max() == 0.0
    assert torch.allclose(seen[2, 2:-2, 6:], torch.ones(6, 4))
    assert sample(coordinates(20, 20), Square(500.0, -300.0, 8.0, 0.0), 4).abs().max() == 0.0


def test_beyond_its_border_a_photo_may_go_on():
    image = torch.rand(3, 20, 30)
    picture = sample(image, Square(0.0, 10.0, 20.0, 0.0), 20, beyond="border")
    torch.testing.assert_close(picture[:, :, :10], image[:, :, :1].expand(3, 20, 10))
    torch.testing.assert_close(picture[:, :, 10:], image[:, :, :10])
