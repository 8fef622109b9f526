"""Parts of a head, seen in another window of the photo."""

import math

import pytest
import torch

from headrecon.photos.faces import Face
from headrecon.photos.head_points import HeadPoints, Pose
from headrecon.photos.segment_head import SegmentHead, head_window, seen_from
from headrecon.photos.square import Square, from_photo

SIZE = 64


def head(pose: Pose) -> HeadPoints:
    points = torch.zeros(468, 2)
    return HeadPoints(
        pose=pose, deviation=pose, mesh=points, corrected=points, glasses=0.0, covered=0.0
    )


def test_what_a_turned_window_shows_is_where_it_is_in_the_photo() -> None:
    """A quarter turn: the window's x axis points down in the photo, and its y axis to the left."""
    values = torch.zeros(SIZE, SIZE)
    values[:, SIZE // 2 :] = 1.0
    own = Square(100.0, 60.0, 80.0, 90.0)
    seen = seen_from(values, own, Square(100.0, 60.0, 80.0, 0.0), 40)
    assert seen[24:].min() > 0.99
    assert seen[:16].max() < 0.01


def test_there_is_nothing_outside_of_the_window() -> None:
    own = Square(100.0, 60.0, 80.0, 0.0)
    wide = seen_from(torch.ones(SIZE, SIZE), own, Square(100.0, 60.0, 160.0, 0.0), 40)
    assert wide[:9].max() == 0.0
    assert wide[12:28, 12:28].min() > 0.99


def test_the_window_is_upright_and_lies_behind_a_face_that_is_turned() -> None:
    face = Face(50.0, 40.0, 20.0, torch.zeros(6, 2), 1.0)
    ahead = head_window(face, head(Pose(0.0, 0.0, 0.0)))
    assert ahead.x == face.x
    assert ahead.y < face.y
    turned = head_window(face, head(Pose(90.0, 0.0, 0.0)))
    assert turned.x < face.x
    # The crown of a head that is rolled to the image left is up in its window.
    rolled = head_window(face, head(Pose(0.0, 0.0, 30.0)))
    up = torch.tensor([-math.sin(math.radians(30.0)), -math.cos(math.radians(30.0))])
    place = from_photo(torch.tensor([rolled.x, rolled.y]) + up, rolled, SIZE) - SIZE / 2
    assert float(place[0]) == pytest.approx(0.0, abs=1e-4)
    assert float(place[1]) < 0.0


def test_a_part_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no part beard"):
        SegmentHead(parts=["face", "beard"], black=0.0)
