import math
from dataclasses import replace

import pytest
import torch
import trimesh

from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.mesh.scale import (
    CircumferenceScale,
    InterpupillaryScale,
    IrisScale,
    TemplateScale,
)
from headrecon.types import HeadMesh, Portrait
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
        scale = CircumferenceScale(570.0, above)(ball(90.0), ())
        assert scale == pytest.approx(570.0 / float(circle), rel=1e-3)


def test_a_tape_that_misses_the_head_changes_nothing():
    assert CircumferenceScale(570.0, 500.0)(ball(90.0), ()) == 1.0


def test_eyes_are_brought_to_their_distance():
    mesh = artifacts.head_mesh()
    landmarks = torch.zeros(68, 3)
    landmarks[36:42] = torch.tensor([-20.0, 5.0, 3.0])
    landmarks[42:48] = torch.tensor([20.0, 5.0, 3.0])
    mesh = replace(mesh, landmarks=landmarks)
    assert InterpupillaryScale(63.0)(mesh, ()) == pytest.approx(63 / 40)
    assert TemplateScale()(mesh, ()) == 1.0


def eyed(name: str, azimuth: float, apart: float, glasses: float = 0.0) -> Portrait:
    """A portrait whose eyes are so many pixels apart, seen from the front."""
    fiducials = torch.zeros(468, 2)
    fiducials[list(IBUG68_FROM_MESH[42:48])] = torch.tensor([apart, 0.0])
    shown = math.cos(math.radians(azimuth)) * fiducials
    seen = artifacts.portrait(name, azimuth)
    return replace(seen, fiducials=shown, glasses=glasses)


def test_irises_of_the_larger_half_of_the_photos_from_the_front_tell_the_size():
    widths = {"far": 3.0, "near": 10.0, "nearer": 12.0, "glasses": 50.0, "side": 50.0}
    portraits = (
        # Small irises look larger than they are.
        eyed("far", 0.0, 10.0),
        eyed("near", 5.0, 54.0),
        eyed("nearer", -14.0, 54.0 * 1.2),
        eyed("glasses", 0.0, 60.0, 0.9),
        eyed("side", 30.0, 60.0),
    )
    landmarks = torch.zeros(68, 3)
    landmarks[42:48] = torch.tensor([54.0, 0.0, 0.0])
    mesh = replace(artifacts.head_mesh(), landmarks=landmarks)
    scale = IrisScale(11.7, lambda p: torch.full((2,), widths[p.name]), 15.0, 0.5)
    assert scale(mesh, portraits) == pytest.approx(11.7 * 5.4 / 54.0)
    assert scale(mesh, portraits[3:]) == 1.0
