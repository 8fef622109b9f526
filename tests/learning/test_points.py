"""Examples for the correction of points, from photos as detectors see them."""

from pathlib import Path

import pytest
import torch

from headrecon.learning.points import MakePointExamples, even_azimuth
from headrecon.photos.find import FindFace
from headrecon.photos.head_points import WIDTHS
from tests.synthetic.sessions import SESSION

FIND = FindFace(
    min_score=0.3, good_score=0.7, overlap=0.3, finest=400.0, focus=4.0, rival=0.15, most=4
)


def test_a_photo_and_its_mirror_image_are_examples(tmp_path: Path) -> None:
    """Poses change their signs, and points their sides, as the detectors' own points do."""
    make = MakePointExamples(SESSION, FIND, people=1, photos=2, reach=30.0, first_person=40)
    found = make(tmp_path, workers=1)
    assert {name: value.shape[1] for name, value in found.said.items()} == WIDTHS
    assert found.people.tolist() == [0, 0, 0, 0]
    signs = torch.tensor([-1.0, 1.0, -1.0])
    torch.testing.assert_close(found.poses[0::2], signs * found.poses[1::2])
    assert bool((found.covers[0::2] == found.covers[1::2]).all())
    # The picture of the mirror image is mirrored, up to where its box was found.
    assert found.crops.shape == (4, 3, 128, 128)
    one, other = found.crops[0].float().flip(-1).flatten(), found.crops[1].float().flatten()
    assert float(torch.corrcoef(torch.stack([one, other]))[0, 1]) > 0.9
    assert int(found.visible[0].sum()) == int(found.visible[1].sum())
    said = found.said["mesh"].unflatten(1, (468, 3))[..., :2]
    assert (said - found.points).norm(dim=2).median() < 0.05
    assert len(list(tmp_path.glob("*.pt"))) == 1
    again = make(tmp_path, workers=1)
    assert torch.equal(again.points, found.points)
    assert found.points.abs().max() == pytest.approx(0.6, abs=0.4)


def test_no_azimuth_is_rarer_than_another() -> None:
    azimuths = torch.tensor([even_azimuth(index, 100.0) for index in range(400)])
    counts = torch.histc(azimuths, bins=20, min=-100.0, max=100.0)
    assert counts.sum() == 400
    assert bool(((counts - 20.0).abs() <= 2.0).all())
