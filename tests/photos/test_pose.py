import numpy as np
import pytest
import torch

from headrecon.geometry.rotation import angles, view_from_head
from headrecon.photos.pose import Calibration, EstimatePose, Pose
from headrecon.photos.weak_perspective import fit_view
from headrecon.types import SurfacePoints, Template

NO_CORRECTION = Calibration(seen=[0.0, 90.0], azimuth=[0.0, 90.0], roll=[0.0, 0.0])


def estimate(calibration: Calibration = NO_CORRECTION) -> EstimatePose:
    return EstimatePose(40.0, 50.0, 3.0, 8.0, calibration)


def marked_cloud() -> Template:
    """A face-like cloud: every vertex of a fan of triangles is a fiducial, six are key points."""
    random = torch.Generator().manual_seed(3)
    vertices = torch.rand(470, 3, generator=random) * torch.tensor([140.0, 160.0, 60.0])
    vertices = vertices - torch.tensor([70.0, 80.0, -60.0])
    keys = [[-32, 26, 89], [32, 26, 89], [0, -11, 119], [0, -43, 104], [-78, 18, 6], [78, 18, 6]]
    vertices[:6] = torch.tensor(keys).float()
    faces = torch.stack([torch.arange(468), torch.arange(1, 469), torch.arange(2, 470)], dim=1)
    corner = torch.tensor([1.0, 0.0, 0.0])
    return Template(
        vertices=vertices,
        faces=faces,
        region=torch.zeros(470, dtype=torch.int64),
        fiducials=SurfacePoints(torch.arange(468), corner.repeat(468, 1)),
        keypoints=SurfacePoints(torch.arange(6), corner.repeat(6, 1)),
    )


def seen(points: torch.Tensor, pose: Pose) -> torch.Tensor:
    """Pixels, y down, of the points at 1.7 pixels per millimetre."""
    turned = points @ view_from_head(pose.azimuth, pose.elevation, pose.roll).T
    return torch.tensor([200.0, 150.0]) + 1.7 * turned[:, :2] * torch.tensor([1.0, -1.0])


POSES = [
    Pose(0.0, 0.0, 0.0),
    Pose(25.0, -12.0, 8.0),
    Pose(-47.0, 20.0, -15.0),
    Pose(83.0, 5.0, 9.0),
]


@pytest.mark.parametrize("pose", POSES)
def test_exact_points_give_the_exact_pose(pose: Pose):
    template = marked_cloud()
    points = seen(template.vertices[:468], pose)
    found = estimate()(template, points, points[:6])
    assert found.azimuth == pytest.approx(pose.azimuth, abs=0.01)
    assert found.elevation == pytest.approx(pose.elevation, abs=0.01)
    assert found.roll == pytest.approx(pose.roll, abs=0.01)


def test_a_tenth_of_the_points_far_off_changes_little():
    points = marked_cloud().vertices[:468].double().numpy()
    places = points @ view_from_head(20.0, 5.0, 3.0).double().numpy()[:2].T * 2.0
    places[:46] += np.array([60.0, 25.0])
    fit = fit_view(points, places, np.eye(3), tolerance=1.0)
    assert angles(torch.from_numpy(fit.view_from_head)) == pytest.approx((20.0, 5.0, 3.0), abs=1.0)
    assert fit.scale == pytest.approx(2.0, rel=0.01)


def test_the_mesh_decides_in_front_and_the_key_points_decide_aside():
    template = marked_cloud()
    for pose, other, wanted in (
        (Pose(20.0, 0.0, 0.0), Pose(30.0, 0.0, 0.0), 30.0),
        (Pose(70.0, 0.0, 0.0), Pose(30.0, 0.0, 0.0), 70.0),
        (Pose(45.0, 0.0, 0.0), Pose(35.0, 0.0, 0.0), 40.0),
    ):
        keypoints = seen(template.vertices[:6], pose)
        mesh = seen(template.vertices[:468], other)
        assert estimate()(template, mesh, keypoints).azimuth == pytest.approx(wanted, abs=0.05)


def test_the_calibration_corrects_both_sides_alike():
    calibration = Calibration(
        seen=[0.0, 60.0, 80.0], azimuth=[0.0, 65.0, 90.0], roll=[0.0, 4.0, 6.0]
    )
    right, left = calibration(Pose(70.0, 3.0, 6.0)), calibration(Pose(-70.0, 3.0, -6.0))
    assert right == Pose(77.5, 3.0, 1.0)
    assert left == Pose(-77.5, 3.0, -1.0)
