"""Photos that refinement keeps aside, and epochs that they take back."""

from dataclasses import replace

import pytest
import torch

from headrecon.types import Stack
from tests.mesh.eggs import begun, head, shots
from tests.mesh.test_refine import REFINE, template, through


@pytest.fixture(scope="module")
def longer() -> tuple[Stack, ...]:
    return shots(head(1.25))


ASIDE = replace(REFINE, aside=3, diffusion=[8])


def test_photos_kept_aside_take_no_part(longer: tuple[Stack, ...]):
    start, kind = head(1.1), template(head(1.1), "face", False)
    state = begun(start, longer)
    aside = torch.tensor([2, 5])
    others = tuple(
        replace(stack, images=stack.images.index_copy(0, aside, 0.5 * stack.images[aside]))
        for stack in longer
    )
    one, other = (through(ASIDE, state, photos, kind) for photos in (longer, others))
    assert torch.allclose(one.mesh.vertices, other.mesh.vertices, atol=0.05)
    assert one.errors.shape == (1, 2, 2)
    assert bool((one.errors[0, :, 1] < one.errors[0, :, 0]).all())
    assert float(one.errors[0, 0, 1]) == pytest.approx(float(other.errors[0, 0, 1]), abs=0.1)


def test_photos_kept_aside_judge_all_epochs_by_the_same_pixels(longer: tuple[Stack, ...]):
    start, kind = head(1.1), template(head(1.1), "face", False)
    twice = replace(ASIDE, steps=4, diffusion=[8, 8], vertex_rate=0.5, camera_rate=0.1)
    end = through(twice, begun(start, longer), longer, kind)
    assert not torch.equal(end.mesh.vertices, start.vertices)
    (_, first), (_, second) = end.errors
    assert float(first[1]) < float(first[0])
    assert float(second[0]) == float(first[1])


def test_an_epoch_that_makes_photos_kept_aside_worse_is_taken_back(longer: tuple[Stack, ...]):
    start, kind = head(1.25), template(head(1.25), "face", False)
    state = begun(start, longer)
    wild = through(replace(ASIDE, vertex_rate=4.0, steps=6), state, longer, kind)
    assert float(wild.errors[0, 1, 1]) > float(wild.errors[0, 1, 0])
    assert torch.equal(wild.mesh.vertices, start.vertices)
    assert wild.cameras == state.cameras
    assert wild.epoch == 1
    # Without such photos there is nothing to go by, and the epoch counts.
    none = through(replace(ASIDE, vertex_rate=4.0, steps=6, aside=0), state, longer, kind)
    assert none.errors.isnan().tolist() == [[[False, False], [True, True]]]
    assert not torch.equal(none.mesh.vertices, start.vertices)


def test_refinement_ends_where_more_of_the_same_would_be_taken_back(longer: tuple[Stack, ...]):
    start, kind = head(1.25), template(head(1.25), "face", False)
    state = begun(start, longer)
    wild = replace(ASIDE, vertex_rate=4.0, steps=6)
    back = through(wild, state, longer, kind)
    assert (state.taken_back, back.taken_back) == (False, True)
    assert replace(wild, diffusion=[8, 8]).settled(back)
    assert not replace(wild, diffusion=[8, 4]).settled(back)
    assert not replace(wild, diffusion=[8, 8]).settled(state)
    good = through(replace(ASIDE, steps=4, vertex_rate=0.5), begun(head(1.1), longer), longer, kind)
    assert not replace(ASIDE, diffusion=[8, 8]).settled(good)


def test_an_epoch_that_goes_too_far_counts_for_some_of_its_way(longer: tuple[Stack, ...]):
    start, kind = head(1.22), template(head(1.22), "face", False)
    wild = replace(ASIDE, vertex_rate=4.0, steps=6)
    lost, kept = (
        through(replace(wild, backtracking=shares), begun(start, longer), longer, kind)
        for shares in ([1.0], [1.0, 0.5, 0.25, 0.125, 0.0625])
    )
    assert torch.equal(lost.mesh.vertices, start.vertices)
    assert not torch.equal(kept.mesh.vertices, start.vertices)
    assert float(kept.errors[0, 1, 1]) <= float(kept.errors[0, 1, 0]) < float(lost.errors[0, 1, 1])
