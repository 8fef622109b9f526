"""A volume of signed distances to balls, of which one knows everything."""

from dataclasses import replace

import pytest
import torch
import trimesh

from headrecon.mesh.volume import FuseVolume
from headrecon.types import REGIONS, Head, HeadMesh
from tests.mesh.balls import surface, template

FUSE = FuseVolume(
    voxel=2.0,
    margin=10.0,
    truncation=4.0,
    reach=20.0,
    grazing=0.2,
    template=0.1,
    ears=0.1,
    softness=0.7,
    smoothing=5,
    paint_tolerance=4.0,
    paint_smoothness=0.02,
)
VIEWS = Head(tuple(surface(azimuth, 43.0) for azimuth in (0.0, 60.0, -60.0)))


def solid(mesh: HeadMesh) -> trimesh.Trimesh:
    return trimesh.Trimesh(mesh.vertices.numpy(), mesh.faces.numpy(), process=False)


def test_the_surface_lies_where_the_views_have_the_head_and_is_closed():
    mesh = FUSE(VIEWS, template())
    body = solid(mesh)
    assert body.is_watertight
    assert body.is_winding_consistent
    assert body.euler_number == 2
    assert body.volume > 0.0
    front = (mesh.vertices[:, 2] > 20.0) & (mesh.vertices[:, 1].abs() < 30.0)
    # The template holds back by its share, a tenth of three millimetres.
    radius = mesh.vertices[front].norm(dim=1)
    assert float(radius.median()) == pytest.approx(42.7, abs=0.15)
    assert bool((mesh.support[front] > 0.0).all())


def test_without_views_it_is_the_template_cut_off_at_its_lower_end():
    mesh = FUSE(Head(()), template())
    assert solid(mesh).is_watertight
    off = mesh.vertices.norm(dim=1) - 40.0
    assert off[mesh.vertices[:, 1] > -36.0].abs().max() < 0.5
    assert float(mesh.vertices[:, 1].min()) > -42.0


def test_smaller_voxels_find_a_ball_more_closely():
    ball = template()
    errors = []
    for voxel in (4.0, 2.0):
        mesh = replace(FUSE, voxel=voxel, smoothing=0)(Head(()), ball)
        upper = mesh.vertices[:, 1] > -30.0
        errors.append(float((mesh.vertices[upper].norm(dim=1) - 40.0).abs().mean()))
    assert errors[1] < 0.5 * errors[0]


def test_ears_stay_near_the_template():
    ball = template()
    ear = ball.vertices[:, 2] > 36.0
    eared = replace(ball, region=torch.where(ear, REGIONS.index("ears"), REGIONS.index("face")))
    mesh = FUSE(VIEWS, eared)
    tip = mesh.vertices[:, 2] > 39.0
    around = (mesh.vertices[:, 2] > 10.0) & (mesh.vertices[:, 2] < 25.0)
    middle = mesh.vertices[:, 1].abs() < 20.0
    radius = mesh.vertices.norm(dim=1)
    assert float(radius[tip & middle].median()) < 42.0 < float(radius[around & middle].median())
