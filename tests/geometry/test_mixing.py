import pytest
import torch

from headrecon.geometry.mixing import fit_mixing, harmonics, nearest_in_angle, uncovered
from tests.shading.spheres import sphere


def fit(pseudo, normals):
    """The normals that the ambiguity gives."""
    ones = torch.ones(normals.shape[1])
    nothing = torch.zeros_like(pseudo)
    mixing, _ = fit_mixing(
        pseudo, harmonics(normals, 4), nothing, ones, ones, rounds=30, cutoff=0.2
    )
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
    nothing = torch.zeros_like(truth)
    mixing, _ = fit_mixing(noisy, harmonics(normals, 4), nothing, ones, ones, rounds=30, cutoff=5.0)
    solved = torch.linalg.solve(mixing, truth)
    slope = float(
        (solved[1] * normals[0] * solved[0]).sum() / (normals[0] * solved[0]).square().sum()
    )
    assert abs(slope - 1.0) < 0.1


def angles(found: torch.Tensor, normals: torch.Tensor) -> torch.Tensor:
    return torch.rad2deg((found * normals).sum(dim=0).clamp(-1.0, 1.0).arccos())


def test_going_by_angles_undoes_any_matrix_too_whatever_the_albedo():
    pseudo, normals, _ = scrambled(2)
    ones = torch.ones(normals.shape[1])
    nothing = torch.zeros_like(pseudo)
    start, _ = fit_mixing(pseudo, harmonics(normals, 4), nothing, ones, ones, rounds=2, cutoff=0.2)
    mixing = nearest_in_angle(pseudo, normals, nothing, ones, start, cutoff=0.1)
    solved = torch.nn.functional.normalize(torch.linalg.solve(mixing, pseudo)[1:], dim=0)
    assert float(angles(solved, normals).max()) < 1.0


def test_angles_get_smaller_where_pseudo_normals_deviate():
    """Deviations like those of shadows, which are no noise of the reference's."""
    pseudo, normals, albedo = scrambled(3)
    bent = 0.2 * albedo * torch.sin(5.0 * normals[:1]) * torch.tensor([[1.0], [-1.0], [0.5], [1.0]])
    ones = torch.ones(normals.shape[1])
    nothing = torch.zeros_like(pseudo)
    before, _ = fit_mixing(
        pseudo + bent, harmonics(normals, 4), nothing, ones, ones, rounds=30, cutoff=0.2
    )
    after = nearest_in_angle(pseudo + bent, normals, nothing, ones, before, cutoff=0.5)
    found = [
        torch.nn.functional.normalize(torch.linalg.solve(mixing, pseudo + bent)[1:], dim=0)
        for mixing in (before, after)
    ]
    assert float(angles(found[1], normals).mean()) < float(angles(found[0], normals).mean())


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_light_that_is_hidden_does_not_turn_normals(share: float):
    """Creases get less light, and from where they are open; how much less shows."""
    _, normals, albedo = scrambled(4)
    depth = 0.3 * torch.rand(normals.shape[1], generator=torch.Generator().manual_seed(5))
    towards = torch.tensor([0.5, 0.6, -0.4, 0.3])[:, None]
    hidden = depth * towards * (1.0 + normals[:1])
    matrix, _ = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(6)))
    known, missing = harmonics(normals, 4), share * hidden
    pseudo = matrix @ (albedo * (known - missing))
    ones = torch.ones(normals.shape[1])
    start, found = fit_mixing(pseudo, known, hidden, ones, ones, rounds=30, cutoff=0.2)
    assert float(found) == pytest.approx(share, abs=0.02)
    mixing = nearest_in_angle(pseudo, normals, missing, ones, start, cutoff=0.1)
    directed = torch.linalg.solve(mixing, pseudo)[1:]
    unit, rho = uncovered(directed, (normals - missing[1:4]).norm(dim=0), missing)
    assert float(angles(unit, normals).max()) < 1.0
    torch.testing.assert_close(rho / rho.mean(), albedo / albedo.mean(), atol=0.01, rtol=0.0)
    # Taken for what it seems, it turns them by degrees.
    seeming = torch.nn.functional.normalize(directed, dim=0)
    assert float(angles(seeming, normals).mean()) > 5.0 * share - 0.1
