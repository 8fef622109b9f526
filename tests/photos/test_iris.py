"""Irises that are painted into a portrait have the width that they are painted with."""

from dataclasses import replace

import pytest
import torch

from headrecon.photos.iris import MeasureIrises
from headrecon.photos.weights import WeightsUnavailable, weights
from headrecon.types import Portrait
from tests import artifacts

SIDE, WIDTH = 120, 24.0


def eyes(radius: float, turn: float) -> Portrait:
    """Two almonds of white with brown discs in brown skin, along a line turned by some degrees."""
    y, x = torch.meshgrid(torch.arange(SIDE) + 0.5, torch.arange(SIDE) + 0.5, indexing="ij")
    angle = torch.deg2rad(torch.tensor(turn))
    across, down = torch.stack([angle.cos(), angle.sin()]), torch.stack([-angle.sin(), angle.cos()])
    image = torch.tensor([0.5, 0.25, 0.15])[:, None, None].expand(3, SIDE, SIDE).clone()
    fiducials = artifacts.portrait("eyes").fiducials.clone()
    middle = torch.full((2,), SIDE / 2.0)
    for side, corners in ((-1.0, (33, 133)), (1.0, (362, 263))):
        centre = middle + side * 26.0 * across
        off = torch.stack([x, y], dim=-1) - centre
        along, over = off @ across, off @ down
        open_lids = over.abs() < 0.26 * WIDTH * (1.0 - (2.0 * along / WIDTH).square())
        distance = off.norm(dim=-1)
        image[:, open_lids] = 0.7
        image[:, open_lids & (distance < radius)] = torch.tensor([0.08, 0.05, 0.03])[:, None]
        image[:, open_lids & (distance < 0.4 * radius)] = 0.0
        for k, corner in enumerate(corners):
            fiducials[corner] = centre + (k - 0.5) * WIDTH * across
    return replace(
        artifacts.portrait("eyes"), image=image, mask=torch.ones(SIDE, SIDE), fiducials=fiducials
    )


@pytest.fixture(scope="module", autouse=True)
def network() -> None:
    try:
        weights("iris_landmark")
    except WeightsUnavailable as error:
        pytest.skip(str(error))


def test_widths_are_those_of_the_discs_at_any_angle():
    for turn in (0.0, 20.0, -20.0):
        for radius in (4.5, 5.5):
            widths = MeasureIrises()(eyes(radius, turn))
            assert torch.allclose(widths, torch.full((2,), 2.0 * radius), rtol=0.12)


def test_larger_discs_are_wider():
    small, large = (float(MeasureIrises()(eyes(radius, 0.0)).mean()) for radius in (4.0, 6.0))
    assert large > 1.25 * small
