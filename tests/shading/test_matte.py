"""Skin with a highlight of which all is known."""

import torch

from headrecon.shading.matte import matte

SKIN = torch.tensor([0.6, 0.4, 0.3])


def skin(light: torch.Tensor) -> torch.Tensor:
    """Skin that gets darker downwards, and what it mirrors."""
    tone = torch.linspace(1.0, 0.8, 64)[:, None].expand(64, 64)
    return SKIN[:, None, None] * tone + light


def spot(radius: float, strength: float) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    return strength * torch.exp(-0.5 * ((x - 32.0) ** 2 + (y - 32.0) ** 2) / radius**2)


ALL = torch.ones(64, 64, dtype=torch.bool)


def test_a_highlight_is_taken_off_and_the_skin_below_it_is_left():
    true = skin(torch.zeros(64, 64))
    seen = skin(spot(3.0, 0.4))
    left = (matte(seen, ALL, 9.0) - true).abs()
    assert float((seen - true).abs().max()) > 0.35
    assert float(left.max()) < 0.05


def test_a_clipped_highlight_becomes_skin_and_not_a_hole():
    true = skin(torch.zeros(64, 64))
    found = matte(skin(spot(3.0, 2.0)).clamp_max(1.0), ALL, 9.0)
    assert float((found - true)[:, 30:35, 30:35].abs().max()) < 0.1


def test_dark_marks_and_brighter_skin_of_the_same_color_stay():
    mark = skin(torch.zeros(64, 64)) * (1.0 - spot(3.0, 0.5))
    assert torch.allclose(matte(mark, ALL, 9.0), mark, atol=0.01)
    bright = skin(torch.zeros(64, 64)) * (1.0 + spot(3.0, 0.3))
    assert torch.allclose(matte(bright, ALL, 9.0), bright, atol=0.03)


def test_what_is_no_skin_is_not_touched():
    nowhere = ~ALL
    seen = skin(spot(3.0, 0.4))
    assert torch.equal(matte(seen, nowhere, 9.0), seen)


def test_photos_without_color_stay_as_they_are():
    gray = skin(spot(3.0, 0.4)).mean(dim=0).expand(3, -1, -1)
    assert torch.equal(matte(gray, ALL, 9.0), gray)
