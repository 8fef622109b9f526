import json
import math
import re

import numpy as np
import pytest
import torch
from PIL import Image

from headrecon.draw.residuals import Residual, beside, residual_page
from tests.draw.test_report import Nesting

BLANK = Image.new("RGB", (12, 4))
FOUND = (
    Residual("fine.jpg", "view+00 view+30", 9.0, 4.0, BLANK),
    Residual("other hair.jpg", "view-30", 31.0, 5.0, BLANK),
    Residual("a hand.jpg", "view+00", 20.0, 18.0, BLANK),
    Residual("from behind.jpg", "", math.nan, math.nan, BLANK),
)
PAGE = residual_page("<me>", FOUND, {"from behind.jpg": "in no view"})


def keys() -> list[list[str]]:
    """Of each photo, in the order of the page."""
    parser = Nesting()
    parser.feed(PAGE)
    assert parser.open == []
    return [
        json.loads(str(attributes["data-keys"]))
        for tag, attributes in parser.seen
        if tag == "figure" and "data-keys" in attributes
    ]


def test_the_worst_photo_comes_first_and_one_without_an_error_last():
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", PAGE)
    assert captions == [
        "other hair.jpg, view-30: head 31.0, face 5.0",
        "a hand.jpg, view+00: head 20.0, face 18.0",
        "fine.jpg, view+00 view+30: head 9.0, face 4.0",
        "from behind.jpg, in no view: too little to tell its light",
    ]


def test_every_order_of_the_page_has_a_key_of_every_photo():
    found = keys()
    assert {len(one) for one in found} == {PAGE.count("<button>")} == {4}
    by_face = sorted(found, key=lambda one: float(one[1]))
    assert [one[3] for one in by_face][:2] == ["a hand.jpg", "other hair.jpg"]
    assert by_face[-1][3] == "from behind.jpg"
    assert max(found, key=lambda one: one[2])[3] == "from behind.jpg"


def test_a_photo_lies_beside_its_rendering_and_their_difference():
    photo = torch.full((3, 40, 40), 0.5)
    rendered = torch.zeros(3, 40, 40)
    rendered[:, 10:30, 10:30] = 0.5
    counted = rendered[0] > 0
    # Where the head gets no light it is black, and no paper.
    rendered[:, 10:15] = 0.0
    drawn = beside(photo, rendered, counted, torch.where(counted, 60.0, 0.0), counted)
    levels = np.asarray(drawn.convert("L"))
    cell, middle = levels.shape[1] // 3, levels.shape[0] // 2
    assert levels[20, 20] == pytest.approx(188, abs=2)
    # Around the head there is paper.
    assert levels[20, cell + 20] == levels[20, 2 * cell + 20] == 255
    assert levels[middle // 3 + 30, cell + cell // 2] < 5
    assert levels[middle, cell + cell // 2] == pytest.approx(188, abs=2)
    assert levels[middle, 2 * cell + cell // 2] == pytest.approx(250, abs=5)
