from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh

from headrecon.mesh.complete import Complete, closed
from headrecon.types import (
    REGIONS,
    SOURCES,
    Camera,
    DepthMap,
    Head,
    HeadMesh,
    NormalField,
    Surface,
    SurfacePoints,
    Template,
)
from tests import artifacts

RADIUS = 80.0
CAMERA = Camera(torch.eye(3), 0.5, torch.tensor([64.0, 64.0]), 128, 128)
COMPLETE = Complete(
    min_support=3.0,
    tolerance=4.0,
    outline_band=0.25,
    outline_reach=3.0,
    bending=20.0,
    hair=10.0,
    hair_reach=20.0,
    rounds=20,
)


def bowl() -> HeadMesh:
    """A ball that is cut off 50 mm below its middle, seen by five photos from the front."""
    angle = np.linspace(np.arccos(-50.0 / RADIUS), 0.0, 50)
    profile = RADIUS * np.column_stack([np.sin(angle), np.cos(angle)])
    cut = trimesh.creation.revolve(profile, sections=90)
    vertices = torch.from_numpy(cut.vertices[:, [1, 2, 0]].copy()).float()
    faces = torch.from_numpy(cut.faces.copy()).long()
    support = 5.0 * (vertices[:, 2] > 20.0)
    return HeadMesh(vertices, faces, torch.ones_like(vertices), support, vertices[:68])


def template(mesh: HeadMesh, part: str) -> Template:
    marks = SurfacePoints(torch.zeros(468, dtype=torch.long), torch.full((468, 3), 1 / 3))
    # Random people are shifted or larger: smooth differences that grow away from the middle.
    people = torch.stack([0.05 * k * mesh.vertices for k in range(-2, 3)])
    region = torch.full((len(mesh.vertices),), REGIONS.index(part))
    return Template(mesh.vertices, mesh.faces, region, marks, marks, people, True)


def seen(off: float) -> Surface:
    """The ball's depth map from the front, pushed towards the viewer by some millimetres."""
    y, x = torch.meshgrid(torch.arange(128) + 0.5, torch.arange(128) + 0.5, indexing="ij")
    X, Y = (x - 64.0) / 0.5, (64.0 - y) / 0.5
    squared = RADIUS**2 - X**2 - Y**2
    mask = (squared > 0.0) & (Y > -45.0)
    z = squared.clamp_min(0.0).sqrt() * 0.5
    normals = torch.stack([X, Y, squared.clamp_min(0.0).sqrt()]) / RADIUS * mask
    field = NormalField(
        "view+00",
        CAMERA,
        normals,
        torch.zeros(128, 128),
        normals.abs(),
        mask,
        5.0 * mask,
        torch.zeros(5, 4),
        torch.zeros(468, 2),
    )
    return Surface(field, DepthMap("view+00", CAMERA, (z + 0.5 * off) * mask, mask))


def completed(part: str = "face", off: float = 0.0):
    mesh = bowl()
    disc = seen(0.0).depth.mask
    stack = replace(
        artifacts.stack(),
        camera=CAMERA,
        images=torch.ones(6, 3, 128, 128),
        flows=torch.zeros(6, 2, 128, 128),
        masks=disc.float().expand(6, -1, -1),
        face=disc,
    )
    return COMPLETE(mesh, Head((seen(off), seen(-off))), (stack,), template(mesh, part))


def test_an_opening_is_closed_once_and_for_all():
    mesh = bowl()
    whole = closed(mesh)
    solid = trimesh.Trimesh(whole.vertices.numpy(), whole.faces.numpy(), process=False)
    assert solid.is_watertight
    assert solid.is_winding_consistent
    assert solid.euler_number == 2
    height = RADIUS - 50.0
    missing = torch.pi * height**2 * (3 * RADIUS - height) / 3
    assert solid.volume == pytest.approx(4 / 3 * torch.pi * RADIUS**3 - missing, rel=0.01)
    assert len(closed(whole).faces) == len(whole.faces)
    assert float(whole.support[len(mesh.vertices) :].max()) == 0.0


def test_vertices_say_what_they_rest_on():
    whole = completed()
    source, place = whole.evidence.source, whole.mesh.vertices
    front = (place[:, 2] > 25.0) & (place[:, 1] > -35.0)
    assert (source[front] == SOURCES.index("photos")).all()
    rim = (place[:, 2].abs() < 10.0) & (place[:, 1] > -20.0)
    assert (source[rim] == SOURCES.index("outline")).all()
    assert (source[place[:, 2] < -40.0] == SOURCES.index("filled")).all()
    assert (source[place[:, 1] < -49.9] == SOURCES.index("filled")).all()


def test_what_is_filled_may_be_further_off_the_further_it_is_from_what_is_known():
    whole = completed()
    known = whole.evidence.source != SOURCES.index("filled")
    place, deviation = whole.mesh.vertices, whole.evidence.deviation
    near, far = (place[:, 2] < -15.0) & (place[:, 2] > -30.0), place[:, 2] < -70.0
    assert deviation[known].max() < deviation[near & ~known].mean() < deviation[far].mean()
    # The people of this template differ by 5 percent of 1.4 in size: 5.7 mm at the back.
    assert 2.0 < float(deviation[far].mean()) < 12.0


def test_views_that_disagree_say_so_and_hair_is_less_certain_than_skin():
    front = bowl().vertices[:, 2] > 40.0
    for off in (1.0, 3.0):
        deviation = completed(off=off).evidence.deviation[: len(front)][front]
        # Two surfaces, `off` to either side along the line of sight.
        assert 0.6 * off < float(deviation.mean()) < off
    skin, hair = completed().evidence, completed("scalp").evidence
    filled = skin.source == SOURCES.index("filled")
    assert (hair.deviation[filled] > skin.deviation[filled]).all()
    assert torch.equal(hair.deviation[~filled], skin.deviation[~filled])
    # Far from all that is known the thickness of hair is anybody's.
    added = (hair.deviation**2 - skin.deviation**2).clamp_min(0.0).sqrt()
    assert 9.0 < float(added.max()) <= 10.1
