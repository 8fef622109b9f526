"""Depth and normals of a view against a head that the view's camera sees."""

from dataclasses import replace

import pytest
import torch

from headrecon.evaluate.surface import Similarity
from headrecon.evaluate.views import ambiguity_errors, view_errors
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.surface import vertex_normals
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.types import Camera, DepthMap, Factors, Head, NormalField, Surface
from tests import artifacts
from tests.evaluate.heads import truth

CAMERA = Camera(view_from_head(30.0, 5.0), 0.4, torch.tensor([60.0, 70.0]), 150, 120)
# The result's frame is twice as large, and stands elsewhere.
ALIGNED = Similarity(0.5 * torch.eye(3), torch.tensor([3.0, -4.0, 5.0]))


@pytest.fixture(scope="module")
def head() -> Head:
    """What a perfect run would have grown of one view."""
    vertices = ALIGNED.inverse()(truth().vertices)
    camera = replace(CAMERA, scale=CAMERA.scale / 2.0)
    fragments = rasterize(vertices, truth().faces, camera)
    turned = vertex_normals(vertices, truth().faces) @ camera.view_from_head.T
    normals = torch.nn.functional.normalize(interpolate(fragments, truth().faces, turned), dim=0)
    mask = fragments.mask
    field = replace(
        artifacts.normal_field(),
        camera=camera,
        normals=normals,
        deviation=torch.zeros_like(normals[0]),
        albedo=0.5 * mask.expand(3, -1, -1),
        mask=mask,
        support=9.0 * mask,
    )
    return Head((Surface(field, DepthMap("view+30", camera, fragments.z, mask)),))


def changed(head: Head, field: NormalField, depth: DepthMap) -> Head:
    return Head((replace(head.surfaces[0], normals=field, depth=depth),))


def factors(head: Head, mixing: torch.Tensor) -> Factors:
    """Pseudo-normals that are off the true ones by a linear map."""
    field = head.surfaces[0].normals
    true = torch.cat([torch.ones_like(field.normals[:1]), field.normals]) * field.albedo[:1]
    return replace(
        artifacts.factors(),
        camera=field.camera,
        shape=torch.einsum("ij,jhw->ihw", mixing, true),
        color=field.albedo,
        support=field.support,
        information=torch.eye(4)[:, :, None, None].expand(4, 4, *field.mask.shape),
        face=field.mask,
        mask=field.mask,
        residual=0.02 * field.mask,
    )


def test_a_perfect_view_has_no_error_in_its_own_frame(head: Head):
    errors = view_errors(head, truth(), ALIGNED)
    assert errors["view+30/normal_degrees"] < 0.1
    assert errors["view+30/depth_mm"] < 1e-3


def test_depth_may_be_off_as_a_whole_but_not_by_its_shape(head: Head):
    surface = head.surfaces[0]
    depth, field = surface.depth, surface.normals
    pushed = changed(head, field, replace(depth, z=depth.z + 7.0))
    assert view_errors(pushed, truth(), ALIGNED)["view+30/depth_mm"] < 1e-3
    flat = changed(head, field, replace(depth, z=0.5 * depth.z))
    assert view_errors(flat, truth(), ALIGNED)["view+30/depth_mm"] > 10.0


def test_normals_that_are_turned_by_10_degrees_are_10_degrees_off(head: Head):
    surface = head.surfaces[0]
    turned = torch.einsum("ij,jhw->ihw", view_from_head(10.0), surface.normals.normals)
    errors = view_errors(
        changed(head, replace(surface.normals, normals=turned), surface.depth), truth(), ALIGNED
    )
    # Those near the axis of the turn, the vertical, hardly move.
    assert 8.0 < errors["view+30/normal_degrees"] < 10.01


def test_any_linear_ambiguity_could_be_recovered(head: Head):
    mixing = torch.eye(4) + 0.4 * torch.randn(4, 4, generator=torch.Generator().manual_seed(3))
    numbers = ambiguity_errors((factors(head, mixing),), head, truth(), ALIGNED)
    assert numbers["view+30/best_linear_normal_degrees"] < 0.1
    assert numbers["view+30/factors_residual_share"] == pytest.approx(0.04, rel=1e-3)


def test_what_no_linear_map_gives_is_told(head: Head):
    right = factors(head, torch.eye(4))
    noise = 0.3 * torch.randn(right.shape.shape, generator=torch.Generator().manual_seed(4))
    numbers = ambiguity_errors((replace(right, shape=right.shape + noise),), head, truth(), ALIGNED)
    assert numbers["view+30/best_linear_normal_degrees"] > 5.0


def test_the_camera_of_the_view_is_the_one_that_sees(head: Head):
    """A view that claims another azimuth than its own is wrong."""
    surface = head.surfaces[0]
    camera = replace(surface.depth.camera, view_from_head=view_from_head(10.0, 5.0))
    wrong = changed(head, surface.normals, replace(surface.depth, camera=camera))
    assert view_errors(wrong, truth(), ALIGNED)["view+30/normal_degrees"] > 8.0
