"""The heads that a result has to be better than."""

from dataclasses import replace

import pytest
import torch

from headrecon.baselines.fiducial_warp import FiducialWarp
from headrecon.baselines.mean_head import MeanHead
from headrecon.geometry.camera import project
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.similarity import fit_similarity
from headrecon.geometry.surface import at
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.template.build import BuildTemplate
from headrecon.types import Camera, Portrait
from tests import artifacts

TEMPLATE = BuildTemplate(size=1.0, people=2)()
REST = at(TEMPLATE.fiducials, TEMPLATE.faces, TEMPLATE.vertices)
WARP = FiducialWarp(rounds=8, max_azimuth=50.0, prior=0.01, smoothing=0.0)


def seen(places: torch.Tensor, azimuth: float, elevation: float) -> Portrait:
    """A portrait whose fiducials are points seen by a weak-perspective camera."""
    camera = Camera(view_from_head(azimuth, elevation), 0.5, torch.tensor([60.0, 70.0]), 140, 120)
    fiducials = project(places, camera)[:, :2]
    portrait = artifacts.portrait(f"{azimuth}")
    return Portrait(**{**vars(portrait), "fiducials": fiducials, "azimuth": azimuth})


def portraits(places: torch.Tensor) -> tuple[Portrait, ...]:
    angles = ((-40.0, 5.0), (-20.0, -10.0), (0.0, 0.0), (15.0, 12.0), (35.0, -5.0))
    return tuple(seen(places, *turn) for turn in angles)


def moved(mesh) -> torch.Tensor:
    """Fiducials of a warped template."""
    return at(TEMPLATE.fiducials, TEMPLATE.faces, mesh.vertices)


def test_the_mean_head_is_the_template_whatever_the_photos_show():
    mesh = MeanHead()(TEMPLATE, portraits(1.3 * REST))
    assert torch.equal(mesh.vertices, TEMPLATE.vertices)
    assert torch.allclose(mesh.landmarks, REST[list(IBUG68_FROM_MESH)])
    assert not mesh.support.any()


def test_without_photos_the_warped_template_stays_as_it_is():
    assert torch.allclose(WARP(TEMPLATE, ()).vertices, TEMPLATE.vertices, atol=1e-4)
    sideways = tuple(seen(1.2 * REST, turn, 0.0) for turn in (-70.0, 65.0))
    assert torch.allclose(WARP(TEMPLATE, sideways).vertices, TEMPLATE.vertices, atol=1e-4)


def test_a_face_of_the_template_s_shape_is_left_alone():
    places = moved(replace(WARP, prior=2.0)(TEMPLATE, portraits(REST)))
    # Size and place are told by no photo and drift a little.
    linear, shift = fit_similarity(places, REST, torch.ones(468))
    assert (places @ linear.T + shift - REST).norm(dim=1).max() < 0.5


def test_a_longer_nose_and_a_wider_mouth_are_found_from_their_motion():
    bump = torch.exp(-(((REST - REST[1]).norm(dim=1) / 18.0) ** 2))[:, None]
    places = REST + bump * torch.tensor([0.0, 0.0, 9.0])
    mesh = WARP(TEMPLATE, portraits(places))
    error = (moved(mesh) - places).norm(dim=1)
    assert (REST - places).norm(dim=1).max() > 8.0
    assert error.median() < 0.7
    assert error.max() < 2.5
    tip = int(bump[:, 0].argmax())
    assert moved(mesh)[tip, 2] - REST[tip, 2] == pytest.approx(9.0, abs=2.0)
