"""Light on a scene: a soft environment, a few lamps, and what surfaces send on to the camera."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from headrecon.render.trace import Tracer
from headrecon.synthetic.scene import Finish

RGB = tuple[float, float, float]
XYZ = tuple[float, float, float]

_RAYS = 96
_LIFT = 0.3
"""Millimetres between a surface and the start of a ray that leaves it."""
_BAND = np.array([1.0, 2 / 3, 2 / 3, 2 / 3, 0.25, 0.25, 0.25, 0.25, 0.25])
"""What a hemisphere weighted with the cosine keeps of each harmonic."""
_SKIN_REFLECTANCE = 0.028
"""Of light that falls straight on, by the refractive index of skin (1.4)."""
_BLEEDING = np.array([0.12, 0.04, 0.02])
"""How far light goes round the edge of a shadow under the skin, as a cosine."""


@dataclass(frozen=True)
class Lamp:
    """Light from one direction; its shadows have soft edges."""

    direction: XYZ
    """Unit vector to the lamp, in the view frame."""
    color: RGB
    size: float
    """Radius as seen from the head, in radians."""


@dataclass(frozen=True)
class Light:
    """Environment = ambient + sum over glows of color (d . w) + color ((d . w)^2 - 1/3).

    The environment is a second-order polynomial of the direction w, like what reaches a Lambertian
    surface from anywhere far away; d is the direction of a glow. Lamps come on top.

    Convention: view frame; linear RGB; an environment of 1 makes a white surface 1.

    Reference: Ramamoorthi and Hanrahan, "An efficient representation for irradiance environment
    maps", SIGGRAPH 2001.
    """

    ambient: RGB
    glows: tuple[Lamp, ...]
    lamps: tuple[Lamp, ...]
    specular: float
    """Strength of highlights; 1 for usual skin."""


def harmonics(directions: Float[np.ndarray, "*points xyz=3"]) -> Float[np.ndarray, "*points 9"]:
    """Spherical harmonics up to order two, each a polynomial without its constant factor."""
    x, y, z = np.moveaxis(directions, -1, 0)
    third = 1 / 3
    second = [x * y, y * z, z * x, x * x - third, y * y - third]
    return np.stack([np.ones_like(x), x, y, z, *second], axis=-1)


def coefficients(
    light: Light, head_from_view: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "9 rgb=3"]:
    """The environment in `harmonics` of the head frame."""
    total = np.zeros((9, 3))
    total[0] = light.ambient
    for glow in light.glows:
        x, y, z = head_from_view @ np.array(glow.direction)
        # z z is what x x and y y leave of 1.
        square = [2 * x * y, 2 * y * z, 2 * z * x, x * x - z * z, y * y - z * z]
        total += np.outer([0.0, x, y, z, *square], glow.color)
    return total


def open_transfer(normals: Float[np.ndarray, "point 3"]) -> Float[np.ndarray, "point 9"]:
    """What a surface that sees half of the sky keeps of each harmonic of the environment."""
    return _BAND * harmonics(normals)


def transfer(
    tracer: Tracer,
    points: Float[np.ndarray, "vertex 3"],
    normals: Float[np.ndarray, "vertex 3"],
    seed: int,
) -> Float[np.ndarray, "vertex 9"]:
    """What points in a scene keep of each harmonic where the scene itself hides part of the sky.

        T_k = mean over w ~ cosine of  visible(w) Y_k(w),   light received = sum_k T_k L_k

    Reference: Sloan, Kautz and Snyder, "Precomputed radiance transfer for real-time rendering in
    dynamic, low-frequency lighting environments", SIGGRAPH 2002.
    """
    spread = np.random.default_rng(seed).standard_normal((len(points), _RAYS, 3))
    spread /= np.linalg.norm(spread, axis=2, keepdims=True)
    # A point on the unit sphere around the normal's tip has the cosine distribution.
    directions = normals[:, None] + 0.999 * spread
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    origins = np.repeat(points + _LIFT * normals, _RAYS, axis=0)
    hidden = tracer.blocked(origins, directions.reshape(-1, 3)).reshape(len(points), _RAYS)
    return (harmonics(directions) * ~hidden[..., None]).mean(axis=1)


Soften = Callable[[np.ndarray], np.ndarray]
"""Evens out values of neighbouring points, which were each sampled with one ray."""


@dataclass(frozen=True)
class Lit:
    """Points of the scene, in the head frame, about to be seen."""

    place: Float[np.ndarray, "point 3"]
    normal: Float[np.ndarray, "point 3"]
    """Unit, of the smooth surface."""
    to_camera: Float[np.ndarray, "point 3"]
    received: Float[np.ndarray, "point rgb=3"]
    """From the environment."""
    finish: Finish


def shade(
    lit: Lit,
    light: Light,
    head_from_view: Float[np.ndarray, "3 3"],
    tracer: Tracer,
    soften: Soften,
    random: np.random.Generator,
) -> Float[np.ndarray, "point rgb=3"]:
    """Light that the points send to the camera.

    Diffuse light is albedo times what is received; highlights are those of microfacets
    with the distribution of Trowbridge and Reitz (GGX). Lamps cast shadows, and the environment is
    mirrored as blurred as it is known, less so by rough surfaces.

    Reference: Walter, Marschner, Li and Torrance, "Microfacet models for refraction through rough
    surfaces", EGSR 2007.
    """
    normal = _unit(lit.normal + lit.finish.bump)
    facing = (normal * lit.to_camera).sum(axis=1).clip(0.05, 1.0)
    diffuse = lit.received.copy()
    mirrored = 2.0 * facing[:, None] * normal - lit.to_camera
    gloss = light.specular * lit.finish.gloss[:, None]
    around = (harmonics(mirrored) @ coefficients(light, head_from_view)).clip(0.0)
    # Only what sees the sky can mirror it.
    openness = lit.received.mean(axis=1, keepdims=True) / max(np.mean(light.ambient), 1e-3)
    sharp = (1.0 - lit.finish.roughness) ** 2
    grazing = (1.0 - (lit.normal * lit.to_camera).sum(axis=1).clip(0.0, 1.0)) ** 5
    mirror = _SKIN_REFLECTANCE + sharp * (0.6 - _SKIN_REFLECTANCE) * grazing
    specular = gloss * mirror[:, None] * around * openness.clip(0.0, 1.0)
    for lamp in light.lamps:
        direction = head_from_view @ np.array(lamp.direction)
        cosine = (normal @ direction)[:, None]
        wrapped = ((cosine + _BLEEDING) / (1.0 + _BLEEDING)).clip(0.0)
        seen = soften(_lamp_seen(lit, direction, lamp.size, tracer, random))[:, None]
        diffuse += wrapped * seen * np.array(lamp.color)
        lobe = _microfacets(normal, direction, lit.to_camera, facing, lit.finish.roughness)
        specular += gloss * lobe[:, None] * seen * np.array(lamp.color)
    return lit.finish.albedo * diffuse + specular


def _lamp_seen(
    lit: Lit,
    direction: Float[np.ndarray, "3"],
    size: float,
    tracer: Tracer,
    random: np.random.Generator,
) -> Float[np.ndarray, " point"]:
    """1 where nothing hides the lamp; one ray per point, each to another spot of the lamp."""
    toward = np.flatnonzero(lit.normal @ direction > -0.12)
    aims = _unit(direction + size * random.standard_normal((len(toward), 3)))
    origins = lit.place[toward] + _LIFT * lit.normal[toward] + 0.5 * direction
    seen = np.zeros(len(lit.place))
    seen[toward] = ~tracer.blocked(origins, aims)
    return seen


def _microfacets(
    normal: Float[np.ndarray, "point 3"],
    direction: Float[np.ndarray, "3"],
    to_camera: Float[np.ndarray, "point 3"],
    facing: Float[np.ndarray, " point"],
    roughness: Float[np.ndarray, " point"],
) -> Float[np.ndarray, " point"]:
    """Specular reflection times the cosine to the lamp, for a lamp of strength 1."""
    half = _unit(direction + to_camera)
    n_h, v_h = (normal * half).sum(axis=1), (to_camera * half).sum(axis=1)
    n_l = (normal @ direction).clip(0.0)
    square = roughness**4
    distribution = square / (n_h.clip(0.0) ** 2 * (square - 1.0) + 1.0) ** 2
    k = (roughness + 1.0) ** 2 / 8.0
    shadowing = 1.0 / ((n_l * (1 - k) + k) * (facing * (1 - k) + k))
    return _fresnel(v_h) * distribution * shadowing * n_l / 4.0


def _fresnel(cosine: Float[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
    """Share of the light that is mirrored (Schlick's approximation)."""
    return _SKIN_REFLECTANCE + (1.0 - _SKIN_REFLECTANCE) * (1.0 - cosine.clip(0.0, 1.0)) ** 5


def _unit(vectors: Float[np.ndarray, "point 3"]) -> Float[np.ndarray, "point 3"]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-9)
