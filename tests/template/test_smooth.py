"""Smooth modes are a low-rank root of the covariance that they are said to have."""

from dataclasses import replace

import pytest
import torch

from headrecon.template.build import BuildTemplate
from headrecon.template.smooth import SmoothModes

TEMPLATE = BuildTemplate(size=1.0, people=2)()
FACE = TEMPLATE.region == 0


def test_modes_have_the_covariance_of_the_process():
    modes = SmoothModes(count=200, length=30.0, deviation=1.5)(TEMPLATE)
    assert modes.shape == (600, len(TEMPLATE.vertices), 3)
    some = modes[:, FACE.nonzero()[::40, 0]].double()
    covariance = torch.einsum("kvx,kwy->vwxy", some, some)
    place = TEMPLATE.vertices[FACE.nonzero()[::40, 0]].double()
    alike = 1.5**2 * torch.exp(-0.5 * (torch.cdist(place, place) / 30.0).square())
    expected = torch.einsum("vw,xy->vwxy", alike, torch.eye(3).double())
    assert float((covariance - expected).abs().max()) < 0.02 * 1.5**2


def test_few_modes_keep_most_of_it():
    modes = SmoothModes(count=60, length=30.0, deviation=1.0)(TEMPLATE)
    variance = modes[:, FACE].square().sum(dim=0)
    assert 0.9 < float(variance.mean()) < 1.01


def test_what_is_far_from_all_skin_stays():
    far = replace(TEMPLATE, vertices=TEMPLATE.vertices.clone())
    index = int((TEMPLATE.region == 3).nonzero()[0])
    far.vertices[index] += 500.0
    modes = SmoothModes(count=20, length=30.0, deviation=1.0)(far)
    assert float(modes[:, index].abs().max()) < 1e-6


@pytest.mark.parametrize("count", [0, 3])
def test_there_are_three_directions_to_a_mode(count: int):
    assert len(SmoothModes(count, 30.0, 1.0)(TEMPLATE)) == 3 * count
