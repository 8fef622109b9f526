"""Errors of photos that are kept aside."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, islice

import pytest
import torch

from headrecon.mesh.aside import grey_levels_off, in_turns, skin_areas, takes_part
from headrecon.mesh.shot import Shot
from headrecon.render.occlusion import Occlusion
from headrecon.types import HeadMesh
from tests.mesh.eggs import head, shots, shots_of

EGG = head(1.25)
PHOTOS = shots_of(shots(EGG), EGG)
ALTERED = {
    "image": torch.ones_like(PHOTOS[0].image),
    "mask": torch.zeros_like(PHOTOS[0].mask),
}
ALL = torch.ones(len(EGG.vertices))


def off(mesh: HeadMesh, photos: Sequence[Shot], areas: Sequence[torch.Tensor]) -> float:
    return grey_levels_off(mesh, Occlusion.of(mesh.vertices, mesh.faces), photos, areas)


def test_one_photo_in_so_many_takes_no_part():
    assert takes_part("abcdefg", 3).tolist() == [True, True, False, True, True, False, True]
    assert bool(takes_part("abcdefg", 0).all())
    assert takes_part([], 3).shape == (0,)


def test_a_mirror_image_takes_part_if_its_photo_does():
    names = [f"{name}.jpg" for name in "abcd"]
    part = takes_part([*names, *(f"{name} (mirrored)" for name in names)], 3)
    assert part.tolist() == [True, True, False, True] * 2


def test_all_photos_have_their_turn_equally_often():
    turns = list(islice(in_turns([3, 5, 8, 9, 12], 2, torch.Generator().manual_seed(0)), 10))
    assert all(len(turn) == 2 for turn in turns)
    assert sorted(chain(*turns)) == sorted([3, 5, 8, 9, 12] * 4)
    assert sorted([*chain(*turns)][:5]) == [3, 5, 8, 9, 12]
    assert next(in_turns([4], 3, torch.Generator())) == [4, 4, 4]
    assert list(in_turns([], 3, torch.Generator())) == []


def test_photos_are_those_that_the_mesh_itself_renders_and_no_other():
    small = replace(EGG, vertices=0.7 * EGG.vertices)
    areas = skin_areas(EGG, PHOTOS, ALL)
    assert off(EGG, PHOTOS, areas) < 2.0
    assert off(small, PHOTOS, areas) > 20.0


def test_all_photos_count_alike_and_none_are_no_error():
    wrong, some = head(1.0), [PHOTOS[0], PHOTOS[-1]]
    areas = skin_areas(EGG, some, ALL)
    one, other = (off(wrong, [photo], [area]) for photo, area in zip(some, areas, strict=True))
    assert off(wrong, some, areas) == pytest.approx((one + other) / 2)
    assert math.isnan(off(wrong, [], []))
    assert math.isnan(off(wrong, some, [area & False for area in areas]))


def test_what_is_compared_is_skin_that_is_turned_to_the_camera_and_not_clipped():
    photo = PHOTOS[0]
    white, nobody = (replace(photo, **{name: by}) for name, by in ALTERED.items())
    whole, *nothing = skin_areas(EGG, [photo, white, nobody], ALL)
    [left] = skin_areas(EGG, [photo], (EGG.vertices[:, 0] < 0.0).float())
    assert 0.3 < float(left.sum() / whole.sum()) < 0.7
    assert not bool((left & ~whole).any())
    assert float(whole.sum() / (photo.mask > 0.5).sum()) < 0.97
    assert not any(bool(area.any()) for area in nothing)
