"""Surfaces that are seen from near, integrated by a solver that knows of no perspective."""

from dataclasses import replace

import pytest
import torch

from headrecon.depth.boundary import Anchor
from headrecon.depth.integrate import integrate
from headrecon.depth.perspective import in_perspective
from headrecon.geometry.camera import pixel_centres
from headrecon.types import Camera, NormalField

DISTANCE, SPAN = 400.0, 160.0
"""Millimetres: from the viewer to the origin, and across the canvas."""
OFFSET = torch.tensor(10.0)


def seen_from_near(
    normal: torch.Tensor, offset: torch.Tensor, size: int, curved: bool
) -> tuple[NormalField, torch.Tensor]:
    """A plane n . P = offset, or a sphere of 60 mm around `normal`, and its depth in pixels."""
    scale = size / SPAN
    camera = Camera(torch.eye(3), scale, torch.full((2,), size / 2.0), size, size, 1.0 / DISTANCE)
    xy = (pixel_centres(size, size).double() - size / 2.0) / scale
    # From the viewer at (0, 0, DISTANCE) through (x, y, 0).
    ray = torch.stack([xy[..., 0], -xy[..., 1], torch.full_like(xy[..., 0], -DISTANCE)])
    eye = torch.tensor([0.0, 0.0, DISTANCE], dtype=torch.float64)[:, None, None]
    if curved:
        to = eye - normal[:, None, None]
        half, rest = (ray * to).sum(0), (to**2).sum(0) - 60.0**2
        length = (ray**2).sum(0)
        root = half**2 - length * rest
        mask = root > 0.05 * half**2 * 60.0**2 / DISTANCE**2
        point = eye + ray * ((-half - root.clamp_min(0.0).sqrt()) / length)
        normals = (point - normal[:, None, None]) / 60.0
    else:
        point = eye + ray * (offset - (normal[:, None, None] * eye).sum(0)) / (
            normal[:, None, None] * ray
        ).sum(0)
        mask = (xy**2).sum(-1) < 70.0**2
        normals = normal[:, None, None].expand(3, size, size)
    nothing = torch.zeros(size, size)
    field = NormalField(
        label="view+00",
        camera=camera,
        normals=normals * mask,
        deviation=nothing,
        albedo=nothing.expand(3, -1, -1),
        mask=mask,
        support=nothing,
        lighting=torch.zeros(1, 4),
        fiducials=torch.zeros(468, 2),
    )
    return field, point[2] * scale * mask


@pytest.mark.parametrize("curved", [False, True])
def test_the_error_falls_with_the_square_of_the_pixel(curved: bool) -> None:
    normal = torch.tensor([0.3, -0.2, 0.9], dtype=torch.float64)
    normal = torch.tensor([5.0, -8.0, 4.0]).double() if curved else normal / normal.norm()

    def error(size: int) -> float:
        field, truth = seen_from_near(normal, OFFSET, size, curved)
        known = torch.zeros(size, size)
        known[size // 2, size // 2] = 1.0
        anchor = Anchor(truth, known)
        depth = in_perspective(
            field, anchor, lambda n, mask, known: integrate(n, mask, known, 1e-12, 800)
        )
        off = (depth.z - truth)[field.mask].abs().mean()
        return float(off) / size

    assert error(64) * SPAN < 0.05  # millimetres
    assert 3.0 < error(32) / error(64) < 5.5


def test_pixels_that_are_looked_along_stay_where_heads_are() -> None:
    """Grazing normals far from the axis, whose slopes would weigh nothing, or run backwards."""
    field, truth = seen_from_near(torch.tensor([0.0, 0.0, 1.0]).double(), OFFSET, 64, False)
    facing = torch.tensor([0.05**0.5, 0.9**0.5, 0.05]).double()[:, None, None]
    field = replace(field, normals=facing / facing.norm() * field.mask)
    known = torch.zeros(64, 64)
    known[32, 32] = 1.0
    depth = in_perspective(
        field, Anchor(truth, known), lambda n, mask, known: integrate(n, mask, known, 1e-9, 800)
    )
    assert bool(depth.z.isfinite().all())
    assert float(depth.z.abs().max()) * SPAN / 64 < 1.1 * DISTANCE


def test_far_away_nothing_changes() -> None:
    normal = torch.tensor([0.3, -0.2, 0.9], dtype=torch.float64)
    field, truth = seen_from_near(normal / normal.norm(), OFFSET, 32, False)
    far = replace(field, camera=replace(field.camera, nearness=0.0))
    asked = []

    def solver(n: torch.Tensor, mask: torch.Tensor, known: Anchor) -> torch.Tensor:
        asked.append((n, mask, known))
        return truth

    anchor = Anchor(truth, truth)
    assert in_perspective(far, anchor, solver).z is truth
    assert asked[0][0] is field.normals
    assert asked[0][2] is anchor
