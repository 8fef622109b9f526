"""Measuring how detectors err, where it is known."""

import torch

from headrecon.learning.bias import BiasExamples, MeasureBias, examine_bias

MEASURE = MeasureBias(azimuths=[0.0, 40.0], near=20.0, spread=10.0)
PEOPLE, PHOTOS = 60, 6


def examples(noise: float, seed: int = 0) -> BiasExamples:
    """Photos whose fiducials are drawn to the average by 0.4 from the front and 0.8 from the side.

    On the canvas they are a millimetre too low, and each photo is off by chance.
    """
    generator = torch.Generator().manual_seed(seed)
    azimuths = torch.linspace(-40.0, 40.0, PHOTOS).repeat(PEOPLE)
    people = torch.arange(PEOPLE).repeat_interleave(PHOTOS)
    true = 2.0 * torch.randn(PEOPLE, 468, 2, generator=generator)[people]
    share = torch.where(azimuths.abs() < 20.0, 0.6, 0.2)[:, None, None]
    own = noise * torch.randn(PEOPLE, 468, 2, generator=generator)[people]
    found = share * true + torch.tensor([0.0, 1.0]) + own
    found = found + 0.3 * torch.randn(found.shape, generator=generator)
    shown = torch.rand(len(people), 468, generator=generator) < 0.8
    return BiasExamples(true, found, shown, azimuths, people)


def test_share_offset_and_deviation_are_found():
    bias = MEASURE(examples(noise=0.5))
    assert torch.allclose(bias.share[0], torch.tensor(0.6), atol=0.1)
    assert torch.allclose(bias.share[1], torch.tensor(0.2), atol=0.1)
    assert (bias.offset - torch.tensor([0.0, 1.0])).abs().mean() < 0.15
    assert torch.allclose(bias.deviation.mean(), torch.tensor(0.55), atol=0.08)


def test_on_other_people_the_deviation_is_what_is_claimed():
    learnt, aside = examples(noise=0.5).apart(20)
    assert len(learnt.people.unique()) == 40
    assert len(aside.people.unique()) == 20
    scores = examine_bias(MEASURE(learnt), MEASURE, aside)
    assert 0.9 < scores["expected_0_deviations"] < 1.15
    assert scores["expected_0_mm"] < 0.6 * scores["raw_0_mm"]


def test_fiducials_that_nobody_shows_have_no_say():
    some = examples(noise=0.5)
    some.shown[:, 100:] = False
    bias = MEASURE(some)
    assert (bias.offset[:, 100:] == 0.0).all()
    assert torch.isfinite(bias.deviation).all()
