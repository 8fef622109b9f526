"""Meshes that other programs have made."""

import json
from pathlib import Path

import numpy as np
import torch
import trimesh
from kornia.color import rgb_to_linear_rgb
from trimesh.visual import ColorVisuals

from headrecon.types import HeadMesh


def read_mesh(path: Path, landmarks: Path) -> HeadMesh:
    """A mesh of any format that trimesh reads, and its 68 landmarks from {"points": [[x, y, z]]}.

    Unit and frame are free: scores align by the landmarks. Raises `ValueError` with one line for a
    file that is missing or holds no usable triangles, or landmarks that are not 68 finite points.
    """
    try:
        mesh = trimesh.load_mesh(path, process=False)
    except Exception as error:
        raise ValueError(f"{path} cannot be read as a mesh: {error}") from error
    if not isinstance(mesh, trimesh.Trimesh) or not len(mesh.faces):
        raise ValueError(f"{path} holds no triangles")
    if not np.isfinite(mesh.vertices).all():
        raise ValueError(f"{path} has vertices that are not finite")
    points = _landmarks(landmarks)
    vertices = torch.from_numpy(np.asarray(mesh.vertices)).float()
    return HeadMesh(
        vertices=vertices,
        faces=torch.from_numpy(np.asarray(mesh.faces)).long(),
        albedo=_albedo(mesh, vertices),
        support=torch.zeros(len(vertices)),
        landmarks=points,
    )


def _albedo(mesh: trimesh.Trimesh, vertices: torch.Tensor) -> torch.Tensor:
    """The colours of the vertices, which files have in sRGB; grey if there are none."""
    if not isinstance(mesh.visual, ColorVisuals) or mesh.visual.kind != "vertex":
        return torch.full_like(vertices, 0.5)
    levels = torch.from_numpy(np.array(mesh.visual.vertex_colors)[:, :3]).float() / 255.0
    return rgb_to_linear_rgb(levels.T[:, None])[:, 0].T


def _landmarks(path: Path) -> torch.Tensor:
    """The points, or a `ValueError` that says what is wrong with them."""
    try:
        points = np.array(json.loads(path.read_text())["points"], dtype=float)
    except FileNotFoundError:
        raise ValueError(f"there are no landmarks at {path}; they are needed to align") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f'{path} is no {{"points": [[x, y, z], ...]}}: {error}') from error
    if points.shape != (68, 3) or not np.isfinite(points).all():
        raise ValueError(f"{path} holds {points.shape} instead of 68 finite points")
    return torch.from_numpy(points).float()
