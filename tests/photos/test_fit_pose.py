"""Poses of heads whose fiducials are known."""

import numpy as np
import pytest
import torch
from torch import Tensor

from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.surface import at
from headrecon.photos.fit_pose import fit_pose
from headrecon.photos.head_points import Pose
from headrecon.template.build import BuildTemplate
from headrecon.types import Template

LOOSE = Pose(1e4, 1e4, 1e4)


@pytest.fixture(scope="module")
def head() -> Tensor:
    template: Template = BuildTemplate(size=1.0, people=2)()
    return at(template.fiducials, template.faces, template.vertices)


def seen(head: Tensor, pose: Pose) -> Tensor:
    turned = head @ view_from_head(pose.azimuth, pose.elevation, pose.roll).to(head).T
    return 1.7 * turned[:, :2] * torch.tensor([1.0, -1.0]) + torch.tensor([300.0, 200.0])


@pytest.mark.parametrize(
    "pose", [Pose(0.0, 0.0, 0.0), Pose(70.0, -12.0, 8.0), Pose(-95.0, 10.0, -15.0)]
)
def test_the_pose_that_fiducials_were_seen_in_is_found(head: Tensor, pose: Pose):
    vote = Pose(pose.azimuth + 9.0, pose.elevation - 6.0, pose.roll + 4.0)
    found = fit_pose(seen(head, pose), head, 250.0, vote, LOOSE)
    assert vars(found) == pytest.approx(vars(pose), abs=1e-3)


def test_a_vote_that_is_sure_is_kept(head: Tensor):
    vote = Pose(5.0, 1.0, -2.0)
    sure = Pose(1e-3, 1e-3, 1e-3)
    found = fit_pose(seen(head, Pose(12.0, 3.0, 4.0)), head, 250.0, vote, sure)
    assert vars(found) == pytest.approx(vars(vote), abs=0.01)


def test_between_vote_and_fiducials_the_surer_counts_more(head: Tensor):
    points, pose = seen(head, Pose(20.0, 0.0, 0.0)), Pose(0.0, 0.0, 0.0)
    azimuths = [
        fit_pose(points, head, 250.0, pose, Pose(d, d, d)).azimuth for d in (1.0, 4.0, 16.0)
    ]
    assert np.all(np.diff(azimuths) > 0)
    assert 0 < azimuths[0] < 10 < azimuths[2] < 20


def test_all_units_of_length_give_the_same_pose(head: Tensor):
    points, vote = seen(head, Pose(40.0, 5.0, 3.0)), Pose(30.0, 0.0, 0.0)
    deviation = Pose(3.0, 3.0, 3.0)
    one = fit_pose(points, head, 250.0, vote, deviation)
    other = fit_pose(0.1 * points, 0.01 * head, 25.0, vote, deviation)
    assert vars(other) == pytest.approx(vars(one), abs=1e-2)
