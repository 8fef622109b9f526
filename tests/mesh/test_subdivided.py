"""Meshes at a finer resolution."""

import torch
import trimesh

from headrecon.mesh.merge import subdivided
from headrecon.template.build import BuildTemplate


def test_a_finer_template_passes_through_its_vertices():
    template = BuildTemplate(size=1.0, people=2)()
    fine, faces = subdivided(template.vertices, template.faces, 1)
    assert len(faces) == 4 * len(template.faces)
    assert (fine[: len(template.vertices)] - template.vertices).norm(dim=1).max() < 0.05


def test_a_finer_sphere_is_as_large_and_rounder():
    """Loop's scheme by itself would leave vertices more than a millimetre inside."""
    sphere = trimesh.creation.icosphere(subdivisions=2, radius=100.0)
    vertices, faces = torch.from_numpy(sphere.vertices).float(), torch.from_numpy(sphere.faces)
    fine, _ = subdivided(vertices, faces, 1)
    flat = trimesh.remesh.subdivide(sphere.vertices, sphere.faces)[0]
    off, before = (
        (one.norm(dim=1) - 100.0).abs() for one in (fine, torch.from_numpy(flat).float())
    )
    assert float(off.max()) < 0.6
    assert float(off.mean()) < 0.3 * float(before.mean())
