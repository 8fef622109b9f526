"""Distance between a reconstructed head and the true one."""

from dataclasses import dataclass

import numpy as np
import roma
import torch
import trimesh
from jaxtyping import Bool, Float, Int
from scipy.spatial import KDTree
from torch import Tensor

from headrecon.geometry.similarity import fit_similarity
from headrecon.geometry.surface import vertex_normals
from headrecon.ibug68 import INNER
from headrecon.render.occlusion import Occlusion
from headrecon.truth import PARTS, Truth
from headrecon.types import HeadMesh

REGIONS_MEASURED = ("face", "head", *PARTS[1:])
_SAMPLES = 20_000
_ICP_ROUNDS = 30
_ENCLOSED = 0.9
"""Share of an even sky's light, kept off a point, from which on it is within the head.

Of made-up hair that gets a little more light, nine in ten points are seen in three photos of a
hundred; of that which gets less, one in five.
"""


@dataclass(frozen=True)
class Similarity:
    """p becomes matrix @ p + shift."""

    matrix: Float[Tensor, "3 3"]
    shift: Float[Tensor, "xyz=3"]

    def __call__(self, points: Float[Tensor, "point xyz=3"]) -> Float[Tensor, "point xyz=3"]:
        """The points, moved."""
        return points @ self.matrix.T + self.shift

    def inverse(self) -> "Similarity":
        """The way back."""
        back = torch.linalg.inv(self.matrix)
        return Similarity(back, -back @ self.shift)


def truth_from_mesh(mesh: HeadMesh, truth: Truth) -> Similarity:
    """The similarity that brings the landmarks 17 to 67 of a mesh onto the true ones.

    It is the only alignment before distances are taken. Closest points after ICP would find a
    nearest surface for any head and halve the error; landmarks know which point should have been
    where. What a similarity can do to mesh and landmarks together (moving, turning, scaling) is
    not seen by any of the distances, since photos do not tell it; `alignment_` says how much it is.
    """
    ones = torch.ones(51).to(mesh.landmarks)
    return Similarity(
        *fit_similarity(mesh.landmarks[INNER], truth.landmarks[INNER], ones, rounds=1)
    )


def surface_error(mesh: HeadMesh, truth: Truth) -> dict[str, float]:
    """Errors by part of the true head, with their units in their names; NaN for a part without any.

    Truth to mesh (`PART_median_mm`, ...) is the distance of each true vertex to the nearest point
    of the mesh; mesh to truth (`PART_from_mesh_median_mm`, ...) that of evenly spread points of the
    mesh to the true surface, each counted for the part that it is nearest to. `PART_normal_degrees`
    is the median angle between the normals at nearest points. Skull that lies under free hair, and
    whatever else nobody can see from outside, does not count.
    """
    moved = truth_from_mesh(mesh, truth)(mesh.vertices)
    found = _trimesh(moved, mesh.faces)
    outside = outer(truth)
    faces = truth.faces[outside[truth.faces].any(dim=1)]
    true = _trimesh(truth.vertices, faces)
    nearest, there, face = trimesh.proximity.closest_point(found, truth.vertices.cpu().numpy())
    turned = _turned(found, face, nearest, vertex_normals(truth.vertices, truth.faces))
    spread, _ = trimesh.sample.sample_surface_even(found, _SAMPLES, seed=0)
    _, back, near = trimesh.proximity.closest_point(true, np.asarray(spread))

    numbers = {}
    for part in REGIONS_MEASURED:
        member = (truth.part(part) & outside).cpu().numpy()
        mine = member[faces.cpu().numpy()[near]].sum(axis=1) >= 2
        numbers |= _spread(f"{part}_", there[member]) | _spread(f"{part}_from_mesh_", back[mine])
        numbers[f"{part}_within_2mm_share"] = _mean(there[member] < 2.0)
        numbers[f"{part}_within_5mm_share"] = _mean(there[member] < 5.0)
        numbers[f"{part}_normal_degrees"] = _median(turned[member])
    seen = truth.seen.cpu().numpy() > 0
    numbers["seen_covered_share"] = _mean(there[seen] < 5.0)
    return (
        numbers | _landmark_error(mesh, truth) | _alignment(mesh, truth) | _after_icp(found, truth)
    )


