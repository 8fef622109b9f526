"""Distance between a reconstructed head and the true one."""

from dataclasses import dataclass

import torch
import trimesh
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.similarity import fit_similarity
from headrecon.truth import Truth
from headrecon.types import HeadMesh

INNER = slice(17, 68)
"""Brows, nose, eyes and mouth of iBUG-68; the jaw line belongs to the view, not to the surface."""


@dataclass(frozen=True)
class SurfaceError:
    """Distances in millimetres from points of the true surface to the nearest point of another."""

    distance: Float[Tensor, " vertex"]
    face: Bool[Tensor, " vertex"]

    def summary(self) -> dict[str, float]:
        """Median and 90th percentile over the face and over the whole head."""
        face = self.distance[self.face]
        return {
            "face_median_mm": float(face.median()),
            "face_p90_mm": float(face.quantile(0.9)),
            "head_median_mm": float(self.distance.median()),
            "head_p90_mm": float(self.distance.quantile(0.9)),
        }


def surface_error(mesh: HeadMesh, truth: Truth) -> SurfaceError:
    """Error after one similarity from the landmarks 17 to 67; no closest-point alignment.

    Closest points after ICP would find a nearest surface for any head and halve the error; the
    landmarks know which point should have been where.
    """
    matrix, translation = fit_similarity(
        mesh.landmarks[INNER], truth.landmarks[INNER], torch.ones(51).to(mesh.landmarks), rounds=1
    )
    moved = mesh.vertices @ matrix.T + translation
    surface = trimesh.Trimesh(moved.cpu().numpy(), mesh.faces.cpu().numpy(), process=False)
    _, distance, _ = trimesh.proximity.closest_point(surface, truth.vertices.cpu().numpy())
    return SurfaceError(torch.from_numpy(distance).to(truth.vertices), truth.part("face"))
