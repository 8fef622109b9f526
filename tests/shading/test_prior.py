from dataclasses import replace

import torch

from headrecon.geometry.camera import pixel_centres
from headrecon.render.reproject import Seen
from headrecon.shading.prior import expected_normals
from headrecon.types import Camera

HEIGHT, WIDTH = 50, 44
FAR = Camera(torch.eye(3), 0.2, torch.tensor([21.0, 26.0]), HEIGHT, WIDTH)


def disc(radius: float) -> torch.Tensor:
    return (pixel_centres(HEIGHT, WIDTH) - torch.tensor([21.0, 26.0])).norm(dim=-1) < radius


def reference(mask: torch.Tensor, normal: list[float]) -> Seen:
    normals = torch.tensor(normal)[:, None, None].expand(3, HEIGHT, WIDTH) * mask
    weight = mask.float()
    return Seen(normals=normals, z=torch.zeros(HEIGHT, WIDTH), weight=weight, mask=mask)


def test_the_outline_turns_outward_on_each_side():
    found = expected_normals(reference(disc(8.0), [0.0, 0.0, 1.0]), disc(17.0), 1.0, FAR)
    assert float(found[0, 26, 36]) > 0.7
    assert float(found[0, 26, 6]) < -0.7
    assert float(found[1, 10, 21]) > 0.7
    # Below, the neck is cut: that end says nothing about the surface.
    assert abs(float(found[1, 41, 21])) < 0.3


def test_a_strong_reference_is_kept_and_continued():
    inner = disc(8.0)
    found = expected_normals(reference(inner, [0.6, 0.0, 0.8]), disc(17.0), 100.0, FAR)
    assert torch.allclose(found[:, 26, 21], torch.tensor([0.6, 0.0, 0.8]), atol=0.02)
    # Between a reference that leans right and a left rim lies what leans less.
    assert float(found[0, 26, 10]) < 0.5


def test_normals_are_unit_inside_and_nothing_outside():
    mask = disc(15.0)
    found = expected_normals(reference(disc(5.0), [0.0, 0.0, 1.0]), mask, 0.1, FAR)
    assert torch.allclose(found.norm(dim=0)[mask], torch.ones(int(mask.sum())), atol=1e-5)
    assert float(found[:, ~mask].abs().max()) == 0.0


def test_in_perspective_the_outline_is_perpendicular_to_the_line_of_sight():
    near = replace(FAR, nearness=1 / 400.0)
    seen = reference(disc(8.0), [0.0, 0.0, 1.0])
    found = expected_normals(seen, disc(17.0), 1e6, near)
    for row, column in ((26, 37), (26, 4), (9, 20)):
        x, y = (column + 0.5 - 21.0) / 0.2, (26.0 - row - 0.5) / 0.2
        ray = torch.tensor([-x / 400.0, -y / 400.0, 1.0])
        assert abs(float(found[:, row, column] @ ray)) < 0.02
        assert float(found[2, row, column]) > 0.1
