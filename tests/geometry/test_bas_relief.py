import torch
from torch.nn.functional import normalize

from headrecon.geometry.bas_relief import bas_relief, fit_bas_relief, integrable_rows
from headrecon.geometry.camera import pixel_centres

SIZE = 64


def bumpy() -> tuple[torch.Tensor, torch.Tensor]:
    """Slopes (-z_x, -z_y, 1) of a surface without symmetry, and an albedo; y points up."""
    xy = (pixel_centres(SIZE, SIZE) - SIZE / 2.0).double() / (0.4 * SIZE)
    x, y = xy[..., 0], -xy[..., 1]
    height = torch.exp(-(x**2) - 0.7 * y**2) + 0.2 * torch.sin(2.0 * x + y) + 0.1 * x * y**2
    step = 1.0 / (0.4 * SIZE)
    right = (height.roll(-1, 1) - height.roll(1, 1)) / (2.0 * step)
    up = (height.roll(1, 0) - height.roll(-1, 0)) / (2.0 * step)
    albedo = 0.6 + 0.2 * torch.sin(9.0 * x) * torch.cos(7.0 * y)
    return torch.stack([-right, -up, torch.ones_like(x)])[:, 2:-2, 2:-2], albedo[2:-2, 2:-2]


def angle(found: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Degrees between vectors, whatever their lengths."""
    cosine = (normalize(found, dim=0) * normalize(true, dim=0)).sum(dim=0)
    return torch.rad2deg(cosine.clamp(-1.0, 1.0).arccos())


def test_a_bas_relief_does_to_normals_what_it_does_to_the_surface():
    slopes, _ = bumpy()
    lam, mu, nu = torch.tensor([0.6, 0.3, -0.2], dtype=torch.double)
    moved = torch.stack([lam * slopes[0] - mu, lam * slopes[1] - nu, slopes[2]])
    found = bas_relief(lam, mu, nu) @ slopes.flatten(1)
    assert torch.allclose(found, moved.flatten(1))


def test_three_parameters_are_found_although_a_tenth_of_the_reference_is_wrong():
    slopes, _ = bumpy()
    known = normalize(slopes.flatten(1), dim=0)
    true = bas_relief(*torch.tensor([0.7, -0.2, 0.1], dtype=torch.double))
    flat = normalize(true @ known, dim=0)
    reference = known.clone()
    reference[:, ::10] = reference[:, ::10].roll(1, 0)
    ones = torch.ones(known.shape[1], dtype=torch.double)
    found = fit_bas_relief(flat, reference, ones, rounds=30, cutoff=0.2)
    assert float(angle(found @ flat, known).max()) < 0.5


def bent(noise: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pseudo-normals, a matrix that makes normals of no surface of them, and true slopes."""
    slopes, albedo = bumpy()
    generator = torch.Generator().manual_seed(0)
    unit = albedo * normalize(slopes, dim=0)
    known = torch.cat([albedo[None], unit])
    known = known + noise * torch.randn(known.shape, generator=generator).double()
    start = torch.cat([torch.zeros(3, 1), torch.eye(3)], dim=1).double()
    wrong = 0.15 * torch.randn(3, 4, generator=generator).double()
    return known, start + wrong, slopes


def after(pseudo: torch.Tensor, rows: torch.Tensor, slopes: torch.Tensor) -> torch.Tensor:
    """Angles to the truth that the best bas-relief leaves."""
    found, true = (rows @ pseudo.flatten(1)), normalize(slopes.flatten(1), dim=0)
    ones = torch.ones(true.shape[1]).double()
    relief = fit_bas_relief(normalize(found, dim=0), true, ones, rounds=30, cutoff=1.0)
    return angle(relief @ found, true)


def test_integrability_finds_normals_of_a_surface_up_to_a_bas_relief():
    pseudo, start, slopes = bent(0.0)
    mask = torch.ones(pseudo.shape[1:], dtype=torch.bool)
    rows = integrable_rows(pseudo, mask, start, 0.2)
    assert float(after(pseudo, start, slopes).median()) > 5.0
    assert float(after(pseudo, rows, slopes).median()) < 0.5


def test_normals_of_a_surface_stay_as_they_are():
    pseudo, _, _ = bent(0.0)
    known = torch.cat([torch.zeros(3, 1), torch.eye(3)], dim=1).double()
    mask = torch.ones(pseudo.shape[1:], dtype=torch.bool)
    rows = integrable_rows(pseudo, mask, known, 0.2)
    moved = angle(rows @ pseudo.flatten(1), known @ pseudo.flatten(1))
    assert float(moved.max()) < 0.5


def test_too_few_pixels_leave_the_start():
    pseudo, start, _ = bent(0.0)
    mask = torch.zeros(pseudo.shape[1:], dtype=torch.bool)
    assert torch.equal(integrable_rows(pseudo, mask, start, 0.2), start)
