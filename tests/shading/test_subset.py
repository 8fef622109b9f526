import torch

from headrecon.shading.subset import Everything, Irls, SmallResiduals


def residuals(outlier: float) -> torch.Tensor:
    noise = 0.1 * torch.randn(50, 30, generator=torch.Generator().manual_seed(0))
    noise[7] = outlier
    return noise.T


def test_an_outlier_photo_loses_its_weight_and_the_others_keep_theirs():
    weights = Irls(cutoff=3.0, bright_cutoff=3.0, floor=0.01)(residuals(5.0), torch.ones(30, 50))
    assert float(weights[:, 7].max()) < 0.01
    assert float(weights[:, :7].mean()) > 0.7


def test_weights_do_not_change_when_light_is_measured_in_other_units():
    subset = Irls(cutoff=2.0, bright_cutoff=2.0, floor=1e-9)
    one = subset(residuals(1.0), torch.ones(30, 50))
    assert torch.allclose(one, subset(1000.0 * residuals(1.0), torch.ones(30, 50)), atol=1e-4)


def test_masked_photos_neither_count_nor_set_the_scale():
    base = torch.ones(30, 50)
    base[:, 20:] = 0.0
    values = residuals(0.0)
    values[:, 20:] = 100.0
    weights = Irls(cutoff=2.0, bright_cutoff=2.0, floor=0.01)(values, base)
    assert torch.equal(weights[:, 20:], torch.zeros(30, 30))
    alone = Irls(cutoff=2.0, bright_cutoff=2.0, floor=0.01)(values[:, :20], base[:, :20])
    assert torch.equal(weights[:, :20], alone)


def test_the_papers_rule_keeps_small_residuals_and_at_least_the_minimum():
    values = torch.tensor([[0.1, 0.1, 0.1, 3.0]])
    base = torch.ones(1, 4)
    kept = SmallResiduals(share=1.0, minimum=2)(values, base)
    assert kept[0].tolist() == [1.0, 1.0, 1.0, 0.0]
    growing = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    kept = SmallResiduals(share=0.0, minimum=3)(growing, base)
    assert kept[0].tolist() == [1.0, 1.0, 1.0, 0.0]


def test_without_subsets_the_worst_photo_is_believed_like_the_others():
    base = torch.rand(30, 50, generator=torch.Generator().manual_seed(1))
    assert torch.equal(Everything()(residuals(100.0), base), base)
