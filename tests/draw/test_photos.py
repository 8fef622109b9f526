import colorsys
import io
from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from headrecon.draw import photos
from tests import artifacts


def hue(flow: list[float], limit: float = 2.0) -> tuple[float, float]:
    """Hue in degrees and saturation of a uniform flow."""
    field = torch.tensor(flow)[:, None, None].expand(2, 2, 3)
    red, green, blue = np.asarray(photos.flow_colors(field, limit))[0, 0] / 255
    h, s, _ = colorsys.rgb_to_hsv(red, green, blue)
    return 360 * h, s


def test_the_direction_of_a_flow_is_its_hue_and_its_length_the_saturation() -> None:
    right, down = hue([2.0, 0.0]), hue([0.0, 2.0])
    assert right[0] < 1 or right[0] > 359
    assert 80 < down[0] < 100
    assert hue([1.0, 0.0])[1] < right[1]
    assert hue([0.0, 0.0])[1] == 0
    assert hue([9.0, 0.0]) == right


def test_portraits_are_shown_from_left_to_right_by_azimuth() -> None:
    portraits = [artifacts.portrait(str(a), azimuth=a) for a in (30.0, -40.0, 0.0)]
    drawn = photos.contact_sheet(portraits, size=32, columns=3)
    turned = photos.contact_sheet(portraits[::-1], size=32, columns=3)
    assert drawn.tobytes() == turned.tobytes()


def test_no_more_portraits_are_shown_than_asked_for() -> None:
    portraits = [artifacts.portrait(str(a), azimuth=float(a)) for a in range(20)]
    drawn = photos.contact_sheet(portraits, size=32, columns=4, most=8)
    assert drawn.width == 4 * 36 + 4
    assert 2 * 36 < drawn.height < 3 * 36 + 30


def test_fiducials_are_drawn_where_they_are_in_the_portrait() -> None:
    portrait = artifacts.portrait("a")
    # All on one spot, right of the middle and above it.
    spot = torch.tensor([36.0, 12.0]).expand(468, 2)
    moved = type(portrait)(**{**vars(portrait), "fiducials": spot, "keypoints": spot[:6] * 0 - 9})
    drawn = photos.detections(moved, size=96)
    assert drawn.getpixel((72, 24)) == photos.FIDUCIAL
    assert drawn.getpixel((24, 72)) != photos.FIDUCIAL


def test_averages_before_and_after_stand_side_by_side() -> None:
    drawn = photos.before_and_after(artifacts.stack(shift=2), artifacts.stack())
    assert drawn.width == 2 * (artifacts.WIDTH + 4) + 4


def test_flows_and_members_of_a_view_can_be_drawn() -> None:
    assert photos.flows(artifacts.stack()).width > 6 * artifacts.WIDTH
    assert photos.members(artifacts.stack(), most=4, columns=2).width == 2 * 64 + 4


def test_the_flicker_shows_all_photos_and_those_that_fit_worst_last() -> None:
    stack = artifacts.stack()
    belief = torch.linspace(1.0, 0.1, len(stack.names))
    with Image.open(io.BytesIO(photos.flicker(replace(stack, belief=belief), size=32))) as opened:
        assert opened.format == "GIF"
        assert getattr(opened, "n_frames", 1) == len(stack.names)
        first = np.asarray(opened.convert("RGB")).astype(int)
    best = np.asarray(photos.picture(stack.images[0]).resize((32, 32))).astype(int)
    assert np.abs(first - best).mean() < 8
