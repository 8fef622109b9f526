"""How detectors err, and what fiducials say once that is known."""

import torch

from headrecon.template.fiducial_bias import Bias, FiducialBias, fiducial_bias
from headrecon.template.marks import Marks


def points(seed: int) -> torch.Tensor:
    return 40.0 * torch.randn(468, 2, generator=torch.Generator().manual_seed(seed))


PARTNER = torch.arange(468).flip(0)


def biased() -> FiducialBias:
    numbers = torch.stack([points(k) for k in range(6)]).reshape(3, 2, 468, 2)
    return FiducialBias(torch.tensor([0.0, 40.0]), *numbers)


def test_between_two_azimuths_the_bias_is_between_theirs():
    bias = biased()
    found = bias.seen_from(10.0, PARTNER)
    assert torch.allclose(found.offset, 0.75 * bias.offset[0] + 0.25 * bias.offset[1], atol=1e-5)
    assert torch.equal(bias.seen_from(80.0, PARTNER).share, bias.share[1])


def test_the_other_side_is_the_mirror_image():
    one, other = (biased().seen_from(azimuth, PARTNER) for azimuth in (25.0, -25.0))
    assert torch.equal(other.offset, (one.offset * torch.tensor([-1.0, 1.0]))[PARTNER])
    assert torch.equal(other.share, one.share[PARTNER])
    assert torch.equal(other.deviation, one.deviation[PARTNER])


def test_of_the_right_head_nothing_is_off_and_of_others_much():
    """Fiducials are found half way to the average's, and a millimetre too low."""
    average, head = points(1), points(1) + 0.2 * points(2)
    bias = Bias(torch.tensor([0.0, 1.0]).expand(468, 2), *2 * [torch.full((468, 2), 0.5)])
    shown = torch.ones(468)
    plain = Marks(average, shown, average, Bias.none(1.0), scale=0.4)
    (onto, by), _ = plain.explained(head)
    drawn = average + 0.5 * (onto * head + by - average) + torch.tensor([0.0, 0.4])
    marks = Marks(1.3 * drawn + 5.0, shown, average, bias, scale=0.4)
    (scale, shift), off = marks.explained(head)
    assert float(off) < 1e-6
    assert torch.allclose(scale * head + shift, 1.3 * (onto * head + by) + 5.0, atol=1e-2)
    assert float(marks.explained(average)[1]) > 100.0


def test_what_is_not_shown_says_nothing():
    average, head, found = points(1), points(1) + 0.1 * points(2), points(1) + 0.2 * points(3)
    shown = (torch.arange(468) % 3 > 0).float()
    moved = torch.where(shown[:, None] > 0, found, found + 50.0)
    answers = [
        Marks(one, shown, average, Bias.none(1.0), 1.0).explained(head) for one in (found, moved)
    ]
    assert torch.equal(answers[0][1], answers[1][1])
    assert torch.equal(answers[0][0][0], answers[1][0][0])


def test_a_place_undoes_scale_and_shift():
    average, head = points(1), points(1) + 0.1 * points(2)
    marks = Marks(2.0 * head + 7.0, torch.ones(468), average, Bias.none(1.0), 1.0)
    (scale, shift), off = marks.explained(head)
    assert torch.allclose(scale, torch.tensor(2.0), atol=1e-4)
    assert torch.allclose(shift, torch.full((2,), 7.0), atol=1e-3)
    assert float(off) < 1e-6


def test_detectors_draw_fiducials_to_the_average_heads():
    bias = fiducial_bias()
    inner = bias.share[0, [1, 33, 263, 61, 291, 199]]  # Tip of the nose, eyes, mouth, chin.
    assert (inner > 0.0).all()
    assert (inner < 1.0).all()
    assert bias.share[-1].mean() < bias.share[0].mean()
    assert torch.isfinite(bias.offset).all()
    assert (bias.deviation > 0.0).all()
