import torch

from headrecon.shading.disambiguate import fit_ambiguity
from tests.shading.spheres import sphere


def fit(pseudo, normals):
    """The normals that the ambiguity gives."""
    ones = torch.ones(normals.shape[1])
    ambiguity = fit_ambiguity(pseudo, normals, ones, ones, rounds=20, cutoff=0.5)
    return torch.nn.functional.normalize((ambiguity @ pseudo)[1:], dim=0)


def scrambled(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pseudo-normals of a sphere behind a random matrix, with its normals and albedo."""
    normals, albedo, mask = sphere()
    known = torch.cat([torch.ones_like(albedo)[None], normals]) * albedo
    matrix = torch.eye(4) + 0.5 * torch.randn(4, 4, generator=torch.Generator().manual_seed(seed))
    return matrix @ known[:, mask], normals[:, mask], albedo[mask]


def test_the_true_normals_as_reference_undo_any_matrix():
    pseudo, normals, _ = scrambled(0)
    solved = fit(pseudo, normals)
    assert float((solved * normals).sum(dim=0).min()) > 0.999


def test_a_reference_that_is_wrong_in_a_tenth_of_the_pixels_does_not_matter():
    pseudo, normals, _ = scrambled(1)
    wrong = normals.clone()
    wrong[:, ::10] = wrong[:, ::10].flip(0)
    solved = fit(pseudo, wrong)
    assert float((solved * normals).sum(dim=0).mean()) > 0.999
