"""What turning a head moves where, on the template itself."""

import pytest
import torch
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.surface import at, vertex_normals
from headrecon.geometry.warp import sample
from headrecon.render.rasterize import rasterize
from headrecon.template.build import BuildTemplate
from headrecon.types import Camera, Template
from headrecon.views.turn import turning_flow

SIDE = 128


@pytest.fixture(scope="module")
def template() -> Template:
    return BuildTemplate(size=1.0, people=2)()


def camera(azimuth: float, elevation: float = 0.0) -> Camera:
    return Camera(view_from_head(azimuth, elevation), 0.4, torch.tensor([64.0, 66.0]), SIDE, SIDE)


def flow(template: Template, view: Camera, photo: Camera) -> Tensor:
    """Of a photo of the template by a camera of its own, which sees all fiducials."""
    marks = at(template.fiducials, template.faces, template.vertices)
    seen = project(marks, photo)[None, :, :2]
    rotations = [photo.view_from_head]
    return turning_flow(template, view, rotations, seen, torch.ones(1, 468), 4.0)


def test_a_photo_in_the_pose_of_the_view_does_not_move(template: Template):
    assert float(flow(template, camera(30.0), camera(30.0)).abs().max()) < 1e-2


@pytest.mark.parametrize(("view", "azimuth", "elevation"), [(0.0, 14.0, 8.0), (-90.0, -76.0, -9.0)])
def test_each_point_of_the_head_is_found_where_the_photo_shows_it(
    template: Template, view: float, azimuth: float, elevation: float
):
    straight, turned = camera(view), camera(azimuth, elevation)
    found = flow(template, straight, turned)
    there, here = project(template.vertices, turned), project(template.vertices, straight)
    # Vertices that the view sees, well inside the outline.
    depth = rasterize(template.vertices, template.faces, straight).z
    front = sample(depth[None, None], here[None, None, :, :2])[0, 0, 0]
    normals = vertex_normals(template.vertices, template.faces) @ straight.view_from_head[2]
    seen = (normals > 0.5) & ((front - here[:, 2]).abs() < 0.5)
    moved = sample(found, here[None, None, :, :2])[0, :, 0].T
    off = (here[:, :2] + moved - there[:, :2])[seen].norm(dim=1)
    assert int(seen.sum()) > 500
    assert float(off.quantile(0.95)) < 0.25
    assert float((there - here)[seen, :2].norm(dim=1).max()) > 3.0


def test_a_larger_picture_of_the_head_is_made_smaller(template: Template):
    view = camera(0.0)
    near = Camera(view.view_from_head, 0.44, torch.tensor([60.0, 70.0]), SIDE, SIDE)
    found = flow(template, view, near)[0]
    here = project(template.vertices, view)[:, :2]
    expected = project(template.vertices, near)[:, :2] - here
    moved = sample(found[None], here[None, None])[0, :, 0].T
    facing = vertex_normals(template.vertices, template.faces)[:, 2] > 0.5
    assert float((moved - expected)[facing].norm(dim=1).quantile(0.95)) < 0.1


def test_beyond_the_head_the_flow_goes_on_smoothly(template: Template):
    found = flow(template, camera(0.0), camera(14.0))
    steps = torch.cat([found.diff(dim=2).flatten(), found.diff(dim=3).flatten()]).abs()
    assert bool(found.isfinite().all())
    outside = ~rasterize(template.vertices, template.faces, camera(0.0)).mask
    outside[1:] &= outside[:-1].clone()
    assert float(found.diff(dim=2)[0, :, outside[1:]].abs().quantile(0.99)) < 1.0
    assert float(steps.median()) < 0.1
