"""The same picture is found again, however it was published; another one is not."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from headrecon.photos.copies import Copies, aligned_correlation, masked_correlation
from headrecon.types import Portrait
from tests import artifacts

COPIES = Copies(alike=0.85, same=0.97)
SIDE = 160


def scene(seed: int) -> Image.Image:
    """Something smooth with details."""
    generator = torch.Generator().manual_seed(seed)
    layers = [torch.rand(1, 3, n, n, generator=generator) for n in (5, 20, 60)]
    sizes = [torch.nn.functional.interpolate(one, (SIDE, SIDE), mode="bicubic") for one in layers]
    mixed = (0.6 * sizes[0] + 0.3 * sizes[1] + 0.1 * sizes[2])[0].clamp(0.2, 1.0)
    return Image.fromarray((255 * mixed).byte().movedim(0, -1).numpy())


def portrait(name: str, picture: Image.Image, quality: int = 95) -> Portrait:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    with Image.open(file) as opened:
        levels = torch.from_numpy(np.array(opened)).movedim(-1, 0).float() / 255.0
    # Beyond the photo a portrait is black, which compression did not leave.
    levels = levels * (levels.amax(dim=0) > 0.1)
    return replace(
        artifacts.portrait(name),
        image=levels**2.2,
        mask=torch.ones(levels.shape[1:]),
        file_bytes=len(file.getvalue()),
        face_size=80.0 * picture.width / SIDE,
    )


def cut(picture: Image.Image) -> Image.Image:
    """A part of the picture, in the middle of a black portrait of the old size."""
    framed = Image.new("RGB", picture.size)
    framed.paste(picture.crop((20, 12, 150, 145)), (20, 12))
    return framed


@pytest.mark.parametrize(
    "rework",
    [
        lambda picture: picture,
        ImageOps.mirror,
        cut,
        lambda picture: picture.resize((112, 112)),
        lambda picture: ImageOps.mirror(picture.resize((120, 120))),
        lambda picture: picture.crop((6, 3, 156, 153)).resize((SIDE, SIDE)),
        lambda picture: Image.eval(picture, lambda level: int(0.7 * level + 20)),
    ],
)
def test_a_reworked_picture_is_found_among_others(rework):
    others = [portrait(f"{seed}", scene(seed)) for seed in range(8)]
    copy = portrait("copy of 3", rework(scene(3)), quality=55)
    assert COPIES([*others, copy]) == ((8, 3),)


def test_pictures_of_their_own_are_no_copies():
    assert COPIES([portrait(f"{seed}", scene(seed)) for seed in range(20)]) == ()
    assert COPIES([portrait("only", scene(0))]) == ()
    assert COPIES([]) == ()


def test_all_copies_point_to_the_same_original_which_is_large_and_long_and_has_a_short_name():
    large = scene(1).resize((2 * SIDE, 2 * SIDE), Image.Resampling.LANCZOS)
    group = [
        portrait("a-300x300.jpg", scene(1)),
        portrait("a (1).jpg", large, quality=94),
        portrait("a.jpg", large, quality=94),
        portrait("m.jpg", ImageOps.mirror(large), quality=30),
    ]
    assert COPIES(group) == ((0, 2), (1, 2), (3, 2))


def test_correlation_counts_only_what_both_know():
    one = torch.randn(1, 12, 12, generator=torch.Generator().manual_seed(0))
    other = 3.0 * one - 2.0
    other[0, :4] = 50.0
    assert masked_correlation(one, other)[0, 0] < 0.5
    other[0, :4] = torch.nan
    assert masked_correlation(one, other)[0, 0] == pytest.approx(1.0, abs=1e-5)
    other[0, :10] = torch.nan
    assert masked_correlation(one, other)[0, 0] == 0.0


def test_pictures_without_anything_in_common_have_no_correlation():
    flat = torch.full((96, 96), 0.5)
    assert abs(aligned_correlation(flat, flat)) < 0.1
