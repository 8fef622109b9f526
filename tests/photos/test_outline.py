import torch

from headrecon.photos.outline import along_edges

SIZE = 96


def _disc(radius: float) -> torch.Tensor:
    grid = torch.arange(SIZE) + 0.5 - SIZE / 2
    return (grid[:, None].square() + grid[None, :].square() < radius**2).float()


def _picture(radius: float, seed: int = 0) -> torch.Tensor:
    """A reddish disc before a bluish wall, with some noise."""
    red, blue = (torch.tensor(c)[:, None, None] for c in ([0.5, 0.2, 0.1], [0.1, 0.2, 0.5]))
    disc = _disc(radius)
    noise = 0.02 * torch.randn(3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed))
    return (red * disc + blue * (1 - disc) + noise).clamp(0.0, 1.0)


def _iou(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_an_outline_too_wide_or_too_narrow_goes_to_the_edge_of_the_colours():
    true = _disc(30) > 0.5
    for wrong in (26, 34):
        unsure = 0.2 + 0.6 * _disc(wrong)
        assert _iou(unsure > 0.5, true) < 0.8
        moved = along_edges(_picture(30), unsure, side=SIZE, trust=0.7)
        assert _iou(moved > 0.5, true) > 0.97


def test_a_smaller_picture_finds_the_edge_to_a_pixel_of_its_own():
    moved = along_edges(_picture(30), 0.2 + 0.6 * _disc(34), side=SIZE // 2, trust=0.7)
    inner, outer = _disc(28) > 0.5, _disc(32) > 0.5
    assert (moved > 0.5)[inner].all()
    assert not (moved > 0.5)[~outer].any()


def test_what_is_sure_stays_whatever_its_colours():
    sure = _disc(34)
    assert ((along_edges(_picture(30), sure, SIZE, 0.7) > 0.5) == (sure > 0.5)).all()


def test_where_there_is_one_side_only_nothing_moves():
    for everywhere in (torch.zeros(SIZE, SIZE), torch.ones(SIZE, SIZE)):
        assert torch.equal(along_edges(_picture(30), everywhere, SIZE, 0.7), everywhere)


def test_the_answer_does_not_depend_on_what_was_asked_before():
    unsure = 0.2 + 0.6 * _disc(34)
    first = along_edges(_picture(30), unsure, SIZE, 0.7)
    along_edges(_picture(20, seed=1), unsure, SIZE, 0.7)
    assert torch.equal(first, along_edges(_picture(30), unsure, SIZE, 0.7))
