"""Masks by what each pixel shows."""

import pytest
import torch

from headrecon.photos import segment_head
from headrecon.photos.faces import Face
from headrecon.photos.head_network import HeadNetwork
from headrecon.photos.head_points import HeadPoints, Pose
from headrecon.photos.segment import Segment
from headrecon.photos.segment_head import SegmentHead
from headrecon.photos.square import Square
from headrecon.truth import LABELS

WINDOW = Square(100.0, 100.0, 160.0, 0.0)
FACE = Face(100.0, 100.0, 50.0, torch.zeros(6, 2), 1.0)
STRAIGHT = Pose(0.0, 0.0, 0.0)
HEAD = HeadPoints(
    pose=STRAIGHT,
    deviation=STRAIGHT,
    mesh=torch.zeros(468, 2),
    corrected=torch.zeros(468, 2),
    glasses=0.0,
    covered=0.0,
)
PARTS = ["face", "ears", "neck", "hair", "clothes"]


class Half(Segment):
    """Guesses that the left half of every window is the person."""

    def guess(self, image, face, window, size):
        del image, face, window
        guess = torch.zeros(size, size)
        guess[:, : size // 2] = 1.0
        return guess


class Striped(HeadNetwork):
    """Believes the guess, but for a stripe of an occluder in the upper quarter."""

    def forward(self, images: torch.Tensor, guess: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(len(images), len(LABELS), *guess.shape[1:])
        logits[:, LABELS.index("background")] = 10.0
        logits[:, LABELS.index("hair")] = 20.0 * guess
        logits[:, LABELS.index("occluder"), : guess.shape[1] // 4] = 30.0
        return logits


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch) -> Segment:
    monkeypatch.setattr(segment_head, "load_network", lambda: Striped().eval())
    return Half(contexts=[2.8], black=-1.0, outline_side=64, outline_trust=0.0)


def test_what_is_before_the_person_is_taken_from_the_guess(first: Segment):
    image = torch.rand(3, 200, 200, generator=torch.Generator().manual_seed(0))
    mask = SegmentHead(first, PARTS)(image, FACE, HEAD, WINDOW, 80)
    assert mask.shape == (80, 80)
    assert float(mask[24:, :36].min()) > 0.99
    assert float(mask[:, 44:].max()) < 0.01
    assert float(mask[:16].max()) < 0.01


def test_parts_are_summed(first: Segment):
    image = torch.rand(3, 200, 200, generator=torch.Generator().manual_seed(1))
    covered = SegmentHead(first, ["occluder"])(image, FACE, HEAD, WINDOW, 80)
    assert float(covered[:16].min()) > 0.99
    assert float(covered[24:].max()) < 0.3


def test_there_is_nothing_beyond_the_photo(first: Segment):
    """The window reaches 80 pixels to the left of its centre, and the photo 40."""
    image = torch.rand(3, 200, 200, generator=torch.Generator().manual_seed(2))
    aside = Square(40.0, 100.0, 160.0, 0.0)
    mask = SegmentHead(first, PARTS)(image, FACE, HEAD, aside, 80)
    assert float(mask[:, :18].max()) == 0.0
    assert float(mask[24:, 22:36].min()) > 0.99


def test_a_part_that_there_is_not_is_refused(first: Segment):
    with pytest.raises(ValueError, match="there is no part beard"):
        SegmentHead(first, ["face", "beard"])