def outer(truth: Truth) -> Bool[Tensor, " vertex"]:
    """Vertices that light from outside reaches."""
    missing = Occlusion.of(truth.vertices, truth.faces).harmonics(torch.eye(3), 4)[:, 0]
    return missing < _ENCLOSED


def _landmark_error(mesh: HeadMesh, truth: Truth) -> dict[str, float]:
    """Mean distance of the landmarks in millimetres; those of the jaw apart."""
    moved = truth_from_mesh(mesh, truth)(mesh.landmarks)
    distance = (moved - truth.landmarks).norm(dim=1)
    return {
        "landmarks_mean_mm": float(distance[INNER].mean()),
        "jaw_landmarks_mean_mm": float(distance[:17].mean()),
    }


def _alignment(mesh: HeadMesh, truth: Truth) -> dict[str, float]:
    """What the alignment had to undo before any distance was taken.

    Scale is the true size over that of the mesh; shift that of the landmarks' centre, millimetres.
    """
    fit = truth_from_mesh(mesh, truth)
    matrix, marks = fit.matrix.double(), mesh.landmarks[INNER]
    scale = float(torch.linalg.det(matrix)) ** (1 / 3)
    cosine = (float(matrix.trace()) / scale - 1.0) / 2.0
    return {
        "alignment_scale": scale,
        "alignment_shift_mm": float((fit(marks) - marks).mean(dim=0).norm()),
        "alignment_turn_degrees": float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))),
    }


def _after_icp(found: trimesh.Trimesh, truth: Truth) -> dict[str, float]:
    """Errors of face and head after closest points have been iterated on the true face.

    Flattering, and only here to be compared with figures that others give: any two faces lie close
    to each other after that.

    Reference: Besl and McKay, "A method for registration of 3-D shapes", PAMI 1992.
    """
    spread, _ = trimesh.sample.sample_surface_even(found, 5 * _SAMPLES, seed=0)
    points, tree = np.asarray(spread), KDTree(np.asarray(spread))
    face = truth.vertices[truth.part("face")].double().cpu()
    rotation, shift, scale = torch.eye(3).double(), torch.zeros(3).double(), torch.ones(())
    for _ in range(_ICP_ROUNDS):
        moved = scale * face @ rotation.T + shift
        target = torch.from_numpy(points[tree.query(moved.numpy())[1]])
        fit = roma.rigid_points_registration(face, target, compute_scaling=True)
        rotation, shift, scale = map(torch.as_tensor, fit)
    everything = scale * truth.vertices.double().cpu() @ rotation.T + shift
    _, distance, _ = trimesh.proximity.closest_point(found, everything.numpy())
    distance = distance / float(scale)
    member = truth.part("face").cpu().numpy()
    return {
        "face_median_after_icp_mm": _median(distance[member]),
        "head_median_after_icp_mm": _median(distance),
    }


def _turned(
    found: trimesh.Trimesh,
    face: Int[np.ndarray, " point"],
    places: Float[np.ndarray, "point 3"],
    normals: Float[Tensor, "point 3"],
) -> Float[np.ndarray, " point"]:
    """Angles in degrees between given normals and the mesh's own, interpolated at places on it."""
    corners = torch.from_numpy(np.asarray(found.faces)[face])
    shares = trimesh.triangles.points_to_barycentric(found.triangles[face], places)
    vertices = torch.from_numpy(np.asarray(found.vertices))
    own = vertex_normals(vertices, torch.from_numpy(np.asarray(found.faces)))[corners]
    mine = (torch.from_numpy(shares)[..., None] * own).sum(dim=1)
    cosine = torch.nn.functional.cosine_similarity(mine, normals.cpu().double(), dim=1)
    return torch.rad2deg(cosine.clamp(-1.0, 1.0).arccos()).numpy()


def _trimesh(vertices: Tensor, faces: Tensor) -> trimesh.Trimesh:
    return trimesh.Trimesh(vertices.cpu().numpy(), faces.cpu().numpy(), process=False)


def _spread(name: str, distance: Float[np.ndarray, " point"]) -> dict[str, float]:
    """Median, mean and 90th percentile in millimetres."""
    return {
        f"{name}median_mm": _median(distance),
        f"{name}mean_mm": _mean(distance),
        f"{name}p90_mm": float(np.quantile(distance, 0.9)) if len(distance) else float("nan"),
    }


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
