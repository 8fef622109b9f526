import numpy as np
import pytest
import trimesh

from headrecon.mesh.cap import cap


def rim(size: int) -> np.ndarray:
    """An ellipse, counter-clockwise."""
    angle = 2.0 * np.pi * np.arange(size) / size
    return np.column_stack([50.0 * np.cos(angle), 40.0 * np.sin(angle), np.full(size, 7.0)])


@pytest.mark.parametrize("size", [3, 4, 7, 30, 200])
def test_a_flat_rim_is_closed_by_exactly_its_area(size: int):
    weights, faces = cap(rim(size))
    vertices = np.concatenate([rim(size), weights @ rim(size)])
    disc = trimesh.Trimesh(vertices, faces, process=False)
    x, y, _ = rim(size).T
    polygon = 0.5 * np.abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    assert disc.area == pytest.approx(polygon)
    # All triangles look up, as the rim runs; a disc has a single border, which is the rim.
    assert (disc.face_normals[:, 2] > 0.999).all()
    assert disc.euler_number == 1
    edges = disc.edges_sorted[trimesh.grouping.group_rows(disc.edges_sorted, require_count=1)]
    assert len(edges) == size
    assert edges.max() < size


def test_triangles_grow_evenly_towards_the_middle():
    weights, faces = cap(rim(200))
    vertices = np.concatenate([rim(200), weights @ rim(200)])
    assert np.allclose(weights.sum(axis=1), 1.0)
    assert len(weights) < 1000
    a, b, c = vertices[faces].transpose(1, 0, 2)
    sides = np.stack([np.linalg.norm(p - q, axis=1) for p, q in ((a, b), (b, c), (c, a))])
    assert np.quantile(sides.max(axis=0) / sides.min(axis=0), 0.95) < 2.5
