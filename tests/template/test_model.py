"""The linear space of heads."""

import pytest
import torch

from headrecon.geometry.similarity import fit_similarity
from headrecon.template.model import HeadModel, direction, head_model
from headrecon.template.regions import REGIONS


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return head_model()


def _distance(model: HeadModel, head: torch.Tensor, chosen: torch.Tensor) -> float:
    source, target = head[chosen], model.mean[chosen]
    matrix, translation = fit_similarity(source, target, torch.ones(len(source)), rounds=1)
    return float((source @ matrix.T + translation - target).norm(dim=-1).mean())


def test_no_coefficients_give_the_mean(model):
    head = model.heads(torch.zeros(len(model.identity)), torch.zeros(len(model.actions)))
    assert torch.equal(head, model.mean)


def test_the_mean_is_symmetric_and_directions_are_symmetric_or_opposite(model):
    mirror = torch.tensor([-1.0, 1.0, 1.0])
    exact = "donot_use_mm_for_euclid_dist"
    distances = torch.cdist(model.mean * mirror, model.mean, compute_mode=exact)
    distance, partner = distances.min(dim=1)
    assert distance.max() < 1e-3
    mirrored = model.identity[:, partner] * mirror
    cosine = torch.cosine_similarity(model.identity.flatten(1), mirrored.flatten(1))
    assert cosine[:20].abs().min() > 0.99


def test_heads_are_linear_and_batched(model):
    identity = torch.randn(2, len(model.identity), generator=torch.Generator().manual_seed(0))
    neutral = torch.zeros(2, len(model.actions))
    heads = model.heads(identity, neutral)
    halfway = model.heads(identity.mean(dim=0), neutral[0])
    assert torch.allclose(heads.mean(dim=0), halfway, atol=1e-3)


def test_strangers_differ_from_the_mean_by_a_few_millimetres(model):
    neutral = torch.zeros(len(model.actions))
    face = model.region == REGIONS.index("face")
    distances = [
        _distance(model, model.heads(model.random_identity(seed), neutral), face)
        for seed in range(20)
    ]
    assert min(distances) > 1.2
    assert max(distances) < 4.5


def test_identities_keep_the_ear_canals_level_and_in_the_middle(model):
    ears = (model.region == REGIONS.index("ears")).nonzero()[:, 0]
    for seed in range(5):
        head = model.heads(model.random_identity(seed), torch.zeros(len(model.actions)))
        assert head[ears].mean(dim=0).abs().max() < 15


def test_components_are_ordered_by_their_share(model):
    energy = model.identity.flatten(1).norm(dim=1)
    assert (energy.diff() <= 1e-3).all()


def test_opening_the_jaw_lowers_the_lower_lip_only(model):
    moved = model.expression[model.actions.index("jawOpen")]
    lips = model.mean[model.mouth]
    order = model.mouth[lips[:, 0].abs() < 8]
    drop = moved[order, 1]
    assert drop.min() < -10
    assert drop.max() > -3
    scalp = moved[model.region == REGIONS.index("scalp")]
    assert scalp.abs().max() < 1.0


def test_closing_an_eye_keeps_its_middle_between_the_lids(model):
    moved = model.mean + model.expression[model.actions.index("eyeBlinkLeft")]
    eye = (model.region == REGIONS.index("eyes")) & (model.mean[:, 0] > 0)
    opening = moved[eye][:, 1].max() - moved[eye][:, 1].min()
    before = model.mean[eye][:, 1].max() - model.mean[eye][:, 1].min()
    assert opening < 0.8 * before


def test_the_signs_of_the_components_are_not_left_to_the_machine(model):
    flat = model.identity.double().numpy().reshape(len(model.identity), -1)
    assert ((flat @ direction(flat.shape[1])) > 0.0).all()


@pytest.mark.slow
def test_a_fresh_cache_gives_the_same_model(model, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADRECON_CACHE", str(tmp_path))
    built, read = head_model(), head_model()
    assert torch.equal(built.mean, read.mean)
    assert torch.allclose(built.mean, model.mean, atol=1e-3)
    assert built.actions == model.actions
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]
