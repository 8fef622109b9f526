"""Heads judged by photos that show exactly what they should."""

from dataclasses import replace

import pytest
import torch

from headrecon.evaluate.held_out import (
    PARTS,
    Ends,
    Judgement,
    Sitting,
    judge,
    painted_like,
    sitting,
)
from headrecon.geometry.rotation import view_from_head
from headrecon.mesh.cameras import FiducialCameras
from headrecon.render.occlusion import Occlusion
from headrecon.types import REGIONS, HeadMesh, Portrait
from tests.sitter import SIDE, TEMPLATE, head, photo_of

ENDS = Ends(jaw=60.0, neck=115.0, collar=6.0, skin=3.5)


def sat(portrait: Portrait, distance: float | None = None) -> Sitting:
    """A photo from a distance, divided into parts."""
    (camera,) = FiducialCameras(distance)((portrait,), TEMPLATE)
    return sitting(portrait, camera, TEMPLATE, ENDS)


def judged(mesh: HeadMesh, photo: Sitting, distance: float | None = None) -> Judgement:
    """The mesh in the light that it leaves."""
    (camera,) = FiducialCameras(distance).of_head(mesh, (photo.portrait,), TEMPLATE)
    return judge(mesh, Occlusion.of(mesh.vertices, mesh.faces), camera, photo)


def test_a_head_that_was_photographed_from_near_is_looked_at_from_there():
    mesh = head()
    near = photo_of(mesh, 30.0, nearness=1 / 600.0)
    right, far = (judged(mesh, sat(near, distance), distance).numbers for distance in (600.0, None))
    assert right["outline_iou_share"] == pytest.approx(1.0)
    assert far["outline_distance_mm"] > 2.0


@pytest.mark.parametrize("azimuth", [0.0, -35.0, 80.0])
def test_the_head_that_was_photographed_is_without_error(azimuth):
    mesh = head()
    found = judged(mesh, sat(photo_of(mesh, azimuth))).numbers
    # The least squares of the light has a small ridge.
    assert found["head_grey_levels"] < 0.7
    assert found["outline_iou_share"] == pytest.approx(1.0)
    assert found["outline_distance_mm"] == pytest.approx(0.0)
    assert found["fiducials_of_face_share"] < 1e-4
    told = {name for name in PARTS if found[f"{name}_grey_levels"] == found[f"{name}_grey_levels"]}
    assert {"face", "ears", "neck", "hair"} >= told >= {"face", "neck"}


def test_another_shape_is_worse_and_a_missing_part_is_dark():
    mesh = head()
    photo = sat(photo_of(mesh, 0.0))
    wide = replace(mesh, vertices=mesh.vertices * torch.tensor([1.15, 1.0, 1.0]))
    found = judged(wide, photo).numbers
    assert found["head_grey_levels"] > 3.0
    assert found["outline_iou_share"] < 0.95
    assert found["outline_distance_mm"] > 2.0
    scalp = mesh.faces[(TEMPLATE.region[mesh.faces] != REGIONS.index("scalp")).any(dim=1)]
    bald = judged(replace(mesh, faces=scalp), photo)
    assert bald.numbers["hair_grey_levels"] > 50.0
    assert bald.numbers["face_grey_levels"] < 1.0


def test_the_light_is_told_by_the_face_only():
    mesh = head()
    ears = TEMPLATE.region == REGIONS.index("ears")
    painted = torch.where(ears[:, None], 0.3 * mesh.albedo, mesh.albedo)
    photo = sat(photo_of(replace(mesh, albedo=painted), 40.0))
    found = judged(mesh, photo).numbers
    assert found["face_grey_levels"] < 1.0
    assert found["ears_grey_levels"] > 20.0


def test_shoulders_are_no_part_of_the_head():
    mesh = head()
    portrait = photo_of(mesh, 0.0)
    with_shoulders = portrait.mask.clone()
    with_shoulders[int(0.8 * SIDE) :] = 1.0
    one, other = (sat(replace(portrait, mask=mask)) for mask in (portrait.mask, with_shoulders))
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


def test_a_collar_is_no_part_of_the_head_and_a_neck_in_the_shadow_is():
    mesh = head()
    low = mesh.vertices[:, 1:2] < -95.0
    dressed = replace(mesh, albedo=torch.where(low, torch.tensor([0.2, 0.3, 0.8]), mesh.albedo))
    shaded = replace(mesh, albedo=torch.where(low, 0.4 * mesh.albedo, mesh.albedo))
    plain, collar, shadow = (sat(photo_of(one, 0.0)) for one in (mesh, dressed, shaded))
    assert torch.equal(shadow.head, plain.head)
    counted = [int((one.head & (one.part == PARTS.index("neck"))).sum()) for one in (plain, collar)]
    assert 100 < counted[1] < 0.8 * counted[0]
    assert judged(mesh, collar).numbers["neck_grey_levels"] < 6.0
