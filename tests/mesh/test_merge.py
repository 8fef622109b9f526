"""The mesh of a ball, moved onto the depth maps of a larger one."""

from dataclasses import replace

import pytest
import torch

from headrecon.mesh.merge import Merge
from headrecon.types import REGIONS, Head, Template
from tests.mesh.balls import surface, template

MERGE = Merge(
    subdivisions=0,
    stiffness=[1.0, 0.1],
    bending=20.0,
    reach=25.0,
    neighbours=12,
    agreement=0.5,
    grazing=0.2,
    rim=3,
    fiducial_weight=0.2,
    fiducial_azimuth=45.0,
    ears=0.1,
    hold=1.0,
    paint_tolerance=4.0,
    paint_smoothness=0.02,
)
VIEWS = Head(tuple(surface(azimuth, 43.0) for azimuth in (0.0, 60.0, -60.0)))


def with_an_ear(fitted: bool) -> Template:
    """A patch in the middle of what the views see."""
    ball = template()
    ear = ball.vertices[:, 2] > 38.0
    region = torch.where(ear, REGIONS.index("ears"), REGIONS.index("face"))
    return replace(ball, region=region, fitted=fitted)


def moved(head: Template) -> tuple[float, float]:
    """How far the ear has come, and the face around it."""
    radius = MERGE(VIEWS, head).vertices.norm(dim=1)
    ear = head.region == REGIONS.index("ears")
    around = ~ear & (head.vertices[:, 2] > 15.0) & (head.vertices[:, 2] < 32.0)
    return float(radius[ear].median()) - 40.0, float(radius[around].median()) - 40.0


def test_the_mesh_lies_where_the_views_have_the_head():
    mesh = MERGE(VIEWS, template())
    seen = mesh.support > 0
    assert 0.5 < float(seen.float().mean()) < 0.95
    assert mesh.vertices[seen].norm(dim=1).sub(43.0).abs().quantile(0.9) < 0.4


def test_ears_of_a_fitted_template_stay_where_it_has_them():
    ear, around = moved(with_an_ear(fitted=True))
    assert around == pytest.approx(3.0, abs=0.3)
    assert abs(ear) < 1.0


def test_ears_of_a_stranger_follow_the_head():
    stranger = with_an_ear(fitted=False)
    ear, around = moved(stranger)
    assert around == pytest.approx(3.0, abs=0.3)
    assert ear > 2.0
