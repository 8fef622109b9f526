import torch

from headrecon.geometry.mean import mean_photo


def test_the_mean_of_many_half_precise_photos_is_precise():
    """A sum in half precision would stop growing at 2048."""
    photos = torch.rand(3000, 2, 3, generator=torch.Generator().manual_seed(0)).half()
    assert mean_photo(photos).dtype == torch.float32
    torch.testing.assert_close(mean_photo(photos), photos.double().mean(dim=0).float())
