"""The camera by shading and outline, of heads that were seen by a camera that is known."""

import logging
from dataclasses import replace

import pytest
import roma
import torch

from headrecon.template.dense_pose import DensePose
from headrecon.types import Camera, Factors, Head
from tests.template.test_fit import GENERIC, factors, person

POSE = DensePose(
    first=lambda factors, cameras, head, template: factors,
    turn=4.0,
    shift=6.0,
    growth=0.04,
    normals=200.0,
    normal_deviation=0.15,
    outlines=16.0,
    outline_deviation=4.0,
    outline_reach=10.0,
    cutoff=0.3,
    min_cosine=0.3,
    min_pixels=300,
    rounds=3,
    steps=30,
)
TRUTH = replace(person(3), fitted=True)


def moved(camera: Camera) -> Camera:
    """By three degrees, 5 millimetres and two percent."""
    turn = roma.rotvec_to_rotmat(torch.deg2rad(torch.tensor([1.5, 2.5, -0.8])))
    return replace(
        camera,
        view_from_head=turn @ camera.view_from_head,
        scale=1.02 * camera.scale,
        origin=camera.origin + torch.tensor([1.6, -1.2]),
    )


def degrees(one: Camera, other: Camera) -> float:
    vector = roma.rotmat_to_rotvec(one.view_from_head @ other.view_from_head.T)
    return float(torch.rad2deg(vector.norm()))


@pytest.mark.parametrize("azimuth", [0.0, 40.0])
def test_the_camera_that_saw_a_head_is_found_from_one_that_is_off(azimuth: float) -> None:
    view = factors(TRUTH, azimuth)
    start = moved(view.camera)
    found = POSE(replace(view, camera=start), (start,), Head(()), TRUTH).camera
    assert degrees(start, view.camera) > 2.9
    assert degrees(found, view.camera) < 0.7
    assert found.scale == pytest.approx(view.camera.scale, rel=0.006)
    assert float((found.origin - view.camera.origin).norm()) < 0.5


def test_a_camera_that_is_right_stays(caplog: pytest.LogCaptureFixture) -> None:
    view = factors(TRUTH, 30.0)
    with caplog.at_level(logging.INFO):
        found = POSE(view, (view.camera,), Head(()), TRUTH).camera
    assert degrees(found, view.camera) < 0.3
    assert "shading and outline turn the camera by 0." in caplog.text


def test_a_stranger_s_template_and_a_view_without_skin_keep_the_first_camera() -> None:
    view = factors(TRUTH, 0.0)

    def first(factors: Factors, cameras: object, head: Head, template: object) -> Factors:
        return replace(factors, camera=moved(factors.camera))

    blank = replace(view, mask=torch.zeros_like(view.mask))
    for seen, template in ((view, GENERIC), (blank, TRUTH)):
        found = replace(POSE, first=first)(seen, (view.camera,), Head(()), template).camera
        assert torch.equal(found.view_from_head, moved(view.camera).view_from_head)
