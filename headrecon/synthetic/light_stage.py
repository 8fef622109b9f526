"""One face that keeps still under many unknown lights, with its normals known at every pixel."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn import functional

from headrecon.geometry.camera import project_through
from headrecon.geometry.surface import at
from headrecon.geometry.warp import warp
from headrecon.render.trace import Tracer, rays
from headrecon.synthetic.camera import lens_for
from headrecon.synthetic.chance import Framing, Pose, Taking, draw_light
from headrecon.synthetic.light import Light, Lit, coefficients, open_transfer, shade
from headrecon.synthetic.people import sitting
from headrecon.synthetic.picture import pixels, surface
from headrecon.synthetic.staging import Scene
from headrecon.synthetic.subject import Population
from headrecon.template.build import BuildTemplate
from headrecon.truth import LABELS, Lens

_FRAMING = Framing(distance=5000.0, share=0.8, x=0.5, y=0.5, height=240, width=240)
_SOFT = 1.6
"""Pixels over which the edge of a shadow is evened out."""
_LEVEL = 0.3
"""Mean light of the skin in a photo."""


@dataclass(frozen=True)
class Troubles:
    """What keeps photos from being albedo times first-order light."""

    shadows: bool
    """Whether the head hides lamps and sky from itself."""
    highlights: float
    """Strength; 1 for usual skin."""
    noise: float
    """Standard deviation, in shares of white."""
    strangers: float
    """Share of the photos that show somebody else."""
    shift: float
    """Root mean square length in pixels of the smooth flow along which each photo is moved."""


@dataclass(frozen=True)
class LitFace:
    """Photos, and the truth about them."""

    images: Float[Tensor, "photo rgb=3 h w"]
    """Linear RGB in [0, 1]."""
    head: Bool[Tensor, "h w"]
    """Pixels of the person."""
    skin: Bool[Tensor, "h w"]
    """Pixels of the face's skin."""
    normals: Float[Tensor, "xyz=3 h w"]
    """Unit, in the view frame; 0 outside of the head."""
    fiducials: Float[Tensor, "fiducial=468 xy=2"]
    lens: Lens
    """Far away, so that its rays are nearly parallel."""


def face_under_lights(
    taking: Taking, stranger: int, population: Population, troubles: Troubles, count: int
) -> LitFace:
    """Photos from the front of the person in `taking`, with a neutral face; the same every time."""
    lens = lens_for(Pose(0.0, 0.0, 0.0), _FRAMING)
    own, other = (_Model(taking, who, population, lens) for who in (taking.identity, stranger))
    images = []
    for index in range(count):
        random = np.random.default_rng([taking.identity, index])
        model = other if index < troubles.strangers * count else own
        light = draw_light(troubles.highlights, random)
        image = model.lit(light, troubles, random)
        image *= _LEVEL / image[model.skin].mean()
        images.append(image + troubles.noise * random.standard_normal(image.shape))
    stack = torch.from_numpy(np.stack(images)).float().permute(0, 3, 1, 2)
    moved = warp(stack, _flows(count, troubles.shift, lens, taking.identity))
    normals = np.zeros((lens.height, lens.width, 3))
    normals[own.row, own.column] = own.points.normal @ lens.view_from_head.double().numpy().T
    head = np.zeros((lens.height, lens.width), dtype=bool)
    head[own.row, own.column] = own.label > 0
    return LitFace(
        images=moved.clamp(0.0, 1.0),
        head=torch.from_numpy(head),
        skin=torch.from_numpy(own.skin),
        normals=torch.from_numpy(normals).float().permute(2, 0, 1),
        fiducials=own.fiducials,
        lens=lens,
    )


class _Model:
    """A person before the camera, found once for all lights."""

    def __init__(self, taking: Taking, identity: int, population: Population, lens: Lens) -> None:
        neutral = replace(
            taking,
            identity=identity,
            pose=Pose(0.0, 0.0, 0.0),
            expression=tuple(0.0 for _ in taking.expression),
            **{"gaze": (0.0, 0.0), "style": 0, "age": 0.0, "occluder": "", "bystander": -1},
        )
        scene = Scene(sitting(neutral, population, np.random.default_rng(identity)))
        self.scene, self.lens = scene, lens
        self.axes = lens.view_from_head.double().numpy().T
        xy = pixels(scene, lens)
        origins, directions = rays(lens, xy)
        hits = scene.tracer.first(origins, directions)
        dark = Light((0.0, 0.0, 0.0), (), (), 0.0)
        towards = -directions[hits.ray]
        self.points, self.label, _ = surface(scene, hits, towards, dark, self.axes)
        self.hits = hits
        self.column, self.row = xy[hits.ray].astype(int).T
        self.skin = np.zeros((lens.height, lens.width), dtype=bool)
        self.skin[self.row, self.column] = self.label == LABELS.index("face")
        head = scene.placed[0].part
        marks = at(BuildTemplate(size=1.0, people=2)().fiducials, head.faces, head.vertices.float())
        self.fiducials = project_through(marks, lens)[:, :2]

    def lit(
        self, light: Light, troubles: Troubles, random: np.random.Generator
    ) -> Float[np.ndarray, "h w rgb=3"]:
        """The picture in this light; black where there is nobody."""
        points, tracer = self.points, self.scene.tracer
        sky = coefficients(light, self.axes)
        if troubles.shadows:
            corners = self.scene.received(light, self.axes)[self.scene.faces[self.hits.face]]
            received = (corners * self.hits.barycentric[..., None]).sum(axis=1)
        else:
            # One triangle that is nowhere near hides nothing.
            tracer = Tracer(1e7 + np.eye(3), np.array([[0, 1, 2]]))
            received = open_transfer(points.normal) @ sky
            smooth = replace(points.finish, bump=np.zeros_like(points.finish.bump))
            points = replace(points, finish=smooth)
        lit = Lit(points.place, points.normal, points.to_camera, received.clip(0.0), points.finish)
        picture = np.zeros((self.lens.height, self.lens.width, 3))
        picture[self.row, self.column] = shade(lit, light, self.axes, tracer, self._soft, random)
        return picture

    def _soft(self, values: Float[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
        """Mean over a few pixels."""
        whole = np.zeros((2, self.lens.height, self.lens.width))
        whole[:, self.row, self.column] = np.stack([values, np.ones_like(values)])
        total, share = (gaussian_filter(layer, _SOFT) for layer in whole)
        return (total / share.clip(1e-6))[self.row, self.column]


def _flows(count: int, length: float, lens: Lens, seed: int) -> Float[Tensor, "photo xy=2 h w"]:
    """Smooth random flows of this root mean square length."""
    random = torch.Generator().manual_seed(seed)
    coarse = torch.randn(count, 2, 6, 6, generator=random)
    flows = functional.interpolate(coarse, (lens.height, lens.width), mode="bicubic")
    return flows * length / flows.square().sum(dim=1).mean().sqrt()
