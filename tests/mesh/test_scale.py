from dataclasses import replace

import pytest
import torch
import trimesh

from headrecon.mesh.scale import CircumferenceScale, InterpupillaryScale, TemplateScale
from headrecon.types import HeadMesh
from tests import artifacts


def ball(radius: float) -> HeadMesh:
    """A fine ball whose brows are at the height of its middle."""
    sphere = trimesh.creation.icosphere(5, radius=radius)
    vertices = torch.from_numpy(sphere.vertices.copy()).float()
    faces = torch.from_numpy(sphere.faces.copy()).long()
    flat = torch.zeros(68, 3)
    return HeadMesh(vertices, faces, torch.ones_like(vertices), vertices[:, 0] * 0, flat)


def test_a_tape_measures_the_circle_that_it_lies_on():
    for above in (0.0, 30.0):
        circle = 2.0 * torch.pi * (90.0**2 - above**2) ** 0.5
        scale = CircumferenceScale(570.0, above)(ball(90.0))
        assert scale == pytest.approx(570.0 / float(circle), rel=1e-3)


def test_a_tape_that_misses_the_head_changes_nothing():
    assert CircumferenceScale(570.0, 500.0)(ball(90.0)) == 1.0


def test_eyes_are_brought_to_their_distance():
    mesh = artifacts.head_mesh()
    landmarks = torch.zeros(68, 3)
    landmarks[36:42] = torch.tensor([-20.0, 5.0, 3.0])
    landmarks[42:48] = torch.tensor([20.0, 5.0, 3.0])
    assert InterpupillaryScale(63.0)(replace(mesh, landmarks=landmarks)) == pytest.approx(63 / 40)
    assert TemplateScale()(mesh) == 1.0
