import torch

from headrecon.shading.disambiguate import Disambiguate
from tests.shading.spheres import sphere

DISAMBIGUATE = Disambiguate(
    rounds=20,
    cutoff=0.5,
    ambiguity_recovery=True,
    grazing=0.3,
    min_overlap=10,
    min_n_z=0.05,
)


def scrambled(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pseudo-normals of a sphere behind a random matrix, with its normals and albedo."""
    normals, albedo, mask = sphere()
    known = torch.cat([torch.ones_like(albedo)[None], normals]) * albedo
    matrix = torch.eye(4) + 0.5 * torch.randn(4, 4, generator=torch.Generator().manual_seed(seed))
    return matrix @ known[:, mask], normals[:, mask], albedo[mask]


def test_the_true_normals_as_reference_undo_any_matrix():
    pseudo, normals, albedo = scrambled(0)
    weight = torch.ones_like(albedo)
    ambiguity = DISAMBIGUATE._fit(pseudo, normals, weight, torch.ones_like(albedo))
    solved = torch.nn.functional.normalize((ambiguity @ pseudo)[1:], dim=0)
    assert float((solved * normals).sum(dim=0).min()) > 0.999


def test_a_reference_that_is_wrong_in_a_tenth_of_the_pixels_does_not_matter():
    pseudo, normals, albedo = scrambled(1)
    wrong = normals.clone()
    wrong[:, ::10] = wrong[:, ::10].flip(0)
    ambiguity = DISAMBIGUATE._fit(pseudo, wrong, torch.ones_like(albedo), torch.ones_like(albedo))
    solved = torch.nn.functional.normalize((ambiguity @ pseudo)[1:], dim=0)
    assert float((solved * normals).sum(dim=0).mean()) > 0.999
