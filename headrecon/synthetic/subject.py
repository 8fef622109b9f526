"""A person who does not exist: a head that is not the template's, its hair and its colours."""

import functools
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from headrecon.geometry.surface import vertex_normals
from headrecon.synthetic.clothes import border
from headrecon.synthetic.complexion import aged, draw_complexion
from headrecon.synthetic.hair import STYLES, Style, curtain, draw_style, volume
from headrecon.synthetic.own_shape import own_shape
from headrecon.synthetic.paints import HairPaint, HeadPaint
from headrecon.synthetic.scene import Part
from headrecon.template.model import HeadModel, head_model
from headrecon.template.regions import REGIONS
from headrecon.template.skin import Complexion, vertex_marks
from headrecon.truth import LABELS, PARTS

_EYEBALL = 12.0
"""Radius in millimetres."""
_LABEL_OF = {"face": "face", "ears": "ears", "neck": "neck", "eyes": "face", "lips": "face"}


@dataclass(frozen=True)
class Population:
    """Whom people are drawn from."""

    strangeness: float
    """How far heads are from the average; with 1 they are drawn from the template's population."""
    unlike: float
    """By how much a face differs from all that the template's linear space has: the root mean
    square, millimetres. Heads of real people are in no such space."""


@dataclass(frozen=True)
class Neutral:
    """The outside of a person's head with a neutral face, as `headrecon.truth.Truth` has it."""

    vertices: Float[Tensor, "vertex xyz=3"]
    faces: Int[Tensor, "face 3"]
    parts: Bool[Tensor, "vertex part=6"]
    albedo: Float[Tensor, "vertex rgb=3"]


@dataclass(frozen=True)
class Subject:
    """The truth about a person."""

    model: HeadModel
    identity: Float[Tensor, " component"]
    own: Float[Tensor, "vertex xyz=3"]
    """What the linear space does not have of the head."""
    look: Complexion
    styles: tuple[Style, Style]
    """How the hair is mostly worn, and how it is worn otherwise."""

    @functools.cached_property
    def rim(self) -> Int[Tensor, " rim"]:
        """Vertices along the lower border, where clothes begin."""
        return border(self.model.faces)

    @functools.cached_property
    def swellings(self) -> tuple[Float[Tensor, "vertex 3"], ...]:
        """What the hair of each style adds to the skin of the scalp."""
        skin = self._skin(torch.zeros(len(self.model.actions)))
        normals = vertex_normals(skin, self.model.faces)
        place = self.model.mean.double().numpy()
        return tuple(
            torch.from_numpy(volume(place, style)).float()[:, None] * normals
            for style in self.styles
        )

    @functools.cached_property
    def curtains(self) -> tuple[tuple[Tensor, Tensor], ...]:
        """Vertices and faces of the hair that hangs down, for each style; mostly none."""
        neutral = torch.zeros(len(self.model.actions))
        return tuple(
            curtain(self.head(neutral, index), self.model.faces, style)
            for index, style in enumerate(self.styles)
        )

    def head(
        self, expression: Float[Tensor, " action"], style: int
    ) -> Float[Tensor, "vertex xyz=3"]:
        """The head, with the scalp where its hair is, and facial actions of this strength."""
        return self._skin(expression) + self.swellings[style]

    def _skin(self, expression: Float[Tensor, " action"]) -> Float[Tensor, "vertex xyz=3"]:
        """The head without hair."""
        return self.model.heads(self.identity, expression) + self.own

    def parts(
        self,
        expression: Float[Tensor, " action"],
        style: int,
        gaze: tuple[float, float],
        age: float,
    ) -> tuple[Part, ...]:
        """The head and the hair that hangs from it; gaze to the person's left and up, degrees."""
        worn = self.styles[style]
        look = aged(self.look, age)
        across, up = (_EYEBALL * float(np.sin(np.radians(angle))) for angle in gaze)
        shaved = 0.25 if worn.name == "bald" else 1.0
        look = replace(look, gaze=(across, up), scalp=shaved)
        head = Part(
            vertices=self.head(expression, style),
            faces=self.model.faces,
            label=self._labels(has_hair=worn.name != "bald"),
            marks=torch.from_numpy(vertex_marks(self.model)).float(),
            paint=HeadPaint(self.model, look),
        )
        vertices, faces = self.curtains[style]
        if not len(faces):
            return (head,)
        label = torch.full((len(faces),), LABELS.index("hair"))
        return head, Part(vertices, faces, label, vertices, HairPaint(look.hair, look.seed))

    def neutral(self, style: int) -> Neutral:
        """The head that photos with this style show."""
        parts = self.parts(torch.zeros(len(self.model.actions)), style, (0.0, 0.0), 0.0)
        count = len(self.model.mean)
        faces = [part.faces + count * index for index, part in enumerate(parts)]
        albedo = [part.paint(part.marks.double().numpy()).albedo for part in parts]
        return Neutral(
            vertices=torch.cat([part.vertices for part in parts]),
            faces=torch.cat(faces),
            parts=self._membership(style),
            albedo=torch.from_numpy(np.concatenate(albedo)).float(),
        )

    def _labels(self, has_hair: bool) -> Int[Tensor, " face"]:
        """Label of each triangle of the head, by the region of its corners."""
        names = {**_LABEL_OF, "scalp": "hair" if has_hair else "face"}
        label = torch.tensor([LABELS.index(names[name]) for name in REGIONS])
        return label[self.model.region[self.model.faces].mode(dim=1).values]

    def _membership(self, style: int) -> Bool[Tensor, "vertex part=6"]:
        """Which of `PARTS` the vertices of head and curtain belong to."""
        place, hanging = self.model.mean, len(self.curtains[style][0])
        scalp = self.model.region == REGIONS.index("scalp")
        own = {
            **{name: self.model.region == REGIONS.index(name) for name in ("face", "ears", "neck")},
            "hair": scalp & (self.styles[style].thickness > 0),
            "top": scalp & (place[:, 1] > 75.0),
            "back": scalp & (place[:, 2] < -30.0),
        }
        head = torch.stack([own[name] for name in PARTS], dim=1)
        below = torch.tensor([name == "hair" for name in PARTS]).expand(hanging, -1)
        return torch.cat([head, below])


def make_subject(seed: int, population: Population) -> Subject:
    """A random person."""
    model = head_model()
    random = np.random.default_rng(seed)
    main, other = random.choice(STYLES, size=2, replace=False, p=(0.1, 0.3, 0.4, 0.2))
    return Subject(
        model=model,
        identity=population.strangeness * model.random_identity(seed),
        own=own_shape(model, seed, population.unlike),
        look=draw_complexion(random),
        styles=(draw_style(str(main), random), draw_style(str(other), random)),
    )
