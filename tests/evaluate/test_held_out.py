"""Heads judged by photos that show exactly what they should."""

from dataclasses import replace

import pytest
import torch

from headrecon.evaluate.held_out import PARTS, judge, painted_like, sitting
from headrecon.geometry.camera import project
from headrecon.geometry.lighting import basis
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.surface import at, vertex_normals
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.template.build import BuildTemplate
from headrecon.types import REGIONS, Camera, HeadMesh, Portrait
from tests import artifacts

TEMPLATE = BuildTemplate(size=1.0, people=2)()
BOUNDS = (60.0, 115.0, 6.0)
SIDE = 160


def head() -> HeadMesh:
    """The template with a paint that has no symmetry."""
    vertices = TEMPLATE.vertices
    marks = at(TEMPLATE.fiducials, TEMPLATE.faces, vertices)
    shade = 0.5 + 0.2 * torch.sin(vertices[:, :1] / 9.0 + 1.0) * torch.cos(vertices[:, 1:2] / 14.0)
    return HeadMesh(
        vertices=vertices,
        faces=TEMPLATE.faces,
        albedo=shade * torch.tensor([1.0, 0.8, 0.7]),
        support=torch.ones(len(vertices)),
        landmarks=marks[list(IBUG68_FROM_MESH)],
    )


def photo_of(mesh: HeadMesh, azimuth: float, nearness: float = 0.0) -> Portrait:
    """The mesh in a light of its own before a grey wall."""
    rotation = view_from_head(azimuth, -4.0, 3.0)
    camera = Camera(rotation, 0.45, torch.tensor([82.0, 75.0]), SIDE, SIDE, nearness)
    fragments = rasterize(mesh.vertices, mesh.faces, camera)
    normals = vertex_normals(mesh.vertices, mesh.faces) @ rotation.T
    layers = interpolate(fragments, mesh.faces, torch.cat([mesh.albedo, normals], dim=1))
    seen = fragments.mask
    unit = torch.nn.functional.normalize(layers[3:, seen], dim=0)
    image = torch.full((3, SIDE, SIDE), 0.3)
    light = torch.tensor([[0.5, 0.1, 0.15, 0.3], [0.5, 0.12, 0.15, 0.3], [0.45, 0.1, 0.2, 0.3]])
    image[:, seen] = layers[:3, seen] * (light @ basis(unit))
    marks = at(TEMPLATE.fiducials, mesh.faces, mesh.vertices)
    return replace(
        artifacts.portrait("photo"),
        image=image,
        mask=seen.float(),
        fiducials=project(marks, camera)[:, :2],
        visible=torch.ones(468, dtype=torch.bool),
        azimuth=azimuth,
        elevation=-4.0,
        roll=3.0,
        face_size=2.0 * 70.0,
        step=2.0,
    )


def test_a_head_that_was_photographed_from_near_is_looked_at_from_there():
    mesh = head()
    near = photo_of(mesh, 30.0, nearness=1 / 600.0)
    right, far = (
        judge(mesh, sitting(near, TEMPLATE, *BOUNDS, distance)).numbers
        for distance in (600.0, None)
    )
    assert right["outline_iou_share"] == pytest.approx(1.0)
    assert far["outline_distance_mm"] > 2.0


@pytest.mark.parametrize("azimuth", [0.0, -35.0, 80.0])
def test_the_head_that_was_photographed_is_without_error(azimuth):
    mesh = head()
    found = judge(mesh, sitting(photo_of(mesh, azimuth), TEMPLATE, *BOUNDS)).numbers
    # The least squares of the light has a small ridge.
    assert found["head_grey_levels"] < 0.7
    assert found["outline_iou_share"] == pytest.approx(1.0)
    assert found["outline_distance_mm"] == pytest.approx(0.0)
    assert found["fiducials_of_face_share"] < 1e-4
    told = {name for name in PARTS if found[f"{name}_grey_levels"] == found[f"{name}_grey_levels"]}
    assert {"face", "ears", "neck", "hair"} >= told >= {"face", "neck"}


def test_another_shape_is_worse_and_a_missing_part_is_dark():
    mesh = head()
    photo = sitting(photo_of(mesh, 0.0), TEMPLATE, *BOUNDS)
    wide = replace(mesh, vertices=mesh.vertices * torch.tensor([1.15, 1.0, 1.0]))
    found = judge(wide, photo).numbers
    assert found["head_grey_levels"] > 3.0
    assert found["outline_iou_share"] < 0.95
    assert found["outline_distance_mm"] > 2.0
    scalp = mesh.faces[(TEMPLATE.region[mesh.faces] != REGIONS.index("scalp")).any(dim=1)]
    bald = judge(replace(mesh, faces=scalp), photo)
    assert bald.numbers["hair_grey_levels"] > 50.0
    assert bald.numbers["face_grey_levels"] < 1.0


def test_the_light_is_told_by_the_face_only():
    mesh = head()
    ears = TEMPLATE.region == REGIONS.index("ears")
    painted = torch.where(ears[:, None], 0.3 * mesh.albedo, mesh.albedo)
    photo = sitting(photo_of(replace(mesh, albedo=painted), 40.0), TEMPLATE, *BOUNDS)
    found = judge(mesh, photo).numbers
    assert found["face_grey_levels"] < 1.0
    assert found["ears_grey_levels"] > 20.0


def test_shoulders_are_no_part_of_the_head():
    mesh = head()
    portrait = photo_of(mesh, 0.0)
    with_shoulders = portrait.mask.clone()
    with_shoulders[int(0.8 * SIDE) :] = 1.0
    one, other = (
        sitting(replace(portrait, mask=mask), TEMPLATE, *BOUNDS)
        for mask in (portrait.mask, with_shoulders)
    )
    assert int(other.head.sum()) < 1.06 * int(one.head.sum())


def test_a_head_gets_the_paint_of_another_wherever_it_is_and_however_large():
    mesh = head()
    turned = view_from_head(20.0, 5.0)
    plain = replace(
        mesh,
        vertices=1.7 * mesh.vertices @ turned.T + 30.0,
        landmarks=1.7 * mesh.landmarks @ turned.T + 30.0,
        albedo=torch.full_like(mesh.albedo, 0.5),
    )
    painted = painted_like(plain, mesh)
    assert torch.allclose(painted.albedo, mesh.albedo, atol=2e-3)
    assert torch.equal(painted.vertices, plain.vertices)
