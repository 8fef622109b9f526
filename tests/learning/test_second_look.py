"""Lessons of the second look, with pictures that tell everything."""

from pathlib import Path
from typing import Any

import pytest
import torch

from headrecon.geometry.rotation import view_from_head
from headrecon.learning import teach_second_look
from headrecon.learning.points import CROP_SIDE, PointExamples
from headrecon.learning.teach_second_look import (
    TeachSecondLook,
    cut,
    examine_second_look,
    mean_head,
    varied,
)
from headrecon.photos.second_look import SIZE, Windows, windows_on
from headrecon.photos.square import Square, sample

TEACH = TeachSecondLook(
    shapes=12,
    hidden=32,
    dropout=0.0,
    epochs=6,
    batch=16,
    rate=0.004,
    decay=0.01,
    memory=0.8,
    shift=0.02,
    zoom=0.03,
    roll=2.0,
    wild=0.1,
    points_weight=50.0,
    scored_weight=6.0,
    hidden_weight=0.3,
    seed=0,
)


def examples(count: int) -> PointExamples:
    """Heads of the mean shape at random azimuths; the picture has a dot for every tenth point."""
    generator = torch.Generator().manual_seed(1)
    azimuth = 180.0 * torch.rand(count, generator=generator) - 90.0
    poses = torch.cat([azimuth[:, None], 5.0 * torch.randn(count, 2, generator=generator)], dim=1)
    head = mean_head()
    unit = Windows(torch.zeros(count, 2), torch.ones(count), torch.zeros(count))
    points = []
    for pose in poses:
        turned = (head - head.mean(dim=0)) @ view_from_head(*pose.tolist()).T
        points.append(turned[:, :2] * torch.tensor([1.0, -1.0]) / 160.0)
    places = torch.stack(points)
    crops = torch.zeros(count, 3, 128, 128, dtype=torch.uint8)
    pixels = ((unit.into(places) / CROP_SIDE + 0.5) * 128).long().clamp(0, 127)
    for k in range(0, 468, 4):
        crops[torch.arange(count), :, pixels[:, k, 1], pixels[:, k, 0]] = 255
    return PointExamples(
        said={},
        poses=poses,
        covers=torch.zeros(count, 2),
        points=places,
        visible=torch.ones(count, 468, dtype=torch.bool),
        crops=crops,
        people=torch.arange(count),
    )


def test_pictures_are_cut_where_the_window_is() -> None:
    """As `sample` cuts them from the photo, whose window is upright by the roll's other sign."""
    generator = torch.Generator().manual_seed(2)
    crop = torch.nn.functional.interpolate(
        torch.rand(1, 3, 16, 16, generator=generator), (128, 128), mode="bicubic"
    ).clamp(0.0, 1.0)
    scale = 128 / CROP_SIDE
    window = Windows(torch.tensor([[0.1, -0.2]]), torch.tensor([1.1]), torch.tensor([15.0]))
    square = Square(64.0 + 0.1 * scale, 64.0 - 0.2 * scale, 1.1 * scale, -15.0)
    found = cut((255.0 * crop).round().to(torch.uint8), window)
    torch.testing.assert_close(found[0], sample(crop[0], square, SIZE), atol=0.01, rtol=0)


def test_variations_leave_the_pictures_in_their_range() -> None:
    pictures = torch.rand(9, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(3))
    found = varied(pictures, torch.Generator().manual_seed(4))
    assert found.shape == pictures.shape
    assert 0.0 <= float(found.min()) <= float(found.max()) <= 1.0
    assert (found - pictures).abs().mean() > 0.02


def test_a_lesson_lowers_the_error_and_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = examples(160)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    network = TEACH(known, whole)
    scores = examine_second_look(network, known)
    windows = windows_on(known.points, known.poses, mean_head())
    untaught = (windows.into(known.points) - network.shape_mean).norm(dim=2).mean()
    assert scores["points_mean_within_60_share"] < 0.5 * float(untaught)

    keep = teach_second_look.keep

    def stopped(state: dict[str, Any], epoch: int, folder: Path) -> None:
        keep(state, epoch, folder)
        if epoch == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(teach_second_look, "keep", stopped)
    with pytest.raises(KeyboardInterrupt):
        TEACH(known, parts)
    again = TEACH(known, parts)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, msg=name)
