"""Hair: a scalp that swells, and for long hair a curtain that falls from it."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from headrecon.render.trace import Tracer
from headrecon.template.regions import above_hairline, within_ears

_RISE = {"bald": 0.0, "cropped": 12.0, "short": 34.0, "long": 34.0}
"""Millimetres behind the hairline over which hair reaches its full thickness."""
_THICKNESS = {"bald": (0.0, 0.0), "cropped": (2.0, 4.0), "short": (7.0, 16.0), "long": (9.0, 16.0)}
STYLES = tuple(_RISE)
_AXIS = np.array([0.0, 0.0, -18.0])
"""A point on the upright line around which the curtain hangs."""
_COLUMNS, _ROWS = 72, 40
_TOP = 62.0
"""Height above the ear canals from which the curtain hangs."""


@dataclass(frozen=True)
class Style:
    """A way to wear hair."""

    name: str
    """One of `STYLES`."""
    thickness: float
    """Millimetres on top of the head."""
    length: float
    """How far long hair falls below the ear canals, in millimetres."""
    opening: float
    """Half of the angle at which a curtain of hair is open to the face, degrees from the front."""
    quiff: float
    """How much thicker hair is above the forehead, relative."""
    seed: int


def draw_style(name: str, random: np.random.Generator) -> Style:
    """A style of this kind."""
    return Style(
        name=name,
        thickness=random.uniform(*_THICKNESS[name]),
        length=random.uniform(40.0, 125.0),
        opening=random.uniform(62.0, 84.0),
        quiff=random.uniform(-0.2, 0.8),
        seed=int(random.integers(2**31)),
    )


def volume(place: Float[np.ndarray, "vertex 3"], style: Style) -> Float[np.ndarray, " vertex"]:
    """Thickness in millimetres over each vertex, by its place on the average head."""
    if not style.thickness:
        return np.zeros(len(place))
    random = np.random.default_rng(style.seed)
    waves = random.normal(0.0, 1.0 / 28.0, (8, 3))
    swell = np.cos(place @ waves.T + random.uniform(0.0, 2 * np.pi, 8)).mean(axis=1)
    # The hairline is no line: it starts higher or lower from place to place.
    start = above_hairline(place) + 1.0 + 10.0 * swell
    rise = np.clip(start / _RISE[style.name], 0.0, 1.0) ** 0.8 * (within_ears(place) < -0.12)
    front = np.exp(-(((place[:, 2] - 70.0) / 40.0) ** 2) - ((place[:, 1] - 90.0) / 40.0) ** 2)
    # Sides and neck are mostly cut shorter than the top.
    top = 0.45 + 0.55 * np.clip((place[:, 1] - 10.0) / 60.0, 0.0, 1.0)
    if style.name == "long":
        top = np.ones_like(top)
    return style.thickness * rise * top * (1.0 + style.quiff * front + 0.6 * swell).clip(0.3)


def curtain(
    head: Float[Tensor, "vertex 3"], faces: Int[Tensor, "face 3"], style: Style
) -> tuple[Float[Tensor, "curtain 3"], Int[Tensor, "triangle 3"]]:
    """Vertices and faces of the hair that hangs around back and sides; none if it is not long.

    A closed sheet: the columns run once around the outside and back along the inside. At each
    height it is as wide as the widest part of the head above.
    """
    if style.name != "long":
        return head[:0], faces[:0]
    random = np.random.default_rng(style.seed + 1)
    half = np.radians(180.0 - style.opening)
    angle = half * np.cos(np.linspace(0.0, 2 * np.pi, _COLUMNS, endpoint=False))
    outer = np.arange(_COLUMNS) < _COLUMNS // 2
    ragged = gaussian_filter1d(random.standard_normal(_COLUMNS), 1.0, mode="wrap") * 9.0
    # Hair beside the face is often shorter than at the back.
    shorter = 25.0 * (np.abs(angle) / half) ** 2
    end = -style.length + ragged + shorter
    share = np.linspace(0.0, 1.0, _ROWS)[:, None]
    y = _TOP + share * (end - _TOP)
    out = np.stack([np.sin(angle), np.zeros_like(angle), -np.cos(angle)], axis=-1)
    reach = _reach(head, faces, out, y)
    reach = np.maximum.accumulate(reach, axis=0)
    clumps = random.standard_normal((_ROWS, _COLUMNS))
    clumps = _smooth(clumps, 9.0, 1.0)
    clumps *= 1.6 / clumps.std()
    depth = 5.0 + 9.0 * np.sqrt(np.clip(1.0 - (angle / half) ** 2, 0.0, 1.0))
    reach = _smooth(reach, 2.5, 1.5)
    # It leaves the scalp from within its hair, and thins out at its lower end.
    rise = np.clip(share * 2.5, 0.0, 1.0) ** 0.7
    radius = reach + np.where(outer, rise * (3.0 + depth / 3 + clumps), -depth)
    radius -= np.where(outer, 6.0 * np.clip(share * 8.0 - 7.0, 0.0, 1.0), 0.0) + 6.0 * (1 - rise)
    points = _AXIS + radius[..., None] * out + np.stack([0 * y, y, 0 * y], axis=-1)
    return torch.from_numpy(points.reshape(-1, 3)).float(), _tube(_ROWS, _COLUMNS)


def _reach(
    head: Tensor,
    faces: Tensor,
    out: Float[np.ndarray, "column 3"],
    y: Float[np.ndarray, "row column"],
) -> Float[np.ndarray, "row column"]:
    """Distance from the axis to the surface of the head in each direction at each height."""
    level = np.maximum(y, -60.0)
    origins = _AXIS + np.stack([0 * y, level, 0 * y], axis=-1).reshape(-1, 3)
    directions = np.broadcast_to(out, (*y.shape, 3)).reshape(-1, 3)
    vertices = head.double().numpy()
    hits = Tracer(vertices, faces.numpy()).first(origins, directions)
    corners = vertices[faces.numpy()[hits.face]]
    points = (corners * hits.barycentric[..., None]).sum(axis=1)
    reach = np.zeros(len(origins))
    reach[hits.ray] = np.linalg.norm(points - origins[hits.ray], axis=1)
    return reach.reshape(y.shape)


def _smooth(
    grid: Float[np.ndarray, "row column"], down: float, around: float
) -> Float[np.ndarray, "row column"]:
    """The grid, blurred along its columns and around its rows, which are closed."""
    return gaussian_filter1d(
        gaussian_filter1d(grid, down, axis=0, mode="nearest"), around, axis=1, mode="wrap"
    )


def _tube(rows: int, columns: int) -> Int[Tensor, "triangle 3"]:
    """Triangles of a grid whose last column joins the first, counter-clockwise from outside."""
    index = torch.arange(rows * columns).reshape(rows, columns)
    a, b = index[:-1], index[:-1].roll(-1, dims=1)
    c, d = index[1:], index[1:].roll(-1, dims=1)
    one, two = torch.stack([a, c, b], dim=-1), torch.stack([b, c, d], dim=-1)
    return torch.cat([one.reshape(-1, 3), two.reshape(-1, 3)])
