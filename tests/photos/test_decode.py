import io
import warnings

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

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


def test_sixteen_bit_color_keeps_its_range():
    levels = np.zeros((2, 3, 3), np.uint16)
    levels[0, :, 2] = [0, 32896, 65535]
    levels[1, :, 0] = 65535
    for kind in (".png", ".tiff"):
        _, content = cv2.imencode(kind, levels)
        image = read(as_photo(content.tobytes()))
        # OpenCV's channels are blue, green, red.
        assert torch.allclose(image[0, 0], torch.tensor([0.0, 0.2158605, 1.0]), atol=1e-5)
        assert image[:, 1, 0].tolist() == [0.0, 0.0, 1.0]


def test_fractions_of_light_keep_their_range():
    picture = Image.fromarray(np.array([[0.0, 0.5, 1.0, np.nan]], np.float32))
    assert read(encoded(picture, "TIFF"))[0, 0].tolist() == pytest.approx(
        [0.0, 0.2158605, 1.0, 0.0], abs=1e-5
    )


def test_of_several_pictures_the_first_is_read():
    frames = [Image.new("RGB", (8, 6), color) for color in ("red", "blue", "lime")]
    for kind in ("GIF", "WEBP", "PNG", "TIFF", "AVIF"):
        photo = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert read(photo)[:, 3, 4].tolist() == pytest.approx([1.0, 0.0, 0.0], abs=0.02)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colors_are_converted_from_the_profile_of_the_file(mode: str):
    picture = ramp().convert(mode)
    whole = read(encoded(ramp()))
    # A profile in which the ramp's red is called green.
    srgb = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    swapped = srgb.replace(b"rXYZ", b"?XYZ").replace(b"gXYZ", b"rXYZ").replace(b"?XYZ", b"gXYZ")
    image = read(encoded(picture, icc_profile=bytes(swapped)))
    tolerance = 0.2 if mode == "P" else 0.02
    assert float((image[[1, 0, 2]] - whole).abs().mean()) < tolerance
    assert float((image - whole).abs().mean()) > 0.2
    broken = read(encoded(picture, icc_profile=b"no profile"))
    assert float((broken - whole).abs().mean()) < tolerance


def test_palettes_with_transparency_are_black_there():
    picture = Image.new("P", (2, 1), 0)
    picture.putpalette([255, 255, 255, 255, 0, 0])
    picture.putpixel((1, 0), 1)
    image = read(encoded(picture, transparency=1))
    assert image[:, 0].T.tolist() == [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]


def test_a_broken_exif_tag_loses_no_photo():
    picture = io.BytesIO()
    ramp().save(picture, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12")
    assert read(as_photo(picture.getvalue())).shape == (3, 24, 40)


@pytest.mark.parametrize("kind", ["EPS", "PCX", "TGA", "PPM"])
def test_kinds_that_are_no_photos_are_not_even_tried(kind: str):
    assert "not a picture" in refusal(encoded(ramp(), kind))


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
