"""Depth maps of a ball on the mesh of a smaller one."""

from dataclasses import replace

import pytest
import torch

from headrecon.mesh.project import ProjectAndGather
from headrecon.types import Head
from tests.mesh.balls import surface, template

GATHER = ProjectAndGather(
    subdivisions=0,
    grazing=0.3,
    tolerance=2.0,
    bending=20.0,
    paint_tolerance=4.0,
    paint_smoothness=0.02,
)


def test_vertices_lie_where_the_depth_maps_have_the_head():
    views = tuple(surface(azimuth, 46.0) for azimuth in (0.0, 60.0, -60.0))
    mesh = GATHER(Head(views), template())
    radius = mesh.vertices.norm(dim=1)
    seen = mesh.support > 0
    assert 0.5 < float(seen.float().mean()) < 0.95
    assert radius[seen].sub(46.0).abs().quantile(0.9) < 0.4
    # What is moved towards the viewers carries the far side along, and no further than itself.
    moved = (mesh.vertices - template().vertices).norm(dim=1)
    assert float(moved[~seen].max()) < float(moved[seen].max())


def test_without_views_the_template_stays_as_it_is():
    mesh = GATHER(Head(()), template())
    assert torch.allclose(mesh.vertices, template().vertices, atol=1e-4)
    assert not mesh.support.any()


def test_views_that_disagree_are_averaged_by_how_well_they_look():
    near, far = (surface(0.0, radius) for radius in (50.0, 44.0))
    far = replace(far, normals=replace(far.normals, support=3.0 * far.normals.support))
    mesh = GATHER(Head((near, far)), template())
    front = int(template().vertices[:, 2].argmax())
    assert float(mesh.vertices[front, 2]) == pytest.approx((50.0 + 3.0 * 44.0) / 4.0, abs=0.3)
