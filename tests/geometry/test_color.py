"""Brightness and color."""

import torch

from headrecon.geometry.color import luminance, off_color


def test_shading_is_no_color_and_another_hue_is():
    generator = torch.Generator().manual_seed(0)
    skin = torch.tensor([0.5, 0.35, 0.28])[:, None]
    noise = 1.0 + 0.02 * torch.randn(3, 400, generator=generator)
    light = 0.1 + 0.9 * torch.rand(400, generator=generator)
    cloth = torch.tensor([0.5, 0.52, 0.6])[:, None].expand(-1, 400)
    colors = torch.cat([skin * noise * light, 0.3 * skin * noise, cloth * light], dim=1)
    among = torch.arange(1200) < 400
    off = off_color(colors, among)
    assert float(off[:800].max()) < 2.5
    assert float(off[800:].min()) > 5.0
    # Lit by a colored lamp as a whole, all stay where they are.
    assert torch.allclose(
        off_color(colors * torch.tensor([[1.0], [0.8], [0.5]]), among), off, atol=1e-4
    )


def test_what_is_nearly_black_has_no_color():
    skin = torch.tensor([0.5, 0.35, 0.28])[:, None] * torch.tensor([[1.0, 0.9, 1.1, 0.2, 0.02]])
    off = off_color(skin, torch.tensor([True, True, True, False, False]))
    assert float(off[:4].max()) < 0.1
    assert float(off[4]) == float("inf")


def test_without_anything_to_compare_with_nothing_is_off():
    colors = torch.rand(3, 5, generator=torch.Generator().manual_seed(1))
    assert torch.equal(off_color(colors, torch.zeros(5, dtype=torch.bool)), torch.zeros(5))


def test_luminance_of_grey_is_the_grey():
    assert torch.allclose(luminance(torch.full((2, 3, 1, 1), 0.3)), torch.tensor(0.3))
