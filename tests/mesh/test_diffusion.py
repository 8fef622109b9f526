"""Values of vertices, spread over the mesh."""

import torch
import trimesh

from headrecon.mesh.diffusion import both_ways, diffused

BALL = trimesh.creation.icosphere(1)
FACES = torch.tensor(BALL.faces, dtype=torch.int64)


def test_every_edge_is_there_once_in_each_direction():
    edges = {tuple(edge) for edge in both_ways(FACES).T.tolist()}
    expected = {tuple(edge) for edge in BALL.edges.tolist()}
    assert edges == expected | {(b, a) for a, b in expected}
    assert both_ways(FACES).shape[1] == 2 * len(BALL.edges_unique)


def test_one_step_is_half_the_vertex_and_half_the_mean_of_its_neighbours():
    u = torch.rand(len(BALL.vertices), 1, generator=torch.Generator().manual_seed(0))
    slow = torch.stack(
        [0.5 * u[i] + 0.5 * u[near].mean(dim=0) for i, near in enumerate(BALL.vertex_neighbors)]
    )
    assert torch.allclose(diffused(u, both_ways(FACES), 1), slow, atol=1e-6)
    assert torch.allclose(diffused(torch.ones_like(u), both_ways(FACES), 9), torch.ones_like(u))
