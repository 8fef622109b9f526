"""Colours of a head, from skin to iris, as functions of the place on the average head.

Painting places instead of vertices keeps brows and irises sharp on a mesh of a few thousand
triangles. All colours are linear RGB.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.ndimage import map_coordinates

from headrecon.template.model import HeadModel
from headrecon.template.regions import REGIONS, above_hairline, within_ears, within_lips

RGB = tuple[float, float, float]

_GRIDS = 10
"""Independent noises of a person."""

_WHORL = np.array([0.0, 100.0, -45.0])
"""Where hair turns around, on the average head."""


@dataclass(frozen=True)
class Complexion:
    """What a person's head looks like, apart from its shape."""

    skin: RGB
    lips: RGB
    hair: RGB
    iris: RGB
    brow: float
    """Strength of the brows in [0, 1]."""
    stubble: float
    freckles: float
    blotches: float
    """Relative standard deviation of large spots of the skin."""
    scalp: float
    """How much of the scalp's colour is that of hair, in [0, 1]; 0 where it is shaved."""
    gaze: tuple[float, float]
    """How far the irises are from the middle of the eyes, in millimetres along x and y."""
    seed: int


@dataclass(frozen=True)
class Places:
    """Points of a head, as seen by the painter."""

    xyz: Float[np.ndarray, "point xyz=3"]
    """Where the same points of the average head are, in its head frame."""
    eye: Float[np.ndarray, " point"]
    """1 on an eyeball, 0 outside the rim of the lids, between them in between."""
    mouth: Float[np.ndarray, " point"]
    """1 between the lips, less away from where they meet."""


def vertex_marks(model: HeadModel) -> Float[np.ndarray, "vertex mark=5"]:
    """Per vertex what `Places` holds per point: place on the average head, eye, mouth."""
    eye = (model.region == REGIONS.index("eyes")).numpy()[:, None]
    mouth = np.zeros((len(model.mean), 1))
    mouth[model.mouth.numpy()] = 1.0
    return np.concatenate([model.mean.numpy(), eye, mouth], axis=1)


def paint(places: Places, model: HeadModel, look: Complexion) -> Float[np.ndarray, "point rgb=3"]:
    """Albedo at each point."""
    xyz = places.xyz
    large, fine, dots = (
        _noise(xyz / size, look.seed, which) for which, size in enumerate((22.0, 2.5, 4.0))
    )
    skin = np.array(look.skin) * (1 + look.blotches * large + 0.04 * fine)[:, None]
    # Cheeks, nose and ears are redder than the rest.
    rosy = np.exp(-(((np.abs(xyz[:, 0]) - 38) / 18) ** 2) - ((xyz[:, 1] + 12) / 18) ** 2)
    albedo = skin * (1 - rosy[:, None] * np.array([0.0, 0.14, 0.12]))
    albedo *= 1 - 0.5 * look.freckles * _step(dots, 1.4, 2.2)[:, None]
    albedo = _over(albedo, look.hair, look.stubble * _beard(xyz, model) * (0.75 + 0.25 * fine))
    lips = within_lips(xyz, model.mean[model.mouth].numpy().astype(float))
    albedo = _over(albedo, look.lips, 0.85 * _step(lips, 0.0, 0.25))
    albedo = _over(
        albedo, look.hair, look.brow * _brow(xyz + 0.5 * fine[:, None], _eye_centre(model))
    )
    hair = _step(above_hairline(xyz) + 1.5 * fine + 2.0 * large, -4.0, 5.0)
    hair *= look.scalp * (1 - _step(within_ears(xyz), -0.15, 0.0))
    strands = np.array(look.hair) * (1 + 0.3 * strand_noise(xyz, look.seed))[:, None]
    albedo = _over(albedo, strands, hair)
    albedo = _eyes(albedo, places, _eye_centre(model), look)
    albedo = _over(albedo, (0.06, 0.02, 0.02), 0.4 * _step(places.mouth, 0.4, 0.9))
    albedo = _over(albedo, (0.06, 0.02, 0.02), _step(places.mouth, 0.97, 1.0))
    return albedo.clip(0.005, 0.95)


def strand_noise(xyz: Float[np.ndarray, "point 3"], seed: int) -> Float[np.ndarray, " point"]:
    """Noise that changes across strands of hair and hardly along them.

    Strands run from the whorl at the back of the crown in all directions and down the sides.
    """
    offset = xyz - _WHORL
    level = np.hypot(offset[:, 0], offset[:, 2])
    around = offset[:, [0, 2]] * (60.0 / np.maximum(level, 4.0))[:, None]
    along = level - offset[:, 1]
    fine = _noise(np.column_stack([around / 1.3, along / 25.0]), seed, 4)
    clumps = _noise(np.column_stack([around / 5.0, along / 40.0]), seed, 5)
    return (0.7 * fine + 0.5 * clumps).clip(-2.5, 2.5)


