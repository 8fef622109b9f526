import numpy as np
import torch
import trimesh
from scipy.spatial import Delaunay

from headrecon.geometry.surface import at
from headrecon.mesh.deform import (
    interpolation,
    laplacian,
    smooth_fit,
    smoothed,
    thin_shell,
    transported_shell,
)
from headrecon.types import SurfacePoints


def sheet() -> tuple[torch.Tensor, torch.Tensor]:
    """A flat square of irregular triangles."""
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.arange(9.0), np.arange(7.0)), -1).reshape(-1, 2)
    inner = (grid > 0).all(1) & (grid[:, 0] < 8) & (grid[:, 1] < 6)
    grid[inner] += rng.uniform(-0.2, 0.2, (inner.sum(), 2))
    triangles = Delaunay(grid).simplices.astype(np.int64)
    vertices = np.concatenate([grid, np.zeros((len(grid), 1))], axis=1)
    return torch.from_numpy(vertices).float(), torch.from_numpy(triangles)


def test_constants_have_no_energy_and_linear_fields_none_inside():
    vertices, faces = sheet()
    matrix = laplacian(vertices, faces)
    assert np.abs(matrix @ np.ones(len(vertices))).max() < 1e-9
    inside = ((vertices[:, 0] > 0.5) & (vertices[:, 0] < 7.5) & (vertices[:, 1] > 0.5)).numpy()
    inside &= (vertices[:, 1] < 5.5).numpy()
    assert np.abs((matrix @ vertices[:, 0].double().numpy())[inside]).max() < 1e-5


def test_energy_is_the_integral_of_the_squared_gradient():
    vertices, faces = sheet()
    x = vertices[:, 0].double().numpy()
    assert np.isclose(x @ (laplacian(vertices, faces) @ x), 48.0, rtol=1e-5)


def test_a_point_of_the_surface_can_be_pinned():
    sphere = trimesh.creation.icosphere(3, 50.0)
    vertices = torch.tensor(sphere.vertices, dtype=torch.float32)
    faces = torch.tensor(sphere.faces, dtype=torch.int64)
    points = SurfacePoints(torch.tensor([5, 90]), torch.tensor([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]]))
    pinned = torch.tensor([[3.0], [-2.0]])
    field = smooth_fit(
        laplacian(vertices, faces),
        torch.zeros(len(vertices), 1),
        torch.zeros(len(vertices)),
        interpolation(points, faces, len(vertices)),
        pinned,
        torch.full((2,), 1e6),
    )
    assert torch.allclose(at(points, faces, field), pinned, atol=1e-2)
    # Between its pins a harmonic field takes no value outside theirs.
    assert float(field.max()) < 6.0
    assert float(field.min()) > -6.0


def test_what_turns_with_the_surface_costs_nothing_and_a_shift_does():
    ball = trimesh.creation.icosphere(3, 50.0)
    vertices = torch.tensor(ball.vertices, dtype=torch.float32)
    faces = torch.tensor(ball.faces, dtype=torch.int64)
    energy = transported_shell(vertices, faces, vertices / 50.0, 0.0)
    assert abs(energy - energy.T).max() < 1e-9

    def cost(field: torch.Tensor) -> float:
        x = field.double().numpy().ravel()
        return float(x @ (energy @ x))

    shift = torch.tensor([0.0, 1.0, 0.0]).expand(len(vertices), -1)
    # Turning about the axis a changes the shift s by 1 - (a s)^2; of both tangents, 1 + (n s)^2.
    assert cost(vertices / 50.0) < 1e-6
    assert np.isclose(cost(shift), 4.0 * np.pi * (1.0 + 1.0 / 3.0), rtol=0.01)


def test_on_a_plane_vectors_turn_with_nothing():
    vertices, faces = sheet()
    up = torch.tensor([0.0, 0.0, 1.0]).expand(len(vertices), -1)
    energy = transported_shell(vertices, faces, up, 0.5)
    plain = thin_shell(vertices, faces, 0.5)
    values = torch.randn(len(vertices), 3, generator=torch.Generator().manual_seed(0))
    known = (torch.arange(len(vertices)) % 5 == 0).float()
    together = smoothed(energy, values.reshape(-1, 1), known.repeat_interleave(3))
    assert torch.allclose(together.reshape(-1, 3), smoothed(plain, values, known), atol=1e-5)


def test_a_thickness_is_carried_around_a_ball():
    ball = trimesh.creation.icosphere(3, 50.0)
    vertices = torch.tensor(ball.vertices, dtype=torch.float32)
    faces = torch.tensor(ball.faces, dtype=torch.int64)
    energy = transported_shell(vertices, faces, vertices, 20.0)
    known = (vertices[:, 1] > 30.0).float()
    thick = 8.0 * vertices / 50.0
    found = smoothed(energy, thick.reshape(-1, 1), known.repeat_interleave(3)).reshape(-1, 3)
    assert torch.allclose(found, thick, atol=1e-2)
