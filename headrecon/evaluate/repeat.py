"""Whether two halves of a collection give the same head: the one figure that needs no truth."""

import hashlib

import torch
import trimesh

from headrecon.evaluate.surface import Similarity
from headrecon.geometry.similarity import fit_similarity
from headrecon.ibug68 import INNER
from headrecon.types import REGIONS, HeadMesh, Photo, Template, Video


def half(photo: Photo | Video) -> int:
    """0 or 1: the half of the collection that a photo or video belongs to, by its contents."""
    return hashlib.sha256(photo.encoded.numpy().tobytes()).digest()[0] & 1


def repeatability(one: HeadMesh, other: HeadMesh, template: Template) -> dict[str, float]:
    """Median distances in millimetres between two heads, both ways, by region of the template.

    They are aligned by one similarity from landmarks 17 to 67. It bounds what chance does to the
    result, not what all photos or the method get wrong alike.
    """
    ones = torch.ones(51).to(one.landmarks)
    fit = fit_similarity(other.landmarks[INNER], one.landmarks[INNER], ones, rounds=1)
    moved = Similarity(*fit)(other.vertices)
    pairs = ((one.vertices, moved, other.faces), (moved, one.vertices, one.faces))
    near = trimesh.Trimesh(template.vertices.cpu().numpy(), template.faces.cpu().numpy())
    numbers: dict[str, list[torch.Tensor]] = {}
    for points, vertices, faces in pairs:
        mesh = trimesh.Trimesh(vertices.cpu().numpy(), faces.cpu().numpy(), process=False)
        _, distance, _ = trimesh.proximity.closest_point(mesh, points.cpu().numpy())
        _, vertex = near.kdtree.query(points.cpu().numpy())
        region = template.region.cpu()[torch.from_numpy(vertex)]
        numbers.setdefault("head", []).append(torch.from_numpy(distance))
        for index, name in enumerate(REGIONS):
            numbers.setdefault(name, []).append(torch.from_numpy(distance[region == index]))
    return {
        f"repeat/{name}_median_mm": float(torch.cat(distances).median())
        for name, distances in numbers.items()
        if len(torch.cat(distances))
    }
