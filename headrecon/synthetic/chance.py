"""What differs from photo to photo: pose, face, light, place and camera."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_GOLDEN = (5**0.5 - 1) / 2
_CLUSTERS = ((0, 0.24), (30, 0.14), (-30, 0.14), (60, 0.13), (-60, 0.13), (90, 0.11), (-90, 0.11))
"""Middle azimuths and the share of the photos within 15 degrees of each."""
_EXPRESSIONS = (
    (("mouthSmileLeft", "mouthSmileRight", "cheekSquintLeft", "cheekSquintRight"), 0.7),
    (("jawOpen",), 0.15),
    (("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), 0.5),
    (("browDownLeft", "browDownRight"), 0.4),
    (("eyeBlinkLeft", "eyeBlinkRight"), 0.35),
    (("mouthPucker",), 0.25),
    (("mouthPressLeft", "mouthPressRight"), 0.4),
)
"""Actions that go together, and how strong they get."""


@dataclass(frozen=True)
class Pose:
    """Angles in degrees."""

    azimuth: float
    elevation: float
    roll: float


@dataclass(frozen=True)
class Light:
    """Light = ambient * openness * (1 + gradient . n) + lamp * max(0, direction . n), per colour.

    Convention: view frame; the direction points to the lamp.
    """

    ambient: Float[np.ndarray, "rgb=3"]
    gradient: Float[np.ndarray, "xyz=3"]
    lamp: Float[np.ndarray, "rgb=3"]
    direction: Float[np.ndarray, "xyz=3"]


def draw_pose(index: int, random: np.random.Generator) -> Pose:
    """A pose; the azimuths of successive photos fill the clusters evenly.

    Multiples of the golden ratio spread over [0, 1] better than chance, so that even a small
    collection has profiles.
    """
    u = (0.5 + index * _GOLDEN) % 1.0
    shares = np.array([share for _, share in _CLUSTERS])
    cluster = int(np.searchsorted(shares.cumsum(), u * shares.sum(), side="right"))
    azimuth = _CLUSTERS[min(cluster, len(_CLUSTERS) - 1)][0] + random.uniform(-15.0, 15.0)
    return Pose(
        azimuth=float(np.clip(azimuth, -95.0, 95.0)),
        elevation=float(np.clip(random.normal(0.0, 6.0), -15.0, 15.0)),
        roll=float(np.clip(random.normal(0.0, 5.0), -15.0, 15.0)),
    )


def draw_expression(
    actions: tuple[str, ...], mildness: float, random: np.random.Generator
) -> Float[np.ndarray, " action"]:
    """Strengths of the facial actions: two usual expressions, each as strong as chance has it."""
    strength = np.zeros(len(actions))
    for choice in random.choice(len(_EXPRESSIONS), size=2, replace=False):
        names, most = _EXPRESSIONS[choice]
        strength[[actions.index(name) for name in names]] = mildness * most * random.uniform()
    return strength


def draw_light(random: np.random.Generator) -> Light:
    """Light from all around, more from one side, and one lamp mostly in front and above."""
    around, above = np.radians([random.normal(0.0, 45.0), random.normal(20.0, 20.0)])
    direction = np.array(
        [np.sin(around) * np.cos(above), np.sin(above), np.cos(around) * np.cos(above)]
    )
    gradient = random.standard_normal(3)
    share = random.uniform(0.35, 0.75)
    return Light(
        ambient=share * random.uniform(0.92, 1.08, 3),
        gradient=0.45 * random.uniform() * gradient / np.linalg.norm(gradient),
        lamp=(1.0 - share) * 1.6 * random.uniform(0.92, 1.08, 3),
        direction=direction,
    )
