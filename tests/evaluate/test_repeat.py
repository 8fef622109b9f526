"""Two heads of one person are as far apart as they are, wherever they stand."""

from dataclasses import replace

import pytest
import torch

from headrecon.evaluate.repeat import half, repeatability
from headrecon.geometry.surface import vertex_normals
from headrecon.template.build import BuildTemplate
from headrecon.types import Photo
from tests.evaluate.heads import mesh_of, truth

TEMPLATE = BuildTemplate(size=1.0, people=2)()


def test_the_same_head_repeats_itself_wherever_it_stands():
    head = mesh_of(truth())
    moved = replace(head, vertices=2.0 * head.vertices + 5.0, landmarks=2.0 * head.landmarks + 5.0)
    numbers = repeatability(head, moved, TEMPLATE)
    assert set(numbers) >= {"repeat/head_median_mm", "repeat/face_median_mm"}
    assert max(numbers.values()) < 0.01


def test_a_swollen_head_is_as_far_as_it_swells_and_it_does_not_matter_which_is_first():
    head = mesh_of(truth())
    outward = vertex_normals(head.vertices, head.faces)
    swollen = replace(head, vertices=head.vertices + 2.0 * outward)
    one, other = (
        repeatability(*pair, TEMPLATE)["repeat/head_median_mm"]
        for pair in ((head, swollen), (swollen, head))
    )
    assert one == pytest.approx(2.0, abs=0.1)
    assert other == pytest.approx(one, abs=0.01)


def test_halves_depend_on_contents_alone_and_are_about_even():
    photos = [Photo(f"{i}.jpg", torch.tensor([i, 3], dtype=torch.uint8)) for i in range(200)]
    halves = [half(photo) for photo in photos]
    assert [half(replace(photo, name="x")) for photo in photos] == halves
    assert 70 < sum(halves) < 130
