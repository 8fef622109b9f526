"""Errors of photos that are kept aside, and of all photos, as they are stored."""

from dataclasses import replace

import pytest
import torch

from headrecon.evaluate.reprojection import reproject
from headrecon.mesh.aside import error_aside, names_aside, takes_part
from headrecon.types import Stack
from tests.mesh.eggs import head, shots

EGG = head(1.25)


def many(stack: Stack, times: int) -> Stack:
    """Each photo so many times, in half precision, as stages keep them."""
    return replace(
        stack,
        names=stack.names * times,
        images=stack.images.half().repeat(times, 1, 1, 1),
        masks=stack.masks.half().repeat(times, 1, 1),
        flows=stack.flows.half().repeat(times, 1, 1, 1),
        belief=stack.belief.repeat(times),
        portrait_from_canvas=stack.portrait_from_canvas.repeat(times, 1, 1),
    )


def test_more_pixels_than_half_precision_can_count_have_the_same_error():
    mesh = replace(EGG, albedo=EGG.albedo * torch.where(EGG.vertices[:, :1] > 0.0, 0.6, 1.0))
    (one, *_), often = shots(EGG), many(shots(EGG)[0], 100)
    assert float(often.masks.float().sum()) > 1e5
    assert torch.isinf(often.masks.sum())
    expected = reproject(mesh, one).mean
    assert expected > 1.0
    assert reproject(mesh, often).mean == pytest.approx(expected, rel=1e-2)
    assert error_aside(mesh, [often], 2) == pytest.approx(error_aside(mesh, [one], 2), rel=1e-2)


def test_one_photo_in_so_many_takes_no_part():
    assert takes_part(7, 3).tolist() == [True, True, False, True, True, False, True]
    assert bool(takes_part(7, 0).all())
    assert names_aside(shots(EGG), 3) == {"c", "f"}
    assert error_aside(EGG, shots(EGG), 7) != error_aside(EGG, shots(EGG), 7)  # NaN: all take part.
