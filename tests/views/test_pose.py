"""The camera of a view, by the head's fiducials and by the cameras of its photos."""

from dataclasses import replace

import pytest
import torch

from headrecon.geometry.camera import project
from headrecon.geometry.surface import at
from headrecon.types import Head
from headrecon.views.pose import Pose
from tests.template.test_fit import factors, person

POSE = Pose(turn=0.2, max_turn=15.0, max_azimuth=70.0, min_cosine=0.35, min_points=60)
TRUTH = replace(person(3), fitted=True)


def test_a_view_is_taken_from_as_near_as_its_photos():
    view = factors(TRUTH, 20.0)
    near, far = (replace(view.camera, nearness=1.0 / mm) for mm in (500.0, 2000.0))
    found = POSE(view, (near, far), Head(()), TRUTH).camera
    assert found.nearness == pytest.approx(1.0 / 800.0)
    # It sees the front of the head as large as before.
    marks = at(TRUTH.fiducials, TRUTH.faces, TRUTH.vertices)
    shown = marks @ view.camera.view_from_head[2] > 60.0
    before, after = (project(marks[shown], camera)[:, :2] for camera in (view.camera, found))
    assert float((after - before).norm(dim=1).mean()) < 1.0


def test_a_view_whose_fiducials_turn_away_keeps_its_camera():
    view = factors(TRUTH, 20.0)
    behind = replace(
        view,
        camera=replace(view.camera, view_from_head=torch.diag(torch.tensor([-1.0, 1.0, -1.0]))),
    )
    assert POSE(behind, (replace(view.camera, nearness=0.002),), Head(()), TRUTH) is behind
