"""Things that hide a part of the face."""

from collections.abc import Callable

import numpy as np
import torch
import trimesh
from jaxtyping import Float
from torch import Tensor

from headrecon.synthetic.paints import Plain
from headrecon.synthetic.scene import Part
from headrecon.template.model import HeadModel
from headrecon.template.regions import REGIONS
from headrecon.template.skin import RGB
from headrecon.truth import LABELS

Vertices = Float[Tensor, "vertex xyz=3"]
Place = Float[np.ndarray, "xyz=3"]


def glasses(head: Vertices, model: HeadModel, skin: RGB, random: np.random.Generator) -> Part:
    """Frames without glass."""
    return _part(_frames(head, model, 1.3), Plain((0.03, 0.02, 0.02), 3.0, 0.2))


def sunglasses(head: Vertices, model: HeadModel, skin: RGB, random: np.random.Generator) -> Part:
    """Frames with dark lenses."""
    lenses = []
    for eye in _eyes(head, model):
        lens = trimesh.creation.icosphere(subdivisions=3)
        lens.apply_scale([24.0, 19.0, 4.0])
        lenses.append(lens.apply_translation(eye + _at(0.0, -1.0, 15.0)))
    return _part(_frames(head, model, 1.8) + lenses, Plain((0.012, 0.012, 0.014), 4.0, 0.12))


def microphone(head: Vertices, model: HeadModel, skin: RGB, random: np.random.Generator) -> Part:
    """A microphone before the chin."""
    mouth = head[model.mouth].double().mean(dim=0).numpy()
    tip = mouth + _at(random.uniform(-25.0, 25.0), random.uniform(-50.0, -18.0), 50.0)
    end = tip + _at(random.uniform(-40.0, 40.0), -230.0, random.uniform(10.0, 70.0))
    foam = trimesh.creation.icosphere(subdivisions=3, radius=random.uniform(20.0, 30.0))
    handle = trimesh.creation.cylinder(radius=13.0, segment=[tip, end], sections=24)
    shade = random.uniform(0.015, 0.06)
    return _part([foam.apply_translation(tip), handle], Plain((shade, shade, shade), 1.0, 0.5))


def hand(head: Vertices, model: HeadModel, skin: RGB, random: np.random.Generator) -> Part:
    """Fingers along a cheek and a fist under the chin."""
    mouth = head[model.mouth].double().mean(dim=0).numpy()
    side = random.choice([-1.0, 1.0])
    palm = mouth + _at(side * 42.0, -52.0, -2.0)
    pieces = [_bone(palm, palm + _at(side * 12.0, -150.0, 15.0), 27.0)]
    for finger in range(4):
        knuckle = palm + _at(side * (20.0 - 13.0 * finger), 14.0, 8.0 + 3.0 * finger)
        tip = knuckle + _at(side * (6.0 - 4.0 * finger), random.uniform(28.0, 50.0), -2.0)
        pieces += [_bone(palm, knuckle, 12.0), _bone(knuckle, tip, 8.5)]
    return _part(pieces, Plain(skin, 1.0, 0.45))


PROPS: dict[str, Callable[[Vertices, HeadModel, RGB, np.random.Generator], Part]] = {
    "glasses": glasses,
    "sunglasses": sunglasses,
    "microphone": microphone,
    "hand": hand,
}


def _frames(head: Vertices, model: HeadModel, thickness: float) -> list[trimesh.Trimesh]:
    """Two rings, a bridge, and bars to the ears."""
    left, right = _eyes(head, model)
    pieces = [_bone(left + _at(-17.0, 4.0, 15.0), right + _at(17.0, 4.0, 15.0), thickness)]
    for eye, side in ((left, 1.0), (right, -1.0)):
        ring = trimesh.creation.torus(major_radius=1.0, minor_radius=0.07, major_sections=48)
        ring.apply_scale([23.0, 19.0, 12.0 * thickness])
        pieces.append(ring.apply_translation(eye + _at(0.0, -1.0, 14.0)))
        hinge = eye + _at(side * 24.0, 5.0, 13.0)
        temple = np.array([side * float(head[:, 0].abs().max()) * 0.98, eye[1] + 4.0, 10.0])
        pieces.append(_bone(hinge, temple, thickness))
    return pieces


def _eyes(head: Vertices, model: HeadModel) -> tuple[Place, Place]:
    """Middles of the eyes, that at positive x first."""
    eyes = head[model.region == REGIONS.index("eyes")].double().numpy()
    return eyes[eyes[:, 0] > 0].mean(axis=0), eyes[eyes[:, 0] < 0].mean(axis=0)


def _at(x: float, y: float, z: float) -> Place:
    return np.array([x, y, z])


def _bone(start: Place, end: Place, radius: float) -> trimesh.Trimesh:
    """A cylinder with round ends."""
    length = float(np.linalg.norm(end - start))
    bone = trimesh.creation.capsule(height=length, radius=radius, count=[12, 12])
    turn = trimesh.geometry.align_vectors([0.0, 0.0, 1.0], (end - start) / length)
    assert turn is not None
    return bone.apply_transform(turn).apply_translation(start)


def _part(pieces: list[trimesh.Trimesh], paint: Plain) -> Part:
    mesh = trimesh.util.concatenate(pieces)
    assert isinstance(mesh, trimesh.Trimesh)
    vertices = torch.from_numpy(np.asarray(mesh.vertices)).float()
    faces = torch.from_numpy(np.asarray(mesh.faces)).long()
    label = torch.full((len(faces),), LABELS.index("occluder"))
    return Part(vertices, faces, label, vertices, paint)