def _eyes(
    albedo: Float[np.ndarray, "point 3"],
    places: Places,
    centre: Float[np.ndarray, "xyz=3"],
    look: Complexion,
) -> Float[np.ndarray, "point 3"]:
    """Sclera, iris, pupil, and the dark line of the lashes along the upper lid."""
    side = np.sign(places.xyz[:, 0])
    offset = places.xyz[:, 0] - side * centre[0], places.xyz[:, 1] - centre[1]
    radius = np.hypot(offset[0] - look.gaze[0], offset[1] - look.gaze[1])
    shade = 1 - 0.35 * _step(offset[1], 1.0, 5.0)
    eyeball = _over(np.zeros_like(albedo), (0.5, 0.46, 0.44), np.ones(len(radius)))
    eyeball = _over(eyeball, look.iris, 1 - _step(radius, 5.4, 6.0))
    eyeball = _over(eyeball, (0.01, 0.01, 0.01), 1 - _step(radius, 2.1, 2.5))
    eyeball = _over(eyeball, (0.02, 0.02, 0.02), 0.6 * np.exp(-(((radius - 5.7) / 0.4) ** 2)))
    albedo = _over(albedo, eyeball * shade[:, None], _step(places.eye, 0.15, 0.5))
    lashes = np.exp(-(((places.eye - 0.2) / 0.18) ** 2)) * (places.eye > 0)
    return _over(albedo, (0.03, 0.02, 0.02), lashes * (0.3 + 0.6 * _step(offset[1], -1.0, 2.0)))


def _brow(
    xyz: Float[np.ndarray, "point 3"], eye: Float[np.ndarray, "xyz=3"]
) -> Float[np.ndarray, " point"]:
    """An arc over each eye that grows thinner outward."""
    along = (np.abs(xyz[:, 0]) - eye[0] + 16) / 36
    arc = eye[1] + 15.5 + 5.0 * np.sin(np.pi * np.clip(along, 0, 1) ** 1.3) - 2.0 * along
    thickness = 4.2 - 2.0 * np.clip(along, 0, 1)
    band = np.exp(-(((xyz[:, 1] - arc) / thickness) ** 2))
    return band * _step(along, -0.05, 0.1) * (1 - _step(along, 0.9, 1.1)) * (xyz[:, 2] > 30)


def _beard(xyz: Float[np.ndarray, "point 3"], model: HeadModel) -> Float[np.ndarray, " point"]:
    """Where a beard grows: from the side-burns along the jaw to below the nose."""
    top = float(model.mean[model.mouth, 1].max()) + 20.0
    jaw = _step(top - 0.45 * np.maximum(np.abs(xyz[:, 0]) - 16, 0) - xyz[:, 1], -8.0, 22.0)
    sides = _step(np.abs(xyz[:, 0]), 45.0, 60.0) * _step(xyz[:, 2], 5.0, 12.0)
    chin = _step(xyz[:, 2], 30.0, 60.0)
    throat = _step(xyz[:, 1], -115.0, -95.0)
    return jaw * np.maximum(sides, chin) * throat


def _eye_centre(model: HeadModel) -> Float[np.ndarray, "xyz=3"]:
    """Middle of the opening of the eye at positive x."""
    eyes = model.mean[model.region == REGIONS.index("eyes")].numpy()
    return eyes[eyes[:, 0] > 0].mean(axis=0).astype(float)


def _noise(xyz: Float[np.ndarray, "point 3"], seed: int, which: int) -> Float[np.ndarray, " point"]:
    """Smooth noise with unit variance and a correlation length of about one; period 32."""
    return map_coordinates(_grids(seed)[which], xyz.T, order=1, mode="grid-wrap") * 1.7


@lru_cache(maxsize=32)
def _grids(seed: int) -> Float[np.ndarray, "which 32 32 32"]:
    """White noise; drawn once, because drawing it takes longer than painting."""
    return np.random.default_rng(seed).standard_normal((_GRIDS, 32, 32, 32)).astype(np.float32)


def _step(x: Float[np.ndarray, " point"], low: float, high: float) -> Float[np.ndarray, " point"]:
    """0 below low, 1 above high, smooth in between."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def _over(
    below: Float[np.ndarray, "point 3"],
    colour: RGB | Float[np.ndarray, "point 3"],
    alpha: Float[np.ndarray, " point"],
) -> Float[np.ndarray, "point 3"]:
    """A layer of colour over what is below."""
    return below + alpha.clip(0.0, 1.0)[:, None] * (np.asarray(colour) - below)
