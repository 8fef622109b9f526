"""People in front of the camera: who sits there, and who stands in the background."""

import functools

import numpy as np
import torch
from jaxtyping import Float

from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.surface import vertex_normals
from headrecon.render.trace import Tracer
from headrecon.synthetic.chance import Taking
from headrecon.synthetic.clothes import clothes
from headrecon.synthetic.light import open_transfer, transfer
from headrecon.synthetic.props import PROPS
from headrecon.synthetic.scene import Part
from headrecon.synthetic.staging import Placed
from headrecon.synthetic.subject import Population, Subject, make_subject
from headrecon.truth import Lens

person = functools.lru_cache(maxsize=32)(make_subject)
"""The person with this seed from this population."""


@functools.lru_cache(maxsize=64)
def sky(seed: int, population: Population, style: int) -> tuple[Float[np.ndarray, "vertex 9"], ...]:
    """What the parts of a person keep of the light from around, by what their own head hides."""
    subject = person(seed, population)
    parts = (*_neutral(subject, style), clothes(_rim(subject), np.random.default_rng(0)))
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    vertices = torch.cat([part.vertices for part in parts]).double().numpy()
    faces = [part.faces.numpy() + k for part, k in zip(parts, starts[:-1], strict=True)]
    normals = np.concatenate([_normals(part) for part in parts])
    tracer = Tracer(vertices, np.concatenate(faces))
    return tuple(np.split(transfer(tracer, vertices, normals, seed), starts[1:-1]))


def sitting(
    taking: Taking, population: Population, random: np.random.Generator
) -> tuple[Placed, ...]:
    """The person whom a photo shows, dressed, with what is in the way."""
    subject = person(taking.identity, population)
    expression = torch.tensor(taking.expression)
    parts = subject.parts(expression, taking.style, taking.gaze, taking.age)
    own = [
        Placed(part, neutral.vertices, received, np.eye(3), main=True)
        for part, neutral, received in zip(
            parts,
            _neutral(subject, taking.style),
            sky(taking.identity, population, taking.style),
            strict=False,
        )
    ]
    dress = clothes(_rim(subject), random)
    received = sky(taking.identity, population, taking.style)[-1]
    placed = [*own, Placed(dress, dress.vertices, received, np.eye(3), main=False)]
    if taking.occluder:
        head = parts[0].vertices
        prop = PROPS[taking.occluder](head, subject.model, subject.look.skin, random)
        placed.append(Placed(prop, prop.vertices, open_transfer(_normals(prop)), np.eye(3), False))
    return tuple(placed)


def bystander(
    seed: int, population: Population, lens: Lens, random: np.random.Generator
) -> tuple[Placed, ...]:
    """Somebody else, smaller and beside the head that the lens is pointed at."""
    subject = person(seed, population)
    dress = clothes(_rim(subject), random)
    parts = (*_neutral(subject, 0), dress)
    rotation, shift = _beside(lens, random)
    return tuple(
        Placed(part, part.vertices, received, np.eye(3), main=False).moved(rotation, shift)
        for part, received in zip(parts, sky(seed, population, 0), strict=True)
    )


def _beside(lens: Lens, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Rotation and shift that put a head behind the main one, to its left or right."""
    near = float(-lens.translation[2])
    far = near * random.uniform(1.3, 2.0) + 300.0
    side = random.choice([-1.0, 1.0])
    # Far enough aside not to be hidden, as long as the picture is wide enough.
    aside = min(0.42 * lens.width / lens.focal * far, 170.0 * far / near + 60.0)
    place = torch.tensor([side * aside, random.uniform(-80.0, 60.0), -far]).float()
    turned = view_from_head(random.uniform(-60.0, 60.0), random.uniform(-10.0, 10.0))
    to_scene = lens.view_from_head.T
    return to_scene @ turned, (place - lens.translation) @ lens.view_from_head


def _neutral(subject: Subject, style: int) -> tuple[Part, ...]:
    """Head and hair with a neutral face."""
    return subject.parts(torch.zeros(len(subject.model.actions)), style, (0.0, 0.0), 0.0)


def _rim(subject: Subject) -> Float[torch.Tensor, "rim xyz=3"]:
    """Lower border of the neck, which no facial action moves."""
    return _neutral(subject, 0)[0].vertices[subject.rim]


def _normals(part: Part) -> Float[np.ndarray, "vertex 3"]:
    return vertex_normals(part.vertices, part.faces).double().numpy()
