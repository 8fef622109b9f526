import json
import re
from dataclasses import replace

import pytest
import torch

from headrecon.draw.residuals import residual_page, residuals
from headrecon.types import Stack
from tests import artifacts
from tests.draw.test_report import Nesting


def stacks() -> tuple[Stack, ...]:
    """Two views of six photos, of which one shows something else."""
    one = artifacts.stack()
    images = one.images.clone()
    images[4] = artifacts.random(*images[4].shape, seed=3)
    return replace(one, images=images), replace(artifacts.stack(), label="view-30")


def test_the_photo_that_shows_something_else_comes_first():
    found = tuple(residuals(artifacts.head_mesh(), stacks()))
    assert len(found) == 12
    worst = max(found, key=lambda one: one.grey_levels)
    assert (worst.name, worst.view) == ("photo 4.jpg", "view+30")
    page = residual_page("<me>", found)
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page)
    levels = [float(caption.rpartition(": ")[2]) for caption in captions]
    assert captions[0].startswith("photo 4.jpg, view+30: ")
    assert levels == sorted(levels, reverse=True)


def test_every_order_of_the_page_has_a_key_of_every_photo():
    page = residual_page("me", tuple(residuals(artifacts.head_mesh(), stacks())))
    parser = Nesting()
    parser.feed(page)
    assert parser.open == []
    keys = [
        json.loads(str(attributes["data-keys"]))
        for tag, attributes in parser.seen
        if tag == "figure" and "data-keys" in attributes
    ]
    assert len(keys) == 12
    assert {len(one) for one in keys} == {page.count("<button>")} == {3}
    assert {one[1] for one in keys} == {"view+30", "view-30"}


def test_a_photo_without_a_person_has_no_residual():
    one = replace(artifacts.stack(), masks=artifacts.stack().masks.clone())
    one.masks[2] = 0.0
    found = tuple(residuals(artifacts.head_mesh(), (one,)))
    assert found[2].grey_levels != found[2].grey_levels
    assert found[1].grey_levels == pytest.approx(found[1].grey_levels)
    assert "photo 2.jpg" in residual_page("me", found)
    assert not torch.isnan(one.images).any()
