"""Tracks come together by the right flow and stay apart without it."""

import pytest
import torch

from headrecon.evaluate.flow import Tracks, flow_errors
from headrecon.geometry.rotation import view_from_head
from headrecon.types import Camera, Stack

SIZE, COUNT = (60, 80), 5


def swaying(photo: torch.Tensor, xy: torch.Tensor) -> torch.Tensor:
    """A smooth motion of its own for each photo, at places of the average photo."""
    phase = photo[:, None, None] * 1.3
    x, y = xy.unbind(-1)
    moved = torch.stack(
        [torch.sin(y / 9.0 + phase[..., 0]), torch.cos(x / 11.0 + phase[..., 0])], -1
    )
    return 2.0 * moved


@pytest.fixture
def stack() -> Stack:
    y, x = torch.meshgrid(torch.arange(SIZE[0]) + 0.5, torch.arange(SIZE[1]) + 0.5, indexing="ij")
    grid = torch.stack([x, y], dim=-1).reshape(1, -1, 2).expand(COUNT, -1, -1)
    flows = swaying(torch.arange(COUNT).float(), grid).transpose(1, 2).reshape(COUNT, 2, *SIZE)
    turned = torch.tensor([[0.0, -0.5, 70.0], [0.5, 0.0, 3.0]])
    return Stack(
        label="view+30",
        camera=Camera(view_from_head(30.0), 1.0, torch.zeros(2), *SIZE),
        names=tuple("abcde"),
        images=torch.zeros(COUNT, 3, *SIZE),
        masks=torch.ones(COUNT, *SIZE),
        flows=flows,
        belief=torch.ones(len(flows)),
        motion=torch.zeros(0),
        portrait_from_canvas=turned.repeat(COUNT, 1, 1),
        fiducials=torch.zeros(468, 2),
        face=torch.ones(SIZE, dtype=torch.bool),
    )


def tracks(stack: Stack) -> Tracks:
    """Where the portraits show points that the flowed photos show at the same places."""
    generator = torch.Generator().manual_seed(2)
    places = torch.rand(1, 40, 2, generator=generator) * torch.tensor([56.0, 36.0]) + 12.0
    places = places.expand(COUNT, -1, -1)
    aligned = places + swaying(torch.arange(COUNT).float(), places)
    linear, shift = stack.portrait_from_canvas[..., :2], stack.portrait_from_canvas[..., 2]
    portrait = aligned @ linear.transpose(1, 2) + shift[:, None]
    return Tracks(portrait, torch.ones(COUNT, 40, dtype=torch.bool))


def test_the_right_flow_leaves_no_error(stack):
    errors = flow_errors(stack, tracks(stack))
    assert errors["view+30/track_error_aligned_px"] > 1.0
    assert errors["view+30/track_error_flowed_px"] < 0.02


def test_the_opposite_flow_is_worse_than_none(stack):
    opposite = Stack(**{**vars(stack), "flows": -stack.flows})
    errors = flow_errors(opposite, tracks(stack))
    assert errors["view+30/track_error_flowed_px"] > 1.5 * errors["view+30/track_error_aligned_px"]


def test_hidden_points_do_not_count(stack):
    seen = tracks(stack)
    wild = seen.xy.clone()
    wild[0] += 500.0
    visible = seen.visible.clone()
    visible[0] = False
    errors = flow_errors(stack, Tracks(wild, visible))
    assert errors["view+30/track_error_flowed_px"] < 0.02
    nothing = flow_errors(stack, Tracks(seen.xy, torch.zeros_like(seen.visible)))
    assert all(value != value for value in nothing.values())
