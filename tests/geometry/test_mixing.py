import torch

from headrecon.geometry.mixing import fit_mixing
from tests.shading.spheres import sphere


def fit(pseudo, normals):
    """The normals that the ambiguity gives."""
    ones = torch.ones(normals.shape[1])
    mixing = fit_mixing(pseudo, normals, ones, ones, rounds=30, cutoff=0.2)
    return torch.nn.functional.normalize(torch.linalg.solve(mixing, pseudo)[1:], dim=0)


def scrambled(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pseudo-normals of a sphere behind a random orthogonal matrix, its normals and albedo.

    Orthogonal, so that every direction is probed by the light equally well: what light does not
    show, no reference can tell from noise.
    """
    normals, albedo, mask = sphere()
    known = torch.cat([torch.ones_like(albedo)[None], normals]) * albedo
    noise = torch.randn(4, 4, generator=torch.Generator().manual_seed(seed))
    matrix, _ = torch.linalg.qr(noise)
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


def test_what_no_light_explains_does_not_flatten_the_relief():
    truth, normals, albedo = scrambled(2)
    noisy = truth + 0.1 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(3))
    ones = torch.ones_like(albedo)
    mixing = fit_mixing(noisy, normals, ones, ones, rounds=30, cutoff=5.0)
    solved = torch.linalg.solve(mixing, truth)
    slope = float(
        (solved[1] * normals[0] * solved[0]).sum() / (normals[0] * solved[0]).square().sum()
    )
    assert abs(slope - 1.0) < 0.1
