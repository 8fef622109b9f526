import io
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from headrecon.photos.decode import decode
from headrecon.types import Photo, Rejection

LIMIT = 10**6


def as_photo(content: bytes) -> Photo:
    return Photo("p", torch.from_numpy(np.frombuffer(content, np.uint8).copy()))


def encoded(picture: Image.Image, kind: str = "PNG", **options) -> Photo:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return as_photo(buffer.getvalue())


def read(photo: Photo) -> torch.Tensor:
    image = decode(photo, LIMIT)
    assert not isinstance(image, Rejection), image
    return image


def refusal(photo: Photo) -> str:
    result = decode(photo, LIMIT)
    assert isinstance(result, Rejection)
    assert "\n" not in result.reason
    return result.reason


def ramp(height: int = 24, width: int = 40) -> Image.Image:
    """Red grows to the right, green down."""
    values = np.zeros((height, width, 3), np.uint8)
    values[..., 0] = np.linspace(0, 255, width)
    values[..., 1] = np.linspace(0, 255, height)[:, None]
    return Image.fromarray(values)


def test_values_are_linear_light_by_the_curve_of_srgb():
    image = read(encoded(Image.new("RGB", (2, 1), (10, 128, 255))))
    # The curve is a line near black and a power above it.
    expected = [10 / 255 / 12.92, ((128 / 255 + 0.055) / 1.055) ** 2.4, 1.0]
    assert image.shape == (3, 1, 2)
    assert torch.allclose(image[:, 0, 1], torch.tensor(expected), atol=1e-6)


def test_the_exif_tag_turns_the_photo_upright():
    turned = ramp()
    exif = Image.Exif()
    exif[0x0112] = 6
    image = read(encoded(turned, exif=exif))
    assert image.shape == (3, 40, 24)
    # Tag 6: the first row of the file is the right side of the photo, so red grows downwards.
    assert image[0, -1, 5] > 0.9
    assert image[1, 5, 0] > 0.9


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "LA", "RGBA"])
def test_every_colour_mode_becomes_rgb(mode: str):
    kind = "TIFF" if mode == "CMYK" else "PNG"
    grey = Image.new("RGB", (6, 4), (255, 255, 255)).convert(mode)
    assert torch.allclose(read(encoded(grey, kind)), torch.ones(3, 4, 6), atol=0.02)


def test_sixteen_bit_grey_keeps_its_range():
    values = np.array([[0, 257 * 128, 65535]], np.uint16)
    image = read(encoded(Image.fromarray(values)))
    assert torch.allclose(image[0, 0], torch.tensor([0.0, 0.2158605, 1.0]), atol=1e-5)


def test_transparent_pixels_are_black():
    picture = Image.new("RGBA", (2, 1), (255, 255, 255, 255))
    picture.putpixel((1, 0), (255, 255, 255, 0))
    image = read(encoded(picture))
    assert image[:, 0, 0].tolist() == [1.0, 1.0, 1.0]
    assert image[:, 0, 1].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
def test_common_formats_are_read(kind: str):
    expected = read(encoded(ramp()))
    assert float((read(encoded(ramp(), kind)) - expected).abs().mean()) < 0.02


def test_heic_is_read_where_it_can_be():
    pytest.importorskip("pillow_heif")
    assert read(encoded(ramp(64, 80), "HEIF")).shape == (3, 64, 80)


def test_files_that_cannot_be_read_are_rejected_with_a_reason():
    whole = encoded(ramp(200, 200), "JPEG").encoded.numpy().tobytes()
    assert refusal(as_photo(b"")) == "empty file"
    assert "not a picture" in refusal(as_photo(b"a note beside the photos"))
    assert "broken file" in refusal(as_photo(whole[: len(whole) // 2]))


def test_a_picture_of_too_many_pixels_is_rejected_before_it_is_unpacked():
    bomb = encoded(Image.new("1", (20000, 20000)))
    assert bomb.encoded.numel() < 100_000
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert refusal(bomb) == f"more than {LIMIT} pixels"
