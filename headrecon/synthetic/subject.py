"""A person who does not exist: a head that is not the template's, its hair and its colours."""

from dataclasses import dataclass

import numpy as np
import torch
import trimesh
from jaxtyping import Float, Int
from torch import Tensor
from trimesh.ray.ray_pyembree import RayMeshIntersector

from headrecon.geometry.surface import vertex_normals
from headrecon.synthetic.clothes import border
from headrecon.template.model import HeadModel, head_model
from headrecon.template.regions import above_hairline, within_ears
from headrecon.template.skin import Complexion

_SKINS = np.array([[0.60, 0.38, 0.29], [0.50, 0.30, 0.21], [0.36, 0.20, 0.13], [0.19, 0.11, 0.07]])
_HAIRS = np.array([[0.02, 0.015, 0.012], [0.05, 0.03, 0.02], [0.14, 0.08, 0.04], [0.2, 0.18, 0.16]])
_IRISES = np.array([[0.05, 0.03, 0.02], [0.12, 0.07, 0.03], [0.10, 0.14, 0.16], [0.08, 0.12, 0.06]])
_RAYS = 48


@dataclass(frozen=True)
class Subject:
    """The truth about a person."""

    model: HeadModel
    identity: Float[Tensor, " component"]
    hair: Float[Tensor, "vertex xyz=3"]
    """What hair adds to the skin of the scalp."""
    look: Complexion
    openness: Float[Tensor, " vertex"]
    """Share of the sky that each vertex sees."""
    rim: Int[Tensor, " rim"]
    """Vertices along the lower border, where clothes begin."""

    @property
    def vertices(self) -> Float[Tensor, "vertex xyz=3"]:
        """The head with a neutral expression."""
        return self.with_expression(torch.zeros(len(self.model.actions)))

    @property
    def faces(self) -> Int[Tensor, "face 3"]:
        """The triangles, which are the template's."""
        return self.model.faces

    def with_expression(self, strength: Float[Tensor, " action"]) -> Float[Tensor, "vertex xyz=3"]:
        """The head with facial actions of this strength."""
        return self.model.heads(self.identity, strength) + self.hair


def make_subject(seed: int, strangeness: float, hair: float) -> Subject:
    """A random person.

    `strangeness` scales how far the head is from the average (1 draws from the population), `hair`
    is the thickness of the hair in millimetres.
    """
    model = head_model()
    random = np.random.default_rng(seed)
    identity = strangeness * model.random_identity(seed)
    skin = model.heads(identity, torch.zeros(len(model.actions)))
    volume = _hair_volume(model, random) * hair
    displacement = torch.from_numpy(volume).float()[:, None] * vertex_normals(skin, model.faces)
    return Subject(
        model=model,
        identity=identity,
        hair=displacement,
        look=_complexion(random),
        openness=_openness(skin + displacement, model.faces, random),
        rim=border(model.faces),
    )


def _hair_volume(model: HeadModel, random: np.random.Generator) -> Float[np.ndarray, " vertex"]:
    """Thickness of the hair in units of the greatest, uneven as hair is."""
    place = model.mean.double().numpy()
    rise = np.clip(above_hairline(place) / 22.0, 0.0, 1.0) * (within_ears(place) < -0.1)
    waves = random.normal(0.0, 1.0 / 30.0, (6, 3))
    swell = np.cos(place @ waves.T + random.uniform(0.0, 2 * np.pi, 6)).mean(axis=1)
    return rise * (0.85 + 0.5 * swell)


def _complexion(random: np.random.Generator) -> Complexion:
    """Colours that go together."""
    tone = random.uniform(0.0, len(_SKINS) - 1.0)
    skin = _between(_SKINS, tone)
    hair = _HAIRS[random.integers(len(_HAIRS)) if tone < 1.5 else 0]
    return Complexion(
        skin=_rgb(skin),
        lips=_rgb(skin * random.uniform((0.65, 0.4, 0.45), (0.85, 0.55, 0.6))),
        hair=_rgb(hair * random.uniform(0.8, 1.2)),
        iris=_rgb(_IRISES[random.integers(len(_IRISES)) if tone < 1.5 else 0]),
        brow=random.uniform(0.6, 0.95),
        stubble=random.choice([0.0, 0.25, 0.5]),
        freckles=random.choice([0.0, 0.3, 0.6]),
        blotches=random.uniform(0.03, 0.08),
        seed=int(random.integers(2**31)),
    )


def _openness(
    vertices: Float[Tensor, "vertex xyz=3"],
    faces: Int[Tensor, "face 3"],
    random: np.random.Generator,
) -> Float[Tensor, " vertex"]:
    """Share of the rays from each vertex that escape, drawn with the cosine to the normal."""
    normals = vertex_normals(vertices, faces).double().numpy()
    spread = random.standard_normal((len(normals), _RAYS, 3))
    spread /= np.linalg.norm(spread, axis=2, keepdims=True)
    directions = (normals[:, None] + 0.999 * spread).reshape(-1, 3)
    origins = np.repeat(vertices.double().numpy() + 0.3 * normals, _RAYS, axis=0)
    mesh = trimesh.Trimesh(vertices.numpy(), faces.numpy(), process=False)
    hit = RayMeshIntersector(mesh).intersects_any(origins, directions)
    return torch.from_numpy(1.0 - hit.reshape(-1, _RAYS).mean(axis=1)).float()


def _between(table: Float[np.ndarray, "row 3"], at: float) -> Float[np.ndarray, "3"]:
    row = min(int(at), len(table) - 2)
    return table[row] + (at - row) * (table[row + 1] - table[row])


def _rgb(colour: Float[np.ndarray, "3"]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in colour)
    return red, green, blue
