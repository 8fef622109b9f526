"""What a camera sees of a scene."""

from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from scipy.ndimage import gaussian_filter

from headrecon.geometry.camera import project_through
from headrecon.render.trace import Hits, rays
from headrecon.synthetic.light import Light, Lit, shade
from headrecon.synthetic.scene import Finish
from headrecon.synthetic.staging import Scene
from headrecon.truth import Lens

_PENUMBRA = 1.6
"""Pixels over which the edge of a shadow is evened out."""


@dataclass(frozen=True)
class Picture:
    """The scene in linear light, and what each pixel shows."""

    image: Float[np.ndarray, "h w rgb=3"]
    """Black where there is nobody."""
    covered: Bool[np.ndarray, "h w"]
    """Where there is anything."""
    labels: UInt8[np.ndarray, "h w"]
    """Index into `headrecon.truth.LABELS`."""
    flow: Float[np.ndarray, "h w xy=2"]
    """From pixels of the main head to where they would be with a neutral face; NaN elsewhere."""


def take(scene: Scene, light: Light, lens: Lens, random: np.random.Generator) -> Picture:
    """The picture through this lens; one ray a pixel, through its centre."""
    xy = pixels(scene, lens)
    origins, directions = rays(lens, xy)
    hits = scene.tracer.first(origins, directions)
    seen = xy[hits.ray]
    row, column = seen[:, 1].astype(int), seen[:, 0].astype(int)
    head_from_view = lens.view_from_head.double().numpy().T
    lit, label, place = surface(scene, hits, -directions[hits.ray], light, head_from_view)

    picture = nothing(lens)
    picture.covered[row, column] = True

    def soften(values: np.ndarray) -> np.ndarray:
        """Mean over a few pixels of the same picture."""
        whole = np.zeros((lens.height, lens.width))
        whole[row, column] = values
        share = gaussian_filter(picture.covered.astype(float), _PENUMBRA)
        return (gaussian_filter(whole, _PENUMBRA) / share.clip(1e-6))[row, column]

    picture.image[row, column] = shade(lit, light, head_from_view, scene.tracer, soften, random)
    picture.labels[row, column] = label
    neutral = project_through(torch.from_numpy(place), lens)[:, :2].numpy()
    picture.flow[row, column] = neutral - seen
    return picture


def nothing(lens: Lens) -> Picture:
    """The picture of an empty scene."""
    size = (lens.height, lens.width)
    return Picture(
        image=np.zeros((*size, 3)),
        covered=np.zeros(size, dtype=bool),
        labels=np.zeros(size, dtype=np.uint8),
        flow=np.full((*size, 2), np.nan),
    )


def pixels(scene: Scene, lens: Lens) -> Float[np.ndarray, "pixel xy=2"]:
    """Centres of the pixels within the outline box of the scene."""
    xy = project_through(torch.from_numpy(scene.vertices), lens)[:, :2].numpy()
    size = np.array([lens.width, lens.height])
    low = np.floor(xy.min(axis=0)).clip(0, size - 1).astype(int)
    high = np.ceil(xy.max(axis=0)).clip(low + 1, size).astype(int)
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
    return np.column_stack([x.ravel(), y.ravel()]) + 0.5


def surface(
    scene: Scene,
    hits: Hits,
    to_camera: Float[np.ndarray, "hit 3"],
    light: Light,
    head_from_view: Float[np.ndarray, "3 3"],
) -> tuple[Lit, UInt8[np.ndarray, " hit"], Float[np.ndarray, "hit xyz=3"]]:
    """The points that are seen, their labels, and where they would be with a neutral face."""
    values = [
        scene.vertices,
        scene.normals,
        scene.received(light, head_from_view),
        scene.neutral,
    ]
    corners = np.concatenate(values, axis=1)[scene.faces[hits.face]]
    point, normal, received, neutral = np.split(
        (corners * hits.barycentric[..., None]).sum(axis=1), 4, axis=1
    )
    normal /= np.linalg.norm(normal, axis=1, keepdims=True).clip(1e-9)
    lit = Lit(point, normal, to_camera, received.clip(0.0), _finish(scene, hits))
    return lit, scene.label[hits.face], neutral


def _finish(scene: Scene, hits: Hits) -> Finish:
    """Each part paints its own points."""
    count = len(hits.face)
    whole = Finish(np.zeros((count, 3)), np.zeros(count), np.ones(count), np.zeros((count, 3)))
    owner = np.searchsorted(scene.first_face, hits.face, side="right") - 1
    for number, placed in enumerate(scene.placed):
        mine = np.flatnonzero(owner == number)
        if len(mine):
            faces = placed.part.faces.numpy()[hits.face[mine] - scene.first_face[number]]
            corners = placed.part.marks.double().numpy()[faces]
            own = placed.part.paint((corners * hits.barycentric[mine][..., None]).sum(axis=1))
            for field in fields(Finish):
                getattr(whole, field.name)[mine] = getattr(own, field.name)
    return whole
